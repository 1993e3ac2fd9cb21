"""Adding up what passages of each language are like: exactly, so that sums never depend on the order."""

from __future__ import annotations

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from store.catalog.packing import unpack_passage_vector
from store.catalog.snapshot import LanguageStatistics
from store.embedding.token_states import PassageTokens


class LanguageCounts:
    """Counts and sums by language, of passages that are added one by one."""

    def __init__(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._counts: Counter[str] = Counter()
        self._sums: dict[str, NDArray[np.float64]] = {}
        self._token_sums: dict[str, NDArray[np.float64]] = {}

    def add(self, language: str, halves: bytes, tokens: bytes) -> None:
        """One passage, as the catalog packs it; of `halves` only the passage's own vector is read."""
        self._counts[language] += 1
        vector = unpack_passage_vector(halves, self.dimensions)
        self._sums[language] = self._sums.get(language, np.zeros(self.dimensions)) + vector
        if tokens:
            mean = PassageTokens.unpack(tokens).mean()
            self._token_sums[language] = self._token_sums.get(language, np.zeros(len(mean))) + mean

    def statistics(self) -> dict[str, LanguageStatistics]:
        """What was added up, by language in alphabetical order."""
        return {
            tag: LanguageStatistics(tag, self._counts[tag], self._sums[tag], self._token_sums.get(tag))
            for tag in sorted(self._counts)
        }
