"""Define the answer object, and the events that build it.

`Answer` is what the command line prints, the page shows and the evaluation scores: the contract
``attest.answer/1``. All offsets are Unicode code points, half-open.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from store.types import Filter

EVERYTHING = Filter()

Mode = Literal["quotes", "written"]
Support = Literal["quoted", "supported", "unsupported"]
AnswerKind = Literal["answer", "list", "overview", "comparison", "library", "talk"]
AbstainReason = Literal["empty_library", "no_evidence", "low_confidence", "unsupported", "not_said"]
NoticeCode = Literal[
    "single_speaker",
    "conflicting_sources",
    "source_changed",
    "translated",
    "incomplete",
    "model_unavailable",
    "not_saved",
]


class Value(BaseModel):
    """A frozen value that refuses fields it doesn't know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Source(Value):
    """The document behind a piece of evidence, as it was when the answer was made."""

    id: str
    title: str
    speaker: str | None = None
    published: str | None = None
    language: str
    uri: str | None = None
    page: int | None = None
    sha256: str
    """Hash of the document's normalized text, so that an old citation can be checked."""


class Evidence(Value):
    """Words of a document: `quote` is exactly ``normalized_text[start:end]``, never repaired."""

    key: int = Field(ge=1)
    document: Source
    passage_id: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    quote: str
    language: str
    score: float
    recognized: bool = False
    """Whether words of it were recognized from the picture of a page, so that they may contain errors."""
    translation: str | None = None


class AnswerSpan(Value):
    """Words that answer, inside the evidence with that key: exactly ``normalized_text[start:end]`` of its document."""

    key: int = Field(ge=1)
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str


class Rendering(Value):
    """A date, number or place of a short answer in the asker's language, made by rule: beside its words."""

    key: int = Field(ge=1)
    """The key of the evidence with these words."""
    words: str
    """As in the quote, except for digits of other scripts."""
    rendered: str


class ShortAnswer(Value):
    """The shortest words that answer, one span or several for a question of several parts."""

    spans: tuple[AnswerSpan, ...] = Field(min_length=1)
    in_asker_language: tuple[Rendering, ...] = ()
    """In the order of the words; empty if the quotes are in that language."""
    confidence: float = Field(ge=0, le=1)


class Section(Value):
    """A part of an answer with a heading: one side of a comparison, one speaker or topic of an overview."""

    title: str
    keys: tuple[int, ...] = ()
    """Keys of its evidence, in order; none if the documents say nothing about it."""
    document_ids: tuple[str, ...] = ()
    """Ids of the documents that it is about."""


class Claim(Value):
    """A sentence of the answer that asserts something: ``answer.text[start:end] == text``."""

    text: str
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    citations: tuple[int, ...] = ()
    support: Support
    reason: str | None = None


class Notice(Value):
    """Something that the reader should know about the answer as a whole."""

    code: NoticeCode
    message: str


class Answer(Value):
    """A whole answer. `answered` false: the sources don't answer, and `text` says so in `language`."""

    schema_: Literal["attest.answer/1"] = Field(default="attest.answer/1", alias="schema")
    question: str
    did_you_mean: str | None = None
    """The corrected question, if it was typed without marks, on another keyboard layout or with a typo."""
    standalone_question: str
    language: str
    answered: bool
    abstain_reason: AbstainReason | None = None
    confidence: float = Field(ge=0, le=1)
    mode: Mode
    model: str | None = None
    text: str
    kind: AnswerKind = "answer"
    short_answer: ShortAnswer | None = None
    claims: tuple[Claim, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    sections: tuple[Section, ...] = ()
    """In display order; empty for a plain answer."""
    documents: tuple[Source, ...] = ()
    """The documents that an answer about the library names."""
    total: int | None = None
    """For lists and answers about the library: the total number, shown or not."""
    notices: tuple[Notice, ...] = ()
    timings_ms: dict[str, float]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_json(self, indent: int | None = None) -> str:
        """Return the contract's JSON text."""
        return self.model_dump_json(by_alias=True, indent=indent)


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class AskOptions:
    """What a user may choose for one question."""

    mode: Mode | None = None
    """None means the default of the settings."""
    answer_language: str | None = None
    """BCP 47 tag; None means the question's own language."""
    filter: Filter = EVERYTHING
    max_quotes: int = 5
    translate: bool = False
    """Whether to show a machine translation next to quotes in other languages than the answer's."""
    as_typed: bool = False
    """Whether to take the question literally, without correcting typos."""
    interface_language: str | None = None
    """The language of the page, for turns that are too short to show their own."""


@dataclass(frozen=True, slots=True)
class EvidenceFound:
    """The quotes, each checked against its document, shown before any text; for a refusal, only the nearest one."""

    standalone_question: str
    language: str
    evidence: tuple[Evidence, ...]
    confidence: float
    short_answer: ShortAnswer | None = None


@dataclass(frozen=True, slots=True)
class TextAdded:
    """The answer's text grew by `text`."""

    text: str


@dataclass(frozen=True, slots=True)
class ClaimChecked:
    """A sentence of the answer is complete and has its verdict."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Waiting:
    """A language model is working, and there is nothing new to show; the answer can be stopped at this moment."""


@dataclass(frozen=True, slots=True)
class Composed:
    """The answer is complete except for translations of its quotes, which follow if they were requested."""

    answer: Answer


@dataclass(frozen=True, slots=True)
class Translated:
    """The quote with that key was translated, or its translation failed."""

    key: int
    text: str | None
    """None if the result can't be shown."""
    answer: Answer
    """The answer with the translations so far."""


@dataclass(frozen=True, slots=True)
class Finished:
    """The whole answer; always the last event."""

    answer: Answer


Event = EvidenceFound | TextAdded | ClaimChecked | Waiting | Composed | Translated | Finished


def finished(events: Iterable[Event]) -> Answer:
    """Return the answer that `events` end with. Raises what producing them raises."""
    for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("An answer always ends with Finished.")
