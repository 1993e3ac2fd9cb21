"""Answers on a terminal begin with the short answer, then quotes under their headings, each with its source."""

from __future__ import annotations

from assistant.terminal import shown
from assistant.types import Answer, AnswerKind, AnswerSpan, Evidence, Section, ShortAnswer
from tests.assistant.quotes import quote

QUOTES = (
    quote(1, "The forum was opened on 14 June 2023 in Beijing."),
    quote(2, "ฟอรัมจัดขึ้นที่กรุงปักกิ่ง"),
)


def answer(
    kind: AnswerKind = "answer",
    *,
    text: str = "All of it in one text.",
    evidence: tuple[Evidence, ...] = QUOTES,
    short: ShortAnswer | None = None,
    sections: tuple[Section, ...] = (),
    total: int | None = None,
    answered: bool = True,
) -> Answer:
    return Answer(
        question="When?",
        standalone_question="When?",
        language="en",
        answered=answered,
        abstain_reason=None if answered else "not_said",
        confidence=0.9,
        mode="quotes",
        text=text,
        kind=kind,
        evidence=evidence,
        short_answer=short,
        sections=sections,
        total=total,
        timings_ms={},
    )


def test_the_short_answer_stands_in_the_first_line_and_its_quote_below() -> None:
    start = QUOTES[0].start + QUOTES[0].quote.index("14 June")
    span = AnswerSpan(key=1, start=start, end=start + len("14 June 2023"), text="14 June 2023")
    lines = shown(answer(short=ShortAnswer(spans=(span,), confidence=0.9))).splitlines()
    assert lines[0] == "14 June 2023 [1]"
    assert f"    “{QUOTES[0].quote}”" in lines
    more = next(number for number, line in enumerate(lines) if line.startswith("More quotes"))
    assert any(QUOTES[1].quote in line for line in lines[more:])


def test_the_sides_of_a_comparison_stand_under_their_names_and_a_silent_one_says_so() -> None:
    sections = (Section(title="Organizers", keys=(1,)), Section(title="Observers"))
    text = shown(answer("comparison", sections=sections, evidence=QUOTES[:1]))
    assert text.index("Organizers") < text.index(QUOTES[0].quote) < text.index("Observers")
    assert text.index("Observers") < text.index("The documents say nothing on this.")


def test_a_list_says_how_many_of_how_many() -> None:
    assert "2 of 8 shown" in shown(answer("list", total=8))


def test_a_refusal_comes_before_the_nearest_quote() -> None:
    text = shown(answer(answered=False, text="The documents don't say."))
    assert text.startswith("The documents don't say.")
    assert text.index("does not answer") < text.index(QUOTES[0].quote)


def test_small_talk_is_its_text_alone() -> None:
    assert shown(answer("talk", text="Hello!")) == "Hello!"
