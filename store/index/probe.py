"""Looking into a vector index from a process of its own: Chroma crashes on files that were cut short.

    python -m store.index.probe FOLDER < vectors.npy

prints, as a JSON array, the cosine distance from each vector to its nearest in the index. A damaged
index ends that process, at worst by a segmentation fault, and not the one that wants to know.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.index.vector_index import VectorIndex

_SECONDS = 300


def distances(folder: Path, vectors: NDArray[np.float32]) -> list[float] | None:
    """For each of `vectors` ``(n, dimensions)`` the distance to its nearest; None if the index can't be used.

    Nobody may have the index open meanwhile.
    """
    stream = io.BytesIO()
    np.save(stream, vectors, allow_pickle=False)
    try:
        probe = subprocess.run(  # noqa: S603 - our own module
            [sys.executable, "-m", "store.index.probe", str(folder.absolute())],
            input=stream.getvalue(),
            capture_output=True,
            timeout=_SECONDS,
            cwd=Path(__file__).resolve().parents[2],
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    if probe.returncode != 0:
        return None
    return [float(distance) for distance in json.loads(probe.stdout)]


def main() -> None:
    """What the other process does."""
    vectors = np.load(io.BytesIO(sys.stdin.buffer.read()), allow_pickle=False)
    index = VectorIndex.open(Path(sys.argv[1]))
    found = index.nearest_each(vectors, 1)
    print(json.dumps([hits[0][1] if hits else 2.0 for hits in found]))
    index.close()


if __name__ == "__main__":
    main()
