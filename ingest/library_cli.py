"""`attest documents` and `attest doctor`: show what a library holds, and check that it is sound and up to date."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

import click

from store.cli import as_json, in_json, opened_library, progress_bar

if TYPE_CHECKING:
    from store.library import Library
    from store.settings import Settings
    from store.types import Document, Filter

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
    """List documents, ordered by uri. Those that an older version of Attest read are marked."""
    from ingest.reread import read_by_older_version
    from store.types import Filter

    where = Filter(languages=languages, speakers=speakers, collections=collections)
    with opened_library(read_only=True) as library:
        found = list(islice(_walk(library, after, where), limit + 1))
        older = read_by_older_version(library, found[:limit])
    shown = found[:limit]
    following = shown[-1].uri if len(found) > limit else None
    if as_json:
        click.echo(in_json({"documents": [_listed(document, older) for document in shown], "next": following}))
        return
    for document in shown:
        known = [document.language, document.speaker, document.published, document.collection]
        age = ["read by an older version"] if document.id in older else []
        about = ", ".join(filter(None, [*known, *_page_notes(document), *age]))
        click.echo(f"{document.id}  {document.title}  ({about})  {document.uri}")
    if not shown:
        click.echo("There are no documents; add some with `attest ingest PATH`.", err=True)
    if older:
        click.echo("Read again what an older version read: attest ingest --again", err=True)
    if following is not None:
        click.echo(f"There are more: attest documents list --after {following!r}", err=True)


def _listed(document: Document, older: frozenset[str]) -> dict[str, object]:
    """Return a document in its JSON form."""
    return asdict(document) | {"read_by_older_version": document.id in older}


def _page_notes(document: Document) -> list[str]:
    """Return what is known about pages without text: ``no text on pages 2-3 of 4``."""
    found = re.findall(r"\b(unread|recognized):([\d,-]+)/(\d+)", " ".join(document.signs))
    return [f"{_PAGE_SIGNS[name]} {pages.replace(',', ', ')} of {total}" for name, pages, total in found]


@documents.command()
@click.argument("documents", nargs=-1, required=True)
@as_json
def remove(documents: tuple[str, ...], as_json: bool) -> None:
    """Remove DOCUMENTS, named by id or uri; all of them, or none if one isn't there."""
    from store.ownership.owner_client import find_changing_owner

    settings: Settings = click.get_current_context().obj
    owner = find_changing_owner(settings.home)
    with opened_library(read_only=owner is not None) as library:
        removed = list(
            {found.id: found for found in (find_document(library, document) for document in documents)}.values()
        )
        for document in removed:
            if owner is not None:
                owner.send("DELETE", f"/api/documents/{document.id}")
            else:
                library.remove(document.id)
    if as_json:
        click.echo(in_json({"removed": [asdict(document) for document in removed]}))
        return
    for document in removed:
        click.echo(f"Removed {document.title} ({document.uri}).")


@click.command()
@click.option("--fix", is_flag=True, help="Repair what can be repaired without losing anything.")
@as_json
def doctor(fix: bool, as_json: bool) -> None:
    """Check the library, and repair it. Exit code 1 if something is wrong.

    Documents that an older version of Attest read are named too: they are sound, but worth reading again.
    """
    from ingest.reread import older_readings
    from store.doctor import checks

    with opened_library(read_only=not fix) as library:
        findings = checks.check(library)
        done: list[str] = []
        if fix and findings:
            with progress_bar("Repairing", hidden=as_json) as progress:
                done = checks.repair(library, findings, progress)
            findings = checks.check(library)
        facts = checks.facts(library)
        older = older_readings(library)
    if as_json:
        report = {"facts": asdict(facts), "findings": [asdict(finding) for finding in findings], "done": done}
        click.echo(in_json(report | {"read_by_older_version": asdict(older)}))
    else:
        place = f"in the database {facts.database}, home {facts.home}" if facts.database else f"at {facts.home}"
        click.echo(f"{facts.documents} documents, {facts.passages} passages {place}; owner: {facts.owner}")
        click.echo(", ".join(f"{name} {number}" for name, number in facts.versions.items()))
        for line in [*done, *(f"{finding.check}: {finding.message}" for finding in findings)]:
            click.echo(line)
        if older.count:
            click.echo(older.advice)
        if not facts.documents:
            click.echo("The library is empty: add documents with `attest ingest`.")
        wrong = "One thing is wrong." if len(findings) == 1 else f"{len(findings)} things are wrong."
        click.echo(wrong if findings else "Nothing is wrong.")
    if findings:
        sys.exit(1)


def find_document(library: Library, name: str) -> Document:
    """Return the document with that id or uri. Raises NotFoundError."""
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
