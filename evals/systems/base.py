"""Define the interfaces of systems under test: Attest, which answers with events, and others, which reply at once.

`assistant.answer.pipeline.Assistant` is a `System` as it stands.
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
    """The library that the system answers from, as far as judging the answers needs it."""

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
    """What answers by Attest's events. It is called from several threads at once if the run has several jobs."""

    @property
    def library(self) -> Sources:
        """Where its answers come from."""
        ...

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions = ...) -> Iterator[Event]:
        """Yield the events of one answer; the last is `Finished`."""
        ...


@dataclass(frozen=True, slots=True)
class Citation:
    """A document that a reply names as its source, by whatever the other system says of it."""

    name: str = ""
    """Its id, file name or title there."""
    uri: str = ""
    quote: str = ""
    """Words that the system gives as the document's own; empty where it gives none."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What another assistant says to one question. What it doesn't tell is None."""

    text: str
    citations: tuple[Citation, ...] | None = None
    """In the order of its markers: ``[1]`` is the first. None: it names no sources."""
    answered: bool | None = None
    """Whether it answers, or says that it can't."""
    confidence: float | None = None
    """From 0 to 1."""
    ranking: tuple[Citation, ...] | None = None
    """What it retrieved, best first."""
    answer: Answer | None = None
    """Attest's own answer object, if the other side is Attest."""


class Replier(Protocol):
    """The way to another assistant. It is called from several threads at once if the run has several jobs."""

    @property
    def name(self) -> str:
        """Return what reports call it."""
        ...

    def reply(self, question: str, history: Sequence[Message]) -> Reply:
        """Return its reply. Raises ReplyError or UnreachableError where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class External:
    """Another assistant, beside the library that its answers are judged by."""

    library: Sources
    replier: Replier
