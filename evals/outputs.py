"""Write the outputs of `attest eval`: the options for it, and one function that all commands use."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from store.errors import RequestError

if TYPE_CHECKING:
    from evals.run_store import RunFolder
    from evals.score import Report

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where to write reports; the terminal's table always goes to standard output unless JSON does."""

    as_json: bool = False
    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    trec: Path | None = None


def output_options(command: Command) -> Command:
    """Return the options for where to write reports."""
    file = click.Path(dir_okay=False, path_type=Path)
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print the whole report as JSON instead of the table."),
        click.option("--html", type=file, help="Write one self-contained page, with each case."),
        click.option("--junit", type=file, help="Write JUnit XML for a CI server."),
        click.option("--markdown", type=file, help="Write Markdown; GITHUB_STEP_SUMMARY gets it anyway."),
        click.option(
            "--trec",
            type=click.Path(file_okay=False, path_type=Path),
            help="Write run.trec and qrels.trec into this folder.",
        ),
        click.option(
            "--threshold",
            "thresholds",
            multiple=True,
            metavar="METRIC=VALUE",
            help="What must be reached, as pass_rate=0.9 or hit@5[language:th]=0.8. Repeatable.",
        ),
    ):
        command = option(command)
    return command


def report_on(
    folder: RunFolder, thresholds: dict[str, float] | None, outputs: Outputs, suites: Sequence[Path] = ()
) -> int:
    """Score, write every requested report, and return the exit code."""
    from evals.judge import saved_judgements
    from evals.reports.html import page
    from evals.reports.junit import junit
    from evals.reports.markdown import markdown
    from evals.reports.terminal import show, terminal
    from evals.reports.trec import write_trec
    from evals.score import changed_cases, score

    cases = changed_cases(folder, suites) if suites else None
    report: Report = score(folder, cases=cases, thresholds=thresholds, judgements=saved_judgements(folder))
    write(outputs.html, lambda: page(report, folder, cases))
    write(outputs.junit, lambda: junit(report))
    write(outputs.markdown, lambda: markdown(report))
    summarize(lambda: markdown(report))
    if outputs.trec is not None:
        write_trec(folder, outputs.trec)
    if outputs.as_json:
        click.echo(json.dumps(report.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=2))
    else:
        show(report, terminal())
    return 0 if report.met else 1


def write(path: Path | None, text: Callable[[], str]) -> None:
    """Write a report to a file, if one was named. Raises RequestError if that fails."""
    if path is None:
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(), encoding="utf-8")
    except OSError as error:
        raise RequestError(f"{path} can't be written: {(error.strerror or 'unknown reason').lower()}.") from error


def summarize(text: Callable[[], str]) -> None:
    """Add to the summary page of a GitHub job, if this is one."""
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text())
