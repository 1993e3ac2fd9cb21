"""People get right answers from the real model and a real library of the samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import jsonschema
import pytest

from assistant.answer.pipeline import Assistant
from assistant.answer.question import LONGEST_QUESTION, clean_question
from assistant.types import Answer, AskOptions, ClaimChecked, EvidenceFound, Finished, TextAdded
from ingest.pipeline import ingest_paths
from store.errors import QuestionError
from store.library import Library
from store.types import Filter
from tests.assistant.test_written_answer import Scripted
from tests.conftest import ROOT

SAMPLES = ROOT / "ingest" / "samples"


@pytest.fixture(scope="module")
def assistant(new_sample_home: Callable[[], Path]) -> Iterator[Assistant]:
    """Over a library of the shipped samples."""
    with Library.open(new_sample_home()) as library:
        yield Assistant(library)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory, shared: Path) -> Iterator[Assistant]:
    """Over a library of the five real documents."""
    with Library.open(tmp_path_factory.mktemp("corpus")) as library:
        assert not ingest_paths(library, [shared / "corpus"]).failed
        yield Assistant(library)


def quoted(answer: Answer) -> str:
    return "\n".join(evidence.quote for evidence in answer.evidence)


@pytest.mark.parametrize(
    ("question", "words", "document"),
    [
        (
            "When and where was the forum on global human rights governance held?",
            "14 มิถุนายน 2023",
            "forum-2023-th.txt",
        ),
        ("How many countries did the South-South fund's projects reach?", "hơn 50 quốc gia", "south-south-2021-vi.txt"),
        ("Thư chúc mừng được gửi vào ngày nào?", "June 14, 2023", "xi-letter-2023-en.txt"),
        ("หัวข้อของการประชุมคืออะไร", "หัวข้อ", "forum-2023-th.txt"),
        ("What was the theme of the 2023 forum, and who took part?", "300", "forum-2023-th.txt"),
        ("Diễn đàn năm 2021 có bao nhiêu quan chức tham dự?", "Gần 400 quan chức", "south-south-2021-vi.txt"),
    ],
)
def test_a_question_in_one_language_is_answered_by_the_words_of_another(
    corpus: Assistant, question: str, words: str, document: str
) -> None:
    answer = corpus.answer(question)
    assert answer.answered
    found = [e for e in answer.evidence if words in e.quote and (e.document.uri or "").endswith(document)]
    assert found, quoted(answer)


@pytest.mark.parametrize("question", ["What is the population of Canada?", "ราคาทองคำวันนี้เท่าไร"])
def test_what_the_documents_do_not_say_is_not_answered(corpus: Assistant, question: str) -> None:
    answer = corpus.answer(question)
    assert not answer.answered
    assert answer.abstain_reason == "low_confidence"
    assert answer.evidence == ()
    nearest = corpus.library.search(question).hits[0].document.title
    assert nearest in answer.text


def test_an_answer_keeps_the_contract(assistant: Assistant, shared: Path) -> None:
    schema = json.loads((shared / "contracts" / "answer.schema.json").read_text(encoding="utf-8"))
    for question in ("When was the Universal Declaration adopted?", "How do I bake bread?", "🙂?a"):
        answer = assistant.answer(question)
        jsonschema.validate(json.loads(answer.to_json()), schema)
        assert Answer.model_validate_json(answer.to_json()) == answer


def test_every_quote_is_its_document_at_its_offsets(assistant: Assistant) -> None:
    for question in ("Who chaired the side-event in Geneva?", "UPR มีขึ้นเมื่อใด", "Diễn đàn Nam-Nam năm 2021"):
        answer = assistant.answer(question)
        for evidence in answer.evidence:
            text = assistant.library.text(evidence.document.id)
            assert text[evidence.start : evidence.end] == evidence.quote
            assert assistant.library.document(evidence.document.id).text_sha256 == evidence.document.sha256


def test_claims_stand_where_they_say_and_name_the_speaker(assistant: Assistant) -> None:
    answer = assistant.answer("How many states abstained in the vote on the Universal Declaration?")
    assert answer.answered
    assert "eight abstained" in quoted(answer)
    assert answer.short_answer is not None
    (span,) = answer.short_answer.spans
    assert span.text == "eight"
    assert span.text in answer.claims[0].text
    for claim in answer.claims:
        assert answer.text[claim.start : claim.end] == claim.text
        (key,) = claim.citations
        evidence = answer.evidence[key - 1]
        assert evidence.quote in claim.text or claim == answer.claims[0]
        assert (evidence.document.speaker or evidence.document.title) in claim.text
        assert f"[{key}]" in claim.text


@pytest.mark.parametrize(
    ("question", "frame"),
    [
        ("How many states took part in the Vienna conference?", "According to"),
        ("การประชุมเวียนนามีกี่รัฐเข้าร่วม", "ตามข้อมูลของ"),
        ("Có bao nhiêu quốc gia tham dự Hội nghị Vienna năm 1993?", "Theo"),
        ("Combien d'États ont participé à la conférence de Vienne en 1993 ?", "Selon"),
    ],
)
def test_the_answer_is_framed_in_the_language_of_the_question(assistant: Assistant, question: str, frame: str) -> None:
    assert assistant.answer(question).text.startswith(frame)


def test_the_language_of_the_answer_can_be_chosen(assistant: Assistant) -> None:
    answer = assistant.answer(
        "How many states abstained in the vote on the Universal Declaration?", options=AskOptions(answer_language="vi")
    )
    assert answer.language == "vi"
    assert answer.text.startswith("Theo")


def test_quotes_come_before_text_and_the_whole_answer_last(assistant: Assistant) -> None:
    events = list(assistant.ask("Who chaired the side-event in Geneva?"))
    assert isinstance(events[0], EvidenceFound)
    assert isinstance(events[-1], Finished)
    assert "".join(e.text for e in events if isinstance(e, TextAdded)) == events[-1].answer.text
    assert [e.claim for e in events if isinstance(e, ClaimChecked)] == list(events[-1].answer.claims)


def test_one_speaker_behind_all_quotes_is_said(assistant: Assistant) -> None:
    (document,) = [d for d in assistant.library.documents().documents if d.uri.endswith("vienna-1993.en.md")]
    options = AskOptions(filter=Filter(documents=(document.id,)))
    answer = assistant.answer("How many states took part in the Vienna conference?", options=options)
    assert [notice.code for notice in answer.notices] == ["single_speaker"]
    assert (document.speaker or "") in answer.notices[0].message


def test_no_more_quotes_than_asked_for(assistant: Assistant) -> None:
    question = "What did the side-event in Geneva say about human rights?"
    assert len(assistant.answer(question, options=AskOptions(max_quotes=1)).evidence) == 1
    assert len(assistant.answer(question).evidence) <= 5


def test_a_document_that_changed_under_a_search_is_not_quoted(tmp_path: Path) -> None:
    from assistant.answer.evidence import select, verified
    from assistant.extractive_qa.candidates import candidates
    from assistant.extractive_qa.decisions import Decisions

    path = tmp_path / "note.txt"
    path.write_text("The meeting was held in Hanoi on 3 May 2021.\n", encoding="utf-8")
    with Library.open(tmp_path / "home") as library:
        ingest_paths(library, [path])
        by = Decisions.load(library.embedder.name, reading=False)
        chosen = select(candidates(library.search("Where was the meeting held?"), by.ranking), 3, by.further)
        assert verified(chosen, library)
        path.write_text("The meeting was held in Bangkok on 3 May 2021.\n", encoding="utf-8")
        ingest_paths(library, [path])
        assert verified(chosen, library) == ()


def test_a_short_answer_is_words_of_its_document(assistant: Assistant) -> None:
    for question in ("Hội nghị Vienna diễn ra khi nào?", "How many states took part in the Vienna conference?"):
        answer = assistant.answer(question)
        assert answer.short_answer is not None
        for span in answer.short_answer.spans:
            evidence = answer.evidence[span.key - 1]
            assert evidence.start <= span.start < span.end <= evidence.end
            assert assistant.library.text(evidence.document.id)[span.start : span.end] == span.text


def test_what_is_near_but_not_said_is_shown_as_the_nearest_and_not_as_the_answer(assistant: Assistant) -> None:
    answer = assistant.answer("How many pages does the UNA-China statement fill?")
    assert not answer.answered
    assert answer.short_answer is None
    assert answer.abstain_reason == "not_said"
    assert len(answer.evidence) == 1
    assert "[1]" in answer.text


@pytest.mark.parametrize(
    "question",
    [
        "Who chaired the side-event in Geneva?",
        "Who paid for the World Conference on Human Rights in Vienna?",
        "โรงแรมใดรับรองผู้แทนที่มาประชุมที่กรุงเวียนนา",
    ],
)
def test_every_quote_of_an_answer_or_a_refusal_was_announced_before_its_text(
    assistant: Assistant, question: str
) -> None:
    first, *_, last = assistant.ask(question)
    assert isinstance(first, EvidenceFound)
    assert isinstance(last, Finished)
    assert first.evidence == last.answer.evidence


def test_an_empty_library_says_so_in_the_language_of_the_question(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        answer = Assistant(library).answer("เอกสารว่าอย่างไร")
    assert (answer.answered, answer.abstain_reason, answer.language) == (False, "empty_library", "th")
    assert "คลังเอกสาร" in answer.text


def test_written_without_a_model_falls_back_to_quotes_and_says_so(assistant: Assistant) -> None:
    answer = assistant.answer("Who chaired the side-event in Geneva?", options=AskOptions(mode="written"))
    assert answer.answered
    assert answer.mode == "quotes"
    assert "model_unavailable" in {notice.code for notice in answer.notices}


@pytest.mark.parametrize("question", ["", "   \n", "\x00\x01", "?!…", "\u200b"])
def test_a_blank_question_is_refused_in_a_sentence(question: str) -> None:
    with pytest.raises(QuestionError, match="empty"):
        clean_question(question)


def test_a_question_of_a_million_characters_is_refused_with_the_limit_named() -> None:
    with pytest.raises(QuestionError, match=f"{LONGEST_QUESTION:,}"):
        clean_question("why " * 250_000)


def test_control_characters_and_composition_of_a_question_do_not_matter() -> None:
    assert clean_question("  Ai chu\u0309 tri\u0300\x07?\n") == "Ai chủ trì?"


def test_a_heading_is_not_quoted_before_what_stands_below_it(assistant: Assistant) -> None:
    answer = assistant.answer("ทวีปแอฟริกามีกี่ที่นั่งในคณะมนตรีสิทธิมนุษยชน")
    assert "Châu Phi có 13 ghế" in answer.evidence[0].quote
    headings = {"บทบาทในคณะมนตรีสิทธิมนุษยชน", "Thành viên", "Sự kiện"}
    assert not headings & {evidence.quote for evidence in answer.evidence}


def test_the_prompt_of_a_written_answer_is_told_and_that_of_another_model_is_not(assistant: Assistant) -> None:
    question = "Who chaired the side-event in Geneva?"
    found = assistant.answer(question, options=AskOptions(mode="quotes"))
    with_model = Assistant(assistant.library, lambda: Scripted([f"{found.evidence[0].quote} [1]"]))
    written = with_model.answer(
        question, options=AskOptions(mode="written", answer_language=found.evidence[0].language)
    )
    assert (written.mode, written.model) == ("written", "scripted")
    messages = with_model.prompt_of(written)
    assert messages[0][0] == "system"
    assert messages[-1][0] == "user"
    for words in (question, *(" ".join(each.quote.split()) for each in written.evidence)):
        assert words in messages[-1][1]
    assert with_model.prompt_of(found) == ()
    assert with_model.prompt_of(written.model_copy(update={"model": "another"})) == ()
