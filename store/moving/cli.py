"""Define the command `attest move`."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from store.cli import as_json, in_json, progress_bar
from store.errors import RequestError

if TYPE_CHECKING:
    from store.settings import Settings


@click.command()
@click.option(
    "--to", "place", required=True, help="A PostgreSQL database, as postgresql://user@host/name, or a folder."
)
@click.option("--chroma", help="The Chroma server for the vectors, as http://host:8000; else they lie in the home.")
@click.option(
    "--password-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the database's password; else database_password_file.",
)
@as_json
@click.pass_obj
def move(settings: Settings, /, place: str, chroma: str | None, password_file: Path | None, as_json: bool) -> None:
    """Copy the whole library to an empty database or folder, and compare every row and vector there.

    The library stays as it is; nothing may have it open meanwhile. A move that was interrupted goes on when the command
    is run again.
    """
    from store.moving.move import move as move_library
    from store.settings import PREFIX
    from store.settings_file import PLACE, place_settings

    target = _target(settings, place, chroma, password_file)
    with progress_bar("Moving", "row", hidden=as_json) as progress:
        report = move_library(settings, target, progress=progress)
    if as_json:
        click.echo(in_json(asdict(report)))
        return
    click.echo(
        f"Moved {report.documents} documents with {report.passages} passages to {place}; "
        f"{report.rows:,} rows and every vector were compared. The library that was moved is as it was."
    )
    if target.home != settings.home:
        variables = [PREFIX + name.upper() for name in PLACE]
        overriding = [name for name in variables if os.environ.get(name)]
        without = f", without {', '.join(overriding)} in the environment" if overriding else ""
        click.echo(f"Use it with --home {target.home}{without}.")
    else:
        click.echo(f"To use it, put into {settings.home / 'attest.toml'}:")
        for name, value in place_settings(target).items():
            if value is not None:
                click.echo(f'{name} = "{value}"')


def _target(settings: Settings, place: str, chroma: str | None, password_file: Path | None) -> Settings:
    """Return the settings of the target library. Raises RequestError."""
    from store.settings import load_settings

    url = place if "://" in place else None
    home = settings.home if url else Path(place).expanduser().absolute()
    if url is None and home == settings.home and settings.database_url is None:
        raise RequestError("The library is there already: name another place to move it to.")
    # Validate as if they came from a file: another kind of address, or one with a password, is refused.
    load_settings(settings.home, database_url=url, chroma_url=chroma)
    password = password_file or settings.database_password_file
    return settings.model_copy(
        update={
            "home": home,
            "database_url": url,
            "database_password_file": password.absolute() if url and password else None,
            "chroma_url": chroma,
        }
    )
