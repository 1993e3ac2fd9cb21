"""Find the passages nearest to a question among those that pass a filter.

Chroma's own filter first lists every row that passes, and then walks its graph with that list: with 100,000 passages a
question takes 40 to 200 ms instead of 3, and more in a larger library. Two other ways hardly cost more in a larger one, so they
are tried first:

- if many passages pass, fetch more of the nearest than needed, and keep those that pass;
- if few pass, compare the question with all of them.

Chroma's filter is left for what is between.
"""

from __future__ import annotations

import numpy as np

from store.catalog.snapshot import Snapshot
from store.embedding import FloatArray
from store.embedding.centering import Centering
from store.index.vector_index import VectorSearch
from store.types import Filter

MORE, MOST = (5, 25), 100
"""How many times more of the nearest are fetched: 300 take 4 ms with 100,000 passages, 1,500 take 13, 6,000 take 45."""
MOST_FETCHED = 10_000
FEW = 5_000
"""Passages that are all compared with the question: 2,000 take 25 ms."""


def nearest_passing(
    query: FloatArray, k: int, where: Filter, *, vectors: VectorSearch, centering: Centering, snapshot: Snapshot
) -> list[str]:
    """Return the ids of up to `k` passages nearest to a centered question ``(dimensions,)``, nearest first.

    `centering` is the one that the index was built with.
    """
    if where.is_empty:
        return [passage_id for passage_id, _ in vectors.nearest(query, k)]
    if where.documents and (few := _nearest_of_few(query, k, where, centering, snapshot)) is not None:
        return few
    share = 1.0  # of the nearest that pass
    for times in (*MORE, MOST):
        if times == MOST and not where.documents:
            few = _nearest_of_few(query, k, where, centering, snapshot)
            if few is not None:
                return few
        if share * times < 1 or k * times > MOST_FETCHED:
            continue  # too few pass for this round to find enough, or it fetches too many
        fetched = [passage_id for passage_id, _ in vectors.nearest(query, k * times)]
        passing = snapshot.passing(fetched, where)
        found = [passage_id for passage_id in fetched if passage_id in passing]
        if len(found) >= k or len(fetched) < k * times:
            return found[:k]
        share = len(found) / len(fetched)
    return [passage_id for passage_id, _ in vectors.nearest(query, k, where)]


def _nearest_of_few(
    query: FloatArray, k: int, where: Filter, centering: Centering, snapshot: Snapshot
) -> list[str] | None:
    """Return the nearest of all passages that pass; None if there are more than `FEW`."""
    few = snapshot.few_vectors(where, FEW)
    if few is None:
        return None
    centered = centering.center(few.vectors, few.languages)
    order = np.argsort(-(centered @ query), kind="stable")[:k]
    return [few.passage_ids[place] for place in order]
