"""Let only some threads search at once, because Python runs one thread at a time and more only get in each other's way.

On two cores, twenty threads answer 18 searches a second of a library in files, two threads 37 (`docs/figures.md`).
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """Let `at_once` threads in, the others in the order of their arrival: a semaphore lets some of them wait for long."""

    def __init__(self, at_once: int) -> None:
        self._free = at_once
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and keep it until the block ends."""
        self._begin()
        try:
            yield
        finally:
            with self._lock:
                self._end()

    def _begin(self) -> None:
        mine = threading.Event()
        with self._lock:
            if self._free:
                self._free -= 1
                return
            self._waiting.append(mine)
        try:
            mine.wait()
        except BaseException:  # Ctrl-C
            with self._lock:
                if mine.is_set():
                    self._end()
                else:
                    self._waiting.remove(mine)
            raise

    def _end(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
