"""`attest documents show`: show what is known about a document, and its most important sentences."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from ingest.library_cli import documents, find_document
from store.cli import as_json, in_json, opened_library

if TYPE_CHECKING:
    from assistant.types import Evidence

SENTENCES = 5
"""In the overview."""

__all__ = ["documents"]


@documents.command()
@click.argument("document")
@click.option("--text", "with_text", is_flag=True, help="Show the normalized text too, to which all offsets refer.")
@as_json
def show(document: str, with_text: bool, as_json: bool) -> None:
    """Show a DOCUMENT, named by its id or uri: what is known of it, and the sentences that carry it."""
    from assistant.answer.dialogue.overview import carrying
    from assistant.answer.evidence import verified

    with opened_library(read_only=True) as library:
        found = find_document(library, document)
        overview = verified(carrying(found, library, SENTENCES), library)
        text = library.text(found.id) if with_text else None
    if as_json:
        content = asdict(found) | {"overview": [_sentence(each) for each in overview]}
        click.echo(in_json(content | ({} if text is None else {"text": text})))
        return
    for name, value in asdict(found).items():
        if value not in (None, (), ""):
            click.echo(f"{name}: {value}")
    if overview:
        click.echo("\nIn its own sentences:")
    for each in overview:
        click.echo(f"- {' '.join(each.quote.split())}")
    if text is not None:
        click.echo(f"\n{text}")


def _sentence(each: Evidence) -> dict[str, object]:
    return {"start": each.start, "end": each.end, "quote": each.quote}
