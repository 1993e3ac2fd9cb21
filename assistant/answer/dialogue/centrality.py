"""Pick the most central sentences of a text, without any that repeat another.

Centrality is LexRank with continuous weights (Erkan & Radev 2004, doi:10.1613/jair.1523) over cosines of the stored
sentence vectors; the choice among central sentences is by maximal marginal relevance (Carbonell & Goldstein 1998,
doi:10.1145/290941.291025).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from store.embedding import FloatArray
from store.library import Library

DAMPING = 0.15
"""Probability of a jump to any sentence."""
STEPS = 50
DIVERSITY = 0.4
"""How much similarity to the sentences already chosen counts against centrality."""


def centered(rows: FloatArray, languages: Sequence[str], library: Library) -> FloatArray:
    """Return vectors of passages or sentences ``(rows, dimensions)`` minus their languages' means, of unit length."""
    from store.embedding.centering import Centering, load_means

    with library.snapshot() as snapshot:
        statistics = snapshot.language_statistics()
        # Named as in the catalog: nothing is embedded here, so no model is loaded.
        means = load_means(snapshot.value("embedder_name") or "", snapshot.number("dimensions"))
    return Centering(means, statistics).center(rows, languages)


def centrality(vectors: FloatArray) -> FloatArray:
    """Return how central each sentence is, ``(sentences,)``, 1 for the most central; `vectors` have unit length."""
    if not len(vectors):
        return np.zeros(0, np.float32)
    weights = np.maximum(vectors @ vectors.T, 0)
    np.fill_diagonal(weights, 0)
    sums = weights.sum(axis=1, keepdims=True)
    count = len(vectors)
    chances = np.divide(weights, sums, out=np.full_like(weights, 1 / count), where=sums > 0)
    rank = np.full(count, 1 / count, np.float32)
    for _ in range(STEPS):
        rank = DAMPING / count + (1 - DAMPING) * (chances.T @ rank)
    central: FloatArray = (rank / rank.max()).astype(np.float32)
    return central


def diverse(vectors: FloatArray, scores: FloatArray, count: int) -> list[int]:
    """Return the indexes of up to `count` sentences, best first: high in `scores`, and unlike each other."""
    chosen: list[int] = []
    likeness = vectors @ vectors.T
    while len(chosen) < min(count, len(scores)):
        worth = (1 - DIVERSITY) * scores - DIVERSITY * (likeness[:, chosen].max(axis=1) if chosen else 0)
        worth = np.asarray(worth, np.float32)
        worth[chosen] = -np.inf
        chosen.append(int(worth.argmax()))
    return chosen
