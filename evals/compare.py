"""Compare two runs, case by case: whether a difference is real, where it is, and whether it blocks.

Only questions that both runs were asked, in the same words, are compared: rates by McNemar's exact test, means and all
others by a paired bootstrap over documents. A gate blocks if it is worse and Holm's correction over all gates leaves p
below 5 %; slices show where to look and are not corrected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from assistant.types import Value
from evals.aggregate import HIDDEN, POOLED_LEAST, POOLED_RESAMPLES, Unit, Units, slice_names, units
from evals.gates import check_name
from evals.metrics.statistics import (
    Difference,
    holm,
    mcnemar,
    paired_bootstrap,
    paired_bootstrap_of,
    paired_rate_interval,
)
from evals.registry import METRICS, Metric, metric, ordered
from evals.run_store import RunFolder, RunInfo
from evals.score import observations_of, verdicts_of
from evals.types import Case
from store.errors import RequestError

LEVEL = 0.05
DEFAULT_GATES = (
    "pass_rate", "error_rate", "hit@5", "gold_quoted", "citation_recall", "verbatim_rate",
    "fabricated_quotes", "abstention_recall", "coverage", "language_match",
)  # fmt: skip
"""The gates if neither run set a threshold."""

Outcome = Literal["better", "worse", "no difference shown"]


class Compared(Value):
    """One metric of one slice in two runs."""

    metric: str
    slice: str
    first: float
    second: float
    difference: float
    """Second minus first."""
    low: float | None = None
    high: float | None = None
    p: float | None = None
    test: Literal["McNemar", "paired bootstrap"]
    count: int
    """Cases or turns that both runs measured."""
    outcome: Outcome


class GateCompared(Value):
    """A metric that blocks if it became worse."""

    compared: Compared | None
    """None if not both runs measured it."""
    name: str
    adjusted_p: float | None = None
    blocks: bool


class Flip(Value):
    """A case whose verdict changed."""

    key: str
    question: str
    now_passes: bool
    reasons: tuple[str, ...] = ()
    """What failed, in the run in which it failed."""


class Comparison(Value):
    """Two runs side by side."""

    schema_: Literal["attest.comparison/1"] = Field(default="attest.comparison/1", alias="schema")
    first: RunInfo
    second: RunInfo
    common: int
    """Cases in both."""
    only_first: tuple[str, ...] = ()
    only_second: tuple[str, ...] = ()
    reworded: tuple[str, ...] = ()
    """Cases with the same id but different questions, which are left out."""
    compared: tuple[Compared, ...]
    gates: tuple[GateCompared, ...]
    flips: tuple[Flip, ...]

    model_config = Value.model_config | {"populate_by_name": True}

    @property
    def blocks(self) -> bool:
        """Whether a gate is significantly worse."""
        return any(gate.blocks for gate in self.gates)


def tells_where(one: Compared) -> bool:
    """Return whether a slice's row shows where to look. Times of few questions mostly depend on other work on the machine."""
    known = metric(one.metric)
    is_time = known is not None and known.group == "latency"
    return one.slice != "all" and one.outcome != "no difference shown" and not is_time


def compare(first: RunFolder, second: RunFolder, gates: Sequence[str] = ()) -> Comparison:
    """Compare two saved runs. `gates` are the names of metrics that block; by default the runs' thresholds or
    `DEFAULT_GATES`.

    Raises RequestError for damaged folders, an unknown metric, or runs without a case in common.
    """
    infos = first.info(), second.info()
    cases = tuple({case.key: case for case in folder.cases()} for folder in (first, second))
    shared = cases[0].keys() & cases[1].keys()
    reworded = {key for key in shared if _questions(cases[0][key]) != _questions(cases[1][key])}
    common = shared - reworded
    if not common:
        raise RequestError(f"{first.path} and {second.path} have no case in common: compare runs of one suite.")
    found = tuple(units(row for row in observations_of(folder) if row.key in common) for folder in (first, second))
    both = tuple({key: one[key] for key in found[0] if key in found[1]} for one in found)
    seed = infos[1].options.seed
    compared = tuple(one for name in slice_names(both[0]) for one in _slice(name, both[0], both[1], seed))
    wanted = tuple(gates) or tuple(infos[0].options.thresholds | infos[1].options.thresholds)
    if not gates and set(wanted) <= {"error_rate"}:  # which every run has, and nobody chose
        wanted = ()
    return Comparison(
        first=infos[0],
        second=infos[1],
        common=len(common),
        only_first=tuple(sorted(cases[0].keys() - cases[1].keys())),
        only_second=tuple(sorted(cases[1].keys() - cases[0].keys())),
        reworded=tuple(sorted(reworded)),
        compared=compared,
        gates=_gates(wanted, compared),
        flips=_flips(first, second, common),
    )


def overall_outcomes(first: RunFolder, second: RunFolder) -> dict[str, Outcome]:
    """Return the second run's results relative to the first over all common questions, by metric."""
    found = tuple(units(observations_of(folder)) for folder in (first, second))
    both = tuple({key: one[key] for key in found[0] if key in found[1]} for one in found)
    seed = second.info().options.seed
    return {one.metric: one.outcome for one in _slice("all", both[0], both[1], seed)}


def _questions(case: Case) -> tuple[str, ...]:
    return tuple(turn.question for turn in case.turns)


def _slice(name: str, first: Units, second: Units, seed: int) -> list[Compared]:
    """Return every metric of one slice that both runs measured."""
    keys = [key for key in first if name in first[key].slices and name in second[key].slices]
    pairs = [(first[key], second[key]) for key in keys]
    known = {value for pair in pairs for unit in pair for values in unit.times for value in values} - HIDDEN
    known |= {one.name for one in METRICS.values() if one.pooled is not None}
    found = (_compared(metric(one), name, pairs, seed) for one in ordered(known))
    return [one for one in found if one is not None]


def _compared(one: Metric | None, name: str, pairs: list[tuple[Unit, Unit]], seed: int) -> Compared | None:
    if one is None:
        return None
    return _means(one, name, pairs, seed) if one.pooled is None else _pooled(one, name, pairs, seed)


def _means(one: Metric, name: str, pairs: list[tuple[Unit, Unit]], seed: int) -> Compared | None:
    rows = [
        (before, after, pair[0].cluster)
        for pair in pairs
        for before, after in ((pair[0].mean(one.name), pair[1].mean(one.name)),)
        if before is not None and after is not None
    ]
    if not rows:
        return None
    before = np.asarray([row[0] for row in rows])
    after = np.asarray([row[1] for row in rows])
    difference = paired_bootstrap(before, after, [row[2] for row in rows], seed=seed)
    binary = bool(np.isin(before, (0.0, 1.0)).all() and np.isin(after, (0.0, 1.0)).all())
    if binary:
        lost, won = int(((before == 1) & (after == 0)).sum()), int(((before == 0) & (after == 1)).sum())
        interval = paired_rate_interval(lost, won, len(rows))
        difference = Difference(difference.value, interval, mcnemar(lost, won))
    means = float(before.mean()), float(after.mean())
    return _told(one, name, means, difference, len(rows), binary=binary)


def _pooled(one: Metric, name: str, pairs: list[tuple[Unit, Unit]], seed: int) -> Compared | None:
    """Return the difference of a pooled metric, over the turns that both runs measured, with the mean of repetitions."""
    assert one.pooled is not None  # noqa: S101 - for the type checker: the caller has looked
    statistic = one.pooled
    rows = [
        (values, pair[0].cluster)
        for pair in pairs
        for values in ([[unit.mean(column) for column in one.columns] for unit in pair],)
        if not any(value is None for side in values for value in side)
    ]
    if not rows:
        return None
    table = np.asarray([values for values, _ in rows], dtype=float)

    def of(which: NDArray[np.int64], run: int) -> float | None:
        return statistic({column: table[which, run, at] for at, column in enumerate(one.columns)})

    everything = np.arange(len(rows))
    before, after = of(everything, 0), of(everything, 1)
    if before is None or after is None:
        return None
    difference: Difference | None = Difference(after - before, None, None)
    if len(rows) >= POOLED_LEAST:
        difference = paired_bootstrap_of(of, [cluster for _, cluster in rows], POOLED_RESAMPLES, seed)
    return _told(one, name, (before, after), difference, len(rows)) if difference else None


def _told(
    one: Metric,
    name: str,
    values: tuple[float, float],
    difference: Difference,
    count: int,
    *,
    binary: bool = False,
) -> Compared:
    low, high = difference.interval or (None, None)
    outcome: Outcome = "no difference shown"
    if difference.p is not None and difference.p < LEVEL and difference.value:
        outcome = "better" if (difference.value > 0) == (one.better == "higher") else "worse"
    return Compared(
        metric=one.name,
        slice=name,
        first=values[0],
        second=values[1],
        difference=difference.value,
        low=low,
        high=high,
        p=difference.p,
        test="McNemar" if binary else "paired bootstrap",
        count=count,
        outcome=outcome,
    )


def _gates(wanted: Sequence[str], compared: Sequence[Compared]) -> tuple[GateCompared, ...]:
    by_place = {(one.metric, one.slice): one for one in compared}
    named = [(name, by_place.get(check_name(name))) for name in wanted]
    if not wanted:
        named = [(name, by_place.get((name, "all"))) for name in DEFAULT_GATES]
        named = [(name, one) for name, one in named if one is not None]
    tested = [one for _, one in named if one is not None and one.p is not None]
    adjusted = {id(one): p for one, p in zip(tested, holm([one.p or 0.0 for one in tested]), strict=True)}
    return tuple(
        GateCompared(
            name=name,
            compared=one,
            adjusted_p=adjusted.get(id(one)),
            blocks=one is not None and one.outcome == "worse" and adjusted.get(id(one), 1.0) < LEVEL,
        )
        for name, one in named
    )


def _flips(first: RunFolder, second: RunFolder, common: set[str]) -> tuple[Flip, ...]:
    """Return the cases that always passed in one run and not in the other, newly failing ones first."""
    before, after = verdicts_of(first), verdicts_of(second)
    flips = []
    for key in sorted(common & before.keys() & after.keys()):
        passed = [all(verdict.passed for verdict in run[key][1]) for run in (before, after)]
        if passed[0] != passed[1]:
            case, failed = (before if passed[1] else after)[key]
            reasons = (one.reason for verdict in failed for _, one in verdict.failures)
            flips.append(
                Flip(
                    key=key,
                    question=case.turns[0].question,
                    now_passes=passed[1],
                    reasons=tuple(dict.fromkeys(reasons)),
                )
            )
    return tuple(sorted(flips, key=lambda flip: flip.now_passes))
