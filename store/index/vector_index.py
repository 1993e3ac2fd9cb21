"""Store vectors in Chroma, with what filters need; all of it is derived from the catalog, which is the truth.

Chroma runs in the process (`EmbeddedVectorIndex`) or as a server (`store.index.chroma_server`). In the process, only one
may have the folder open: with two, vectors are lost without an error, and queries go stale. Other processes ask the
owner to search (`store.search.by_owner`). A server has no such limit.
"""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from store.errors import AttestError, IndexDamagedError, LibraryError
from store.text.date_ranges import day_range
from store.types import Filter

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

BATCH = 5_000
"""The most rows per call: in-process Chroma takes at most 5,461, a server states its own limit."""

NEARLY_FULL = 50_000_000
"""Bytes: Chroma doubles its files to grow them, and fails if there is less room than that."""

SPACE = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}}
"""Twice Chroma's own effort, for building and searching, because a passage that the graph can't reach is a lost answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """The index's entry for one passage."""

    passage_id: str
    document_id: str
    language: str
    vector: NDArray[np.float32]
    """Centered, unit length, ``(dimensions,)``."""
    speaker: str | None = None
    published: str | None = None
    collection: str = ""

    @property
    def metadata(self) -> dict[str, str | int]:
        """Return the values for filters; unknown ones are absent, not empty."""
        known: dict[str, str | int] = {
            "document_id": self.document_id,
            "language": self.language,
            "collection": self.collection,
        }
        if self.speaker is not None:
            known["speaker"] = self.speaker
        if self.published is not None:
            known["published_first"], known["published_last"] = day_range(self.published)
        return known


class IndexGoneError(IndexDamagedError):
    """The index searched no longer exists: it was replaced, or lost. Opening the indexes again shows which."""


class VectorSearch(Protocol):
    """Finds the nearest passages: the index itself, or the library's owner in another process."""

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Return up to `k` passage ids with their cosine distances in [0, 2], nearest first."""
        ...

    def close(self) -> None:
        """Release its resources."""


class VectorIndex(ABC):
    """One Chroma collection, wherever Chroma runs."""

    batch = BATCH
    """Rows per call."""

    def __init__(self, client: ClientAPI, name: str) -> None:
        self._client = client
        self.name = name
        self._collection = client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration=SPACE,  # type: ignore[arg-type] # its TypedDict demands every key
        )

    @abstractmethod
    def _call(self, work: Callable[[Collection], T], *, writes: bool = False) -> T:
        """Return the result of `work` on the collection. Raises LibraryError, IndexDamagedError."""

    def close(self) -> None:
        """Release threads, files and connections."""
        self._client.close()  # type: ignore[attr-defined] # its base class lacks it

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries; an entry with a known id is overwritten."""
        for batch in self._batches(entries):
            ids = [entry.passage_id for entry in batch]
            vectors = np.stack([entry.vector for entry in batch])
            metadata: list[Any] = [entry.metadata for entry in batch]
            self._call(partial(_upsert, ids=ids, vectors=vectors, metadata=metadata), writes=True)

    def remove(self, passage_ids: Iterable[str]) -> None:
        """Remove these passages; unknown ids are ignored."""
        for batch in self._batches(passage_ids):
            self._call(partial(_delete, ids=batch), writes=True)

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Return up to `k` passage ids with their cosine distances in [0, 2], nearest first."""
        return self.nearest_each(vector[None, :], k, where)[0]

    def nearest_each(
        self, vectors: NDArray[np.float32], k: int, where: Filter | None = None
    ) -> list[list[tuple[str, float]]]:
        """Return the result of `nearest` for each of `vectors` ``(n, dimensions)``."""
        condition = _where(where or Filter())
        found = self._call(
            lambda collection: collection.query(
                query_embeddings=vectors, n_results=k, where=condition, include=["distances"]
            )
        )
        distances = found["distances"] or []
        return [list(zip(*pair, strict=True)) for pair in zip(found["ids"], distances, strict=True)]

    def count(self) -> int:
        """Return how many passages Chroma lists, including those whose vectors are lost."""
        return self._call(lambda collection: collection.count())

    def readable(self, passage_ids: Sequence[str]) -> set[str]:
        """Return those of `passage_ids` whose vectors can be read. Raises LibraryError."""
        return {id for batch in self._batches(passage_ids) for id in self._readable(batch)}

    def _readable(self, passage_ids: list[str]) -> set[str]:
        try:
            found = self._call(lambda collection: collection.get(ids=passage_ids, include=["embeddings"]))
        except IndexDamagedError:  # one lost vector fails the whole call: find it by halves
            if len(passage_ids) == 1:
                return set()
            middle = len(passage_ids) // 2
            return self._readable(passage_ids[:middle]) | self._readable(passage_ids[middle:])
        return set(found["ids"])

    def ids(self) -> Iterator[str]:
        """Yield all ids, read in pages."""
        offset = 0
        while page := self._page(offset):
            yield from page
            offset += len(page)

    def _page(self, offset: int) -> list[str]:
        return self._call(lambda collection: collection.get(limit=self.batch, offset=offset, include=[])["ids"])

    def drop(self) -> None:
        """Delete the collection."""
        self._client.delete_collection(self.name)

    def _batches(self, items: Iterable[T]) -> Iterator[list[T]]:
        iterator = iter(items)
        while batch := list(islice(iterator, self.batch)):
            yield batch


class EmbeddedVectorIndex(VectorIndex):
    """A collection in a folder, which only this process has open."""

    def __init__(self, client: ClientAPI, folder: Path) -> None:
        super().__init__(client, "passages")
        self._folder = folder

    @classmethod
    def open(cls, folder: Path) -> EmbeddedVectorIndex:
        """Open the collection in `folder`. Raises IndexDamagedError if Chroma can't open its own files."""
        import chromadb
        from chromadb.config import Settings

        try:
            return cls(chromadb.PersistentClient(folder, Settings(anonymized_telemetry=False)), folder)
        except Exception as error:
            raise IndexDamagedError(damage_message(str(error))) from error

    def _call(self, work: Callable[[Collection], T], *, writes: bool = False) -> T:
        with translate_index_errors(self._folder):
            return work(self._collection)


def _upsert(collection: Collection, *, ids: list[str], vectors: NDArray[np.float32], metadata: list[Any]) -> None:
    collection.upsert(ids=ids, embeddings=vectors, metadatas=metadata)


def _delete(collection: Collection, *, ids: list[str]) -> None:
    collection.delete(ids=ids)


@contextmanager
def translate_index_errors(folder: Path | None = None) -> Iterator[None]:
    """Raise LibraryError or IndexDamagedError for an error of Chroma or tantivy, which share no class.

    Chroma doesn't always report a full disk, so the free space at `folder` is checked.
    """
    try:
        yield
    except AttestError:
        raise
    except Exception as error:
        reason = str(error) or type(error).__name__
        full = "full" in reason.lower() or "no space" in reason.lower()
        if full or (folder is not None and shutil.disk_usage(folder).free < NEARLY_FULL):
            raise LibraryError(
                "The disk that holds the library is full. Free some space and run the command again.", code="disk_full"
            ) from error
        if isinstance(error, OSError):
            raise LibraryError(f"The index can't be used: {reason}.") from error
        raise IndexDamagedError(damage_message(reason)) from error


def damage_message(reason: str) -> str:
    """Return that the index can't be trusted, and what to do."""
    return f"The vector index doesn't match the catalog ({reason}). Your documents are safe: run `attest rebuild`."


def _where(where: Filter) -> dict[str, Any] | None:
    """Return the filter in Chroma's query language."""
    conditions: list[dict[str, Any]] = [
        {name: {"$in": list(wanted)}}
        for name, wanted in (
            ("document_id", where.documents),
            ("speaker", where.speakers),
            ("language", where.languages),
            ("collection", where.collections),
        )
        if wanted
    ]
    if where.published_from is not None:
        conditions.append({"published_last": {"$gte": day_range(where.published_from)[0]}})
    if where.published_to is not None:
        conditions.append({"published_first": {"$lte": day_range(where.published_to)[1]}})
    if len(conditions) > 1:
        return {"$and": conditions}
    return conditions[0] if conditions else None
