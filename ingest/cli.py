"""`attest ingest`: files and folders into the library."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ingest.pipeline import IngestReport, Progress
    from store.settings import Settings


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--sync", is_flag=True, help="Also remove documents whose files are gone from the given folders.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as JSON.")
@click.pass_obj
def ingest(settings: Settings, /, paths: tuple[Path, ...], sync: bool, as_json: bool) -> int:
    """Put the files at PATHS into the library, folders with all below them; exit code 1 if any failed."""
    from ingest.pipeline import ingest_paths
    from store.library import Library

    with Library.open(settings) as library, progress_bar("Embedding") as progress:
        report = ingest_paths(library, paths, sync=sync, progress=progress)
    if as_json:
        click.echo(json.dumps(asdict(report), ensure_ascii=False, indent=2))
    else:
        show(report)
    return 1 if report.failed else 0


def show(report: IngestReport) -> None:
    """The report for a reader: failures on stderr, each with its reason."""
    for failure in report.failed:
        click.echo(f"{failure.path}: {failure.error}", err=True)
    click.echo(
        f"{report.added} added, {report.updated} updated, {report.unchanged} unchanged, {report.removed} removed, "
        f"{len(report.failed)} failed; {report.passages} passages in {report.seconds:.1f} s"
    )


@contextmanager
def progress_bar(label: str, unit: str = "passage") -> Iterator[Progress | None]:
    """A bar with rate and time left on a terminal's stderr; None where nobody watches."""
    if not sys.stderr.isatty():
        yield None
        return
    from tqdm import tqdm

    with tqdm(desc=label, unit=f" {unit}s", file=sys.stderr, leave=False) as bar:

        def progress(done: int, known: int) -> None:
            bar.total = known
            bar.update(done - bar.n)

        yield progress
