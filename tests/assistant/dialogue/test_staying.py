"""The evidence for each reading of a follow-up decides which is taken: a small library with answers by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from assistant.answer.dialogue.followup_readings import look_up
from assistant.answer.question import Question
from assistant.answer.retrieval import Found
from assistant.types import AnswerSpan, AskOptions, Evidence, Message, ShortAnswer, Source
from store.library import Library
from store.types import Filter, SearchResult
from tests.assistant.extractive_qa.hits import found as searched
from tests.assistant.extractive_qa.hits import hit

QUOTE = "The clinic is open from 8 to 18 on weekdays, until 20 on Thursdays."
CLINIC = hit(f"{QUOTE}\nThe manager is Bronwen Hale.", rank=1)
CHOIR = hit("The chair is Helen Moyle.", rank=2)
HISTORY = (
    Message("user", "When is the clinic open?"),
    Message("assistant", f"According to Notes: “8 to 18” [1]\n\nAccording to Notes: “{QUOTE}” [1]"),
)


class Searched:
    """A library that finds the clinic's page for everything."""

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        return searched(CLINIC, query=query)


def evidence(page: int, quote: str) -> Evidence:
    one = (CLINIC, CHOIR)[page - 1]
    start = one.text.index(quote)
    source = Source(id=one.document.id, title="Notes", language="en", sha256="0")
    return Evidence(
        key=1,
        document=source,
        passage_id="p",
        start=start,
        end=start + len(quote),
        quote=quote,
        language="en",
        score=1.0,
    )


def taken(question: str, answers: Mapping[tuple[str, bool], tuple[float, Evidence, str]]) -> str:
    """Return the first quote; `answers` has, by a part of the reading and whether it stays, what is found."""

    def find(asked: Question) -> Found:
        stays = bool(asked.options.filter.documents)
        for (words, staying), (confidence, quote, short) in answers.items():
            if staying == stays and asked.alone.endswith(words) and not asked.said:
                said = ShortAnswer(spans=(AnswerSpan(key=1, start=0, end=1, text=short),), confidence=1.0)
                return Found(asked, searched(CLINIC), (quote,), confidence, {}, short_answer=said if short else None)
        return Found(asked, searched(CLINIC), (), 0.1, {})

    asked = Question(question, question, "en", AskOptions(), 0.0)
    best = look_up(asked, HISTORY, cast("Library", Searched()), find)
    assert best is not None
    return best.evidence[0].quote


MANAGER, CHAIR = evidence(1, "The manager is Bronwen Hale."), evidence(2, "The chair is Helen Moyle.")


def test_a_question_that_names_nothing_leaves_the_document_only_for_a_sure_answer() -> None:
    staying = {("open: who manages it?", True): (0.5, evidence(1, QUOTE), "")}
    for confidence, quote in ((0.7, QUOTE), (0.9, CHAIR.quote)):
        elsewhere = {("who manages it?", False): (confidence, CHAIR, "Helen Moyle")}
        assert taken("who manages it?", staying | elsewhere) == quote


def test_other_words_of_the_quote_are_something_new() -> None:
    other = {("who manages it?", True): (0.3, MANAGER, "Bronwen Hale")}
    again = ("open: who manages it?", True)
    assert taken("who manages it?", {again: (0.9, evidence(1, QUOTE), "8 to 18")} | other) == MANAGER.quote
    assert taken("who manages it?", {again: (0.9, evidence(1, QUOTE), "until 20")} | other) == QUOTE


def test_a_question_that_names_nothing_is_asked_of_what_was_quoted() -> None:
    seen: list[Question] = []

    def find(asked: Question) -> Found:
        seen.append(asked)
        return Found(asked, searched(CLINIC), (), 0.1, {})

    look_up(
        Question("who manages it?", "who manages it?", "en", AskOptions(), 0.0),
        HISTORY,
        cast("Library", Searched()),
        find,
    )
    staying = [asked for asked in seen if asked.near]
    assert {asked.options.filter.documents for asked in staying} == {(CLINIC.document.id,)}
    assert {asked.near[0][1].of(CLINIC.text) for asked in staying} == {QUOTE}


def test_a_reading_that_only_says_the_last_answer_again_is_asked_without_it() -> None:
    for question in ("And the manager?", "which of them is the manager?"):

        def find(asked: Question) -> Found:
            if not asked.near:  # the question before, with something of this one
                return Found(asked, searched(CLINIC), (evidence(1, QUOTE),), 1.0, {})
            if not asked.said:
                return Found(asked, searched(CLINIC), (evidence(1, QUOTE),) * asked.alone.startswith("When"), 0.9, {})
            assert [span.of(CLINIC.text) for _, span in asked.said] == [QUOTE]
            return Found(asked, searched(CLINIC), (MANAGER,), 0.6, {})

        asked = Question(question, question, "en", AskOptions(), 0.0)
        best = look_up(asked, (*HISTORY[:1], Message("assistant", f"“{QUOTE}” [1]")), cast("Library", Searched()), find)
        assert best is not None
        assert best.evidence[0].quote == MANAGER.quote
