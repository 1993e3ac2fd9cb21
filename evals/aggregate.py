"""Aggregate observations into estimates: each metric of each slice, with its interval.

A question that was asked several times counts once, with the mean of its values: asking again doesn't make the sample
larger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.types import Value
from evals.measurements import Observation
from evals.metrics.statistics import cluster_bootstrap, cluster_bootstrap_mean, wilson
from evals.registry import METRICS, Columns, Metric, metric, ordered

POOLED_RESAMPLES = 300
"""Fewer than for means, because each computes the whole statistic again."""
POOLED_LEAST = 12
"""With fewer turns, the interval of a pooled metric would depend on only a few numbers."""
HIDDEN = frozenset({"confidence", "answerable", "holds", "latency_ms", "first_quote_ms", "same_language"})
"""Values for pooled metrics that are not metrics themselves."""


class Estimate(Value):
    """A measured value, its 95 % interval, and its number of cases or turns."""

    value: float
    low: float | None = None
    """None if there is too little data to estimate the uncertainty."""
    high: float | None = None
    count: int


@dataclass(frozen=True, slots=True)
class Unit:
    """A turn or a case, with all repetitions."""

    cluster: str
    slices: tuple[str, ...]
    times: tuple[Mapping[str, float], ...]

    def mean(self, name: str) -> float | None:
        """Return the mean of a value over the repetitions that have it."""
        values = [values[name] for values in self.times if name in values]
        return sum(values) / len(values) if values else None


Units = Mapping[tuple[str, int | None], Unit]


def units(observations: Iterable[Observation]) -> dict[tuple[str, int | None], Unit]:
    """Return the observations, grouped by turn or case."""
    gathered: dict[tuple[str, int | None], list[Observation]] = {}
    for observation in observations:
        gathered.setdefault(observation.unit, []).append(observation)
    return {
        unit: Unit(
            cluster=times[0].cluster,
            slices=tuple(dict.fromkeys(name for time in times for name in time.slices)),
            times=tuple(time.values for time in times),
        )
        for unit, times in gathered.items()
    }


def slice_names(found: Units) -> tuple[str, ...]:
    """Return all slices, ``all`` first, then by kind and name."""
    kinds = ("all", "suite", "language", "pair", "direction", "tag")
    names = {name for unit in found.values() for name in unit.slices}
    return tuple(sorted(names, key=lambda name: (kinds.index(name.split(":", 1)[0]), name)))


def in_slice(found: Units, name: str) -> dict[tuple[str, int | None], Unit]:
    """Return the units of one slice."""
    return {key: unit for key, unit in found.items() if name in unit.slices}


def estimates(found: Units, seed: int) -> dict[str, Estimate]:
    """Return every metric that has a value for some unit, in the order of the reports."""
    named = {name for unit in found.values() for values in unit.times for name in values} - HIDDEN
    pooled = {name for name, one in METRICS.items() if one.pooled is not None}
    estimated: dict[str, Estimate] = {}
    for name in ordered([*named, *pooled]):
        known = metric(name)
        estimate = estimate_of(known, found, seed) if known is not None else None
        if estimate is not None:
            estimated[name] = estimate
    return estimated


def estimate_of(one: Metric, found: Units, seed: int) -> Estimate | None:
    """Return one metric over these units; None if none has a value."""
    return _mean(one, found, seed) if one.pooled is None else _pooled(one, found, seed)


def _mean(one: Metric, found: Units, seed: int) -> Estimate | None:
    """Return a rate with Wilson's interval if every value is 0 or 1, otherwise a mean with the bootstrap's."""
    means = [(unit.mean(one.name), unit.cluster) for unit in found.values()]
    kept = [(mean, cluster) for mean, cluster in means if mean is not None]
    if not kept:
        return None
    values = np.asarray([mean for mean, _ in kept])
    if np.isin(values, (0.0, 1.0)).all():
        interval = wilson(int(values.sum()), values.size)
    else:
        bootstrapped = cluster_bootstrap_mean(values, [cluster for _, cluster in kept], seed=seed)
        if bootstrapped is None:
            return Estimate(value=float(values.mean()), count=values.size)
        interval = bootstrapped
    return Estimate(value=float(values.mean()), low=interval.low, high=interval.high, count=values.size)


def _pooled(one: Metric, found: Units, seed: int) -> Estimate | None:
    assert one.pooled is not None  # noqa: S101 - for the type checker: the caller has looked
    statistic = one.pooled
    columns, clusters, count = columns_of(one.columns, list(found.values()))
    value = statistic(columns) if count else None
    if value is None:
        return None

    def resampled(rows: NDArray[np.int64]) -> float | None:
        return statistic({name: column[rows] for name, column in columns.items()})

    enough = count >= POOLED_LEAST
    interval = cluster_bootstrap(resampled, clusters, POOLED_RESAMPLES, seed) if enough else None
    low, high = interval or (None, None)
    return Estimate(value=value, low=low, high=high, count=count)


def columns_of(names: Sequence[str], found: Sequence[Unit]) -> tuple[Columns, list[str], int]:
    """Return the values of these names side by side, one row per repetition of a unit; (columns, clusters, units)."""
    rows = [
        (unit.cluster, [values[name] for name in names])
        for unit in found
        for values in unit.times
        if all(name in values for name in names)
    ]
    count = sum(any(all(name in values for name in names) for values in unit.times) for unit in found)
    table = np.asarray([values for _, values in rows], dtype=float).reshape(len(rows), len(names))
    return dict(zip(names, table.T, strict=True)), [cluster for cluster, _ in rows], count
