"""The assistant as one visitor may use it: it answers from their collections, and shows nothing of any other."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from assistant.answer.instrumentation import InstrumentedAssistant
from assistant.server.suggestions import Suggestions
from assistant.types import Answer, AskOptions, Event, Message
from store.library_view import View

if TYPE_CHECKING:
    from assistant.server.answer_stream import Assistant
    from store.library import Library

Collections = tuple[str, ...] | None
"""What somebody may see; None: everything."""


def seen(assistant: Assistant, collections: Collections) -> Assistant:
    """The assistant, limited to `collections` where there are any."""
    return assistant if collections is None else _Seen(assistant, collections)


def visible(library: Library, collections: Collections) -> Library:
    """What somebody may read of the library; the changing side of it is not there where it is limited."""
    return library if collections is None else cast("Library", View(library, collections))


class SuggestionsByReach:
    """Suggested questions for each choice of collections: what gives them away must not be seen by others."""

    def __init__(self, assistant: Assistant, is_busy: Callable[[], bool]) -> None:
        # Suggestions are tried: they are nobody's questions, so they aren't logged as answered.
        self._assistant = assistant.inside if isinstance(assistant, InstrumentedAssistant) else assistant
        self._is_busy = is_busy
        self._lock = threading.Lock()
        self._made: dict[Collections, Suggestions] = {}

    def of(self, collections: Collections) -> Suggestions:
        """Those that are drawn from `collections` alone."""
        with self._lock:
            if collections not in self._made:
                self._made[collections] = Suggestions(seen(self._assistant, collections), self._is_busy)
            return self._made[collections]


class _Seen:
    """Passes questions on with a filter that admits only `collections`."""

    def __init__(self, assistant: Assistant, collections: tuple[str, ...]) -> None:
        self._assistant = assistant
        self._view = View(assistant.library, collections)
        self.library = cast("Library", self._view)

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """See `Assistant.ask`."""
        narrowed = replace(options, filter=self._view.narrowed(options.filter))
        return self._assistant.ask(question, history, narrowed)

    def prompt_of(self, answer: Answer) -> tuple[tuple[str, str], ...]:
        """See `Assistant.prompt_of`: it is made of what the answer quotes."""
        return self._assistant.prompt_of(answer)
