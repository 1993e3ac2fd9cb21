"""The one door to a library: add, remove, look up, search, rebuild.

The catalog is the truth; vectors and keywords are derived from it and can be made anew. Adding is
atomic per document: a search sees a whole document or none of it, also after a kill in mid-ingest.

    with Library.open(settings) as library:
        for result in library.add_many(parsed):
            print(result.outcome, result.document.title)
        found = library.search("When was the forum held?", k=10)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self

from store.types import Document, Filter, ParsedDocument, Passage, SearchResult

if TYPE_CHECKING:
    from store.embed import Embedder
    from store.settings import Settings
    from store.snapshot import Snapshot

Outcome = Literal["added", "updated", "unchanged"]
Progress = Callable[[int, int], None]
"""Called with (passages embedded so far, passages known so far)."""


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one document that was added."""

    document: Document
    """As the library holds it now."""
    outcome: Outcome
    embedded: int = 0
    """Passages that went through the embedding model; the others' vectors were known already."""


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents, ordered by uri, and where the next page begins."""

    documents: tuple[Document, ...]
    next: str | None
    """Give it as `after` for the following page; None after the last one."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much a library holds. `languages` counts passages, `speakers` counts documents."""

    documents: int
    passages: int
    characters: int
    languages: dict[str, int]
    speakers: dict[str, int]


class Library:
    """A library of documents in one folder. Get one from `Library.open`; use it from any thread."""

    @classmethod
    def open(
        cls, where: Settings | Path | str, *, embedder: Embedder | None = None, read_only: bool = False
    ) -> Library:
        """Open the library at `where`, or make an empty one there.

        `embedder` None: the one that the settings and the library name, loaded when first needed.
        A writer owns the library until `close`. With `read_only` the library is owned too where
        nobody owns it yet, and else read beside its owner, who answers the vector queries.

        Raises LibraryLockedError (a writer while another process owns it), SchemaVersionError,
        EmbedderMismatchError, IndexDamagedError.
        """
        raise NotImplementedError

    def close(self) -> None:
        """Give the library up; other processes can own it again. Closing twice is harmless."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def embedder(self) -> Embedder:
        """The embedding model of this library. Raises EmbedderMismatchError, EmbeddingModelError."""
        raise NotImplementedError

    def add(self, parsed: ParsedDocument, progress: Progress | None = None) -> AddResult:
        """Add one document; see `add_many`, which is faster for many."""
        raise NotImplementedError

    def add_many(
        self, parsed: Iterable[ParsedDocument], progress: Progress | None = None
    ) -> Iterator[AddResult]:
        """Add or replace documents by their uri; yield a result for each when it is durable.

        The input is read lazily and embedded in batches across documents; results come in the
        order in which documents become durable. The iterator must be consumed to the end.
        A document with the same uri, file hash and metadata is `unchanged`; with only other metadata it
        is `updated` without embedding; a passage whose words are in the library already (a renamed
        or partly edited file) is not embedded again: add the new name before removing the old one.

        The store names passages itself: the ids of `parsed.passages` are not kept. A document keeps
        the id under which its uri was first added.
        """
        raise NotImplementedError

    def remove(self, document_id: str) -> Document:
        """Remove a document from everything. Raises NotFoundError; returns what it was."""
        raise NotImplementedError

    def snapshot(self) -> AbstractContextManager[Snapshot]:
        """The catalog as it is at one moment, for several reads that must agree with each other."""
        raise NotImplementedError

    def document(self, document_id: str) -> Document:
        """Raises NotFoundError."""
        raise NotImplementedError

    def find_document(self, uri: str) -> Document | None:
        """The document that was added under `uri`, if any."""
        raise NotImplementedError

    def documents(
        self, after: str | None = None, limit: int = 100, where: Filter | None = None
    ) -> DocumentPage:
        """A page of documents, ordered by uri; `after` is the previous page's `next`."""
        raise NotImplementedError

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """The normalized text of a document, or its part ``[start:end]``. Raises NotFoundError."""
        raise NotImplementedError

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """The passages of a document, in order. Raises NotFoundError."""
        raise NotImplementedError

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        """The `k` best passages for `query`, best first. Raises QuestionError for a blank query."""
        raise NotImplementedError

    def rebuild(self, *, embed: bool = False, progress: Progress | None = None) -> None:
        """Make vectors and keywords anew from the catalog, then swap them in at once.

        With `embed`, all passages are embedded again first, by whatever model the settings name.
        """
        raise NotImplementedError

    def statistics(self) -> Statistics:
        """Counts of what the library holds, without reading it through."""
        raise NotImplementedError
