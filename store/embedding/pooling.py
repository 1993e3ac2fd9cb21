"""One vector of many: of a whole text's tokens, or of each sentence's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from store.embedding.arrays import FloatArray
from store.types import Span

if TYPE_CHECKING:
    import torch


def pool(states: torch.Tensor, mask: torch.Tensor, pooling: str) -> torch.Tensor:
    """One vector a row of (rows, tokens, dimensions): the mean, the first or the last token's."""
    if pooling == "cls":
        return states[:, 0]
    if pooling == "lasttoken":
        last = mask.sum(dim=1) - 1
        return states[range(len(states)), last]
    weights = mask.unsqueeze(-1).to(states.dtype)
    pooled: torch.Tensor = (states * weights).sum(dim=1) / weights.sum(dim=1)
    return pooled


def pool_spans(states: FloatArray, offsets: NDArray[np.int64], spans: Sequence[Span], whole: FloatArray) -> FloatArray:
    """The unit-length mean of the token states in each span; a span that the model never saw gets `whole`."""
    real = offsets[:, 1] > offsets[:, 0]
    vectors = np.empty((len(spans), len(whole)), np.float32)
    for number, span in enumerate(spans):
        inside = real & (offsets[:, 0] < span.end) & (offsets[:, 1] > span.start)
        vector = states[inside].mean(axis=0) if inside.any() else whole
        vectors[number] = vector / np.linalg.norm(vector)
    return vectors
