"""Add documents one by one, in batches that keep the embedding model busy across documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.document_changes import (
    AddResult,
    add_documents,
    check_document,
    finish_changes,
    update_metadata,
)
from store.embedder_identity import note_embedder
from store.index.vectorize import PORTION
from store.types import ParsedDocument, Progress

if TYPE_CHECKING:
    from store.ownership.ownership import Ownership

DOCUMENTS = 256
"""The most documents in one batch."""
FIRST_CHECK = 1_000
"""Passages added before the means of the languages are first checked; then at every doubling."""


class DocumentWriter:
    """Adds or replaces documents by their uri. Get one from `Library.writer`, and call `finish` at the end."""

    def __init__(self, ownership: Ownership, progress: Progress | None) -> None:
        self._ownership = ownership
        self._progress = progress
        self._batch: dict[str, ParsedDocument] = {}
        self._passages = 0
        self._done = 0
        self._known = 0
        self._next_check = FIRST_CHECK

    def add(self, parsed: ParsedDocument) -> list[AddResult]:
        """Take a document; return the results of those that are now durable, possibly none.

        Raises RequestError for an inconsistent document; those before it are not affected.
        """
        check_document(parsed)
        results = [] if self._has_room_for(parsed) else self._write()
        self._batch[parsed.document.uri] = parsed
        self._passages += len(parsed.passages)
        self._known += len(parsed.passages)
        return results

    def finish(self) -> list[AddResult]:
        """Write the rest, and update the indexes for changed metadata and language means."""
        results = self._write()
        with self._ownership.catalog_for_writing() as catalog:
            with catalog.snapshot() as snapshot:
                changes = snapshot.unfinished_changes()
            if changes:
                with self._ownership.changing() as held, self._ownership.indexes_for_writing() as indexes:
                    finish_changes(catalog, indexes, held)
        self._ownership.recenter()
        return results

    def _has_room_for(self, parsed: ParsedDocument) -> bool:
        """Return whether the batch with this document still fits into one portion for embedding."""
        if parsed.document.uri in self._batch:
            return False
        return not self._batch or (self._passages + len(parsed.passages) <= PORTION and len(self._batch) < DOCUMENTS)

    def _write(self) -> list[AddResult]:
        """Write the batch, after finishing earlier changes."""
        batch, passages = list(self._batch.values()), self._passages
        self._batch, self._passages = {}, 0
        if not batch:
            return []
        uris = [each.document.uri for each in batch]
        with self._ownership.catalog_for_writing() as catalog, self._ownership.changing(uris) as held:
            results = update_metadata(catalog, batch)
            known = {each.document.uri for each in results}
            changed = [each for each in batch if each.document.uri not in known]
            if changed:
                embedder = self._ownership.embedder
                note_embedder(catalog, embedder)
                with self._ownership.indexes_for_writing() as indexes:
                    finish_changes(catalog, indexes, held)
                    results += add_documents(catalog, indexes, embedder, changed, self._report, held)
        self._done += passages
        if self._done >= self._next_check:
            self._next_check = 2 * self._done
            # While there are few vectors: at the end, a large library would write all of its vectors again.
            self._ownership.recenter(if_doubled=True)
        return results

    def _report(self, embedded: int) -> None:
        if self._progress:
            self._progress(self._done + embedded, self._known)
