"""Ask the assistant of a running process through its API, without loading a model here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Protocol

from assistant.server.api.events import event_of
from assistant.types import AskOptions, Event, Message
from store.ownership.owner_client import OwnerClient, OwnerGoneError, find_equal_owner
from store.settings import Settings, default_mode

if TYPE_CHECKING:
    from assistant.answer.instrumentation import InstrumentedAssistant


class Asking(Protocol):
    """An assistant here or in another process."""

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Yield the events of an answer, with the finished answer last. Raises errors of `store.errors`."""


class RemoteAssistant:
    """Asks the process that owns the library. Safe to use from several threads."""

    def __init__(self, owner: OwnerClient, settings: Settings) -> None:
        self._owner = owner
        self._settings = settings

    def ask(
        self, question: str, history: Sequence[Message] = (), options: AskOptions = AskOptions()
    ) -> Iterator[Event]:
        """Yield the events of `Assistant.ask`; answer here if the other process ends before the first one.

        Raises what `Assistant.ask` raises, and OwnerGoneError.
        """
        has_begun = False
        try:
            for event in self._events(question, history, options):
                has_begun = True
                yield event
        except OwnerGoneError:
            if has_begun:
                raise
            with _own_assistant(self._settings) as assistant:
                yield from assistant.ask(question, history, options)

    def _events(self, question: str, history: Sequence[Message], options: AskOptions) -> Iterator[Event]:
        chosen = asdict(options)
        del chosen["interface_language"]  # for pages only: no command has one
        chosen["mode"] = options.mode or default_mode(self._settings)
        said = [asdict(message) for message in history]
        body = {"question": question, "history": said, "keep": False, **chosen}
        for name, values in self._owner.events("/api/ask", body):
            event = event_of(name, values)
            if event is not None:
                yield event


@contextmanager
def open_assistant(settings: Settings) -> Iterator[Asking]:
    """Open an assistant over the library: the process that has it open, if it would answer in the same way."""
    owner = find_equal_owner(settings)
    if owner is not None:
        yield RemoteAssistant(owner, settings)
        return
    with _own_assistant(settings) as assistant:
        yield assistant


def _own_assistant(settings: Settings) -> InstrumentedAssistant:
    from assistant.build import build_assistant

    return build_assistant(settings, read_only=True)
