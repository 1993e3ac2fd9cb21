"""Define the interfaces of systems under test: Attest, which answers with events, and others, which reply at once.

`assistant.answer.pipeline.Assistant` is a `System` without changes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from assistant.types import Answer, AskOptions, Event, Message
from store.errors import AttestError
from store.library import DocumentPage
from store.types import Filter, SearchResult


class UnreachableError(AttestError):
    """The system under test can't be reached; what was done is saved. Exit code 3."""


class ReplyError(AttestError):
    """The system under test gave no usable reply to a question."""

    exit_code = 1


class Sources(Protocol):
    """The library behind the answers, as far as judging them needs it."""

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """Return the `k` best passages, best first."""
        ...

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return a document's normalized text, or its part. Raises NotFoundError."""
        ...

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """Return a page of documents, ordered by uri."""
        ...


class System(Protocol):
    """A system that answers with Attest's events. Called from several threads at once if the run has several jobs."""

    @property
    def library(self) -> Sources:
        """The library of its answers."""
        ...

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions = ...) -> Iterator[Event]:
        """Yield the events of one answer; the last is `Finished`."""
        ...


@dataclass(frozen=True, slots=True)
class Citation:
    """A document that a reply names as its source, in whatever form."""

    name: str = ""
    """Its id, file name or title there."""
    uri: str = ""
    quote: str = ""
    """Words that the system presents as the document's own; empty if there are none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """Another assistant's reply to one question. Unknown values are None."""

    text: str
    citations: tuple[Citation, ...] | None = None
    """In the order of its markers: ``[1]`` is the first. None if it names no sources."""
    answered: bool | None = None
    """Whether it answers, or says that it can't."""
    confidence: float | None = None
    """From 0 to 1."""
    ranking: tuple[Citation, ...] | None = None
    """The documents that it retrieved, best first."""
    answer: Answer | None = None
    """Attest's own answer object, if the other side is Attest."""


class Replier(Protocol):
    """Asks another assistant. Called from several threads at once if the run has several jobs."""

    @property
    def name(self) -> str:
        """Return its name for reports."""
        ...

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return its reply. Raises ReplyError or UnreachableError if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class External:
    """Another assistant, with the library for judging its answers."""

    library: Sources
    replier: Replier
