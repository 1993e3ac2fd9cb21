"""Change the library from the page and the API: add, describe, remove and bring back documents.

`assistant.server.intake` adds files, one after the other.
"""

from __future__ import annotations

import hashlib
import logging
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.server.auth.scoped_access import Collections, scoped_library
from assistant.server.document_status import Standings
from assistant.server.intake import Intake, Item, LocalIntake, Progress, Taken
from assistant.server.removed_documents import LocalRemoved, RemovedDocuments, SharedRemoved
from assistant.server.shared_intake import SharedIntake
from assistant.server.unread_files import Identity, remove_same
from ingest.pipeline import ingest_paths
from store.errors import AttestError, NotFoundError, ReadError, RequestError
from store.text.date_ranges import is_date
from store.types import Document

if TYPE_CHECKING:
    from store.catalog.engine import Database
    from store.library import Library

log = logging.getLogger(__name__)

MOST_WAITING = 1_000
"""Files that wait to be read; further ones are refused."""
_NAME_BYTES = 180

TakeFile = Callable[[Path, Progress, str | None], Taken]
"""Adds the file at a path to the library, and to a collection if one is given. Raises errors of `store.errors`."""


def ingest_into(library: Library) -> TakeFile:
    """Return a function that adds files to `library`."""

    def take(path: Path, progress: Progress, collection: str | None) -> Taken:
        report = ingest_paths(library, [path], progress=progress, collection=collection)
        if report.failed:
            failure = report.failed[0]
            return Taken("failed", failure.cause or ReadError(failure.error))
        return Taken("added" if report.added else "updated" if report.updated else "unchanged")

    return take


class DocumentEditor:
    """Adds files one after the other, and removes, restores and renames documents."""

    def __init__(
        self, library: Library, take_file: TakeFile | None, folder: Path | None, shared: Database | None = None
    ) -> None:
        """`take_file`: see `ingest_into`; `folder`: where to keep uploaded files that were read, so that they can be read again.

        If several servers have the library, `shared` is the database that holds the uploads of all of them.
        """
        self.library = library
        self._take_file = take_file
        self._folder = folder
        self._intake: Intake = (
            LocalIntake(self._take, self._discard)
            if shared is None
            else SharedIntake(self._take, self._discard, shared, folder)
        )
        self._removed: RemovedDocuments = LocalRemoved() if shared is None else SharedRemoved(shared)
        self.standings = Standings(library)
        """The states of the library's documents."""

    @property
    def accepts_files(self) -> bool:
        """Whether documents can be added here."""
        return self._take_file is not None and self._folder is not None

    def place(self, name: str, suffixes: Sequence[str], reach: Collections = None) -> Path:
        """Return where an upload named `name` is kept. Raises RequestError for a name or a kind that isn't accepted.

        Each collection has its own folder, so that a name never refers to another one's document.
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
        if self._intake.waiting() >= MOST_WAITING:
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
        """Queue the file at `path` for the first collection of `reach`; `items` gives its state."""
        return self._intake.put(path.name, path, _first(reach))

    def embed_anew(self, name: str) -> Item:
        """Queue embedding all passages again, listed as `name`; questions work meanwhile."""
        return self._intake.put(name, None, None)

    def items(self, reach: Collections = None) -> tuple[Item, ...]:
        """Return the latest uploads, newest first; with `reach`, those to its collections."""
        return self._intake.items(reach)

    def remove(self, document_id: str, reach: Collections = None) -> Document:
        """Remove a document at once; `bring_back` undoes it. Raises NotFoundError."""
        scoped_library(self.library, reach).document(document_id)
        parsed = self.library.parsed(document_id)
        removed = self.library.remove(document_id)
        self._removed.keep(parsed)
        return removed

    def bring_back(self, document_id: str, reach: Collections = None) -> Document:
        """Undo a recent removal: the document gets its old id, so that old answers open it again."""
        parsed = self._removed.take(document_id, reach)
        if parsed is None:
            raise NotFoundError(
                "This document was removed too long ago to be brought back; add its file again.",
                code="removed_long_ago",
            )
        return self.library.add(parsed).document

    def describe(
        self, document_id: str, title: str, speaker: str | None, published: str | None, reach: Collections = None
    ) -> Document:
        """Change a document's metadata; its text stays. Raises NotFoundError, RequestError."""
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
        # A person who renames it is responsible for the letters.
        named = {name for name in ("title", "speaker") if getattr(described, name) != getattr(parsed.document, name)}
        described = replace(described, signs=tuple(sign for sign in described.signs if sign not in named))
        return self.library.add(replace(parsed, document=described)).document

    def found(
        self, words: str, after: str | None, wanted: int, reach: Collections = None
    ) -> tuple[list[Document], str | None]:
        """Return documents whose title, speaker or address contains `words`, and where to continue; read a limited part."""
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

    def _take(self, item: Item, path: Path | None, progress: Progress) -> Taken:
        if path is None:
            self.library.rebuild(embed=True, progress=progress)
            self.standings.forget()
            return Taken("updated")
        assert self._take_file is not None  # noqa: S101 - `place` refuses before
        return self._take_file(path, progress, item.collection)

    def _discard(self, path: Path, before: Identity | None) -> None:
        """Remove an upload that couldn't be read, unless a document of the library was read from its place."""
        try:
            if self.library.find_document(path.resolve().as_posix()) is None:
                remove_same(path, before)
        except (AttestError, OSError) as error:
            log.warning("%s couldn't be read and stays: %s", path, error)


def _first(reach: Collections) -> str | None:
    """Return the collection for a visitor's uploads."""
    return reach[0] if reach else None


_PAGE = 500
_PAGES = 20


def safe_name(name: str) -> str:
    """Return a file name without folders, control or invisible characters, at most `_NAME_BYTES` bytes long."""
    last = re.split(r"[/\\]", unicodedata.normalize("NFC", name))[-1]
    plain = "".join(c for c in last if unicodedata.category(c)[0] != "C" and c not in '<>:"|?*').strip(" .")
    stem, dot, suffix = plain.rpartition(".")
    stem, suffix = (stem, dot + suffix) if stem else (plain, "")
    while len((stem + suffix).encode()) > _NAME_BYTES and stem:
        stem = stem[:-1]
    return (stem.strip() or "document") + suffix
