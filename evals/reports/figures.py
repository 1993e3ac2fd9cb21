"""Format numbers for the reports."""

from __future__ import annotations

from evals.aggregate import Estimate
from evals.registry import metric
from evals.score import Report
from evals.types import Aspect

HEADLINES = (
    "pass_rate", "hit@5", "gold_quoted", "citation_recall", "coverage", "abstention_recall",
    "language_match", "verbatim_rate", "f1", "ndcg@10",
)  # fmt: skip
"""The columns of a table of slices, if they were measured, the most informative first."""


def number(name: str, value: float) -> str:
    """Return ``0.975`` for a share, ``1,234 ms`` for a time."""
    known = metric(name)
    return f"{value:,.0f} ms" if known is not None and known.unit == "ms" else f"{value:.3f}"


def interval(name: str, estimate: Estimate) -> str:
    """Return ``0.959 – 0.984``; empty if it is unknown."""
    if estimate.low is None or estimate.high is None:
        return ""
    return spread_of(name, estimate.low, estimate.high)


def spread_of(name: str, low: float, high: float) -> str:
    """Return ``1 – 2 ms``, with the unit once."""
    return f"{number(name, low).removesuffix(' ms')} – {number(name, high)}"


def p_value(p: float | None) -> str:
    """Return ``0.042``, or ``<0.001`` for smaller values; empty if there is none."""
    if p is None:
        return ""
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def headlines(report: Report, most: int) -> tuple[str, ...]:
    """Return the headline metrics of this report, up to the given number."""
    return tuple(name for name in HEADLINES if name in report.overall.metrics)[:most]


def title_of(report: Report) -> str:
    """Return the names of the suites, shortened if there are many."""
    names = [suite.name for suite in report.run.suites]
    return ", ".join(names) if len(names) <= 4 else f"{', '.join(names[:3])} and {len(names) - 3} more"


def not_given_of(report: Report) -> str:
    """Return a sentence about what the system doesn't report; empty for Attest."""
    told = ", ".join(ASPECT_NAMES[aspect] for aspect in report.not_given)
    return f"{report.run.options.system} doesn't tell {told}: what rests on that has no score." if told else ""


ASPECT_NAMES: dict[Aspect, str] = {
    "answered": "whether it answers",
    "citations": "its sources",
    "confidence": "how sure it is",
    "quotes": "quotes",
    "attest": "places and claims",
}


def counts_of(report: Report) -> str:
    """Return ``97 of 100 cases passed, 2 failed with an error``, as far as it applies."""
    judged = [case for case in report.cases if case.passed is not None]
    parts = [f"{len(report.cases)} of {report.planned} cases asked"]
    if judged:
        parts.append(f"{sum(bool(case.passed) for case in judged)} of {len(judged)} passed")
    errors = sum(case.error is not None for case in report.cases)
    if errors:
        parts.append(f"{errors} with an error")
    if report.unstable:
        parts.append(f"{len(report.unstable)} not the same each time")
    return ", ".join(parts)
