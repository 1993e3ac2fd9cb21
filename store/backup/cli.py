"""Define the commands `attest backup` and `attest restore`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from store.cli import as_json, in_json, progress_bar

if TYPE_CHECKING:
    from sqlalchemy import URL

    from store.settings import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json
@click.pass_obj
def backup(settings: Settings, /, file: Path, as_json: bool) -> None:
    """Write the whole library to FILE, which must not exist: documents, conversations, accounts, uploads, settings.

    The library can be used meanwhile. Indexes and models are left out: `attest restore` rebuilds the indexes, and
    models can be installed again.
    """
    from store.backup.create import back_up

    with progress_bar("Backing up", "B", hidden=as_json) as progress:
        report = back_up(settings.home, file, progress, database=_database(settings))
    if as_json:
        parts = [asdict(part) for part in report.contents.parts]
        click.echo(
            in_json({"file": str(file), "bytes": report.contents.size, "parts": parts, "left_out": report.left_out})
        )
        return
    for name in report.left_out:
        click.echo(f"Left out, because it can't be read or named in a backup: {name}", err=True)
    click.echo(f"Wrote {len(report.contents.parts)} files of {report.contents.size:,} bytes to {file}.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="Replace the library that is there; it is kept in a folder.")
@as_json
@click.pass_obj
def restore(settings: Settings, /, file: Path, replace: bool, as_json: bool) -> None:
    """Restore the library that was backed up to FILE, and build its indexes.

    Everything is checked before anything is changed.
    """
    from store.backup.restore import restore as restore_files
    from store.library import Library
    from store.settings import load_settings

    with progress_bar("Restoring", "B", hidden=as_json) as progress:
        report = restore_files(file, settings.home, replace=replace, progress=progress, database=_database(settings))
    if report.aside is not None and not as_json:
        click.echo(f"What was there before is kept in {report.aside}.")
    with Library.open(load_settings(settings.home)) as library:
        counts = library.statistics()
        with progress_bar("Building the indexes", "passage", hidden=as_json) as progress:
            library.rebuild(recenter=False, progress=progress)
    if as_json:
        outcome = {"documents": counts.documents, "passages": counts.passages, "made": report.contents.made}
        click.echo(in_json(outcome | {"aside": report.aside and str(report.aside)}))
        return
    click.echo(f"Restored {counts.documents} documents, {counts.passages} passages, as of {report.contents.made}.")


def _database(settings: Settings) -> URL | None:
    """Return the address of the PostgreSQL in the settings, if any."""
    from store.catalog.engine import location

    return None if settings.database_url is None else location(settings, "")  # type: ignore[return-value]
