"""`attest prepare`: all that the first question would have to wait for. Run again, it finds nothing to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from ingest.cli import progress_bar, show

if TYPE_CHECKING:
    from ingest.report import IngestReport
    from store.settings import Settings


@click.command()
@click.option("--samples/--no-samples", default=True, show_default=True, help="Add the samples to an empty library.")
@click.pass_obj
def prepare(settings: Settings, /, samples: bool) -> int:
    """Add the sample documents to an empty library."""
    report = add_samples(settings) if samples else None
    if report is None:
        tell_of_older_documents(settings)
        return 0
    click.echo("The library was empty: the sample documents go in.")
    show(report)
    return 1 if report.failed else 0


def tell_of_older_documents(settings: Settings) -> None:
    """Name the documents that an older version read, the first of them where there are many, and what to do."""
    from ingest.reread import older_readings
    from store.library import Library

    with Library.open(settings, read_only=True) as library:
        older = older_readings(library)
    if older.count:
        click.echo(older.advice, err=True)


def add_samples(settings: Settings) -> IngestReport | None:
    """Add the samples; None, and nothing done, where the library holds documents already."""
    from store.library import Library

    # Only a look: the page may be open, and then the library has an owner.
    with Library.open(settings, read_only=True) as library:
        if library.statistics().documents:
            return None
    from ingest.pipeline import ingest_samples

    with Library.open(settings) as library, progress_bar("Adding the samples") as progress:
        return ingest_samples(library, progress)
