"""The one door to a library: add, remove, look up, search, rebuild.

The catalog is the truth; vectors and keywords are derived from it and can be made anew. Adding is
atomic per document: a search sees a whole document or none of it, also after a kill in mid-ingest.

    with Library.open(settings) as library:
        for result in library.add_many(parsed):
            print(result.outcome, result.document.title)
        found = library.search("When was the forum held?", k=10)
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from store.catalog import document_changes as adding
from store.catalog.document_changes import AddResult
from store.catalog.maintenance import unsettled
from store.catalog.snapshot import DocumentPage, Snapshot, Statistics
from store.errors import QuestionError, RequestError
from store.index.batching import Progress, Report, batches
from store.ownership.ownership import Possession
from store.ownership.vector_server import MAX_HITS, OwnerGoneError
from store.settings import Settings
from store.text.date_ranges import day_range
from store.types import Document, Filter, ParsedDocument, Passage, SearchResult

if TYPE_CHECKING:
    from llama_index.vector_stores.chroma import ChromaVectorStore

    from store.embedding.embedder import Embedder
    from store.search.rerank import Reranker

__all__ = ["AddResult", "DocumentPage", "Library", "Progress", "Snapshot", "Statistics"]

_SECONDS_FOR_CHANGES = 2.0
"""For how long a search during which documents changed is repeated: it may have found the entries of a version
that had just gone. It never mixes versions, even when it is not repeated."""
_SECONDS_FOR_OWNER = 10.0
"""How long a reader looks for somebody to answer it when the owner has gone."""


class Library:
    """A library of documents in one folder. Get one from `Library.open`; use it from any thread."""

    def __init__(self, possession: Possession) -> None:
        self.possession = possession
        """For the store's own modules."""
        self._write_lock = threading.RLock()
        self._loading = threading.Lock()
        self._reranker: Reranker | None = None

    @classmethod
    def open(
        cls, where: Settings | Path | str, *, embedder: Embedder | None = None, read_only: bool = False
    ) -> Library:
        """Open the library at `where`, or make an empty one there.

        `embedder` None: the one that the settings name, loaded when first needed. A writer owns the
        library until `close`. With `read_only` the library is owned too where nobody owns it yet,
        and else read beside its owner, who answers the vector queries. The indexes are opened, and
        checked, when first needed; `prepare` does it now.

        Raises LibraryLockedError (a writer while another process owns it), SchemaVersionError,
        EmbedderMismatchError for a given embedder.
        """
        return cls(Possession.take(where, embedder, writes=not read_only))

    def close(self) -> None:
        """Give the library up; other processes can own it again. Closing twice is harmless."""
        self.possession.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def settings(self) -> Settings:
        """What it was opened with."""
        return self.possession.settings

    @property
    def embedder(self) -> Embedder:
        """The embedding model of this library. Raises EmbedderMismatchError, EmbeddingModelError."""
        return self.possession.embedder

    def prepare(self) -> None:
        """Load the model and open the indexes, so that the first question needn't wait.

        Raises IndexDamagedError, EmbedderMismatchError, EmbeddingModelError.
        """
        _ = self.embedder
        with self.possession.indexes():
            pass

    def add(self, parsed: ParsedDocument, progress: Progress | None = None) -> AddResult:
        """Add one document; see `add_many`, which is faster for many."""
        (result,) = self.add_many([parsed], progress)
        return result

    def add_many(self, parsed: Iterable[ParsedDocument], progress: Progress | None = None) -> Iterator[AddResult]:
        """Add or replace documents by their uri; yield a result for each when it is durable.

        The input is read lazily and embedded in batches across documents; results come in the
        order in which documents become durable. The iterator must be consumed to the end.
        A document with the same uri, file hash and metadata is `unchanged`; with only other metadata it
        is `updated` without embedding; a passage whose words are in the library already (a renamed
        or partly edited file) is not embedded again: add the new name before removing the old one.

        The store names passages itself: the ids of `parsed.passages` are not kept. A document keeps
        the id under which its uri was first added.

        Raises RequestError for a document that contradicts itself; those before it are durable.
        """
        report = Report(progress)
        try:
            for batch in batches(parsed, report):
                yield from self._add(batch, report)
        except RequestError:
            self._finish_adding()
            raise
        self._finish_adding()

    def remove(self, document_id: str) -> Document:
        """Remove a document from everything. Raises NotFoundError; returns what it was."""
        document = self.document(document_id)
        with self._write_lock, self.possession.changing_indexes() as indexes:
            adding.remove(self.possession.catalog, indexes, document_id)
        return document

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The catalog as it is at one moment, for several reads that must agree with each other."""
        with self.possession.catalog.snapshot() as snapshot:
            yield snapshot

    def document(self, document_id: str) -> Document:
        """Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.document(document_id)

    def find_document(self, uri: str) -> Document | None:
        """The document that was added under `uri`, if any."""
        with self.snapshot() as snapshot:
            return snapshot.find_document(uri)

    def is_current(self, uri: str, original_sha256: str, normalization: int) -> bool:
        """Whether the very file is here already, as this version of normalization would read it."""
        with self.snapshot() as snapshot:
            return snapshot.is_current(uri, original_sha256, normalization)

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """A page of documents, ordered by uri; `after` is the previous page's `next`.

        All below a folder: begin `after` its path, and stop at the first uri that is outside.
        """
        with self.snapshot() as snapshot:
            return snapshot.documents(after, limit, _checked(where))

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """The normalized text of a document, or its part ``[start:end]``. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.text(document_id, start, end)

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """The passages of a document, in order. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.passages(document_id)

    def parsed(self, document_id: str) -> ParsedDocument:
        """A document as `add` takes it: to change what is known of it, or to bring it back. Raises NotFoundError."""
        with self.snapshot() as snapshot:
            return snapshot.parsed(document_id)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """The `k` best passages for `query`, best first; never more than ten thousand.

        Raises QuestionError for a blank query, RequestError for a filter with a malformed date.
        """
        if not query.strip():
            raise QuestionError("The question is empty: write what you want to know.")
        where = _checked(where)
        deadline = time.monotonic() + _SECONDS_FOR_OWNER
        while True:
            try:
                return self._search_and_rerank(query, min(max(k, 1), MAX_HITS), where)
            except OwnerGoneError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
                self.possession.succeed()

    def rebuild(self, *, embed: bool = False, recentre: bool = True, progress: Progress | None = None) -> None:
        """Make vectors and keywords anew from the catalog, then swap them in at once.

        With `embed`, all passages are embedded again first, by whatever model the settings name; a
        run that was interrupted goes on where it stopped. Searches go on meanwhile. Without `recentre` the
        languages' means stay those that the indexes were made with, and so does every score.
        """
        with self._write_lock:
            self.possession.rebuild(embed=embed, recentre=recentre, progress=progress)

    def statistics(self, collections: Sequence[str] = ()) -> Statistics:
        """Counts of what the library holds, or of these collections, without reading it through."""
        with self.snapshot() as snapshot:
            return snapshot.statistics(collections)

    def as_vector_store(self) -> ChromaVectorStore:
        """The vectors as LlamaIndex's store, for reading; only where this process owns the library."""
        with self.possession.indexes() as indexes:
            return indexes.owned.as_vector_store(self._texts)

    def _texts(self, passage_ids: Sequence[str]) -> dict[str, str]:
        with self.snapshot() as snapshot:
            return {key: found.text for key, found in snapshot.stored_passages(passage_ids).items()}

    def _search_and_rerank(self, query: str, k: int, where: Filter) -> SearchResult:
        if self.settings.reranker is None:
            return self._search(query, k, where)
        from store.search.rerank import CANDIDATES, load_reranker, rerank

        with self._loading:
            if self._reranker is None:
                self._reranker = load_reranker(self.settings.reranker)
        return rerank(self._search(query, max(k, CANDIDATES), where), self._reranker, k)

    def _search(self, query: str, k: int, where: Filter) -> SearchResult:
        from store.search.engine import search
        from store.text.language import detect_language

        with self.snapshot() as snapshot:
            if not snapshot.language_statistics():
                return SearchResult(query, detect_language(query), ())
        embedder = self.embedder
        deadline = time.monotonic() + _SECONDS_FOR_CHANGES
        while True:
            with self.possession.indexes() as indexes, self.snapshot() as snapshot:
                result = search(query, k, where, embedder=embedder, indexes=indexes, snapshot=snapshot)
                before = snapshot.value("revision")
            with self.snapshot() as snapshot:
                if snapshot.value("revision") == before or time.monotonic() > deadline:
                    return result

    def _add(self, batch: list[ParsedDocument], report: Report) -> Iterator[AddResult]:
        """Write one batch, after ending what was begun before it."""
        with self._write_lock, self.possession.changing() as catalog:
            settled = [(each, adding.settle_without_work(catalog, each)) for each in batch]
            results = [result for _, result in settled if result is not None]
            changed = [each for each, result in settled if result is None]
            if changed:
                embedder = self.embedder
                adding.claim(catalog, embedder)
                with self.possession.changing_indexes() as indexes:
                    adding.settle(catalog, indexes)
                    results += adding.add(catalog, indexes, embedder, changed, report.embedded)
        report.finish(sum(len(each.passages) for each in batch))
        yield from results

    def _finish_adding(self) -> None:
        """Bring the indexes up to date with metadata and with the languages' means."""
        with self._write_lock, self.possession.changing() as catalog:
            with catalog.snapshot() as snapshot:
                changes = unsettled(snapshot)
            if changes:
                with self.possession.changing_indexes() as indexes:
                    adding.settle(catalog, indexes)
            self.possession.recentre()


def _checked(where: Filter | None) -> Filter:
    """A filter whose dates are dates. Raises RequestError."""
    where = where or Filter()
    for bound in (where.published_from, where.published_to):
        if bound is not None:
            try:
                day_range(bound)
            except ValueError as error:
                raise RequestError(f"The filter's date can't be used: {error}") from error
    return where
