"""The ranking finds an answer from any language, keywords only help, filters hold, and unusual input breaks nothing."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.embedding.embedder import TextEmbedder
from store.library import Library
from store.search.engine import search
from store.search.ranking import Ranking, load_ranking
from store.types import Filter
from tests.store.building import HashingEmbedder, add, many, parsed

DOCUMENTS = {
    # What answers stands in one language only; the others hold things that merely share words with the question.
    "bridge-th": ("th", "สะพานแขวนข้ามแม่น้ำเปิดใช้งานเมื่อวันที่ ๑๔ มิถุนายน พ.ศ. ๒๕๖๖ โดยผู้ว่าราชการจังหวัด"),
    "vaccine-vi": ("vi", "Vắc-xin đầu tiên chống bệnh đậu mùa do Edward Jenner tìm ra vào năm 1796."),
    "library-en": ("en", "The town library lends out four thousand books a year and closes on Mondays."),
    "bridge-tolls-en": (
        "en",
        "Bridge, river, bridge, opened: when the river floods, who has opened the gates is not recorded.",
    ),
    "vaccine-th": ("th", "ราคาวัคซีนสำหรับสัตว์เลี้ยงเพิ่มขึ้น โรคในวัวลดลง ใครซื้อวัคซีนได้ส่วนลด"),
    "library-vi": ("vi", "Thư viện ảnh trong điện thoại chiếm nhiều dung lượng; sách điện tử chiếm ít hơn."),
    "harvest-vi": ("vi", "Vụ mùa năm 2019 ở đồng bằng thất bát vì hạn hán, theo bà Nguyễn Thị Hoà."),
    "harvest-en": ("en", "The harvest of 2021 was good, said Somchai Wongsa, and prices of rice fell by 12.5 percent."),
    "treaty-en": ("en", 'The charter speaks of "the dignity of every person" and was signed by forty states.'),
    "dignity-en": ("en", "Every person at the charter company has dignity, states the manager; the pilots signed it."),
    "forum-ar": ("ar", "عُقِدَ منتدى التجارة في القاهرة عام ٢٠٢٢ بحضور مئتي مندوب."),
    "museum-zh": ("zh", "博物馆收藏了四百件宋代瓷器,每周一闭馆。"),
}


@pytest.fixture(scope="module")
def library(model: TextEmbedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("home"), embedder=model) as library:
        for name, (language, text) in DOCUMENTS.items():
            add(library, parsed(name, text, language=language, title="Untitled"))
        yield library


def ranked(library: Library, query: str, where: Filter | None = None) -> list[str]:
    return [hit.document.uri for hit in library.search(query, 12, where).hits]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("When was the suspension bridge over the river opened?", "bridge-th"),
        ("Cây cầu treo bắc qua sông được khánh thành khi nào?", "bridge-th"),
        ("Who discovered the first vaccine against smallpox?", "vaccine-vi"),
        ("ใครเป็นผู้ค้นพบวัคซีนป้องกันโรคฝีดาษ", "vaccine-vi"),
        ("ห้องสมุดของเมืองปิดวันไหน", "library-en"),
        ("Thư viện của thị trấn đóng cửa vào ngày nào?", "library-en"),
        ("Where was the trade forum of 2022 held?", "forum-ar"),
        ("พิพิธภัณฑ์มีเครื่องกระเบื้องสมัยราชวงศ์ซ่งกี่ชิ้น", "museum-zh"),
    ],
)
def test_what_answers_stands_above_what_only_shares_words_in_the_question_s_language(
    library: Library, query: str, expected: str
) -> None:
    assert ranked(library, query)[0] == expected


def test_keywords_added_as_usual_would_bury_an_answer_in_another_language(library: Library) -> None:
    """The reason why they count only within a language here."""

    def place(ranking: Ranking) -> int:
        query = "When was the bridge over the river opened?"
        with library.ownership.indexes() as indexes, library.snapshot() as snapshot:
            found = search(
                query, 12, Filter(), embedder=library.embedder, indexes=indexes, snapshot=snapshot, ranking=ranking
            )
        return [hit.document.uri for hit in found.hits].index("bridge-th")

    ranking = load_ranking("multilingual-e5-small")
    assert place(ranking) == 0
    assert place(replace(ranking, relative=False)) > 0


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("14/6/2023", "bridge-th"),
        ("June 14, 2023", "bridge-th"),
        ("ngày 14 tháng 6 năm 2023", "bridge-th"),
        ("2562", "harvest-vi"),
        ("Somchai Wongsa", "harvest-en"),
        ("Nguyễn Thị Hòa", "harvest-vi"),
        ("Edward Jenner", "vaccine-vi"),
        ("12.5 %", "harvest-en"),
        ("٢٠٢٢", "forum-ar"),
        ("๒๐๒๒", "forum-ar"),
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_numbers_and_dates_are_found_in_any_spelling(
    library: Library, query: str, expected: str, form: Literal["NFC", "NFD"]
) -> None:
    written = unicodedata.normalize(form, query)
    hits = library.search(written, 12).hits
    assert max(hits, key=lambda hit: hit.keyword).document.uri == expected
    assert ranked(library, written, Filter(languages=(expected[-2:],)))[0] == expected


def test_a_quoted_phrase_outranks_its_words_in_another_order(library: Library) -> None:
    phrase = library.search('Who speaks of "the dignity of every person"?', 12).hits
    shares = {hit.document.uri: hit.keyword for hit in phrase}
    assert phrase[0].document.uri == "treaty-en"
    plain = {hit.document.uri: hit.keyword for hit in library.search("Who speaks of the dignity of every person?").hits}
    assert shares["treaty-en"] - shares["dignity-en"] > plain["treaty-en"] - plain["dignity-en"]


def test_a_phrase_is_found_across_a_line_break_and_an_empty_one_changes_nothing(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "human\nrights of all"), parsed("b", "rights of human all"))
        assert library.search('"human  rights"').hits[0].document.uri == "a"
        plain = [hit.keyword for hit in library.search('rights all " "').hits]
        assert [hit.keyword for hit in library.search('rights all " " "   "').hits] == pytest.approx(plain)
        assert max(plain) < 0.4


@pytest.mark.parametrize(
    ("title", "question", "said", "language"),
    [
        ("The Riverside Roundtable", "When was the Riverside Roundtable held?", "It met on 3 May in the hall.", "en"),
        ("Bàn tròn Ven sông", "Bàn tròn Ven sông diễn ra khi nào?", "Họ họp ngày 3 tháng 5 tại hội trường.", "vi"),
    ],
)
def test_what_a_title_says_once_counts_for_all_that_its_document_goes_on_to_say(
    tmp_path: Path, title: str, question: str, said: str, language: str
) -> None:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        for uri, name in (("a", "Notes"), ("b", title)):
            add(library, parsed(uri, said, language=language, title=name))
        add(library, parsed("c", f"{title} {title}.", language=language, title="Index"))
        hits = [hit for hit in library.search(question, 10).hits if hit.text == said]
    assert [hit.document.uri for hit in hits] == ["b", "a"]
    assert hits[0].sentences[0].score > hits[1].sentences[0].score
    assert hits[0].keyword == hits[1].keyword, "its own words are counted as they are"


def test_scores_descend_and_ranks_count_from_one(library: Library) -> None:
    found = library.search("What happened in 2022?", 7)
    assert [hit.rank for hit in found.hits] == list(range(1, 8))
    scores = [hit.score for hit in found.hits]
    assert scores == sorted(scores, reverse=True)
    assert set(found.timings_ms) == {"embed", "vectors", "keywords", "rank"}
    for hit in found.hits:
        assert hit.text == library.text(hit.document.id, hit.passage.start, hit.passage.end)
        assert [each.span for each in hit.sentences] == list(hit.passage.sentences)
        assert all(-1.001 <= each.dense <= 1.001 and 0 <= each.keyword <= 1.001 for each in hit.sentences)


@pytest.mark.parametrize(
    "query",
    [
        "Qhov choj qhib thaum twg?",  # Hmong
        "ᎦᏙ ᎤᏍᏗ ᎠᏍᏓᏩᏛᏍᏙᏗ",  # Cherokee
        "Kailan binuksan ang tulay?",
        "???",
        "。",
        "🤔",
        "2023",
        "x",
        "the",
        "\u200b\u200b.",
        "a" * 10_000,
        "word " * 10_000,
        "ฝน" * 5_000,
        " ".join(f"term{number}" for number in range(10_000)),
        '"' * 500,
        "AND OR NOT (terms:* ~",
    ],
)
def test_any_question_gets_an_ordered_answer(library: Library, query: str) -> None:
    found = library.search(query, 3)
    assert len(found.hits) == 3
    assert [hit.rank for hit in found.hits] == [1, 2, 3]


def test_a_question_in_a_language_never_seen_still_finds_the_subject(library: Library) -> None:
    assert "vaccine-vi" in ranked(library, "Sino ang nakatuklas ng unang bakuna laban sa bulutong?")[:2]


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    query=st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=60).filter(
        lambda text: text.strip()
    ),
    k=st.integers(0, 200),
)
def test_whatever_is_asked_ranks_are_whole_and_scores_descend(small: Library, query: str, k: int) -> None:
    hits = small.search(query, k).hits
    assert len(hits) == min(max(k, 1), 60)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert all(one.score >= other.score for one, other in pairwise(hits))
    assert len({hit.passage.id for hit in hits}) == len(hits)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("small"), embedder=HashingEmbedder()) as library:
        add(library, *many(20, passages=3))
        yield library


@pytest.fixture(scope="module")
def filtered(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("filtered"), embedder=HashingEmbedder()) as library:
        add(
            library,
            parsed("a", "rice of the delta", language="en", speaker="Ann", published="2019", id="a"),
            parsed("b", "rice of the hills", language="vi", speaker="Binh", published="2021-06", id="b"),
            parsed("c", "rice of the coast", language="th", published="2021-07-02", id="c"),
            parsed("d", "rice of the town", language="th", speaker="Ann", id="d"),
        )
        yield library


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (Filter(documents=("b", "d")), "bd"),
        (Filter(speakers=("Ann",)), "ad"),
        (Filter(languages=("th",)), "cd"),
        (Filter(languages=("th", "vi")), "bcd"),
        (Filter(published_from="2021"), "bc"),
        (Filter(published_to="2021-06"), "ab"),
        (Filter(published_from="2020", published_to="2021-06"), "b"),
        (Filter(speakers=("Ann",), languages=("th",)), "d"),
        (Filter(documents=("a", "c"), published_from="2000"), "ac"),
    ],
)
def test_filters_hold_for_meaning_and_for_keywords(filtered: Library, where: Filter, expected: str) -> None:
    assert "".join(sorted(hit.document.id for hit in filtered.search("rice of the", 10, where).hits)) == expected
    # Both halves alone.
    with filtered.ownership.indexes() as indexes, filtered.snapshot() as snapshot:
        owner = {passage.id: each for each in "abcd" for passage in snapshot.passages(each)}
        near = indexes.vectors.nearest(filtered.embedder.embed_queries(["rice"])[0], 10, where)
        words = indexes.keywords.search("rice", 10, where)
    assert "".join(sorted(owner[name] for name, _ in near)) == expected
    assert "".join(sorted(owner[name] for name, _ in words)) == expected


@pytest.mark.parametrize(
    "where",
    [
        Filter(documents=("nobody",)),
        Filter(speakers=("Nobody",)),
        Filter(languages=("xx",)),
        Filter(published_from="2100"),
        Filter(published_from="2021", published_to="2020"),
    ],
)
def test_a_filter_that_matches_nothing_gives_no_hits(filtered: Library, where: Filter) -> None:
    found = filtered.search("rice", 10, where)
    assert found.hits == ()
    assert found.query == "rice"


def test_a_library_of_one_document_gives_that_one(tmp_path: Path, model: TextEmbedder) -> None:
    with Library.open(tmp_path, embedder=model) as library:
        add(library, parsed("only", "The forum opened in Beijing."))
        assert [hit.document.uri for hit in library.search("ฟอรัมเปิดที่ไหน", 10).hits] == ["only"]


def test_a_library_of_none_gives_no_hits_and_tells_the_language(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        found = library.search("ฟอรัมเปิดที่ไหน")
        assert found.hits == ()
        assert found.language == "th"


def test_equal_questions_get_equal_answers(library: Library) -> None:
    first, second = (library.search("Who signed the charter?", 12).hits for _ in range(2))
    assert first == second


def test_one_language_cannot_crowd_another_out_of_the_keywords(tmp_path: Path) -> None:
    """A hundred passages in one language hold the words; the only one in another must be looked at too."""
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, *(parsed(f"en-{n}", f"alpha beta gamma {_word(n)}", language="en") for n in range(100)))
        add(library, *(parsed(f"vi-{n}", f"{_word(1000 + n)} {_word(2000 + n)}", language="vi") for n in range(100)))
        add(library, parsed("vi", f"gamma {_word(1)} {_word(2)} {_word(3)}", language="vi"))
        assert "vi" in {hit.document.uri for hit in library.search("alpha beta gamma", 160).hits}


def _word(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()
