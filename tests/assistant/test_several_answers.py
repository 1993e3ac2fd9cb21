"""With the real reader, questions for several things get words for each, or none, but not for only one of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assistant.answer.evidence import with_parts
from assistant.answer.quoted_answer import framed, shortened
from assistant.answer.short_answer import short_answer
from assistant.extractive_qa.candidates import Candidate, ReadParts, read_passages
from assistant.extractive_qa.decisions import Decisions
from assistant.extractive_qa.network import load_reader
from assistant.extractive_qa.question_parts import parts_of
from assistant.extractive_qa.span_reader import Reader
from assistant.extractive_qa.windows import windows_of
from assistant.types import Evidence, ShortAnswer, Source
from store.embedding.weights import load_embedder
from store.types import Hit
from tests.assistant.extractive_qa.hits import found, hit

NOTICE = """\
The boathouse was opened by Ruth Adeyemi in Porthcawl on 9 July 2016. The club has 140 members, 32 boats and 220 oars.

The regatta takes place on the north bay on 3 August 2026. Entry costs 12 euros for adults and 5 euros for children.

Ruth Adeyemi heads the juniors, Tom Price the workshop and Lena Holm the kitchen."""
THAI = """\
ชมรมก่อตั้งขึ้นที่อำเภอบ้านโป่งเมื่อวันที่ 1 มีนาคม 2545 โดยนายสมชาย ใจดี ปัจจุบันมีสมาชิก 420 คน และพนักงาน 8 คน"""
VIETNAMESE = """\
Trạm y tế do bác sĩ Lê Thị Mai thành lập tại Đà Nẵng năm 2009. Trạm có 12 giường, 4 bác sĩ và 9 điều dưỡng."""


@pytest.fixture(scope="module")
def reader() -> Iterator[Reader]:
    loaded = load_reader(load_embedder())
    assert loaded is not None
    yield loaded


def read_each(reader: Reader, question: str, one: Hit, ordered: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    (window, *rest) = windows_of([one], {0: list(range(len(one.sentences)))}, {})
    readings = {
        one.sentences[index].span.start: reading
        for each, parts in zip([window, *rest], reader.read(question, [window, *rest]), strict=True)
        for index, reading in enumerate(parts, start=each.first)
    }
    return tuple(
        Candidate(each.sentence, each.hit, each.score, each.heading, readings.get(each.sentence.span.start))
        for each in ordered
    )


def answered(reader: Reader, question: str, text: str, language: str) -> tuple[ShortAnswer | None, list[Evidence]]:
    """The short answer from `text`, and the quotes that are shown."""
    one = hit(text, language)
    decisions = Decisions.load(load_embedder().name, reading=True)
    ordered = read_passages(question, found(one, query=question), {}, reader, decisions.ranking).ordered
    parts = parts_of(question)
    assert parts is not None
    read = ReadParts(parts.amounts, tuple(read_each(reader, each, one, ordered) for each in parts.questions))
    chosen = with_parts(ordered[:1], read, 5, decisions.span_certainty)
    source = Source(id=one.document.id, title="t", language=language, uri="d.txt", sha256="0" * 64)
    evidence = [
        Evidence(
            key=key,
            document=source,
            passage_id="p",
            start=each.sentence.span.start,
            end=each.sentence.span.end,
            quote=each.words,
            language=language,
            score=each.score,
        )
        for key, each in enumerate(chosen, start=1)
    ]
    return short_answer(ordered, evidence, decisions.span_certainty, read), evidence


@pytest.mark.parametrize(
    ("question", "text", "language", "answers"),
    [
        (
            "When, where and by whom was the boathouse opened?",
            NOTICE,
            "en",
            ["Ruth Adeyemi", "Porthcawl", "9 July 2016"],
        ),
        ("When and where does the regatta take place?", NOTICE, "en", ["north bay", "3 August 2026"]),
        ("How many members, boats and oars does the club have?", NOTICE, "en", ["140", "32", "220"]),
        ("ชมรมก่อตั้งที่ไหน เมื่อไร และโดยใคร", THAI, "th", ["อำเภอบ้านโป่ง", "1 มีนาคม 2545", "นายสมชาย ใจดี"]),
        ("ชมรมมีสมาชิกและพนักงานกี่คน", THAI, "th", ["420", "8"]),
        ("Trạm y tế do ai thành lập, ở đâu và khi nào?", VIETNAMESE, "vi", ["Lê Thị Mai", "Đà Nẵng", "2009"]),
        ("Trạm có bao nhiêu giường, bác sĩ và điều dưỡng?", VIETNAMESE, "vi", ["12", "4", "9"]),
        ("When, where and by whom was the club founded?", THAI, "th", ["อำเภอบ้านโป่ง", "1 มีนาคม 2545", "นายสมชาย ใจดี"]),
    ],
)
def test_each_part_of_a_question_gets_its_words(
    reader: Reader, question: str, text: str, language: str, answers: list[str]
) -> None:
    short, evidence = answered(reader, question, text, language)
    assert short is not None
    assert len(short.spans) == len(answers)
    assert all(answer in span.text for answer, span in zip(answers, short.spans, strict=True))
    quotes = {each.key: each for each in evidence}
    assert all(text[span.start : span.end] == span.text in quotes[span.key].quote for span in short.spans)


def test_parts_that_stand_in_two_sentences_are_quoted_from_both(reader: Reader) -> None:
    short, evidence = answered(
        reader, "When does the regatta take place, and how much is the entry for adults?", NOTICE, "en"
    )
    assert short is not None
    assert [span.key for span in short.spans] == [1, 2]
    assert "12 euros" in " ".join(span.text for span in short.spans)
    assert [each.key for each in shortened(evidence, short, "en")] == [1, 2]


def test_what_the_question_says_itself_is_not_answered_by_the_next_of_its_kind(reader: Reader) -> None:
    text = "The meeting was held in Lund from 3 to 9 May 1993. It was the second of its kind; the first was in Tehran in 1968."
    short, _ = answered(reader, "When and where did the meeting in Lund take place?", text, "en")
    assert short is None or "Tehran" not in [span.text for span in short.spans]


def test_words_for_one_of_several_things_are_no_answer_for_all(reader: Reader) -> None:
    short, evidence = answered(reader, "Who heads the juniors, the workshop and the kitchen?", NOTICE, "en")
    assert short is None
    assert "Lena Holm" in evidence[0].quote


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("en", "“north bay”, “3 August 2026”"),
        ("th", "“north bay”, “3 August 2026”"),
        ("vi", "“north bay”, “3 August 2026”"),
        ("fr", "« north bay », « 3 August 2026 »"),
        ("de", "„north bay“, „3 August 2026“"),
    ],
)
def test_each_of_several_words_stands_in_marks_of_its_own(reader: Reader, language: str, said: str) -> None:
    short, evidence = answered(reader, "When and where does the regatta take place?", NOTICE, "en")
    (item,) = shortened(evidence, short, language)
    assert said in framed(item, language, 0).text.replace("\xa0", " ")
