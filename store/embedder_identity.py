"""Identify the embedding model of a library's vectors, and decide whether another one may be used with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from store.errors import EmbedderMismatchError
from store.index.keyword_index import TERMS_VERSION

if TYPE_CHECKING:
    from store.catalog.catalog import Catalog
    from store.catalog.snapshot import Snapshot
    from store.embedding.embedder import Embedder

PREPARATION = 2
"""Version of the embedded parts of a passage: its words under their heading, its sentences and its tokens."""


def identity(embedder: Embedder) -> dict[str, str]:
    """Return the library's facts about the model of its vectors."""
    basis = embedder.token_basis
    return {
        "embedder_name": embedder.name,
        "embedder_fingerprint": embedder.fingerprint,
        "dimensions": str(embedder.dimensions),
        "preparation": str(PREPARATION) if basis is None else f"{PREPARATION} {basis.version}",
    }


def note_embedder(catalog: Catalog, embedder: Embedder) -> None:
    """Record `embedder` as the model of a library that has none yet.

    Raises EmbedderMismatchError if another process has recorded another one.
    """
    with catalog.snapshot() as snapshot:
        if snapshot.value("embedder_fingerprint") is not None:
            require_embedder(snapshot, embedder)
            return
    with catalog.transaction() as transaction:
        if transaction.value("embedder_fingerprint") is not None:  # just now
            require_embedder(transaction, embedder)
            return
        for name, value in identity(embedder).items():
            transaction.set_value(name, value)
        transaction.set_value("embedding", 1)
        transaction.set_value("terms_version", TERMS_VERSION)


def require_embedder(snapshot: Snapshot, embedder: Embedder) -> None:
    """Raise EmbedderMismatchError unless `embedder` made the library's vectors, or it has none yet."""
    made_by = snapshot.value("embedder_fingerprint")
    if made_by is None:
        return
    wanted = identity(embedder)
    if all(snapshot.value(name) == wanted[name] for name in ("embedder_fingerprint", "dimensions", "preparation")):
        return
    if made_by == embedder.fingerprint:
        raise EmbedderMismatchError(
            "This library was embedded by another version of Attest: run `attest rebuild --embed` to embed all "
            "documents again."
        )
    raise EmbedderMismatchError(
        f"This library's vectors were made by {snapshot.value('embedder_name')} ({made_by[:8]}), "
        f"not by {embedder.name} ({embedder.fingerprint[:8]}) as it is now. "
        "Name the former in ATTEST_EMBEDDING_MODEL, or run `attest rebuild --embed` to embed all documents again."
    )
