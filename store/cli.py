"""The commands that look after a library: `attest documents`, `attest doctor`, `attest rebuild`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from store.library import Library, Progress
    from store.settings import Settings
    from store.types import Document, Filter

as_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")

_PAGE_SIGNS = {"unread": "no text on pages", "recognized": "text recognized from pictures on pages"}


@click.group()
def documents() -> None:
    """List, show or remove documents."""


@documents.command("list")
@click.option("--language", "languages", multiple=True, help="Only documents in this language; may be repeated.")
@click.option("--speaker", "speakers", multiple=True, help="Only documents of this speaker; may be repeated.")
@click.option("--collection", "collections", multiple=True, help="Only documents of this collection; may be repeated.")
@click.option("--after", help="Begin after this uri, for the next page.")
@click.option("--limit", default=1000, show_default=True, type=click.IntRange(1), help="The most to list.")
@as_json
def list_documents(
    languages: tuple[str, ...],
    speakers: tuple[str, ...],
    collections: tuple[str, ...],
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List documents, ordered by uri."""
    from store.types import Filter

    where = Filter(languages=languages, speakers=speakers, collections=collections)
    with _library(read_only=True) as library:
        found = list(islice(_walk(library, after, where), limit + 1))
    shown = found[:limit]
    following = shown[-1].uri if len(found) > limit else None
    if as_json:
        click.echo(in_json({"documents": [asdict(document) for document in shown], "next": following}))
        return
    for document in shown:
        known = [document.language, document.speaker, document.published, document.collection]
        about = ", ".join(filter(None, [*known, *_page_notes(document)]))
        click.echo(f"{document.id}  {document.title}  ({about})  {document.uri}")
    if not shown:
        click.echo("There are no documents; add some with `attest ingest PATH`.", err=True)
    if following is not None:
        click.echo(f"There are more: attest documents list --after {following!r}", err=True)


def _page_notes(document: Document) -> list[str]:
    """Return what is known of pages without text: ``no text on pages 2-3 of 4``."""
    found = re.findall(r"\b(unread|recognized):([\d,-]+)/(\d+)", " ".join(document.signs))
    return [f"{_PAGE_SIGNS[name]} {pages.replace(',', ', ')} of {total}" for name, pages, total in found]


@documents.command()
@click.argument("document")
@click.option("--text", "with_text", is_flag=True, help="Show the normalized text too, to which all offsets refer.")
@as_json
def show(document: str, with_text: bool, as_json: bool) -> None:
    """Show a DOCUMENT, named by its id or uri."""
    with _library(read_only=True) as library:
        found = _find(library, document)
        text = library.text(found.id) if with_text else None
    if as_json:
        click.echo(in_json(asdict(found) | ({} if text is None else {"text": text})))
        return
    for name, value in asdict(found).items():
        if value not in (None, (), ""):
            click.echo(f"{name}: {value}")
    if text is not None:
        click.echo(f"\n{text}")


@documents.command()
@click.argument("documents", nargs=-1, required=True)
@as_json
def remove(documents: tuple[str, ...], as_json: bool) -> None:
    """Remove DOCUMENTS, named by id or uri; all of them, or none if one isn't there."""
    with _library() as library:
        found = [_find(library, document) for document in documents]
        removed = [library.remove(document_id) for document_id in dict.fromkeys(each.id for each in found)]
    if as_json:
        click.echo(in_json({"removed": [asdict(document) for document in removed]}))
        return
    for document in removed:
        click.echo(f"Removed {document.title} ({document.uri}).")


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired without losing anything.")
@as_json
def doctor(fix: bool, as_json: bool) -> None:
    """Check the library, and repair it. Exit code 1 if something is wrong."""
    from store.doctor import checks

    with _library(read_only=not fix) as library:
        findings = checks.check(library)
        done: list[str] = []
        if fix and findings:
            with progress_bar("Repairing", hidden=as_json) as progress:
                done = checks.repair(library, findings, progress)
            findings = checks.check(library)
        facts = checks.facts(library)
    if as_json:
        report = {"facts": asdict(facts), "findings": [asdict(finding) for finding in findings], "done": done}
        click.echo(in_json(report))
    else:
        click.echo(f"{facts.documents} documents, {facts.passages} passages at {facts.home}; owner: {facts.owner}")
        click.echo(", ".join(f"{name} {number}" for name, number in facts.versions.items()))
        for line in [*done, *(f"{finding.check}: {finding.message}" for finding in findings)]:
            click.echo(line)
        click.echo("Nothing is wrong." if not findings else f"{len(findings)} things are wrong.")
    if findings:
        sys.exit(1)


@click.command()
@click.option("--embed", is_flag=True, help="Embed all passages again first, by the model that the settings name.")
@as_json
def rebuild(embed: bool, as_json: bool) -> None:
    """Rebuild vectors and keywords from the catalog."""
    with _library() as library:
        with progress_bar("Rebuilding", hidden=as_json) as progress:
            library.rebuild(embed=embed, progress=progress)
        counts = library.statistics()
    if as_json:
        click.echo(in_json({"documents": counts.documents, "passages": counts.passages, "embedded": embed}))
        return
    click.echo(f"Rebuilt the indexes of {counts.passages} passages.")


@contextmanager
def _library(*, read_only: bool = False) -> Iterator[Library]:
    from store.library import Library

    settings: Settings = click.get_current_context().obj
    with Library.open(settings, read_only=read_only) as library:
        yield library


def _find(library: Library, name: str) -> Document:
    from store.errors import NotFoundError

    try:
        return library.document(name)
    except NotFoundError:
        found = library.find_document(name)
        if found is None:
            raise
        return found


def _walk(library: Library, after: str | None, where: Filter) -> Iterator[Document]:
    """Yield documents, read page by page."""
    while True:
        page = library.documents(after, where=where)
        yield from page.documents
        if page.next is None:
            return
        after = page.next


@contextmanager
def progress_bar(label: str, unit: str = "passage", *, hidden: bool = False) -> Iterator[Progress | None]:
    """Show a progress bar on a terminal, nothing in a pipe."""
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
    """Return an object as the commands print it."""
    return json.dumps(value, ensure_ascii=False, indent=2)
