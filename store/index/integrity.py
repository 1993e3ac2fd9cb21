"""Check cheaply that the vector index matches the catalog: stored vectors must find themselves.

Chroma doesn't notice lost vectors. If its files are deleted, truncated or replaced by another library's, it still
answers, with wrong neighbors. So when the index is opened, some passages from the oldest to the newest are looked up by
their own vectors; each must find its own vector.

Chroma crashes on truncated files, so a doubtful folder is probed in another process:

    python -m store.index.integrity FOLDER < vectors.npy

prints, as a JSON array, the cosine distance from each vector to its nearest in the index.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from store.catalog.snapshot import Snapshot
from store.errors import IndexDamagedError
from store.index.index_set import IndexSet, make_centering
from store.index.vector_index import EmbeddedVectorIndex, VectorIndex, damage_message

if TYPE_CHECKING:
    from store.embedding.centering import Centering

FIRST_LOOK = 16
SECOND_LOOK = 128
TOLERATED = 0.05
"""Share of a second check that may miss: after many removals the graph can hide single vectors
(https://github.com/chroma-core/chroma/issues/7758)."""
_PROBE_SECONDS = 300
DRIFT = 0.05
"""Distance between the old and new means of a language; means of two languages are 0.14 to 0.44 apart."""
SAME = 1e-3
"""Cosine distance below which a vector counts as the stored one; float32 in the index is far more precise."""


@dataclass(frozen=True, slots=True)
class Sample:
    """The number of sampled passages that were not found by their own vectors."""

    lost: int
    looked_at: int

    @property
    def is_bad(self) -> bool:
        """Return whether more than the tolerated share is lost."""
        return self.lost > TOLERATED * self.looked_at


def missing(snapshot: Snapshot, index: VectorIndex, centering: Centering, size: int) -> Sample:
    """Look up to `size` passages up by their own vectors in an open index."""
    vectors = _sampled(snapshot, centering, size)
    if not len(vectors):
        return Sample(0, 0)
    nearest = _nearest_distances(index, vectors)
    return Sample(sum(distance > SAME for distance in nearest), len(vectors))


def probe_folder(snapshot: Snapshot, folder: Path, centering: Centering) -> None:
    """Check an index whose files may be truncated, in another process, before this one opens it.

    Raises IndexDamagedError. A folder to which Chroma has not yet written vectors passes.
    """
    if not any(folder.glob("*/index_metadata.pickle")):
        return
    vectors = _sampled(snapshot, centering, SECOND_LOOK)
    nearest = _probe(folder, vectors) if len(vectors) else []
    if nearest is None:
        raise IndexDamagedError(damage_message("it can't be opened"))
    look = Sample(sum(distance > SAME for distance in nearest), len(vectors))
    if look.is_bad:
        raise IndexDamagedError(damage_message(f"{look.lost} of {look.looked_at} stored vectors aren't found"))


def _sampled(snapshot: Snapshot, centering: Centering, size: int) -> NDArray[np.float32]:
    """Return vectors ``(n, dimensions)`` of passages from the oldest to the newest, centered as in the index."""
    passages = snapshot.sample(size)
    if not passages:
        return np.zeros((0, 0), np.float32)
    return centering.center(np.stack([each.vector for each in passages]), [each.language for each in passages])


def check_indexes(snapshot: Snapshot, indexes: IndexSet, *, counts: bool) -> None:
    """Raise IndexDamagedError unless stored vectors find themselves: all of a few, or nearly all of many.

    With `counts`, the keyword index must also have as many passages as the catalog; they may differ while a document is
    being added or removed.
    """
    expected = sum(each.count for each in snapshot.language_statistics().values())
    if counts and indexes.keywords.count() != expected:
        raise IndexDamagedError(damage_message(f"{indexes.keywords.count()} passages have keywords, of {expected}"))
    look = missing(snapshot, indexes.owned, indexes.centering, FIRST_LOOK)
    if look.lost:
        look = missing(snapshot, indexes.owned, indexes.centering, SECOND_LOOK)
    if look.is_bad:
        raise IndexDamagedError(damage_message(f"{look.lost} of {look.looked_at} stored vectors aren't found"))


def has_drifted(snapshot: Snapshot) -> bool:
    """Return whether the languages' means have moved so far since the index was made that it should be rebuilt.

    A language that lost passages doesn't count: vectors that were centered correctly still are.
    """
    dimensions = snapshot.number("dimensions")
    now = snapshot.language_statistics()
    if not now:
        return False
    languages = sorted(now)
    means = [
        make_centering(snapshot.value("embedder_name") or "", dimensions, statistics).passage_means(languages)
        for statistics in (snapshot.centering_statistics(), now)
    ]
    return bool((np.linalg.norm(means[0] - means[1], axis=1) > DRIFT).any())


def has_doubled(snapshot: Snapshot) -> bool:
    """Return whether the library has at least twice as many passages as when its vectors were centered."""
    then, now = (
        sum(each.count for each in statistics.values())
        for statistics in (snapshot.centering_statistics(), snapshot.language_statistics())
    )
    return now >= 2 * then


def _nearest_distances(index: VectorIndex, vectors: NDArray[np.float32]) -> list[float]:
    return [hits[0][1] if hits else 2.0 for hits in index.nearest_each(vectors, 1)]


def _probe(folder: Path, vectors: NDArray[np.float32]) -> list[float] | None:
    """Return for each of `vectors` ``(n, dimensions)`` the distance to its nearest; None for an unusable index.

    No process may have the index open meanwhile.
    """
    stream = io.BytesIO()
    np.save(stream, vectors, allow_pickle=False)
    try:
        probe = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "store.index.integrity", str(folder.absolute())],
            input=stream.getvalue(),
            capture_output=True,
            timeout=_PROBE_SECONDS,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if probe.returncode != 0:
        return None
    return [float(distance) for distance in json.loads(probe.stdout)]


def main() -> None:
    """Run `_probe` in the other process."""
    vectors = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    index = EmbeddedVectorIndex.open(Path(sys.argv[1]))
    print(json.dumps(_nearest_distances(index, vectors)))
    index.close()


if __name__ == "__main__":
    main()
