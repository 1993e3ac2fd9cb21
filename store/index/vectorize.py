"""Embed the passages in the catalog: equal texts once, in portions across documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from store.catalog.packing import pack_vectors
from store.catalog.rows import PackedVectors, UnembeddedPassage
from store.catalog.snapshot import Snapshot
from store.errors import EmbeddingModelError
from store.types import Span

if TYPE_CHECKING:
    from store.catalog.catalog import Catalog
    from store.embedding.embedder import Embedder, PassageText

PORTION = 256
"""Passages embedded at a time: enough for batches of equal length, few enough to lose."""


def embed_documents(
    catalog: Catalog, embedder: Embedder, document_keys: Iterable[int], run: int, on_embedded: Callable[[int], None]
) -> Counter[int]:
    """Give every passage of these documents that lacks one a vector of the embedding run `run`.

    `on_embedded` gets the number of passages that have their vectors so far. Returns how many passages went through the
    model, by document key. Raises EmbeddingModelError.
    """
    embedded: Counter[int] = Counter()
    passages = (passage for keys in _batches(document_keys) for passage in _unembedded(catalog, keys, run))
    done = 0
    while portion := list(islice(passages, PORTION)):
        with catalog.snapshot() as snapshot:
            known = snapshot.packed_vectors(run, [each.content for each in portion])
            missing = {each.content: each for each in portion if each.content not in known}
            texts = dict(zip(missing, _texts(snapshot, list(missing.values())), strict=True))
        before = done
        vectors = known | _embed(embedder, texts, lambda part, before=before: on_embedded(before + part))  # type: ignore[misc]
        with catalog.transaction() as transaction:
            transaction.insert_vectors(run, [(each.key, vectors[each.content]) for each in portion])
        embedded.update(each.document for each in missing.values())
        done += len(portion)
        on_embedded(done)
    return embedded


def _batches(document_keys: Iterable[int]) -> Iterator[list[int]]:
    keys = iter(document_keys)
    while batch := list(islice(keys, PORTION)):
        yield batch


def _unembedded(catalog: Catalog, document_keys: Sequence[int], run: int) -> list[UnembeddedPassage]:
    with catalog.snapshot() as snapshot:
        return snapshot.unembedded_passages(document_keys, run)


def _texts(snapshot: Snapshot, passages: Sequence[UnembeddedPassage]) -> list[PassageText]:
    from store.embedding.embedder import PassageText

    headings = [each.heading or Span(0, 0) for each in passages]
    words = snapshot.texts_by_key(
        [(each.document, each.start, each.end) for each in passages]
        + [(each.document, heading.start, heading.end) for each, heading in zip(passages, headings, strict=True)]
    )
    return [
        PassageText(text, each.sentences, None if each.heading is None else heading)
        for each, text, heading in zip(passages, words[: len(passages)], words[len(passages) :], strict=True)
    ]


def _embed(
    embedder: Embedder, texts: dict[bytes, PassageText], on_embedded: Callable[[int], None]
) -> dict[bytes, PackedVectors]:
    """Return packed vectors by content digest."""
    if not texts:
        return {}
    made = embedder.embed_passages(list(texts.values()), lambda done, _: on_embedded(done))
    for vectors in made:
        if not (np.isfinite(vectors.passage).all() and np.isfinite(vectors.sentences).all()):
            raise EmbeddingModelError(
                f"The embedding model {embedder.name} returned something that isn't a number; choose another."
            )
    return {
        content: PackedVectors(
            pack_vectors(vectors.passage, vectors.sentences), b"" if vectors.tokens is None else vectors.tokens.pack()
        )
        for content, vectors in zip(texts, made, strict=True)
    }
