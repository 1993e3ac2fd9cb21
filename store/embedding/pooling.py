"""Pool many vectors into one: those of a whole text's tokens, or of each sentence's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.types import Span

Pooling = Literal["mean", "cls", "lasttoken"]


def pool(states: FloatArray, mask: NDArray[np.int64], pooling: Pooling) -> FloatArray:
    """Return one vector per row of ``(rows, tokens, dimensions)``: the mean, the first or the last token's."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "lasttoken":
        last: FloatArray = states[np.arange(len(states)), mask.sum(axis=1) - 1]
        return last
    weights = mask.astype(np.float32)
    pooled: FloatArray = np.einsum("rtd,rt->rd", states, weights) / weights.sum(axis=1, keepdims=True)
    return pooled


def unit(vectors: FloatArray) -> FloatArray:
    """Return vectors ``(..., dimensions)`` with unit length; a zero vector stays unchanged."""
    scaled: FloatArray = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12)
    return scaled


def pool_spans(states: FloatArray, offsets: NDArray[np.int64], spans: Sequence[Span], whole: FloatArray) -> FloatArray:
    """Return the unit-length mean of the token states in each span; a span that the model didn't read gets `whole`."""
    real = offsets[:, 1] > offsets[:, 0]
    vectors = np.empty((len(spans), len(whole)), np.float32)
    for number, span in enumerate(spans):
        inside = real & (offsets[:, 0] < span.end) & (offsets[:, 1] > span.start)
        vector = states[inside].mean(axis=0) if inside.any() else whole
        vectors[number] = vector / np.linalg.norm(vector)
    return vectors
