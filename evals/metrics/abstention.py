"""Measure whether a system knows what it doesn't know: correct abstentions, and honest confidence.

Arrays are aligned by question: `confidences` in [0, 1], `labels` 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10


def auroc(confidences: ArrayLike, labels: ArrayLike) -> float | None:
    """P(confidence of a random positive > of a random negative), ties counting one half.

    By the rank sum: AUROC = (R⁺ - n⁺(n⁺ + 1) / 2) / (n⁺ n⁻), R⁺ the sum of the positives' mid-ranks. No score if all
    labels are the same.
    """
    scores, truth = np.asarray(confidences, dtype=float), np.asarray(labels, dtype=bool)
    positives, negatives = int(truth.sum()), int((~truth).sum())
    if positives == 0 or negatives == 0:
        return None
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    mid_ranks = np.cumsum(counts) - (counts - 1) / 2
    rank_sum = float(mid_ranks[inverse][truth].sum())
    return (rank_sum - positives * (positives + 1) / 2) / (positives * negatives)


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Risk among the most confident answers, for each share of questions answered."""

    coverage: tuple[float, ...]
    """Ascending, the last is 1."""
    risk: tuple[float, ...]
    """1 - share of right answers among those covered."""

    @property
    def area(self) -> float:
        """AURC: the mean risk over all coverages, 0 at best."""
        return float(np.mean(self.risk))


def risk_coverage(confidences: ArrayLike, correct: ArrayLike) -> RiskCoverage | None:
    """Return the curve of risk against coverage when the least confident are left unanswered.

    At the i-th of n thresholds the i most confident are answered: coverage i/n, risk = 1 - Σ correct / i. Equal
    confidences can't be distinguished, so each counts with the mean of its group. Geifman and El-Yaniv 2017.
    """
    scores, right = np.asarray(confidences, dtype=float), np.asarray(correct, dtype=float)
    if scores.size == 0:
        return None
    _, groups = np.unique(-scores, return_inverse=True)
    group_means = np.bincount(groups, weights=right) / np.bincount(groups)
    ordered = group_means[np.sort(groups)]
    counts = np.arange(1, scores.size + 1)
    risk = 1 - np.cumsum(ordered) / counts
    return RiskCoverage(tuple((counts / scores.size).tolist()), tuple(risk.tolist()))


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Questions of similar confidence: predicted and observed share."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidences: ArrayLike, labels: ArrayLike, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Return the reliability diagram: bins of equal width over [0, 1], without empty ones."""
    scores, truth = np.asarray(confidences, dtype=float), np.asarray(labels, dtype=float)
    return tuple(
        ReliabilityBin(
            low=at / bins,
            high=(at + 1) / bins,
            count=int(members.sum()),
            confidence=float(scores[members].mean()),
            accuracy=float(truth[members].mean()),
        )
        for at, members in _members(scores, bins)
    )


def expected_calibration_error(confidences: ArrayLike, labels: ArrayLike, bins: int = BINS) -> float | None:
    """ECE = Σ over bins of (n_b / n) · |accuracy_b - confidence_b|, bins of equal width. Guo et al. 2017."""
    found = reliability(confidences, labels, bins)
    total = sum(one.count for one in found)
    return sum(one.count * abs(one.accuracy - one.confidence) for one in found) / total if total else None


def _members(scores: NDArray[np.float64], bins: int) -> list[tuple[int, NDArray[np.bool_]]]:
    placed = np.minimum((scores * bins).astype(int), bins - 1)
    return [(int(at), placed == at) for at in np.unique(placed)]
