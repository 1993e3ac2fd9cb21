"""The library as the page keeps it: files that come in beside the questions, and changes that can be taken back.

One worker takes files in, so that ingest never blocks a question and two uploads never race.
"""

from __future__ import annotations

import hashlib
import logging
import queue
import re
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from assistant.server.auth.scoped_access import Collections, scoped_library
from assistant.server.document_status import Standings
from ingest.pipeline import ingest_paths
from store.errors import AttestError, NotFoundError, ReadError, RequestError
from store.text.date_ranges import is_date
from store.types import Document, ParsedDocument

if TYPE_CHECKING:
    from store.library import Library

log = logging.getLogger(__name__)

ItemState = Literal["waiting", "reading", "added", "updated", "unchanged", "failed"]
KEPT_ITEMS = 500
MOST_WAITING = 1_000
"""Files that wait to be read; one more is refused."""
KEPT_REMOVALS = 20
_NAME_BYTES = 180


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file."""

    outcome: Literal["added", "updated", "unchanged", "failed"]
    error: AttestError | None = None


Progress = Callable[[int, int], None]
"""Called with passages embedded and passages known."""


TakeFile = Callable[[Path, Progress, str | None], Taken]
"""Takes the file at a path into the library, and into a collection if one is given. Raises errors of `store.errors`."""


def ingest_into(library: Library) -> TakeFile:
    """Return what takes files into `library`."""

    def take(path: Path, progress: Progress, collection: str | None) -> Taken:
        report = ingest_paths(library, [path], progress=progress, collection=collection)
        if report.failed:
            failure = report.failed[0]
            return Taken("failed", failure.cause or ReadError(failure.error))
        return Taken("added" if report.added else "updated" if report.updated else "unchanged")

    return take


@dataclass(frozen=True, slots=True)
class Item:
    """One upload, as its row on the page shows it."""

    id: int
    name: str
    state: ItemState
    done: int = 0
    known: int = 0
    error: AttestError | None = None
    collection: str | None = None
    """Where it goes; None: to no collection, or where it is already."""


class DocumentEditor:
    """Takes files in one after the other, and removes, brings back and renames documents."""

    def __init__(self, library: Library, take_file: TakeFile | None, folder: Path | None) -> None:
        """`take_file`: see `ingest_into`; `folder`: where uploaded files are kept, so that they can be read again."""
        self.library = library
        self._take_file = take_file
        self._folder = folder
        self._items: dict[int, Item] = {}
        self._next = 1
        self._removed: dict[str, ParsedDocument] = {}
        self._lock = threading.Lock()
        self._work: queue.SimpleQueue[tuple[Item, Path | None]] = queue.SimpleQueue()
        self._worker: threading.Thread | None = None
        self.standings = Standings(library)
        """How the library's documents stand."""

    @property
    def accepts_files(self) -> bool:
        """Whether documents can be added here."""
        return self._take_file is not None and self._folder is not None

    def place(self, name: str, suffixes: Sequence[str], reach: Collections = None) -> Path:
        """Where an upload named `name` is kept. Raises RequestError for a name or a kind that isn't taken.

        Each collection has a folder of its own, so that a name never stands for another one's document.
        """
        if self._folder is None or self._take_file is None:
            raise RequestError("Documents can't be added from this page; use `attest ingest`.", code="no_uploads")
        plain = safe_name(name)
        if Path(plain).suffix.lower() not in suffixes:
            raise RequestError(
                "{name} is of a kind that can't be read; these can: {kinds}.",
                code="kind",
                name=plain,
                kinds=", ".join(suffixes),
            )
        if self._work.qsize() >= MOST_WAITING:
            raise RequestError(
                "{count} files are waiting to be read; add {more} when they are done.",
                code="many_waiting",
                count=f"{MOST_WAITING:,}",
                more=plain,
            )
        collection, folder = _first(reach), self._folder
        if collection:
            folder /= f"in-{hashlib.sha256(collection.encode()).hexdigest()[:16]}"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / plain

    def take(self, path: Path, reach: Collections = None) -> Item:
        """Queue the file at `path` for the first collection of `reach`; `items` tells what becomes of it."""
        return self._queue(path.name, path, _first(reach))

    def embed_anew(self, name: str) -> Item:
        """Queue embedding all passages again, listed as `name`; questions are answered meanwhile."""
        return self._queue(name, None)

    def _queue(self, name: str, path: Path | None, collection: str | None = None) -> Item:
        with self._lock:
            item = self._listed(Item(self._next, name, "waiting", collection=collection))
            if self._worker is None:
                self._worker = threading.Thread(target=self._run, name="intake", daemon=True)
                self._worker.start()
        self._work.put((item, path))
        return item

    def _listed(self, item: Item) -> Item:
        """List an item, and forget the oldest of those that are done where there are many."""
        self._next += 1
        self._items[item.id] = item
        if len(self._items) > KEPT_ITEMS:
            done = (key for key, kept in self._items.items() if kept.state not in ("waiting", "reading"))
            for old in list(islice(done, len(self._items) - KEPT_ITEMS)):
                del self._items[old]
        return item

    def items(self, reach: Collections = None) -> tuple[Item, ...]:
        """All uploads of late, the newest first; with `reach` those to its collections."""
        with self._lock:
            kept = [item for item in self._items.values() if reach is None or item.collection in reach]
        return tuple(sorted(kept, key=lambda item: -item.id))

    def remove(self, document_id: str, reach: Collections = None) -> Document:
        """Remove a document at once; `bring_back` undoes it. Raises NotFoundError."""
        scoped_library(self.library, reach).document(document_id)
        parsed = self.library.parsed(document_id)
        removed = self.library.remove(document_id)
        with self._lock:
            self._removed[document_id] = parsed
            while len(self._removed) > KEPT_REMOVALS:
                del self._removed[next(iter(self._removed))]
        return removed

    def bring_back(self, document_id: str, reach: Collections = None) -> Document:
        """Undo a removal of late: the same document under the same id, so that old answers open it again."""
        with self._lock:
            parsed = self._removed.get(document_id)
            if parsed is not None and (reach is None or parsed.document.collection in reach):
                del self._removed[document_id]
            else:
                parsed = None
        if parsed is None:
            raise NotFoundError(
                "This document was removed too long ago to be brought back; add its file again.",
                code="removed_long_ago",
            )
        return self.library.add(parsed).document

    def describe(
        self, document_id: str, title: str, speaker: str | None, published: str | None, reach: Collections = None
    ) -> Document:
        """Change what is known of a document; its text is not touched. Raises NotFoundError, RequestError."""
        if not title.strip():
            raise RequestError("A document needs a title.", code="title")
        if published and published.strip() and not is_date(published.strip()):
            raise RequestError("A date is a year, a month or a day, like 2023, 2023-06 or 2023-06-14.", code="date")
        scoped_library(self.library, reach).document(document_id)
        parsed = self.library.parsed(document_id)
        described = replace(
            parsed.document,
            title=" ".join(title.split())[:500],
            speaker=" ".join((speaker or "").split())[:500] or None,
            published=(published or "").strip() or None,
        )
        # A person who renames it answers for the letters.
        named = {name for name in ("title", "speaker") if getattr(described, name) != getattr(parsed.document, name)}
        described = replace(described, signs=tuple(sign for sign in described.signs if sign not in named))
        return self.library.add(replace(parsed, document=described)).document

    def found(
        self, words: str, after: str | None, wanted: int, reach: Collections = None
    ) -> tuple[list[Document], str | None]:
        """Documents whose title, speaker or address holds `words`, and where to go on; reads a bounded part."""
        sought, found = words.strip().casefold(), list[Document]()
        library = scoped_library(self.library, reach)
        for _ in range(_PAGES):
            page = library.documents(after=after, limit=max(wanted, _PAGE if sought else 1))
            for document in page.documents:
                if sought in f"{document.title}\n{document.speaker or ''}\n{document.uri}".casefold():
                    found.append(document)
                    if len(found) == wanted:
                        return found, document.uri
            after = page.next
            if after is None or not sought:
                break
        return found, after

    def _run(self) -> None:
        for item, path in self._queued():
            self._change(item.id, state="reading")
            taken = self._taken(item, path)
            self._change(item.id, state=taken.outcome, error=taken.error)

    def _queued(self) -> Iterator[tuple[Item, Path | None]]:
        while True:
            yield self._work.get()

    def _taken(self, item: Item, path: Path | None) -> Taken:
        def progress(done: int, known: int) -> None:
            self._change(item.id, done=done, known=known)

        try:
            if path is None:
                self.library.rebuild(embed=True, progress=progress)
                self.standings.forget()
                return Taken("updated")
            assert self._take_file is not None  # noqa: S101 - `place` refuses before
            return self._take_file(path, progress, item.collection)
        except AttestError as error:
            return Taken("failed", error)
        except Exception:
            log.exception("Taking in %s failed", path)
            return Taken("failed", ReadError("This file could not be taken in; the log tells more.", code="not_taken"))

    def _change(self, number: int, **changes: object) -> None:
        with self._lock:
            if number in self._items:
                self._items[number] = replace(self._items[number], **changes)  # type: ignore[arg-type]


def _first(reach: Collections) -> str | None:
    """The collection that somebody's uploads go to."""
    return reach[0] if reach else None


_PAGE = 500
_PAGES = 20


def safe_name(name: str) -> str:
    """A file name without folders, control or invisible characters, at most `_NAME_BYTES` bytes long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem else (plain, "")
    while len((stem + suffix).encode()) > _NAME_BYTES and stem:
        stem = stem[:-1]
    return (stem.strip() or "document") + suffix
