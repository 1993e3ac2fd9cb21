"""Compare word by word (late interaction): whether a passage has something close to each word of the question.

    late(query, text) = sum over the query's tokens of weight * best cosine(token, token of the text)

(MaxSim, Khattab & Zaharia 2020, arXiv:2004.12832.) States are compared after centering, like whole passages
(`store.embedding.centering`): each language's mean token is subtracted, using shipped values and the library's own
passages. A token's weight is its distance from that mean, so that tokens of any question, such as a question mark,
count little; weights add up to one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from store.catalog.language_sums import LanguageStatistics
from store.embedding import FloatArray
from store.embedding.centering import Centering
from store.embedding.token_states import PassageTokens, TokenBasis


@dataclass(frozen=True, slots=True)
class LateScores:
    """The scores of a passage and of each of its sentences, in [-1, 1]."""

    passage: float
    sentences: list[float]


@dataclass(frozen=True, slots=True)
class _Mean:
    """A library's statistics for one language, in projected states."""

    count: int
    sum: NDArray[np.float64]


class LateInteraction:
    """Compares one question's tokens with those of passages."""

    def __init__(
        self, basis: TokenBasis, question: FloatArray, language: str, statistics: Mapping[str, LanguageStatistics]
    ) -> None:
        """`question` holds the projected states of its tokens, ``(tokens, size)``."""
        library = {
            tag: _Mean(each.count, each.token_sum * basis.steps)
            for tag, each in statistics.items()
            if each.token_sum is not None
        }
        self._basis = basis
        self._centering = Centering(basis.means, library)
        apart = question - self._centering.query_mean(language)
        lengths = np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
        self._question = apart / lengths
        self._weights = (lengths / lengths.sum())[:, 0]

    def score(self, packed: bytes, language: str) -> LateScores:
        """Score a passage in `language` by its packed tokens."""
        tokens = PassageTokens.unpack(packed)
        apart = self._basis.decode(tokens.codes) - self._centering.passage_means([language])
        apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
        cosines = self._question @ apart.T
        return LateScores(
            self._best(cosines), [self._best(cosines[:, first:end]) for first, end in tokens.sentences.tolist()]
        )

    def _best(self, cosines: FloatArray) -> float:
        return float(self._weights @ cosines.max(axis=1)) if cosines.shape[1] else 0.0
