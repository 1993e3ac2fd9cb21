"""Define the values that the catalog reads and writes, in addition to those of `store.types`."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.types import Document, Passage, Span


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents, ordered by uri, and where the next page begins."""

    documents: tuple[Document, ...]
    next: str | None
    """Pass it as `after` to get the following page; None after the last one."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The size of a library. `languages` counts passages, `speakers` counts documents."""

    documents: int
    passages: int
    characters: int
    languages: dict[str, int]
    speakers: dict[str, int]
    """The hundred most frequent; documents without a speaker aren't counted here."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with its document, its text and its vectors."""

    passage: Passage
    document: Document
    text: str
    vectors: NDArray[np.float32]
    """Raw unit vectors ``(1 + sentences, dimensions)``: row 0 the passage, then its sentences."""


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """Only the vectors of a passage: ranking examines far more passages than are shown."""

    passage_id: str
    language: str
    title: str
    """The document's title."""
    vectors: NDArray[np.float32]
    """Raw unit vectors ``(1 + sentences, dimensions)``: row 0 the passage, then its sentences."""


@dataclass(frozen=True, slots=True)
class PackedVectors:
    """A passage's vectors in the form that the catalog stores."""

    halves: bytes
    """See `store.catalog.packing.pack_vectors`."""
    tokens: bytes
    """See `store.embedding.token_states.PassageTokens`; empty if the model has no basis for them."""


@dataclass(frozen=True, slots=True)
class StoredDocument:
    """The key of a document, and the digest that decides whether it is up to date."""

    key: int
    id: str
    version: str


@dataclass(frozen=True, slots=True)
class UnembeddedPassage:
    """A passage without vectors."""

    key: int
    document: int
    content: bytes
    """Digest of its embedded parts."""
    start: int
    end: int
    heading: Span | None
    sentences: tuple[Span, ...]
    """Relative to `start`."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """A passage's entry in the indexes."""

    passage_id: str
    document_id: str
    language: str
    speaker: str | None
    published: str | None
    collection: str
    text: str
    heading: str | None
    vector: NDArray[np.float32]
    """Raw, ``(dimensions,)``."""


@dataclass(frozen=True, slots=True)
class SampledVector:
    """A passage's raw vector, ``(dimensions,)``, to check that the index finds it."""

    passage_id: str
    language: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PassageVectors:
    """The raw vectors of some passages, ``(passages, dimensions)``, without those of their sentences."""

    passage_ids: tuple[str, ...]
    languages: tuple[str, ...]
    vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class UnfinishedChange:
    """A document in the middle of a change."""

    key: int
    id: str
    state: str
    """``pending``: not yet live; ``retired``: no longer live; ``live``: its index entries are stale."""
    uri: str
