"""Define `attest rebuild`, and the shared parts of commands that work on a library."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.library import Library, Progress
    from store.settings import Settings

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")


@click.command()
@click.option("--embed", is_flag=True, help="Embed all passages again first, by the model that the settings name.")
@as_json
def rebuild(embed: bool, as_json: bool) -> None:
    """Rebuild vectors and keywords from the catalog."""
    with opened_library() as library:
        with progress_bar("Rebuilding", hidden=as_json) as progress:
            library.rebuild(embed=embed, progress=progress)
        counts = library.statistics()
    if as_json:
        click.echo(in_json({"documents": counts.documents, "passages": counts.passages, "embedded": embed}))
        return
    click.echo(f"Rebuilt the indexes of {counts.passages} passages.")


@contextmanager
def opened_library(*, read_only: bool = False) -> Iterator[Library]:
    """Open the library of the current command, and close it afterwards."""
    from store.library import Library

    settings: Settings = click.get_current_context().obj
    with Library.open(settings, read_only=read_only) as library:
        yield library


@contextmanager
def progress_bar(label: str, unit: str = "passage", *, hidden: bool = False) -> Iterator[Progress | None]:
    """Show a progress bar on a terminal, but nothing in a pipe."""
    from tqdm import tqdm

    if hidden or not sys.stderr.isatty():
        yield None
        return
    with tqdm(desc=label, unit=unit, unit_scale=unit == "B") as bar:
        yield _mover(bar)


def _mover(bar: Any) -> Callable[[int, int], None]:  # noqa: ANN401 - tqdm is imported late
    def move(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return move


def in_json(value: object) -> str:
    """Return an object in the commands' JSON form."""
    return json.dumps(value, ensure_ascii=False, indent=2)
