"""The benchmarks measure what they say: the same paragraphs, the right answers, honest tables."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from evals.benchmarks import retrieval_tables as tables
from evals.benchmarks.ablations import ExactVectors, asking, variants
from evals.benchmarks.figures import replace_section, share, table
from evals.benchmarks.questions import RememberingEmbedder, fill, read_xquad, rotated
from evals.benchmarks.retrieval import Outcome, measure, settings
from evals.benchmarks.synthetic import Recombiner, Sentence, embed_sentences
from store.catalog.rows import StoredVectors
from store.embedding.centering import Centring, LanguageMeans
from store.embedding.embedder import Embedder
from store.embedding.weights import load_embedder
from store.library import Library
from store.text.language import detect_language

TOPICS = {
    "en": ("The bridge was opened in March.", "Rice prices fell by a tenth.", "The museum keeps four hundred bowls."),
    "th": ("สะพานเปิดใช้ในเดือนมีนาคม", "ราคาข้าวลดลงหนึ่งในสิบ", "พิพิธภัณฑ์เก็บชามสี่ร้อยใบ"),
    "vi": ("Cây cầu được khánh thành vào tháng Ba.", "Giá gạo giảm một phần mười.", "Bảo tàng giữ bốn trăm cái bát."),
}
QUESTIONS = {
    "en": ("When was the bridge opened?", "By how much did rice prices fall?", "How many bowls are in the museum?"),
    "th": ("สะพานเปิดเมื่อใด", "ราคาข้าวลดลงเท่าใด", "พิพิธภัณฑ์มีชามกี่ใบ"),
    "vi": ("Cây cầu được khánh thành khi nào?", "Giá gạo giảm bao nhiêu?", "Bảo tàng có bao nhiêu cái bát?"),
}
ANSWERS = {
    "en": ("March", "a tenth", "four hundred"),
    "th": ("มีนาคม", "หนึ่งในสิบ", "สี่ร้อย"),
    "vi": ("tháng Ba", "một phần mười", "bốn trăm"),
}


@pytest.fixture(scope="module")
def embedder() -> RememberingEmbedder:
    return RememberingEmbedder(load_embedder())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A parallel collection of three paragraphs in three languages, in SQuAD's format."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "xquad-dev").mkdir()
    for language, texts in TOPICS.items():
        asked = zip(texts, QUESTIONS[language], ANSWERS[language], strict=True)
        articles = [
            {
                "title": str(number),
                "paragraphs": [
                    {
                        "context": text,
                        "qas": [{"id": f"q{number}", "question": question, "answers": [{"text": answer}]}],
                    }
                ],
            }
            for number, (text, question, answer) in enumerate(asked)
        ]
        content = json.dumps({"data": articles}, ensure_ascii=False)
        (folder / "xquad-dev" / f"xquad.{language}.json").write_text(content, encoding="utf-8")
    return folder


def test_rotations_hold_every_paragraph_in_every_language_once(data: Path) -> None:
    parallel = read_xquad(data / "xquad-dev")
    held = [(each.number, each.language) for rotation in range(3) for each in rotated(parallel, rotation)]
    assert sorted(held) == sorted((number, language) for number in range(3) for language in TOPICS)


def test_mixed_questions_expect_the_answer_in_the_paragraph_s_language(data: Path) -> None:
    found = list(settings(data, None))
    assert [each.name for each in found] == ["within"] * 3 + ["mixed"] * 3
    for setting in found:
        texts = {paragraph.uri: paragraph.text for paragraph in setting.paragraphs}
        for expected in setting.asked:
            assert expected.answers
            assert all(answer in texts[expected.uri] for answer in expected.answers)


def test_fewer_questions_are_spread_over_all_of_them(shared: Path) -> None:
    some = next(iter(settings(shared / "data", 10)))
    assert len(some.asked) == 10
    assert len({each.question.paragraph for each in some.asked}) == 10


def test_every_system_is_asked_every_question_and_attest_crosses_languages(
    data: Path, embedder: RememberingEmbedder
) -> None:
    outcomes = [
        outcome
        for number, setting in enumerate(settings(data, None))
        for outcome in measure(setting, number, embedder, ablate=number in (0, 3))
    ]
    for system in (*tables.STOCK, tables.ATTEST):
        for language in TOPICS:
            assert len(tables.of(outcomes, "within", language, system)) == 3
            assert len(tables.of(outcomes, "mixed", language, system)) == 9
    attest = [each for each in outcomes if each.system == tables.ATTEST]
    assert all(each.rank == 1 and each.evidence for each in attest if each.setting == "within")
    assert tables.mean(float(each.rank == 1) for each in attest if each.setting == "mixed") > 0.8
    names = {each.system for each in outcomes}
    assert {variant.name for variant in variants(sorted(TOPICS)) if not variant.languages} <= names
    for text in (tables.comparison(outcomes), tables.evidence(outcomes), tables.ablations(outcomes)):
        assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_the_whole_ranking_as_a_variant_is_what_the_library_does(
    data: Path, embedder: RememberingEmbedder, tmp_path: Path
) -> None:
    parallel = read_xquad(data / "xquad-dev")
    with Library.open(tmp_path, embedder=embedder) as library:
        fill(library, rotated(parallel, 0))
        with asking(library, variants(["en"])[0], 3) as ask:
            for question in QUESTIONS["th"]:
                one, other = ask(question).hits, library.search(question, 3).hits
                assert [hit.passage.id for hit in one] == [hit.passage.id for hit in other]
                assert [hit.score for hit in one] == pytest.approx([hit.score for hit in other], abs=1e-5)


def test_the_exact_index_finds_the_nearest() -> None:
    rows = np.eye(4, dtype=np.float32)
    stored = [StoredVectors(f"p{n}", "en", rows[n : n + 1]) for n in range(4)]
    index = ExactVectors(stored, Centring(LanguageMeans.none(4)))
    query = np.array([0.1, 0.9, 0.4, 0.0], np.float32)
    assert [name for name, _ in index.nearest(query, 3)] == ["p1", "p2", "p0"]


def outcome(system: str, rank: int | None, question: str = "q", paragraph: int = 0) -> Outcome:
    return Outcome("within", system, "en", question, paragraph, rank, evidence=None)


@pytest.mark.parametrize(
    ("rank", "expected"),
    [(1, [1, 1, 1, 1]), (2, [0, 1, 0.5, 0.6309]), (6, [0, 0, 1 / 6, 0.3562]), (None, [0, 0, 0, 0])],
)
def test_measures_follow_from_the_rank(rank: int | None, expected: Sequence[float]) -> None:
    assert [score(outcome("x", rank)) for score in tables.MEASURES.values()] == pytest.approx(expected, abs=1e-4)


def test_differences_are_taken_against_the_best_of_the_others() -> None:
    outcomes = [outcome(tables.ATTEST, 1, f"q{n}", n) for n in range(8)]
    for place, system in enumerate(tables.STOCK):
        outcomes += [outcome(system, 1 if n < 2 * (place + 1) else 2, f"q{n}", n) for n in range(8)]
    row = next(line for line in tables.differences(outcomes).splitlines() if line.startswith("| within en"))
    assert row.split("|")[2].split()[0] == "+0.250"


def test_made_documents_are_real_sentences_with_vectors_near_theirs(embedder: RememberingEmbedder) -> None:
    texts = ["\n".join(f"{line} ({n})" for line in TOPICS[tag] for n in range(9)) for tag in TOPICS]
    sentences = embed_sentences(texts, embedder)
    recombiner = Recombiner(sentences, embedder)
    documents = list(recombiner.documents(100))
    assert sum(len(each.passages) for each in documents) == 100
    known = {sentence.text: sentence for sentence in sentences}
    for document in documents:
        assert detect_language(document.text) == document.document.language
        for passage in document.passages:
            assert all(span.of(document.text) in known for span in passage.sentences)
    assert [each.text for each in Recombiner(sentences, embedder).documents(100)] == [each.text for each in documents]


def test_turned_vectors_are_of_unit_length_and_stay_near(embedder: Embedder) -> None:
    vector = np.zeros(embedder.dimensions, np.float32)
    vector[0] = 1
    sentences = [Sentence(f"Sentence {n}.", "en", vector) for n in range(30)]
    (document, *_) = Recombiner(sentences, embedder).documents(20)
    with_vectors = Recombiner(sentences, embedder)
    from store.embedding.embedder import PassageText
    from store.types import Span

    passage = document.passages[0]
    asked = PassageText(
        document.text[passage.start : passage.end],
        tuple(Span(s.start - passage.start, s.end - passage.start) for s in passage.sentences),
    )
    (made,) = with_vectors.embed_passages([asked])
    assert np.linalg.norm(made.sentences, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert ((made.sentences @ vector > 0.9) & (made.sentences @ vector < 0.99)).all()


def test_a_section_of_the_page_is_replaced_and_a_missing_one_said(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- x -->\nold\n<!-- /x -->\nb\n", encoding="utf-8")
    replace_section("x", table(["n", "v"], [["1", share(0.5)]]), page)
    replace_section("x", table(["n", "v"], [["1", share(0.25)]]), page)
    assert (
        page.read_text(encoding="utf-8")
        == "a\n<!-- x -->\n\n| n | v |\n| --- | ---: |\n| 1 | .250 |\n\n<!-- /x -->\nb\n"
    )
    with pytest.raises(ValueError, match="no section y"):
        replace_section("y", "", page)
