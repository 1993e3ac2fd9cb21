"""Run answers in threads next to the event loop: limit how many run and wait, and stop those that nobody listens to."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

from assistant.types import Answer, Event, Finished
from store.errors import AttestError

T = TypeVar("T")


class BusyError(AttestError):
    """Too many questions are waiting already."""


@dataclass(frozen=True, slots=True)
class _Failure:
    error: Exception


class AnswerRuns:
    """Runs the pipeline's generators in a pool of threads."""

    def __init__(self, at_once: int, most_waiting: int) -> None:
        """`at_once` answers run at the same time; `most_waiting` more may wait."""
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="answer")
        self._most = at_once + most_waiting
        self.running = 0
        """Answers that run or wait."""

    async def events(self, ask: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Yield the events, or states, of `ask`, as they come. Leaving the iteration stops the answer at its next
        event.

        Raises BusyError, and what `ask` raises.
        """
        if self.running >= self._most:
            raise BusyError("Too many questions are being answered; ask again in a moment.", code="busy")
        loop = asyncio.get_running_loop()
        came: asyncio.Queue[T | _Failure | None] = asyncio.Queue()
        left = threading.Event()

        def put(item: T | _Failure | None) -> None:
            with suppress(RuntimeError):  # the loop has ended, with its listeners
                loop.call_soon_threadsafe(came.put_nowait, item)

        def work() -> None:
            try:
                _pass_on(ask, put, left)
            except Exception as error:  # raised again where the events are read
                put(_Failure(error))
            else:
                put(None)

        self.running += 1
        # The context carries the trace of this answer.
        working = self._pool.submit(contextvars.copy_context().run, work)
        try:
            while (item := await came.get()) is not None:
                if isinstance(item, _Failure):
                    raise item.error
                yield item
        finally:
            left.set()
            working.cancel()
            self.running -= 1


def _pass_on(ask: Callable[[], Iterator[T]], put: Callable[[T], None], left: threading.Event) -> None:
    if left.is_set():
        return
    events = ask()
    try:
        for event in events:
            if left.is_set():
                return
            put(event)
    finally:
        if (close := getattr(events, "close", None)) is not None:
            close()


async def answer_of(events: AsyncIterator[Event]) -> Answer:
    """Return the finished answer of `events`. Raises what they raise."""
    async for event in events:
        if isinstance(event, Finished):
            return event.answer
    raise AssertionError("An answer always ends with Finished.")
