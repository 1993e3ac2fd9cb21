"""Giving passages in the catalog their vectors: once for equal words, in portions across documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from store.catalog import catalog_writer as writing
from store.catalog.catalog_writer import Packed
from store.catalog.packing import pack_vectors, unpack_spans
from store.catalog.snapshot import Snapshot
from store.errors import EmbeddingModelError
from store.types import Span

if TYPE_CHECKING:
    from store.catalog.database import Catalog
    from store.embedding.embedder import Embedder, PassageText

Report = Callable[[int], None]
"""Called with the number of passages that have their vectors now."""

PORTION = 256
"""Passages embedded at a time: enough for batches of equal length, little enough to lose."""


@dataclass(frozen=True, slots=True)
class _Bare:
    """A passage without vectors."""

    key: int
    document: int
    content: bytes
    start: int
    end: int
    heading: Span | None
    sentences: bytes


def embed_documents(
    catalog: Catalog, embedder: Embedder, document_keys: Iterable[int], run: int, report: Report
) -> Counter[int]:
    """Give every passage of these documents that lacks one a vector of the embedding run `run`.

    Returns how many passages went through the model, by document. Raises EmbeddingModelError.
    """
    embedded: Counter[int] = Counter()
    bare = (passage for key in document_keys for passage in _bare(catalog, key, run))
    done = 0
    while portion := list(islice(bare, PORTION)):
        with catalog.snapshot() as snapshot:
            known = writing.known_vectors(snapshot.connection, run, [each.content for each in portion])
            missing = {each.content: each for each in portion if each.content not in known}
            texts = {content: _text(snapshot, each) for content, each in missing.items()}
        vectors = known | _embed(embedder, texts, partial(_report_part, report, done))
        with catalog.transaction() as connection:
            writing.insert_vectors(connection, run, [(each.key, vectors[each.content]) for each in portion])
        embedded.update(each.document for each in missing.values())
        done += len(portion)
        report(done)
    return embedded


def _report_part(report: Report, before: int, part: int) -> None:
    report(before + part)


def _bare(catalog: Catalog, document_key: int, run: int) -> Iterator[_Bare]:
    with catalog.snapshot() as snapshot:
        rows = snapshot.connection.execute(
            "SELECT p.key, p.content, p.start_offset, p.end_offset, p.heading_start, p.heading_end, p.sentences "
            "FROM passages p LEFT JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
            "WHERE p.document = ? AND v.passage IS NULL ORDER BY p.ordinal",
            (run, document_key),
        ).fetchall()
    for key, content, start, end, heading_start, heading_end, sentences in rows:
        heading = None if heading_start is None else Span(heading_start, heading_end)
        yield _Bare(key, document_key, content, start, end, heading, sentences)


def _text(snapshot: Snapshot, passage: _Bare) -> PassageText:
    from store.embedding.embedder import PassageText

    heading = passage.heading
    return PassageText(
        text=snapshot.words(passage.document, passage.start, passage.end),
        sentences=unpack_spans(passage.sentences, 0),
        heading=None if heading is None else snapshot.words(passage.document, heading.start, heading.end),
    )


def _embed(embedder: Embedder, texts: dict[bytes, PassageText], report: Report) -> dict[bytes, Packed]:
    """Packed vectors by content digest."""
    if not texts:
        return {}
    made = embedder.embed_passages(list(texts.values()), lambda done, _: report(done))
    for vectors in made:
        if not (np.isfinite(vectors.passage).all() and np.isfinite(vectors.sentences).all()):
            raise EmbeddingModelError(
                f"The embedding model {embedder.name} returned something that isn't a number; choose another."
            )
    return {
        content: Packed(
            pack_vectors(vectors.passage, vectors.sentences), b"" if vectors.tokens is None else vectors.tokens.pack()
        )
        for content, vectors in zip(texts, made, strict=True)
    }
