"""Queue files from the page or the API for the library: one after the other, so that they never block a question."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal, Protocol

from assistant.server.auth.scoped_access import Collections
from assistant.server.unread_files import Identity, identity
from store.errors import AttestError, ReadError

log = logging.getLogger(__name__)

ItemState = Literal["waiting", "reading", "added", "updated", "unchanged", "failed"]
KEPT_ITEMS = 500
Progress = Callable[[int, int], None]
"""Called with the passages embedded and the passages known."""


@dataclass(frozen=True, slots=True)
class Taken:
    """The outcome for one file."""

    outcome: Literal["added", "updated", "unchanged", "failed"]
    error: AttestError | None = None

    @property
    def is_unreadable(self) -> bool:
        """Return whether the file is to blame, so that trying again later is no use."""
        return self.outcome == "failed" and isinstance(self.error, ReadError) and self.error.code != "not_taken"


@dataclass(frozen=True, slots=True)
class Item:
    """One upload, as a row on the page."""

    id: int
    name: str
    state: ItemState
    done: int = 0
    known: int = 0
    error: AttestError | None = None
    collection: str | None = None
    """The collection to add it to; None means none, or the one that it is already in."""


Work = Callable[[Item, Path | None, Progress], Taken]
"""Adds the file at a path; without a path, embeds the whole library again."""
Discard = Callable[[Path, Identity | None], None]
"""Removes the file at a path, whose identity was this before it was read; it couldn't be read, and this has been told."""


class Intake(Protocol):
    """Files that wait, those being read, and the outcome of the latest ones."""

    def put(self, name: str, path: Path | None, collection: str | None) -> Item:
        """Queue the file at `path`, or embedding all again, listed as `name`."""

    def items(self, reach: Collections) -> tuple[Item, ...]:
        """Return the latest uploads, newest first; with `reach`, those to its collections."""

    def waiting(self) -> int:
        """Return how many are still to be read."""


def outcome_of(work: Work, item: Item, path: Path | None, progress: Progress) -> Taken:
    """Return the outcome of `work`, whatever it raised."""
    try:
        return work(item, path, progress)
    except AttestError as error:
        return Taken("failed", error)
    except Exception:
        log.exception("Taking in %s failed", path)
        return Taken("failed", ReadError("This file could not be taken in; the log tells more.", code="not_taken"))


class LocalIntake:
    """The intake of one process, in its memory."""

    def __init__(self, work: Work, discard: Discard) -> None:
        self._work = work
        self._discard = discard
        self._items: dict[int, Item] = {}
        self._paths: dict[int, Path | None] = {}
        self._next = 1
        self._lock = threading.Lock()
        self._queue: queue.SimpleQueue[tuple[Item, Path | None]] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None

    def put(self, name: str, path: Path | None, collection: str | None) -> Item:
        """See `Intake`."""
        with self._lock:
            item = self._listed(Item(self._next, name, "waiting", collection=collection))
            self._paths[item.id] = path
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="intake", daemon=True)
                self._worker.start()
        self._queue.put((item, path))
        return item

    def items(self, reach: Collections) -> tuple[Item, ...]:
        """See `Intake`."""
        with self._lock:
            kept = [item for item in self._items.values() if reach is None or item.collection in reach]
        return tuple(sorted(kept, key=lambda item: -item.id))

    def waiting(self) -> int:
        """See `Intake`."""
        return self._queue.qsize()

    def _listed(self, item: Item) -> Item:
        """List an item, and forget the oldest finished ones if there are many."""
        self._next += 1
        self._items[item.id] = item
        if len(self._items) > KEPT_ITEMS:
            done = (key for key, kept in self._items.items() if kept.state not in ("waiting", "reading"))
            for old in list(islice(done, len(self._items) - KEPT_ITEMS)):
                del self._items[old]
        return item

    def _run(self) -> None:
        while True:
            item, path = self._queue.get()
            self._change(item.id, state="reading")
            before = identity(path)
            taken = outcome_of(self._work, item, path, self._progress_of(item.id))
            self._change(item.id, state=taken.outcome, error=taken.error)
            with self._lock:
                del self._paths[item.id]
                is_awaited = path in self._paths.values()
            if path is not None and taken.is_unreadable and not is_awaited:
                self._discard(path, before)

    def _progress_of(self, number: int) -> Progress:
        return lambda done, known: self._change(number, done=done, known=known)

    def _change(self, number: int, **changes: object) -> None:
        with self._lock:
            if number in self._items:
                self._items[number] = replace(self._items[number], **changes)  # type: ignore[arg-type]
