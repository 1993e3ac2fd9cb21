"""Count and sum passage vectors by language: exactly, so that the order of additions doesn't matter."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.catalog.packing import unpack_passage_vector
from store.embedding.token_states import PassageTokens


@dataclass(frozen=True, slots=True)
class LanguageStatistics:
    """Sum of the raw passage vectors of one language, so ``sum / count`` is their mean."""

    language: str
    count: int
    sum: NDArray[np.float64]
    """``(dimensions,)``"""
    token_sum: NDArray[np.float64] | None = None
    """Sum of the passages' mean token codes, ``(size,)``; None if the library has none."""

    def plus(self, other: LanguageStatistics) -> LanguageStatistics:
        """Return the combined statistics."""
        mine, its = self.token_sum, other.token_sum
        tokens = mine + its if mine is not None and its is not None else mine if its is None else its
        return LanguageStatistics(self.language, self.count + other.count, self.sum + other.sum, tokens)

    def negative(self) -> LanguageStatistics:
        """Return what `plus` must add to take these passages away."""
        tokens = None if self.token_sum is None else -self.token_sum
        return LanguageStatistics(self.language, -self.count, -self.sum, tokens)


class LanguageSums:
    """Sums passages by language."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._counts: Counter[str] = Counter()
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._token_sums: dict[str, NDArray[np.float64]] = {}

    def add(self, language: str, halves: bytes, tokens: bytes) -> None:
        """Add one passage in the catalog's packed form; only the passage's own vector in `halves` is read."""
        self._counts[language] += 1
        vector = unpack_passage_vector(halves, self.dimensions)
        self._sums[language] = self._sums.get(language, np.zeros(self.dimensions)) + vector
        if tokens:
            mean = PassageTokens.unpack(tokens).mean()
            self._token_sums[language] = self._token_sums.get(language, np.zeros(len(mean))) + mean

    def statistics(self) -> dict[str, LanguageStatistics]:
        """Return the sums by language, in alphabetical order."""
        return {
            tag: LanguageStatistics(tag, self._counts[tag], self._sums[tag], self._token_sums.get(tag))
            for tag in sorted(self._counts)
        }
