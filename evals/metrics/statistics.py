"""Compute how certain a measured value is, and whether two runs differ: intervals and paired tests.

Cases about one document resemble each other, so resampling draws whole clusters of them. Everything
random takes a seed and gives the same result each time.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from math import comb, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Z95 = 1.959963984540054
RESAMPLES = 2_000
SEED = 20_240_607


class Interval(NamedTuple):
    """A 95 % confidence interval."""

    low: float
    high: float


def wilson(successes: int, count: int, z: float = Z95) -> Interval:
    """Return Wilson's score interval of a rate.

    Center (p + z²/2n) / (1 + z²/n), half width z/(1 + z²/n) · √(p(1 - p)/n + z²/4n²). Unlike the normal approximation,
    it stays within [0, 1] and has a nonzero width at 0 or 1. Wilson 1927.
    """
    if count <= 0 or not 0 <= successes <= count:
        raise ValueError(f"A rate needs 0 <= successes <= count and count > 0, not {successes} of {count}.")
    rate = successes / count
    shrink = 1 + z**2 / count
    center = (rate + z**2 / (2 * count)) / shrink
    half = z / shrink * sqrt(rate * (1 - rate) / count + z**2 / (4 * count**2))
    return Interval(
        0.0 if successes == 0 else max(0.0, center - half),
        1.0 if successes == count else min(1.0, center + half),
    )


def cluster_bootstrap_mean(
    values: ArrayLike, clusters: Sequence[Hashable], resamples: int = RESAMPLES, seed: int = SEED
) -> Interval | None:
    """Return the percentile interval of a mean when whole clusters are drawn with replacement.

    Each resample's mean is Σ of the drawn clusters' sums / Σ of their counts. No interval with fewer than two clusters,
    because their variation can't be estimated.
    """
    numbers = np.asarray(values, dtype=float)
    groups = _groups(clusters)
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 2:
        return None
    sums = np.bincount(groups, weights=numbers, minlength=count)
    sizes = np.bincount(groups, minlength=count).astype(float)
    means = np.concatenate([drawn @ sums / (drawn @ sizes) for drawn in _draws(count, resamples, seed)])
    return _percentiles(means)


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.int64]], float | None],
    clusters: Sequence[Hashable],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Interval | None:
    """Return the percentile interval of any statistic of rows, with whole clusters drawn with replacement.

    `statistic` gets row numbers, repeated as drawn. Resamples without a value (for example, if all labels are equal)
    are left out; there is no interval if more than half are.
    """
    groups = _groups(clusters)
    count = int(groups.max()) + 1 if groups.size else 0
    if count < 2:
        return None
    rows = [np.flatnonzero(groups == group) for group in range(count)]
    generator = np.random.default_rng(seed)
    drawn = (
        statistic(np.concatenate([rows[group] for group in generator.integers(count, size=count)]))
        for _ in range(resamples)
    )
    found = [value for value in drawn if value is not None]
    return _percentiles(np.asarray(found)) if len(found) > resamples / 2 else None


def mcnemar(only_first: int, only_second: int) -> float:
    """Return the exact two-sided p of McNemar's test on the cases in which two runs disagree.

    If neither is better, each of the n discordant cases falls to either side with probability 1/2, so
    p = min(1, 2 · Σ_{i ≤ min(b, c)} C(n, i) / 2ⁿ). McNemar 1947, the exact binomial form.
    """
    discordant = only_first + only_second
    tail = sum(comb(discordant, wins) for wins in range(min(only_first, only_second) + 1))
    return float(min(1.0, 2 * tail / 2**discordant))


def paired_rate_interval(only_first: int, only_second: int, count: int, z: float = Z95) -> Interval:
    """Return the interval of the difference of two rates over the same cases, second minus first.

    With b and c the cases that only the first, only the second run got right: (c - b)/(n + 2) ± z/(n + 2) · √(b + c + 1
    - (c - b)²/(n + 2)). Agresti and Min 2005: Wald's interval with half a case added to each of the four cells. It
    agrees with McNemar's test, while a bootstrap of few flips gives too narrow intervals.
    """
    if count <= 0 or only_first + only_second > count:
        raise ValueError(f"{only_first} and {only_second} can't be among {count} cases.")
    total = count + 2
    center = (only_second - only_first) / total
    half = z / total * sqrt(only_first + only_second + 1 - (only_second - only_first) ** 2 / total)
    return Interval(max(-1.0, center - half), min(1.0, center + half))


LEAST_CLUSTERS = 6
"""With five documents that all differ in the same direction, a sign test can't reach p < .05, so no test here may."""


class Difference(NamedTuple):
    """Second minus first, over the same cases."""

    value: float
    interval: Interval | None
    p: float | None
    """Two-sided; None with fewer than `LEAST_CLUSTERS` clusters."""


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    clusters: Sequence[Hashable],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference:
    """Return the mean of second - first, its interval, and a two-sided p, with whole clusters drawn together.

    p is the share of resamples, centered on no difference, that are as far from zero as the observed value, (1 + hits)
    / (1 + resamples): never zero. Efron and Tibshirani 1993, chapter 16.
    """
    differences = np.asarray(second, dtype=float) - np.asarray(first, dtype=float)
    groups = _groups(clusters)
    count = int(groups.max()) + 1 if groups.size else 0
    observed = float(differences.mean())
    if count < LEAST_CLUSTERS:
        return Difference(observed, None, None)
    sums = np.bincount(groups, weights=differences, minlength=count)
    sizes = np.bincount(groups, minlength=count).astype(float)
    means = np.concatenate([drawn @ sums / (drawn @ sizes) for drawn in _draws(count, resamples, seed)])
    return Difference(observed, _percentiles(means), _p_value(means, observed))


def paired_bootstrap_of(
    statistic: Callable[[NDArray[np.int64], int], float | None],
    clusters: Sequence[Hashable],
    resamples: int = RESAMPLES,
    seed: int = SEED,
) -> Difference | None:
    """Return the interval for any statistic: ``statistic(rows, run)``, run 0 or 1, both on the same drawn rows."""

    def difference(rows: NDArray[np.int64]) -> float | None:
        first, second = statistic(rows, 0), statistic(rows, 1)
        return None if first is None or second is None else second - first

    groups = _groups(clusters)
    observed = difference(np.arange(groups.size))
    if observed is None:
        return None
    if len(set(clusters)) < LEAST_CLUSTERS:
        return Difference(observed, None, None)
    kept: list[float] = []

    def remember(rows: NDArray[np.int64]) -> float | None:
        value = difference(rows)
        if value is not None:
            kept.append(value)
        return value

    interval = cluster_bootstrap(remember, clusters, resamples, seed)
    return Difference(observed, interval, _p_value(np.asarray(kept), observed) if interval else None)


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Return Holm's adjusted p-values, in the order given: the probability of any false alarm stays below the level.

    Sorted ascending, the i-th of m (from 0) is multiplied by m - i, and is at least as large as those before.
    """
    adjusted = [0.0] * len(p_values)
    least = 0.0
    for place, at in enumerate(sorted(range(len(p_values)), key=lambda at: p_values[at])):
        least = max(least, min(1.0, (len(p_values) - place) * p_values[at]))
        adjusted[at] = least
    return tuple(adjusted)


def _p_value(resampled: NDArray[np.float64], observed: float) -> float:
    # Rounding must not decide whether a resample is as far from zero as the observed value.
    hits = int((np.abs(resampled - observed) >= abs(observed) - 1e-12).sum())
    return (1 + hits) / (1 + resampled.size)


def _groups(clusters: Sequence[Hashable]) -> NDArray[np.int64]:
    numbers: dict[Hashable, int] = {}
    return np.asarray([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=np.int64)


def _draws(count: int, resamples: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Yield how often each of `count` clusters is drawn, as arrays (resamples in the block, count) that fit into memory."""
    generator = np.random.default_rng(seed)
    even = np.full(count, 1 / count)
    block = max(1, 4_000_000 // count)
    for done in range(0, resamples, block):
        yield generator.multinomial(count, even, size=min(block, resamples - done))


def _percentiles(values: NDArray[np.float64]) -> Interval:
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))
