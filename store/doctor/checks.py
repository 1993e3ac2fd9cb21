"""Check for `attest doctor` everything that can go wrong with a library and is visible in the library alone.

Each check is a function from a library to findings. Only `repair` changes anything.
"""

from __future__ import annotations

import platform
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version

from sqlalchemy import make_url

from store.backup.last_backup import restore_advice
from store.catalog.checks import (
    SQLITE_VERSION,
    count_incomplete,
    count_live,
    document_problems,
    in_pages,
    integrity_problems,
    live_passage_ids,
    orphan_rows,
)
from store.catalog.database_errors import server_database
from store.catalog.schema import latest_schema
from store.catalog.snapshot import Snapshot
from store.doctor.file_checks import (
    check_accounts,
    check_leftovers,
    check_modes,
    close_to_others,
    remove_leftovers,
)
from store.doctor.findings import Finding, Fix
from store.errors import AttestError, IndexDamagedError
from store.index.index_set import derived_folder
from store.index.integrity import SECOND_LOOK, missing
from store.index.vector_index import VectorIndex
from store.index.vectorize import embed_documents
from store.library import Library
from store.ownership.lock import read_owner
from store.types import Progress
from store.version import program_version

FREE_BYTES = 500_000_000
"""Below this there may not be room for a rebuild, or for SQLite to continue."""


@dataclass(frozen=True, slots=True)
class Facts:
    """The beginning of a report, regardless of problems."""

    home: str
    database: str | None
    """The PostgreSQL database and its host; None if documents are in the home."""
    owner: str
    documents: int
    passages: int
    embedder: str | None
    versions: dict[str, str]


def facts(library: Library) -> Facts:
    """Return where the library is, which process owns it, and the versions in use."""
    home = library.settings.home
    url = library.settings.database_url
    owner = read_owner(home)
    counts = library.statistics()
    with library.snapshot() as snapshot:
        embedder = snapshot.value("embedder_name")
    versions = {"attest": program_version(), "python": platform.python_version(), "sqlite": SQLITE_VERSION}
    versions |= {name: version(name) for name in ("chromadb", "onnxruntime", "tantivy")}
    versions["schema"] = str(latest_schema())
    return Facts(
        home=str(home),
        database=url and server_database(make_url(url)),
        owner=f"process {owner.pid} ({owner.command})" if owner and not library.ownership.owned else "nobody else",
        documents=counts.documents,
        passages=counts.passages,
        embedder=embedder,
        versions=versions,
    )


def check(library: Library) -> list[Finding]:
    """Return all findings, in the order in which to handle them."""
    return [finding for examine in CHECKS for finding in examine(library)]


def repair(library: Library, findings: list[Finding], progress: Progress | None = None) -> list[str]:
    """Repair what can be repaired without losing anything; return what was done, in words."""
    wanted = {finding.fix for finding in findings}
    done = []
    if "leftovers" in wanted:
        done.append(remove_leftovers(library))
    if "modes" in wanted:
        done.append(close_to_others(library))
    if "reindex" in wanted:
        with library.ownership.catalog_for_writing() as catalog:
            catalog.reindex()
        done.append("Rebuilt the catalog's own indexes from its tables.")
    if "embed" in wanted:
        with library.ownership.catalog_for_writing() as catalog, library.ownership.locks.whole():
            with catalog.transaction() as transaction:
                transaction.delete_incomplete_vectors()
                run = transaction.number("embedding")
            keys = (key for page in catalog.live_pages() for key in page)
            made = embed_documents(catalog, library.embedder, keys, run, lambda _: None)
        done.append(f"Embedded {made.total()} passages.")
    if wanted & {"embed", "rebuild", "settle"}:
        library.rebuild(progress=progress)
        done.append("Rebuilt vectors and keywords from the catalog.")
    elif "refill" in wanted:
        done.append(f"Wrote {library.refill(progress)} lost vectors to the Chroma server.")
    return done


def check_catalog(library: Library) -> Iterator[Finding]:
    """Run SQLite's own checks."""
    advice = restore_advice(library.settings.home)
    with library.snapshot() as snapshot:
        found = integrity_problems(snapshot)
        orphans = orphan_rows(snapshot)
    if found is not None:
        messages = "; ".join(found.messages[:5])
        if found.only_indexes:
            yield Finding(
                "catalog",
                f"The catalog's own indexes don't match its tables ({messages}): run `attest doctor --fix`.",
                "reindex",
            )
        else:
            yield Finding("catalog", f"The catalog is damaged ({messages}): {advice}.")
    if orphans:
        # Orphans are not deleted: they may be all that is left of a document.
        yield Finding("catalog", f"{orphans} rows of the catalog belong to nothing: {advice}.")


def check_documents(library: Library) -> Iterator[Finding]:
    """Compare every text with its hash, and all offsets into it with its length."""
    for keys in library.ownership.catalog.live_pages():
        for key in keys:
            with library.snapshot() as snapshot:
                for document, problem in document_problems(snapshot, key):
                    yield Finding(
                        "documents",
                        f"{document.uri} ({document.id}) is damaged: {problem}. Remove it, then ingest the file again.",
                    )


def check_vectors(library: Library) -> Iterator[Finding]:
    """Find passages that lack vectors in the catalog, and wrong language sums."""
    with library.snapshot() as snapshot:
        incomplete = count_incomplete(snapshot)
        if incomplete:
            yield Finding("vectors", f"{incomplete} passages have no vectors: run `attest doctor --fix`.", "embed")
            return
        noted, counted = (
            {each.language: (each.count, each.sum.tolist()) for each in statistics.values()}
            for statistics in (
                snapshot.language_statistics(),
                snapshot.count_languages(snapshot.number("embedding"), snapshot.number("dimensions")),
            )
        )
    if noted != counted:
        yield Finding("vectors", "The languages' statistics don't match the passages: run `attest rebuild`.", "rebuild")


def check_embedder(library: Library) -> Iterator[Finding]:
    """Load the model, and check that it made the vectors."""
    try:
        _ = library.embedder
    except AttestError as error:
        yield Finding("embedder", str(error))


def check_indexes(library: Library) -> Iterator[Finding]:
    """Check that the derived indexes have exactly the catalog's passages, and find them; nothing has them before the
    first document.
    """
    with library.snapshot() as snapshot:
        if not snapshot.value("embedder_name"):
            return
    try:
        with library.ownership.indexes() as indexes, library.snapshot() as snapshot:
            yield from _compare("keywords", snapshot, indexes.keywords.passage_ids())
            if not isinstance(indexes.vectors, VectorIndex):
                return  # only the owner can read them
            lost: Fix = "rebuild" if library.settings.chroma_url is None else "refill"
            yield from _compare("vectors", snapshot, indexes.vectors.ids(), lost)
            unreadable = sum(
                len(ids) - len(indexes.vectors.readable(ids)) for ids in in_pages(live_passage_ids(snapshot))
            )
            if unreadable:
                yield _index_finding("vectors", f"the vectors of {unreadable} passages can't be read", lost)
            sample = missing(snapshot, indexes.vectors, indexes.centering, 8 * SECOND_LOOK)
            if sample.is_bad:
                yield _index_finding("vectors", f"{sample.lost} of {sample.looked_at} sampled passages aren't found")
    except IndexDamagedError as error:
        yield Finding("indexes", str(error), "rebuild")


def _compare(name: str, snapshot: Snapshot, indexed: Iterable[str], lost: Fix = "rebuild") -> Iterator[Finding]:
    """Compare an index's ids with the catalog's; both are read in pages, never all in memory."""
    expected = sum(each.count for each in snapshot.language_statistics().values())
    total = known = 0
    for ids in in_pages(indexed):
        total += len(ids)
        known += count_live(snapshot, ids)
    absent = max(0, expected - known)
    surplus = total - expected + absent
    if absent:
        yield _index_finding(name, f"{absent} passages of the library aren't in it", lost)
    if surplus:
        yield _index_finding(name, f"{surplus} passages are in it that aren't in the library")


def _index_finding(name: str, what: str, fix: Fix = "rebuild") -> Finding:
    command = "attest rebuild" if fix == "rebuild" else "attest doctor --fix"
    return Finding(name, f"The index of {name} doesn't match the catalog: {what}. Run `{command}`.", fix)


def check_changes(library: Library) -> Iterator[Finding]:
    """Find unfinished changes; while another process adds documents, there always are some."""
    if not library.ownership.owned:
        return
    with library.ownership.locks.documents() as held, library.snapshot() as snapshot:
        changes = [change for change in snapshot.unfinished_changes() if held.take(change.uri)]
    if changes:
        yield Finding(
            "changes", f"{len(changes)} documents were left half added or removed: run `attest rebuild`.", "settle"
        )


def check_disk(library: Library) -> Iterator[Finding]:
    """Check that there is room to continue, and to build new indexes next to the old ones."""
    home = library.settings.home
    folder = derived_folder(home, in_postgresql=library.settings.database_url is not None)
    derived = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
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
