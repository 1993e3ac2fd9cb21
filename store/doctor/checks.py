"""What `attest doctor` checks: everything that can go wrong with a library and be seen without asking anyone.

Each check is a function from a library to findings; none of them changes anything. `repair` does.
"""

from __future__ import annotations

import platform
import re
import shutil
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice

from store.backup.last_backup import advice
from store.catalog.maintenance import WHOLE, count_languages, unsettled
from store.catalog.packing import text_sha256
from store.catalog.schema import latest_schema, program_version
from store.catalog.snapshot import EMBEDDING, MANY, Snapshot
from store.doctor.file_checks import (
    check_accounts,
    check_leftovers,
    check_modes,
    close_to_others,
    remove_leftovers,
)
from store.doctor.findings import Finding
from store.errors import AttestError, IndexDamagedError
from store.index.integrity import SECOND_LOOK, missing
from store.index.rebuild import live_pages
from store.index.vector_index import VectorIndex
from store.index.vectorize import embed_documents
from store.library import Library, Progress
from store.ownership.lock import read_owner
from store.types import Document, Span

FREE_BYTES = 500_000_000
"""Below this there may not be room for a rebuild, or for SQLite to go on."""
_OF_INDEX = re.compile("missing from index|wrong # of entries in index")
"""What SQLite says where only an index is wrong, which holds nothing that its table doesn't."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a report begins with, right or wrong."""

    home: str
    owner: str
    documents: int
    passages: int
    embedder: str | None
    versions: dict[str, str]


def facts(library: Library) -> Facts:
    """Where the library is, who has it and what runs it."""
    home = library.settings.home
    owner = read_owner(home)
    counts = library.statistics()
    with library.snapshot() as snapshot:
        embedder = snapshot.value("embedder_name")
    versions = {"attest": program_version(), "python": platform.python_version(), "sqlite": sqlite3.sqlite_version}
    versions |= {name: version(name) for name in ("chromadb", "tantivy", "transformers", "torch")}
    versions["schema"] = str(latest_schema())
    return Facts(
        home=str(home),
        owner=f"process {owner.pid} ({owner.command})" if owner and not library.possession.owned else "nobody else",
        documents=counts.documents,
        passages=counts.passages,
        embedder=embedder,
        versions=versions,
    )


def check(library: Library) -> list[Finding]:
    """All findings, in the order in which they are best dealt with."""
    return [finding for examine in CHECKS for finding in examine(library)]


def repair(library: Library, findings: list[Finding], progress: Progress | None = None) -> list[str]:
    """Mend what can be mended without losing anything; returns what was done, in words."""
    wanted = {finding.fix for finding in findings}
    done = []
    if "leftovers" in wanted:
        done.append(remove_leftovers(library))
    if "modes" in wanted:
        done.append(close_to_others(library))
    if "reindex" in wanted:
        with library.possession.changing() as catalog:
            catalog.reindex()
        done.append("Made the catalog's own indexes anew from its tables.")
    if "embed" in wanted:
        with library.possession.changing() as catalog:
            with catalog.transaction() as connection:
                run, dimensions = (Snapshot(connection).number(name) for name in ("embedding", "dimensions"))
                connection.execute(
                    "DELETE FROM vectors WHERE (passage, embedding) IN (SELECT v.passage, v.embedding FROM vectors v "
                    f"JOIN passages p ON p.key = v.passage WHERE v.embedding = ? AND NOT {WHOLE})",
                    (run, dimensions),
                )
            keys = (key for page in live_pages(catalog) for key in page)
            made = embed_documents(catalog, library.embedder, keys, run, lambda _: None)
        done.append(f"Embedded {made.total()} passages.")
    if wanted & {"embed", "rebuild", "settle"}:
        library.rebuild(progress=progress)
        done.append("Made vectors and keywords anew from the catalog.")
    return done


def check_catalog(library: Library) -> Iterator[Finding]:
    """SQLite's own checks."""
    with library.snapshot() as snapshot:
        problems = [row[0] for row in snapshot.connection.execute("PRAGMA integrity_check(100)")]
        told = "; ".join(problems[:5])
        if all(_OF_INDEX.search(problem) for problem in problems):
            yield Finding(
                "catalog",
                f"The catalog's own indexes don't match its tables ({told}): run `attest doctor --fix`.",
                "reindex",
            )
        elif problems != ["ok"]:
            yield Finding("catalog", f"The catalog is damaged ({told}): {advice(library.settings.home)}.")
        orphans = snapshot.connection.execute("PRAGMA foreign_key_check").fetchall()
        if orphans:
            # No row is deleted for being alone: it may be all that is left of a document.
            yield Finding(
                "catalog", f"{len(orphans)} rows of the catalog belong to nothing: {advice(library.settings.home)}."
            )


def check_documents(library: Library) -> Iterator[Finding]:
    """Every text is what its hash says, and everything that points into it lies inside."""
    for keys in live_pages(library.possession.catalog):
        for key in keys:
            with library.snapshot() as snapshot:
                yield from _check_document(snapshot, key)


def _check_document(snapshot: Snapshot, key: int) -> Iterator[Finding]:
    row = snapshot.connection.execute(
        "SELECT id, characters FROM documents WHERE key = ? AND state = 'live'", (key,)
    ).fetchone()
    if row is None:  # removed since its page was read
        return
    document = snapshot.document(row[0])
    text = snapshot.text(document.id)
    if len(text) != row[1] or text_sha256(text) != document.text_sha256:
        yield _wrong(document, "its stored text isn't the one that was added")
    passages = snapshot.passages(document.id)
    spans = [
        span
        for passage in passages
        for span in (Span(passage.start, passage.end), *passage.sentences, passage.heading)
        if span is not None
    ]
    if any(not 0 <= span.start <= span.end <= len(text) for span in spans):
        yield _wrong(document, "some of its passages lie outside its text")
    if len(passages) != document.passage_count:
        yield _wrong(document, f"it has {len(passages)} of its {document.passage_count} passages")


def _wrong(document: Document, what: str) -> Finding:
    return Finding(
        "documents",
        f"{document.uri} ({document.id}) is damaged: {what}. Remove it, then ingest the file again.",
    )


def check_vectors(library: Library) -> Iterator[Finding]:
    """Every passage has all its vectors in the catalog, and the languages' sums are theirs."""
    with library.snapshot() as snapshot:
        dimensions = snapshot.number("dimensions")
        (lost,) = snapshot.connection.execute(
            "SELECT count(*) FROM documents d JOIN passages p ON p.document = d.key LEFT JOIN vectors v "
            f"ON v.passage = p.key AND v.embedding = {EMBEDDING} WHERE d.state = 'live' AND "
            f"(v.halves IS NULL OR NOT {WHOLE})",
            (dimensions,),
        ).fetchone()
        if lost:
            yield Finding("vectors", f"{lost} passages have no vectors: run `attest doctor --fix`.", "embed")
            return
        noted, counted = (
            {each.language: (each.count, each.sum.tolist()) for each in statistics.values()}
            for statistics in (
                snapshot.language_statistics(),
                count_languages(snapshot, snapshot.number("embedding"), dimensions),
            )
        )
        if noted != counted:
            yield Finding(
                "vectors", "The languages' statistics don't match the passages: run `attest rebuild`.", "rebuild"
            )


def check_embedder(library: Library) -> Iterator[Finding]:
    """The model is there, and is the one that made the vectors."""
    try:
        _ = library.embedder
    except AttestError as error:
        yield Finding("embedder", str(error))


def check_indexes(library: Library) -> Iterator[Finding]:
    """The derived indexes hold the catalog's passages, all of them and no others, and find them."""
    try:
        with library.possession.indexes() as indexes, library.snapshot() as snapshot:
            yield from _compare("keywords", snapshot, indexes.keywords.passage_ids())
            if not isinstance(indexes.vectors, VectorIndex):
                return  # only the owner can look
            yield from _compare("vectors", snapshot, indexes.vectors.ids())
            unreadable = sum(
                len(ids) - len(indexes.vectors.readable(ids)) for ids in _in_pages(_live_passages(snapshot))
            )
            if unreadable:
                yield _index_finding("vectors", f"the vectors of {unreadable} passages can't be read")
            look = missing(snapshot, indexes.vectors, indexes.centring, 8 * SECOND_LOOK)
            if look.is_bad:
                yield _index_finding("vectors", f"{look.lost} of {look.looked_at} sampled passages aren't found")
    except IndexDamagedError as error:
        yield Finding("indexes", str(error), "rebuild")


def _compare(name: str, snapshot: Snapshot, indexed: Iterable[str]) -> Iterator[Finding]:
    """An index's ids against the catalog's; both are read in pages, never held whole."""
    expected = sum(each.count for each in snapshot.language_statistics().values())
    total = known = 0
    for ids in _in_pages(indexed):
        total += len(ids)
        known += snapshot.connection.execute(
            "SELECT count(*) FROM passages p JOIN documents d ON d.key = p.document "
            f"WHERE d.state = 'live' AND p.id IN ({','.join('?' * len(ids))})",
            ids,
        ).fetchone()[0]
    absent = max(0, expected - known)
    surplus = total - expected + absent
    if absent:
        yield _index_finding(name, f"{absent} passages of the library aren't in it")
    if surplus:
        yield _index_finding(name, f"{surplus} passages are in it that aren't in the library")


def _index_finding(name: str, what: str) -> Finding:
    return Finding(name, f"The index of {name} doesn't match the catalog: {what}. Run `attest rebuild`.", "rebuild")


def _live_passages(snapshot: Snapshot) -> Iterator[str]:
    rows = snapshot.connection.execute(
        "SELECT p.id FROM documents d JOIN passages p ON p.document = d.key WHERE d.state = 'live'"
    )
    return (row[0] for row in rows)


def _in_pages(items: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(items)
    while page := list(islice(iterator, MANY)):
        yield page


def check_changes(library: Library) -> Iterator[Finding]:
    """Nothing was left half done; while another process adds, something always is."""
    if not library.possession.owned:
        return
    with library.snapshot() as snapshot:
        changes = unsettled(snapshot)
    if changes:
        yield Finding(
            "changes", f"{len(changes)} documents were left half added or removed: run `attest rebuild`.", "settle"
        )


def check_disk(library: Library) -> Iterator[Finding]:
    """There is room to go on, and to make the indexes anew beside the old ones."""
    home = library.settings.home
    derived = sum(path.stat().st_size for path in (home / "derived").rglob("*") if path.is_file())
    needed = FREE_BYTES + derived
    free = shutil.disk_usage(home).free
    if free < needed:
        yield Finding(
            "disk",
            f"The disk that holds {home} has {free // 1_000_000} MB left; "
            f"free some space: a rebuild needs {needed // 1_000_000} MB.",
        )


CHECKS: tuple[Callable[[Library], Iterator[Finding]], ...] = (
    check_disk,
    check_leftovers,
    check_modes,
    check_accounts,
    check_catalog,
    check_documents,
    check_embedder,
    check_vectors,
    check_indexes,
    check_changes,
)
