"""List every metric by name: its meaning, which direction is better, and how its uncertainty is computed.

`pass_rate` counts cases; all others count turns, the questions of a case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.metrics.abstention import auroc, expected_calibration_error, risk_coverage
from evals.types import Direction

Columns = dict[str, NDArray[np.float64]]
Pooled = Callable[[Columns], float | None]

Group = Literal[
    "verdicts", "expectations", "retrieval", "answers", "citations", "abstention", "language", "latency", "judge"
]


@dataclass(frozen=True, slots=True)
class Metric:
    """A number in a report."""

    name: str
    group: Group
    better: Direction
    meaning: str
    unit: Literal["share", "ms"] = "share"
    pooled: Pooled | None = None
    """Computed from columns of all turns at once; None means the mean of the turns' own values."""
    columns: tuple[str, ...] = ()
    """The values that a pooled metric is computed from; turns that lack one are left out."""


def _mean(name: str, group: Group, meaning: str, better: Direction = "higher") -> Metric:
    return Metric(name, group, better, meaning)


def quantile_of(numbers: NDArray[np.float64], quantile: float) -> float | None:
    """Return the quantile with linear interpolation, like `numpy.quantile`, but ten times as fast for short arrays."""
    if not numbers.size:
        return None
    ascending = np.sort(numbers)
    place = quantile * (ascending.size - 1)
    below = int(place)
    above = min(below + 1, ascending.size - 1)
    return float(ascending[below] + (place - below) * (ascending[above] - ascending[below]))


def _quantile(name: str, column: str, quantile: float, meaning: str) -> Metric:
    def value(columns: Columns) -> float | None:
        return quantile_of(columns[column], quantile)

    return Metric(name, "latency", "lower", meaning, unit="ms", pooled=value, columns=(column,))


def _of_confidence(name: str, better: Direction, meaning: str, pooled: Pooled, other: str = "holds") -> Metric:
    return Metric(name, "abstention", better, meaning, pooled=pooled, columns=("confidence", other))


def _auroc(columns: Columns) -> float | None:
    return auroc(columns["confidence"], columns["answerable"])


def _aurc(columns: Columns) -> float | None:
    curve = risk_coverage(columns["confidence"], columns["holds"])
    return curve.area if curve else None


def _ece(columns: Columns) -> float | None:
    return expected_calibration_error(columns["confidence"], columns["holds"])


def _gap(columns: Columns) -> float | None:
    same = columns["same_language"] == 1
    if same.all() or not same.any():
        return None
    ranks = columns["mrr"]
    return float(ranks[same].mean() - ranks[~same].mean())


_ALL = (
    _mean("pass_rate", "verdicts", "cases whose every expectation is met"),
    _mean("error_rate", "verdicts", "questions that met an error", "lower"),
    *(_mean(f"hit@{k}", "retrieval", f"a relevant document among the first {k}") for k in (1, 3, 5, 10)),
    *(_mean(f"recall@{k}", "retrieval", f"relevant documents among the first {k}") for k in (5, 10, 100)),
    _mean("mrr", "retrieval", "1 / rank of the first relevant document"),
    _mean("map", "retrieval", "average precision of the ranking"),
    _mean("ndcg@10", "retrieval", "discounted gain of the first 10 / ideal"),
    _mean("own_language_ahead", "retrieval", "own language ahead of the relevant one", "lower"),
    Metric(
        "cross_language_gap",
        "retrieval",
        "lower",
        "mrr in the own minus in other languages",
        pooled=_gap,
        columns=("mrr", "same_language"),
    ),
    _mean("em", "answers", "the normalized answer is a gold answer"),
    _mean("f1", "answers", "words shared with the best gold answer"),
    _mean("chrf", "answers", "character n-grams shared with it"),
    _mean("gold_contained", "answers", "a gold answer stands in the answer"),
    _mean("gold_quoted", "answers", "a gold answer stands in a quote"),
    _mean("citation_validity", "citations", "cited keys that exist and were retrieved"),
    _mean("citation_precision", "citations", "cited documents that are relevant"),
    _mean("citation_recall", "citations", "relevant documents that are cited"),
    _mean("span_precision", "citations", "cited quotes that cover a gold span"),
    _mean("span_recall", "citations", "a cited quote covers a gold span"),
    _mean("verbatim_rate", "citations", "quotes equal to their document's words"),
    _mean("fabricated_quotes", "citations", "answers with a quote from no document", "lower"),
    _mean("claims_quoted", "citations", "claims that are quotes"),
    _mean("claims_supported", "citations", "claims marked as supported"),
    _mean("claims_unsupported", "citations", "claims marked as unsupported", "lower"),
    _mean("claims_cited", "citations", "claims that cite anything"),
    _mean("coverage", "abstention", "answerable questions that are answered"),
    _mean("abstention_precision", "abstention", "abstentions on unanswerable questions"),
    _mean("abstention_recall", "abstention", "unanswerable questions abstained on"),
    _of_confidence("auroc", "higher", "answerable held surer than unanswerable", _auroc, "answerable"),
    _of_confidence("aurc", "lower", "mean risk over all shares answered", _aurc),
    _of_confidence("ece", "lower", "confidence against what evidence holds", _ece),
    _mean("language_match", "language", "answers in the language that is wanted"),
    _quantile("latency_p50", "latency_ms", 0.5, "until the answer is whole, median"),
    _quantile("latency_p95", "latency_ms", 0.95, "until the answer is whole, slowest 5 %"),
    _quantile("first_quote_p50", "first_quote_ms", 0.5, "until the first quote, median"),
    _quantile("first_quote_p95", "first_quote_ms", 0.95, "until the first quote, slowest 5 %"),
    _mean("judge", "judge", "the judge model's opinion of the answers"),
)

METRICS: dict[str, Metric] = {metric.name: metric for metric in _ALL}
"""In the order of the reports."""

EXPECT = "expect."
"""The prefix of an expectation's name: the share of turns that meet it."""


def metric(name: str) -> Metric | None:
    """Return the metric with that name, including ``expect.language`` and the like; None if there is none."""
    if name.startswith(EXPECT):
        from evals.types import Expectation

        known = name.removeprefix(EXPECT) in Expectation.model_fields
        return _mean(name, "expectations", f"turns that meet `{name.removeprefix(EXPECT)}`") if known else None
    return METRICS.get(name)


def ordered(names: Iterable[str]) -> list[str]:
    """Return `names` in the order of the reports, with expectations last."""
    places = {name: place for place, name in enumerate(METRICS)}
    return sorted(names, key=lambda name: (places.get(name, len(places)), name))
