"""Compare several systems in one table: for the terminal, as Markdown, as one HTML page, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import click
from pydantic import Field
from rich.console import Console, Group
from rich.markup import escape as escape_markup
from rich.table import Table
from rich.text import Text

from assistant.types import Value
from evals.aggregate import Estimate
from evals.compare import Outcome, overall_outcomes
from evals.outputs import Outputs, summarize, write
from evals.registry import metric, ordered
from evals.reports.figures import ASPECT_NAMES, interval, number
from evals.reports.html import template
from evals.reports.junit import junit
from evals.reports.markdown import escape, table
from evals.reports.terminal import terminal
from evals.reports.trec import write_trec
from evals.run_store import RunFolder
from evals.score import Report, score
from evals.systems.registry import slug
from evals.types import Aspect


class SystemColumn(Value):
    """One system of the table."""

    system: str
    folder: str
    asked: int
    not_given: tuple[Aspect, ...]
    """What it doesn't report; metrics that need it have no score."""


class MetricRow(Value):
    """One metric of all systems, in their order."""

    metric: str
    values: tuple[Estimate | None, ...]
    """None if the metric doesn't apply to the system."""
    outcomes: tuple[Outcome | None, ...]
    """Relative to the first system, over the common questions; None for the first, and without a score."""


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


SIGNS: dict[Outcome | None, str] = {"better": "+", "worse": "-", "no difference shown": "", None: ""}
LEGEND = "+ better or - worse than the first, p < .05; empty: the metric doesn't apply; ↓ less is better"


def show_side_by_side(folders: Sequence[RunFolder], outputs: Outputs) -> int:
    """Print the table, write the requested files, and return 1 if the first system misses a threshold, else 0."""
    found, reports = side_by_side(folders)
    write(outputs.html, lambda: page(found))
    write(outputs.markdown, lambda: markdown_of(found))
    summarize(lambda: markdown_of(found))
    for folder, report in zip(folders, reports, strict=True):
        name = slug(report.run.options.system)
        if outputs.trec is not None:
            write_trec(folder, outputs.trec / name)
        if outputs.junit is not None:
            write(_named(outputs.junit, name), lambda report=report: junit(report))  # type: ignore[misc]
    if outputs.as_json:
        click.echo(found.model_dump_json(by_alias=True, indent=2))
    else:
        show(found, terminal())
        for gate in reports[0].gates:
            click.echo(f"  {'met    ' if gate.met else 'NOT MET'}  {gate.sentence}")
    return 0 if reports[0].met else 1


def page(found: SideBySide) -> str:
    """Return the table as one self-contained HTML page."""
    return template("side_by_side.html.jinja").render(
        title=title_of(found), table=found, legend=LEGEND, signs=SIGNS, aspects=ASPECT_NAMES
    )


def _named(path: Path, name: str) -> Path:
    return path.with_name(f"{path.stem}-{name}{path.suffix}")


def title_of(found: SideBySide) -> str:
    """Return the table's title."""
    return f"{', '.join(found.suites)}: {len(found.systems)} systems side by side"


def show(found: SideBySide, console: Console) -> None:
    """Print the table."""
    shown = Table(box=None, padding=(0, 1, 0, 0), header_style="bold", pad_edge=False)
    shown.add_column("metric", no_wrap=True, min_width=20)
    for column in found.systems:
        shown.add_column(escape_markup(column.system), justify="right", overflow="fold", min_width=8)
    for row in found.rows:
        shown.add_row(_label(row), *cells(row))
    about = [Text(note) for note in map(_not_given, found.systems) if note]
    console.print(
        Group(Text(title_of(found), style="bold"), Text(""), shown, Text(""), *about, Text(LEGEND, style="dim"))
    )


def _not_given(column: SystemColumn) -> str:
    named = ", ".join(ASPECT_NAMES[aspect] for aspect in column.not_given)
    return f"{column.system} doesn't tell {named}." if named else ""


def markdown_of(found: SideBySide) -> str:
    """Return the table as Markdown."""
    head = ("metric", *(escape(each.system) for each in found.systems))
    rows = [(f"`{row.metric}`", *cells(row, with_interval=True)) for row in found.rows]
    return "\n\n".join((f"## {escape(title_of(found))}", table(head, rows), escape(LEGEND))) + "\n"


def cells(row: MetricRow, *, with_interval: bool = False) -> tuple[str, ...]:
    """Return a row's cells: the value and a sign relative to the first system; empty without a score."""
    texts = []
    for estimate, outcome in zip(row.values, row.outcomes, strict=True):
        spread = interval(row.metric, estimate) if estimate is not None and with_interval else ""
        value = "" if estimate is None else f"{number(row.metric, estimate.value)}{SIGNS[outcome]}"
        texts.append(f"{value} ({spread})" if spread else value)
    return tuple(texts)


def _label(row: MetricRow) -> str:
    known = metric(row.metric)
    return f"{row.metric} ↓" if known is not None and known.better == "lower" else row.metric
