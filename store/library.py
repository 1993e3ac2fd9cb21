"""Manage a library of documents in one folder: add, remove, look up, search, rebuild.

The catalog is the truth; vectors and keywords are derived from it and can be rebuilt. Adding is atomic per document: a
search sees a whole document or none of it, even after a kill in the middle.

    with Library.open(settings) as library:
        for result in library.add_many(parsed):
            print(result.outcome, result.document.title)
        found = library.search("When was the forum held?", k=10)
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Self

from store.catalog.rows import DocumentPage, Statistics
from store.catalog.snapshot import Snapshot
from store.document_changes import AddResult, remove_document
from store.document_writer import DocumentWriter
from store.errors import QuestionError, RequestError
from store.ownership.owner_socket import OwnerSocket
from store.ownership.ownership import Ownership
from store.search.library_search import LibrarySearch
from store.settings import Settings
from store.text.date_ranges import day_range
from store.text.storable import check_storable
from store.types import Document, Filter, ParsedDocument, Passage, Progress, SearchResult

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder

__all__ = ["AddResult", "DocumentPage", "Library", "Progress", "Snapshot", "Statistics"]

MAX_HITS = 10_000


class Library:
    """A library of documents in one folder. Get one from `Library.open`; use it from any thread."""

    def __init__(self, ownership: Ownership) -> None:
        self.ownership = ownership
        """For the store's own modules."""
        self._search = LibrarySearch(ownership, self._answer_others)
        self.socket: OwnerSocket | None = None
        """Where this process answers others, if it owns the library and has a server to answer with."""
        self._answer_others()

    @classmethod
    def open(
        cls, where: Settings | Path | str, *, embedder: Embedder | None = None, read_only: bool = False
    ) -> Library:
        """Open the library at `where`; create an empty one if it is missing.

        Without `embedder`, the settings' model is loaded when it is first needed. A writer owns the library until
        `close`. With `read_only`, the library is owned too if no process owns it yet; otherwise it is read next to its
        owner, who searches. A library with nothing in the home (`Settings.is_shared`) has no owner and any number of
        writers. The indexes are opened and checked when first needed; `prepare` does it now.

        Raises LibraryLockedError (a writer while another process owns it), SchemaVersionError, EmbedderMismatchError
        for a given embedder.
        """
        return cls(Ownership.take(where, embedder, writes=not read_only))

    def close(self) -> None:
        """Close the library; other processes can own it then. Closing twice is harmless."""
        if self.socket is not None:
            self.socket.close()
        self.ownership.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def settings(self) -> Settings:
        """The settings with which it was opened."""
        return self.ownership.settings

    @property
    def embedder(self) -> Embedder:
        """The embedding model of this library. Raises EmbedderMismatchError, EmbeddingModelError."""
        return self.ownership.embedder

    def prepare(self) -> None:
        """Load the model and open the indexes, so that the first question needn't wait.

        Raises IndexDamagedError, EmbedderMismatchError, EmbeddingModelError.
        """
        _ = self.embedder
        with self.ownership.indexes():
            pass

    def add(self, parsed: ParsedDocument, progress: Progress | None = None) -> AddResult:
        """Add one document; `add_many` is faster for many."""
        (result,) = self.add_many([parsed], progress)
        return result

    def add_many(self, parsed: Iterable[ParsedDocument], progress: Progress | None = None) -> Iterator[AddResult]:
        """Add or replace documents by their uri; yield the result for each when it is durable.

        Results come in the order in which documents become durable; consume the iterator to the end. A document with
        the same uri, text and metadata is `unchanged`; with other metadata it is `updated` without embedding. A passage
        whose text is already in the library, as in a renamed or partly edited file, is not embedded again, so add the
        new name before removing the old one. A document keeps the id under which its uri was first added.

        Raises RequestError for an inconsistent document; those before it are durable.
        """
        writer = self.writer(progress)
        try:
            for each in parsed:
                yield from writer.add(each)
        except RequestError:
            yield from writer.finish()
            raise
        yield from writer.finish()

    def writer(self, progress: Progress | None = None) -> DocumentWriter:
        """Return a writer that takes documents one by one, like `add_many`, and must be finished."""
        return DocumentWriter(self.ownership, progress)

    def remove(self, document_id: str) -> Document:
        """Remove a document completely and return it. Raises NotFoundError."""
        document = self.document(document_id)
        with self.ownership.changing([document.uri]), self.ownership.indexes_for_writing() as indexes:
            remove_document(self.ownership.catalog, indexes, document_id)
        return document

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read the catalog at one moment, for several reads that must agree with each other."""
        with self.ownership.catalog.snapshot() as snapshot:
            yield snapshot

    def document(self, document_id: str) -> Document:
        """Return a document. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.document(document_id)

    def find_document(self, uri: str) -> Document | None:
        """Return the document that was added under `uri`, if any."""
        with self.snapshot() as snapshot:
            return snapshot.find_document(uri)

    def is_current(self, uri: str, original_sha256: str, normalization: int) -> bool:
        """Return whether exactly this file is already here, read in the way that `normalization` stands for."""
        with self.snapshot() as snapshot:
            return snapshot.is_current(uri, original_sha256, normalization)

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """Return a page of documents, ordered by uri; `after` is the previous page's `next`.

        To read a folder, pass its path as the first `after`, and stop at the first uri outside it.
        """
        with self.snapshot() as snapshot:
            return snapshot.documents(after, limit, _checked(where))

    def documents_prepared_before(self, normalization: int, after: str | None = None, limit: int = 100) -> DocumentPage:
        """Return a page of the documents with a lower `normalization`, ordered by uri."""
        with self.snapshot() as snapshot:
            return snapshot.documents_prepared_before(normalization, after, limit)

    def prepared_before(self, normalization: int, document_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the ids whose documents have a lower `normalization`."""
        with self.snapshot() as snapshot:
            return snapshot.prepared_before(normalization, document_ids)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the normalized text of a document, or its part ``[start:end]``. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.text(document_id, start, end)

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.passages(document_id)

    def parsed(self, document_id: str) -> ParsedDocument:
        """Return a document as `add` takes it, to change its metadata or to restore it. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.parsed(document_id)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """Return the `k` best passages for `query`, best first; at most ten thousand.

        Raises QuestionError for a blank query, RequestError for a filter with a malformed date and for invalid
        characters.
        """
        if not query.strip():
            raise QuestionError("The question is empty: write what you want to know.", code="question_empty")
        check_storable([query])
        return self._search.search(query, min(max(k, 1), MAX_HITS), _checked(where))

    def spellings(self, words: Iterable[str], where: Filter | None = None) -> dict[str, dict[str, int]]:
        """Return the library's spellings of words given without marks; see `KeywordIndex.spellings`."""
        words = list(words)
        check_storable(words)
        with self.ownership.indexes() as indexes:
            return indexes.keywords.spellings(words, _checked(where))

    def rebuild(self, *, embed: bool = False, recenter: bool = True, progress: Progress | None = None) -> None:
        """Rebuild vectors and keywords from the catalog, then switch to them at once; searches work meanwhile.

        With `embed`, all passages are embedded again first, by the settings' model; an interrupted run continues.
        Without `recenter`, the languages' means stay those of the current indexes, and so does every score.
        """
        self.ownership.rebuild(embed=embed, recenter=recenter, progress=progress)

    def refill(self, progress: Progress | None = None) -> int:
        """Write the vectors that the index has lost from the catalog; return their number. Searches work meanwhile."""
        written = done = 0
        total = self.statistics().documents
        with self.ownership.locks.whole(), self.ownership.indexes_for_writing() as indexes:
            for keys in self.ownership.catalog.live_pages():
                with self.snapshot() as snapshot:
                    written += indexes.refill(snapshot, keys, snapshot.number("embedding"))
                done += len(keys)
                if progress is not None:
                    progress(done, total)
        return written

    def statistics(self, collections: Sequence[str] = ()) -> Statistics:
        """Count the library's contents, or those of these collections, without reading all of it."""
        with self.snapshot() as snapshot:
            return snapshot.statistics(collections)

    def _answer_others(self) -> None:
        if self.ownership.owned and not self.settings.is_shared and self.socket is None:
            self.socket = OwnerSocket.answering(self)


def _checked(where: Filter | None) -> Filter:
    """Return the filter, or an empty one. Raises RequestError for a malformed date, and for text that can't be stored."""
    where = where or Filter()
    check_storable(chain(where.documents, where.speakers, where.languages, where.collections))
    for bound in (where.published_from, where.published_to):
        if bound is not None:
            try:
                day_range(bound)
            except ValueError as error:
                raise RequestError(f"The filter's date can't be used: {error}") from error
    return where
