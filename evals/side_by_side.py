"""Several runs of one suite in one table: each system's scores, and where they surely differ from the first one's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import Field

from assistant.types import Value
from evals.aggregate import Estimate
from evals.compare import Outcome, overall_outcomes
from evals.registry import ordered
from evals.run_store import RunFolder
from evals.score import Report, score
from evals.types import Aspect


class SystemColumn(Value):
    """One system of the table."""

    system: str
    folder: str
    asked: int
    not_given: tuple[Aspect, ...]
    """What it doesn't tell: what rests on it has no score."""


class MetricRow(Value):
    """One metric of all systems, in their order."""

    metric: str
    values: tuple[Estimate | None, ...]
    """None: the metric doesn't apply to the system."""
    outcomes: tuple[Outcome | None, ...]
    """Against the first system, over the questions that both were asked; None for the first, and without a score."""


class SideBySide(Value):
    """The whole table."""

    schema_: Literal["attest.side-by-side/1"] = Field(default="attest.side-by-side/1", alias="schema")
    suites: tuple[str, ...]
    systems: tuple[SystemColumn, ...]
    rows: tuple[MetricRow, ...]

    model_config = Value.model_config | {"populate_by_name": True}


def side_by_side(folders: Sequence[RunFolder]) -> tuple[SideBySide, tuple[Report, ...]]:
    """Return the table of these runs, and the report of each. Raises RequestError if they have no case in common."""
    reports = tuple(score(folder) for folder in folders)
    outcomes = tuple(overall_outcomes(folders[0], folder) for folder in folders[1:])
    names = ordered({name for report in reports for name in report.overall.metrics})
    columns = tuple(
        SystemColumn(
            system=report.run.options.system, folder=report.folder, asked=report.asked, not_given=report.not_given
        )
        for report in reports
    )
    rows = tuple(
        MetricRow(
            metric=name,
            values=tuple(report.overall.metrics.get(name) for report in reports),
            outcomes=(None, *(found.get(name) for found in outcomes)),
        )
        for name in names
    )
    suites = tuple(dict.fromkeys(suite.name for report in reports for suite in report.run.suites))
    return SideBySide(suites=suites, systems=columns, rows=rows), reports
