"""Limit a library to some collections: for its user, the others don't exist."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from store.errors import NotFoundError
from store.text.storable import NOTHING
from store.types import Document, Filter, Passage, SearchResult

if TYPE_CHECKING:
    from store.library import DocumentPage, Library, Statistics


class ReadableLibrary(Protocol):
    """The reading methods that `Library` and `View` have in common."""

    def document(self, document_id: str) -> Document:
        """Return the document. Raises NotFoundError."""

    def find_document(self, uri: str) -> Document | None:
        """Return the document that was added under `uri`, if any."""

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """Return a page of documents, ordered by uri."""

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the normalized text, or its part ``[start:end]``. Raises NotFoundError."""

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order. Raises NotFoundError."""

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """Return the `k` best passages for `query`, best first."""

    def statistics(self) -> Statistics:
        """Return counts of what may be read."""


class View:
    """Reads a `Library`, limited to `collections`; None means all of them."""

    def __init__(self, library: Library, collections: tuple[str, ...] | None) -> None:
        self._library = library
        # an empty filter would match every collection, so none becomes a name that no collection has
        self._collections = None if collections is None else collections or (NOTHING,)

    def narrowed(self, where: Filter | None) -> Filter:
        """Return the filter, limited to the visible collections."""
        where = where or Filter()
        if self._collections is None:
            return where
        wanted = where.collections or self._collections
        return replace(where, collections=tuple(name for name in wanted if name in self._collections) or (NOTHING,))

    def document(self, document_id: str) -> Document:
        """Return a document. Raises NotFoundError."""
        return self._require_visible(self._library.document(document_id))

    def find_document(self, uri: str) -> Document | None:
        """Return the document that was added under `uri`, if any."""
        found = self._library.find_document(uri)
        return found if found is not None and self._is_visible(found) else None

    def documents(self, after: str | None = None, limit: int = 100, where: Filter | None = None) -> DocumentPage:
        """Return a page of documents, ordered by uri."""
        return self._library.documents(after, limit, self.narrowed(where))

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the normalized text of a document, or its part ``[start:end]``. Raises NotFoundError."""
        return self._library.text(self.document(document_id).id, start, end)

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order. Raises NotFoundError."""
        return self._library.passages(self.document(document_id).id)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """Return the `k` best passages for `query`, best first. Raises what `Library.search` raises."""
        return self._library.search(query, k, self.narrowed(where))

    def statistics(self) -> Statistics:
        """Count what is visible."""
        return self._library.statistics(self._collections or ())

    def _is_visible(self, document: Document) -> bool:
        return self._collections is None or document.collection in self._collections

    def _require_visible(self, document: Document) -> Document:
        if not self._is_visible(document):
            raise NotFoundError(
                "No document has the id {id}; `attest documents list` shows all of them.",
                code="document_gone",
                id=f"{document.id!r}",
            )
        return document
