"""Reading the catalog to make, mend and check what is derived from it; searching reads by `Snapshot` alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.catalog.language_sums import LanguageCounts
from store.catalog.packing import unpack_passage_vector
from store.catalog.snapshot import EMBEDDING, MANY, LanguageStatistics, Snapshot

WHOLE = "length(v.halves) = 2 * ? * (1 + length(p.sentences) / 8)"
"""SQL: a passage has the vectors that it should have, of as many dimensions as are given."""


@dataclass(frozen=True, slots=True)
class IndexRow:
    """What the indexes are made from, for one passage."""

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
class IndexedVector:
    """A passage's raw vector, ``(dimensions,)``, for checking that the index finds it."""

    passage_id: str
    language: str
    vector: NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Unsettled:
    """A document in the middle of a change."""

    key: int
    id: str
    state: str
    """``pending``: not yet live; ``retired``: not live any more; ``live``: its index entries are stale."""


def index_rows(snapshot: Snapshot, document_key: int, run: int) -> Iterator[IndexRow]:
    """What the indexes hold of a document in any state, passage by passage, with vectors of this run."""
    rows = snapshot.connection.execute(
        "SELECT p.id, p.language, p.start_offset, p.end_offset, p.heading_start, p.heading_end, "
        "d.id, d.speaker, d.published, d.collection, v.halves, length(p.sentences) / 8 "
        "FROM documents d JOIN passages p ON p.document = d.key "
        "JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
        "WHERE d.key = ? ORDER BY p.ordinal",
        (run, document_key),
    )
    for row in rows:
        yield IndexRow(
            passage_id=row[0],
            document_id=row[6],
            language=row[1],
            speaker=row[7],
            published=row[8],
            collection=row[9],
            text=snapshot.words(document_key, row[2], row[3]),
            heading=None if row[4] is None else snapshot.words(document_key, row[4], row[5]),
            vector=unpack_passage_vector(row[10], len(row[10]) // 2 // (1 + row[11])),
        )


def live_keys(snapshot: Snapshot, last: int = 0) -> Iterator[int]:
    """The keys of all live documents that follow `last`, in order, read in pages."""
    while keys := [
        row[0]
        for row in snapshot.connection.execute(
            "SELECT key FROM documents WHERE key > ? AND state = 'live' ORDER BY key LIMIT ?", (last, MANY)
        )
    ]:
        yield from keys
        last = keys[-1]


def unsettled(snapshot: Snapshot) -> list[Unsettled]:
    """Documents that a change was begun on and not ended: adding, removing, other metadata."""
    rows = snapshot.connection.execute(
        "SELECT key, id, state FROM documents WHERE state <> 'live' "
        "UNION ALL SELECT key, id, state FROM documents WHERE stale = 1 AND state = 'live'"
    )
    return [Unsettled(*row) for row in rows]


def passage_ids(snapshot: Snapshot, document_key: int) -> list[str]:
    """The ids of a document's passages, whatever its state."""
    rows = snapshot.connection.execute("SELECT id FROM passages WHERE document = ?", (document_key,))
    return [row[0] for row in rows]


def sample(snapshot: Snapshot, size: int) -> list[IndexedVector]:
    """Up to `size` live passages with their vectors, spread evenly from the oldest to the newest."""
    oldest, newest = snapshot.connection.execute(
        "SELECT (SELECT min(key) FROM passages), (SELECT max(key) FROM passages)"
    ).fetchone()
    if oldest is None:
        return []
    dimensions = snapshot.number("dimensions")
    found = {}
    for number in range(size):
        row = snapshot.connection.execute(
            "SELECT p.key, p.id, p.language, v.halves FROM passages p "
            "JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            f"WHERE p.key >= ? AND d.state = 'live' AND {WHOLE} ORDER BY p.key LIMIT 1",
            (oldest + (newest - oldest) * number // max(1, size - 1), dimensions),
        ).fetchone()
        if row is not None:
            found[row[0]] = IndexedVector(row[1], row[2], unpack_passage_vector(row[3], dimensions))
    return list(found.values())


def count_languages(snapshot: Snapshot, run: int, dimensions: int) -> dict[str, LanguageStatistics]:
    """The statistics of every language, made anew from all live passages' vectors of this run."""
    counted = LanguageCounts(dimensions)
    for row in snapshot.connection.execute(
        "SELECT p.language, substr(v.halves, 1, ?), v.tokens FROM documents d JOIN passages p ON p.document = d.key "
        "JOIN vectors v ON v.passage = p.key AND v.embedding = ? WHERE d.state = 'live'",
        (2 * dimensions, run),
    ):
        counted.add(*row)
    return counted.statistics()
