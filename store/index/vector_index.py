"""Chroma: vectors and what filters need, derived from the catalog and never trusted over it.

One process may have the folder open: with two, vectors are lost without an error, and queries go stale.
Another process asks the owner (see `owner`). A Chroma server (`chroma_url`) is free of that limit.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    from llama_index.vector_stores.chroma import ChromaVectorStore

T = TypeVar("T")

BATCH = 5_000
"""Rows in one call: in-process Chroma takes 5,461 at most."""

NEARLY_FULL = 50_000_000
"""Bytes: Chroma grows its files by doubling them, and fails where there is less room than that."""

SPACE = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}}
"""Twice Chroma's own effort on both sides: a passage that the graph can't reach is a lost answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What the index holds for one passage."""

    passage_id: str
    document_id: str
    language: str
    vector: NDArray[np.float32]
    """Centred, unit length, ``(dimensions,)``."""
    speaker: str | None = None
    published: str | None = None
    collection: str = ""

    @property
    def metadata(self) -> dict[str, str | int]:
        """What filters go by; absent rather than empty where unknown."""
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


class Nearest(Protocol):
    """Something that finds the nearest passages: the index itself, or its owner from afar."""

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Up to `k` passage ids with their cosine distances in [0, 2], nearest first."""
        ...

    def close(self) -> None:
        """Let go of what it holds."""


class VectorIndex:
    """One Chroma collection."""

    def __init__(self, client: ClientAPI, name: str, folder: Path | None) -> None:
        self._client = client
        self.name = name
        self._folder = folder
        self._collection = client.get_or_create_collection(
            name,
            embedding_function=None,
            configuration=SPACE,  # type: ignore[arg-type] # its TypedDict demands every key
        )

    @classmethod
    def open(cls, folder: Path, name: str = "passages", *, url: str | None = None) -> VectorIndex:
        """Open the collection in `folder`, or `name` on the Chroma server at `url`.

        Raises IndexDamagedError where Chroma can't open its own files, LibraryError for a server
        that doesn't answer.
        """
        import chromadb
        from chromadb.config import Settings

        settings = Settings(anonymized_telemetry=False)
        try:
            if url is None:
                return cls(chromadb.PersistentClient(folder, settings), name, folder)
            return cls(_server(url, settings), name, None)
        except Exception as error:
            if url is None:
                raise IndexDamagedError(damaged(str(error))) from error
            raise LibraryError(f"The Chroma server at {url} can't be used: {error}") from error

    def close(self) -> None:
        """Let Chroma's threads and files go."""
        self._client.close()  # type: ignore[attr-defined] # its base class lacks it

    def add(self, entries: Iterable[Entry]) -> None:
        """Add entries; an entry with a known id is overwritten."""
        for batch in _batches(entries):
            with translated(self._folder):
                self._collection.upsert(
                    ids=[entry.passage_id for entry in batch],
                    embeddings=np.stack([entry.vector for entry in batch]),
                    metadatas=[entry.metadata for entry in batch],
                )

    def remove(self, passage_ids: Iterable[str]) -> None:
        """Forget these passages; unknown ids are no error."""
        for batch in _batches(passage_ids):
            with translated(self._folder):
                self._collection.delete(ids=batch)

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Up to `k` passage ids with their cosine distances in [0, 2], nearest first."""
        return self.nearest_each(vector[None, :], k, where)[0]

    def nearest_each(
        self, vectors: NDArray[np.float32], k: int, where: Filter | None = None
    ) -> list[list[tuple[str, float]]]:
        """The same for several vectors ``(n, dimensions)``."""
        with translated(self._folder):
            found = self._collection.query(
                query_embeddings=vectors,
                n_results=k,
                where=_where(where or Filter()),
                include=["distances"],
            )
        distances = found["distances"] or []
        return [list(zip(*pair, strict=True)) for pair in zip(found["ids"], distances, strict=True)]

    def count(self) -> int:
        """How many passages Chroma believes to hold; it believes so of lost ones too."""
        with translated(self._folder):
            return self._collection.count()

    def readable(self, passage_ids: Sequence[str]) -> set[str]:
        """Those of `passage_ids` whose vectors can really be read."""
        if not passage_ids:
            return set()
        try:
            found = self._collection.get(ids=list(passage_ids), include=["embeddings"])
        except Exception:  # one lost vector fails the whole call: find it by halves
            if len(passage_ids) == 1:
                return set()
            middle = len(passage_ids) // 2
            return self.readable(passage_ids[:middle]) | self.readable(passage_ids[middle:])
        return set(found["ids"])

    def ids(self) -> Iterator[str]:
        """All ids, in pages."""
        offset = 0
        while page := self._page(offset):
            yield from page
            offset += len(page)

    def _page(self, offset: int) -> list[str]:
        with translated(self._folder):
            return self._collection.get(limit=BATCH, offset=offset, include=[])["ids"]

    def drop(self) -> None:
        """Delete the collection."""
        self._client.delete_collection(self.name)

    def drop_others(self, prefix: str) -> None:
        """Delete every other collection whose name begins with `prefix`."""
        for collection in self._client.list_collections():
            if collection.name.startswith(prefix) and collection.name != self.name:
                self._client.delete_collection(collection.name)

    def as_vector_store(self, texts: Callable[[Sequence[str]], dict[str, str]]) -> ChromaVectorStore:
        """The same collection as LlamaIndex's vector store; `texts` looks words up by passage id.

        The vectors are centred by language, so a query's vector must be too: `Centring.centre_query`.
        """
        from store.llama_index import VectorStore

        return VectorStore(self._collection, texts)


@contextmanager
def translated(folder: Path | None = None) -> Iterator[None]:
    """Turn the errors of Chroma and tantivy, which share no class, into ours.

    Chroma doesn't always say that the disk is full, so the disk of `folder` is asked.
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
                "The disk that holds the library is full. Free some space and run the command again."
            ) from error
        if isinstance(error, OSError):  # a server that can't be reached, for one
            raise LibraryError(f"The index can't be used: {reason}.") from error
        raise IndexDamagedError(damaged(reason)) from error


def damaged(reason: str) -> str:
    """The sentence for an index that can't be trusted."""
    return (
        f"The vector index doesn't match the catalog ({reason}). "
        "Your documents are safe: run `attest rebuild` to make it anew."
    )


def _where(where: Filter) -> dict[str, Any] | None:
    """The filter in Chroma's words."""
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


def _server(url: str, settings: Any) -> ClientAPI:  # noqa: ANN401 - chromadb is imported late
    from urllib.parse import urlsplit

    import chromadb

    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise LibraryError(f"chroma_url must look like http://host:8000, not {url!r}.")
    secure = parts.scheme == "https"
    port = parts.port or (443 if secure else 8000)
    return chromadb.HttpClient(parts.hostname, port, ssl=secure, settings=settings)


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
