"""Limit the library and the assistant to the visitor's collections."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from assistant.types import Answer, AskOptions, Event, Message
from store.library_view import ReadableLibrary, View

if TYPE_CHECKING:
    from store.library import Library

Collections = tuple[str, ...] | None
"""What somebody may see; None means everything."""


class ScopedAssistant(Protocol):
    """What a visitor can do with the assistant."""

    @property
    def library(self) -> ReadableLibrary:
        """What the visitor may read."""

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Yield the events of an answer, with the finished answer last. Raises errors of `store.errors`."""

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """Return the role and text of each message from which a model wrote `answer`. Raises LanguageModelError."""


class Assistant(ScopedAssistant, Protocol):
    """The assistant over the whole library."""

    @property
    def library(self) -> Library:
        """The whole library, including the methods that change it."""


def scoped_library(library: Library, collections: Collections) -> ReadableLibrary:
    """Return the part of the library that somebody may read."""
    return library if collections is None else View(library, collections)


def scoped_assistant(assistant: Assistant, collections: Collections) -> ScopedAssistant:
    """Return the assistant, limited to `collections` if there are any."""
    return assistant if collections is None else _LimitedAssistant(assistant, collections)


class _LimitedAssistant:
    """Passes questions on with a filter that matches only `collections`."""

    def __init__(self, assistant: Assistant, collections: tuple[str, ...]) -> None:
        self._assistant = assistant
        self.library = View(assistant.library, collections)

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """See `ScopedAssistant.ask`."""
        narrowed = replace(options, filter=self.library.narrowed(options.filter))
        return self._assistant.ask(question, history, narrowed)

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """See `ScopedAssistant.prompt_of`: the prompt contains only what the answer quotes."""
        return self._assistant.prompt_of(answer)
