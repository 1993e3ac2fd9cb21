"""Define the values of an evaluation: the question, the expectation, the result and the verdict.

    Case --asked of a system--> CaseResult --judged--> CaseVerdict

A `CaseResult` holds only what happened and is saved as it is; a verdict is always derived from it,
so the two can't disagree, and a run can be scored again without asking again.
"""

from __future__ import annotations

from typing import Annotated, Literal

import regex
from pydantic import AfterValidator, BeforeValidator, Field

from assistant.types import Answer, AnswerKind, Value


def _listed(given: object) -> object:
    if given is None:
        return ()
    listed = given if isinstance(given, list | tuple) else (given,)
    return tuple(str(one) if isinstance(one, int | float) and not isinstance(one, bool) else one for one in listed)


def _tag(given: str) -> str:
    if not regex.fullmatch(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{2,8})*", given):
        raise ValueError(f"`{given}` is no language tag: write one such as th, vi or en")
    return given


def _compiled(given: tuple[str, ...]) -> tuple[str, ...]:
    for pattern in given:
        try:
            regex.compile(pattern)
        except regex.error as error:
            raise ValueError(f"`{pattern}` is no regular expression: {error}") from error
    return given


Text = Annotated[str, Field(min_length=1, pattern=r"\S")]
"""Not blank."""
Words = Annotated[tuple[Text, ...], BeforeValidator(_listed, json_schema_input_type=str | list[str])]
"""One or several texts; a single one needs no list."""
Patterns = Annotated[Words, AfterValidator(_compiled)]
Tag = Annotated[str, AfterValidator(_tag)]
"""A BCP 47 tag."""


class Reference(Value):
    """Texts to compare an answer with, and the least agreement with the closest of them."""

    reference: Words = ()
    """Empty means the gold answers of the case."""
    value: float = Field(ge=0, le=1)


def _reference(given: object) -> object:
    return {"value": given} if isinstance(given, str | int | float) else given


Agreement = Annotated[Reference, BeforeValidator(_reference, json_schema_input_type=float | Reference)]


class Expectation(Value):
    """What one answer must be like. What is left out is not checked; see docs/evaluation.md for each."""

    answerable: bool | None = Field(
        default=None, description="True: an answer is given. False: the assistant says that it can't answer."
    )
    kind: AnswerKind | None = Field(
        default=None, description="The form of the answer: answer, list, overview, comparison, library or talk."
    )
    answer_contains: Words = Field(default=(), description="The answer contains each of these.")
    answer_contains_any: Words = Field(default=(), description="The answer contains at least one of these.")
    answer_regex: Patterns = Field(default=(), description="Each regular expression matches somewhere in the answer.")
    answer_equals: Words = Field(
        default=(), description="The answer is one of these, whatever its case, punctuation and script of digits."
    )
    answer_f1_at_least: Agreement | None = Field(
        default=None, description="F1 of the words shared with the closest reference, 0 to 1."
    )
    answer_chrf_at_least: Agreement | None = Field(default=None, description="chrF with the closest reference, 0 to 1.")
    cites_document: Words = Field(
        default=(),
        description="One of these documents is cited: its id, its title, or the end of its path or address.",
    )
    cites_passage: Words = Field(default=(), description="One of these passages is cited, by its id.")
    quote_contains: Words = Field(default=(), description="Each of these stands in some quote.")
    quote_contains_any: Words = Field(default=(), description="At least one of these stands in some quote.")
    quotes_verbatim: bool | None = Field(
        default=None, description="True: each quote equals its document's words at its offsets."
    )
    language: Tag | None = Field(default=None, description="The answer is in this language (a BCP 47 tag).")
    attributed_to: Words = Field(
        default=(), description="The answer says that this speaker says it; several are names of one speaker."
    )
    must_not_contain: Words = Field(default=(), description="The answer contains none of these.")
    latency_ms_at_most: float | None = Field(default=None, gt=0, description="Milliseconds until the answer is whole.")


class Gold(Value):
    """A document that is relevant to a question."""

    name: str
    """The suite's name for it."""
    grade: int = Field(default=1, ge=0)
    """How relevant it is; 0 means judged as not relevant."""
    document_id: str | None = None
    """The library's id, after looking it up; None if the library lacks it."""
    language: str | None = None
    aliases: tuple[str, ...] = ()
    """Its title and address in the library."""

    @property
    def key(self) -> str:
        """Its key among retrieved and cited documents: the library's id, or else its own name."""
        return self.document_id or self.name


class GoldSpan(Value):
    """Where a gold answer stands: code points of the document's normalized text, half-open."""

    document: str
    """The suite's name for it; in a result, its id in the library."""
    start: int
    end: int
    words: str = ""
    """The gold answer at that position."""


class Turn(Value):
    """One question of a case, and what its answer should be."""

    question: str
    language: str | None = None
    """BCP 47 tag of the question."""
    expect: Expectation = Expectation()
    answers: tuple[str, ...] = ()
    """Gold answers: alternatives, any of which is right."""
    documents: tuple[Gold, ...] = ()
    spans: tuple[GoldSpan, ...] = ()
    """Positions of the gold answers: alternatives, any of which is right."""
    impossible: bool = False
    """The suite's documents don't answer it, as marked in SQuAD 2: measured, not checked."""

    @property
    def answerable(self) -> bool | None:
        """Whether the sources answer it: according to the suite, or because it has a gold answer; otherwise None."""
        if self.expect.answerable is not None:
            return self.expect.answerable
        if self.impossible:
            return False
        return True if self.answers else None


class Case(Value):
    """A question, or a conversation of several, that the system under test is given."""

    suite: str
    id: str
    turns: tuple[Turn, ...] = Field(min_length=1)
    tags: tuple[str, ...] = ()
    cluster: str | None = None
    """Cases about the same document are not independent; those with the same cluster are drawn together."""
    path: str = ""
    line: int | None = None
    draft: bool = False
    """Made by a program, and not yet reviewed by a person."""

    @property
    def key(self) -> str:
        """Unique in a run."""
        return f"{self.suite}/{self.id}"

    @property
    def where(self) -> str:
        """File and line, for messages."""
        return self.path if self.line is None else f"{self.path}, line {self.line}"


class QuoteCheck(Value):
    """What the library holds where a quote says that it stands, read when the answer came."""

    key: int
    """The key of the answer's evidence."""
    words: str | None
    """The document's words at the quote's offsets; None if the library has no such document."""
    occurs: bool
    """Whether the quote occurs anywhere in that document."""
    announced: bool
    """Whether it was among the evidence shown before the answer was composed."""
    before: str = ""
    after: str = ""
    """A few words of context, for the report."""


class Ranked(Value):
    """One retrieved passage, best first in its list."""

    document_id: str
    passage_id: str
    language: str
    score: float
    uri: str = ""
    """The document's address; in a data set's own library, the data set's own id."""


class Failure(Value):
    """Why a turn has no answer."""

    kind: str
    """The name of the error's class."""
    message: str
    trace: str = ""
    """Where in the program it happened, for the person who fixes it."""
    unreachable: bool = False
    """The system could not be reached, so the case is asked again on resume."""


class Judgement(Value):
    """What a language model thinks of an answer. Never decides whether a run passes unless asked to."""

    judge: str
    score: float = Field(ge=0, le=1)
    reason: str


Aspect = Literal["answered", "citations", "confidence", "quotes", "attest"]
"""What a system may report besides its text. `attest`: everything in Attest's answer object."""
ASPECTS: tuple[Aspect, ...] = ("answered", "citations", "confidence", "quotes", "attest")


class TurnResult(Value):
    """What came back for one question."""

    question: str
    gold: tuple[Gold, ...] = ()
    """The documents of the suite that were found in the library."""
    spans: tuple[GoldSpan, ...] = ()
    answer: Answer | None = None
    failure: Failure | None = None
    checks: tuple[QuoteCheck, ...] = ()
    ranking: tuple[Ranked, ...] | None = None
    """None if the search was not requested, or failed."""
    latency_ms: float | None = None
    """Until the answer was complete, measured by the caller."""
    first_quote_ms: float | None = None
    """Until the first quote could be shown; None if there was none."""
    given: tuple[Aspect, ...] = ASPECTS
    """What the system reported besides its text."""


class CaseResult(Value):
    """What came back for one case, the `repeat`-th time (counted from 0) that it was asked."""

    suite: str
    case_id: str
    repeat: int = 0
    turns: tuple[TurnResult, ...]

    @property
    def key(self) -> str:
        """The case's key."""
        return f"{self.suite}/{self.case_id}"

    @property
    def unreachable(self) -> bool:
        """Whether nothing was learned because the system could not be reached."""
        return any(turn.failure is not None and turn.failure.unreachable for turn in self.turns)


Direction = Literal["higher", "lower"]
"""Which way is better."""
