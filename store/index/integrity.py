"""Cheap proof that the vector index is the one that the catalog describes: stored vectors find themselves.

Chroma doesn't notice lost vectors: with its files deleted, cut short or another library's it goes on
answering, with wrong neighbours. So some passages, from the oldest to the newest, are looked up by their
own vectors when the index is opened; each must find a vector that is its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from store.catalog.maintenance import sample
from store.catalog.snapshot import Snapshot
from store.errors import IndexDamagedError
from store.index.index_set import Indexes, make_centring
from store.index.probe import distances
from store.index.vector_index import VectorIndex, damaged

if TYPE_CHECKING:
    from store.embedding.centering import Centring

FIRST_LOOK = 16
SECOND_LOOK = 128
TOLERATED = 0.05
"""Share of a second look that may miss: after many removals the graph can hide single vectors
(https://github.com/chroma-core/chroma/issues/7758)."""
DRIFT = 0.05
"""Distance between the means of a language then and now; means of two languages lie 0.14 to 0.44 apart."""
SAME = 1e-3
"""Cosine distance below which a vector is the one that was stored; float32 in the index is far finer."""


@dataclass(frozen=True, slots=True)
class _Look:
    """What became of looking sampled passages up by their own vectors."""

    lost: int
    looked_at: int

    @property
    def is_bad(self) -> bool:
        return self.lost > TOLERATED * self.looked_at


def missing(snapshot: Snapshot, index: VectorIndex, centring: Centring, size: int) -> _Look:
    """Look up to `size` passages up by their own vectors in an open index."""
    vectors = _sampled(snapshot, centring, size)
    if not len(vectors):
        return _Look(0, 0)
    nearest = [hits[0][1] if hits else 2.0 for hits in index.nearest_each(vectors, 1)]
    return _Look(sum(distance > SAME for distance in nearest), len(vectors))


def probe_folder(snapshot: Snapshot, folder: Path, centring: Centring) -> None:
    """The same from a process of its own, for an index whose files may be cut short, before it is opened.

    Raises IndexDamagedError. Nothing is asked where Chroma has written no vectors to files yet.
    """
    if not any(folder.glob("*/index_metadata.pickle")):
        return
    vectors = _sampled(snapshot, centring, SECOND_LOOK)
    nearest = distances(folder, vectors) if len(vectors) else []
    if nearest is None:
        raise IndexDamagedError(damaged("it can't be opened"))
    look = _Look(sum(distance > SAME for distance in nearest), len(vectors))
    if look.is_bad:
        raise IndexDamagedError(damaged(f"{look.lost} of {look.looked_at} stored vectors aren't found"))


def _sampled(snapshot: Snapshot, centring: Centring, size: int) -> NDArray[np.float32]:
    """Vectors ``(n, dimensions)`` of passages from the oldest to the newest, centred as in the index."""
    passages = sample(snapshot, size)
    if not passages:
        return np.zeros((0, 0), np.float32)
    return centring.centre(np.stack([each.vector for each in passages]), [each.language for each in passages])


def check_indexes(snapshot: Snapshot, indexes: Indexes, *, counts: bool) -> None:
    """Raises IndexDamagedError unless stored vectors find themselves: all of a few, or nearly all of many.

    With `counts`, the keywords must be as many as the passages too; while a document is being added or
    removed they needn't be.
    """
    expected = sum(each.count for each in snapshot.language_statistics().values())
    if counts and indexes.keywords.count() != expected:
        raise IndexDamagedError(damaged(f"{indexes.keywords.count()} passages have keywords, of {expected}"))
    look = missing(snapshot, indexes.owned, indexes.centring, FIRST_LOOK)
    if look.lost:
        look = missing(snapshot, indexes.owned, indexes.centring, SECOND_LOOK)
    if look.is_bad:
        raise IndexDamagedError(damaged(f"{look.lost} of {look.looked_at} stored vectors aren't found"))


def has_drifted(snapshot: Snapshot) -> bool:
    """Whether the languages' means have moved so far since the index was made that it is worth making anew.

    Compared are the means that passages are centred by, then and now: a language that became less is
    no reason, since what was centred rightly then still is.
    """
    dimensions = snapshot.number("dimensions")
    now = snapshot.language_statistics()
    if not now:
        return False
    languages = sorted(now)
    means = [
        make_centring(snapshot.value("embedder_name") or "", dimensions, statistics).passage_means(languages)
        for statistics in (snapshot.centring_statistics(), now)
    ]
    return bool((np.linalg.norm(means[0] - means[1], axis=1) > DRIFT).any())
