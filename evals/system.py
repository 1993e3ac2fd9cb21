"""The seam to what is evaluated: something that answers, over a library that can be looked into.

`assistant.answer.pipeline.Assistant` is such a system as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from assistant.types import AskOptions, Event, Message
from store.library import DocumentPage
from store.types import Filter, SearchResult


class Sources(Protocol):
    """The library that the system answers from, as far as judging the answers needs it."""

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """The `k` best passages, best first."""
        ...

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """A document's normalized text, or its part. Raises NotFoundError."""
        ...

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """A page of documents, ordered by uri."""
        ...


class System(Protocol):
    """What is asked. Both are called from several threads at once if the run has several jobs."""

    @property
    def library(self) -> Sources:
        """Where its answers come from."""
        ...

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions = ...) -> Iterator[Event]:
        """The events of one answer; the last is `Finished`."""
        ...
