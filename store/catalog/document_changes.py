"""How documents come into a library, change and leave: the order of steps that makes each atomic.

    catalog (pending) -> vectors embedded -> indexes written -> catalog (live) -> old version forgotten

Only live documents are seen, and the catalog makes a document live in one transaction, after its
entries are in the indexes. Whatever a killed process left between two steps is undone or ended by
`settle`, from the catalog alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from sqlite3 import Connection
from typing import TYPE_CHECKING, Literal

from store.catalog import catalog_writer as writing
from store.catalog.maintenance import unsettled
from store.catalog.packing import text_sha256, version_digest
from store.errors import EmbedderMismatchError, RequestError
from store.index.keyword_index import TERMS_VERSION
from store.index.vectorize import Report, embed_documents
from store.text.date_ranges import day_range
from store.types import Document, ParsedDocument, Passage

if TYPE_CHECKING:
    from store.catalog.database import Catalog
    from store.catalog.snapshot import Snapshot
    from store.embedding.embedder import Embedder
    from store.index.index_set import Indexes

Outcome = Literal["added", "updated", "unchanged"]
PREPARATION = 2
"""Version of what is embedded for a passage: its words under their heading, with its sentences and its tokens."""


@dataclass(frozen=True, slots=True)
class AddResult:
    """What became of one document that was added."""

    document: Document
    """As the library holds it now."""
    outcome: Outcome
    embedded: int = 0
    """Passages that went through the embedding model; the others' vectors were known already."""


@dataclass(frozen=True, slots=True)
class _Pending:
    key: int
    id: str
    former: int | None
    """Key of the version that this one replaces."""


def check(parsed: ParsedDocument) -> None:
    """Refuse a document that contradicts itself, before anything is stored.

    Raises RequestError: no uri, a date that is none, a text that isn't Unicode, a hash that isn't the
    text's, or passages and sentences that lie outside it or overlap.
    """
    document, text = parsed.document, parsed.text
    where = document.uri or document.title or "a document"
    if not document.uri:
        raise RequestError(f"{where} has no uri: say where it came from.")
    try:
        if document.published is not None:
            day_range(document.published)
        digest = text_sha256(text)
    except ValueError as error:  # UnicodeEncodeError is one
        raise RequestError(f"{where} can't be added: {error}") from error
    if digest != document.text_sha256:
        raise RequestError(f"{where} can't be added: its text_sha256 is not that of its text.")
    last = 0
    for passage in parsed.passages:
        if not (last <= passage.start <= passage.end <= len(text)):
            raise RequestError(
                f"{where} can't be added: passage {passage.ordinal} is out of order or outside the text."
            )
        last = passage.end
        _check_sentences(passage, where)
        if passage.heading is not None and not 0 <= passage.heading.start <= passage.heading.end <= len(text):
            raise RequestError(f"{where} can't be added: a heading lies outside the text.")


def _check_sentences(passage: Passage, where: str) -> None:
    last = passage.start
    for span in passage.sentences:
        if not (last <= span.start <= span.end <= passage.end):
            raise RequestError(f"{where} can't be added: a sentence of passage {passage.ordinal} lies outside it.")
        last = span.end


def claim(catalog: Catalog, embedder: Embedder) -> None:
    """Note whose vectors the library will hold, when it gets its first."""
    with catalog.snapshot() as snapshot:
        if snapshot.value("embedder_fingerprint") is not None:
            return
    with catalog.transaction() as connection:
        for name, value in identity(embedder).items():
            writing.set_value(connection, name, value)
        writing.set_value(connection, "embedding", 1)
        writing.set_value(connection, "terms_version", TERMS_VERSION)


def identity(embedder: Embedder) -> dict[str, str]:
    """What the library notes about the model that made its vectors."""
    basis = embedder.token_basis
    return {
        "embedder_name": embedder.name,
        "embedder_fingerprint": embedder.fingerprint,
        "dimensions": str(embedder.dimensions),
        "preparation": str(PREPARATION) if basis is None else f"{PREPARATION} {basis.version}",
    }


def require_embedder(snapshot: Snapshot, embedder: Embedder) -> None:
    """Raises EmbedderMismatchError unless `embedder` made the library's vectors, or it has none yet."""
    made_by = snapshot.value("embedder_fingerprint")
    if made_by is None:
        return
    wanted = identity(embedder)
    if all(snapshot.value(name) == wanted[name] for name in ("embedder_fingerprint", "dimensions", "preparation")):
        return
    if made_by == embedder.fingerprint:
        raise EmbedderMismatchError(
            "This library was embedded by another version of Attest: run `attest rebuild --embed` to embed all "
            "documents anew."
        )
    raise EmbedderMismatchError(
        f"This library's vectors were made by {snapshot.value('embedder_name')} ({made_by[:8]}), "
        f"not by {embedder.name} ({embedder.fingerprint[:8]}) as it is now. "
        "Name the former in ATTEST_EMBEDDING_MODEL, or run `attest rebuild --embed` to embed all documents anew."
    )


def settle_without_work(catalog: Catalog, parsed: ParsedDocument) -> AddResult | None:
    """Handle a document whose text the library has already under this uri; None if there's more to do.

    Other metadata is taken over; the index entries then wait, marked stale, for `refresh`.
    """
    with catalog.snapshot() as snapshot:
        known = writing.find_live(snapshot.connection, uri=parsed.document.uri)
    if known is None or known.version != version_digest(parsed):
        return None
    with catalog.transaction() as connection:
        changed = writing.update_metadata(connection, known.key, parsed)
    with catalog.snapshot() as snapshot:
        return AddResult(snapshot.document(known.id), "updated" if changed else "unchanged")


def add(
    catalog: Catalog, indexes: Indexes, embedder: Embedder, batch: Sequence[ParsedDocument], report: Report
) -> list[AddResult]:
    """Take checked documents with distinct uris through all steps.

    Nothing of the batch is visible unless all steps succeed; `settle` cleans up after an error.
    """
    with catalog.transaction() as connection:
        pending = _insert(connection, batch)
    with catalog.snapshot() as snapshot:
        run = snapshot.number("embedding")
    embedded = embed_documents(catalog, embedder, [each.key for each in pending], run, report)
    with catalog.snapshot() as snapshot:
        indexes.write(snapshot, [each.key for each in pending], run)
    with catalog.transaction() as connection:
        for each in pending:
            writing.publish(connection, each.key)
    _forget(catalog, indexes, [each.former for each in pending if each.former is not None])
    with catalog.snapshot() as snapshot:
        documents = snapshot.documents_by_id([each.id for each in pending])
    return [
        AddResult(documents[each.id], "added" if each.former is None else "updated", embedded[each.key])
        for each in pending
    ]


def remove(catalog: Catalog, indexes: Indexes, document_id: str) -> None:
    """Take a document out of sight at once, then out of the indexes and the catalog."""
    with catalog.transaction() as connection:
        known = writing.find_live(connection, id=document_id)
        if known is None:
            return
        writing.retire(connection, known.key)
    _forget(catalog, indexes, [known.key])


def settle(catalog: Catalog, indexes: Indexes) -> int:
    """End or undo every change that was begun; returns how many there were.

    A document still pending never became visible and goes; one that is retired goes from the
    indexes, then from the catalog; a live one whose entries are stale gets new ones.
    """
    with catalog.snapshot() as snapshot:
        changes = unsettled(snapshot)
        stale = [change.key for change in changes if change.state == "live"]
        if stale:
            indexes.forget(snapshot, stale)
            indexes.write(snapshot, stale, snapshot.number("embedding"))
    if stale:
        with catalog.transaction() as connection:
            connection.executemany("UPDATE documents SET stale = 0 WHERE key = ?", [(key,) for key in stale])
    _forget(catalog, indexes, [change.key for change in changes if change.state != "live"])
    return len(changes)


def _forget(catalog: Catalog, indexes: Indexes, keys: Sequence[int]) -> None:
    """Delete versions that aren't live: first from the indexes, then their rows."""
    if not keys:
        return
    with catalog.snapshot() as snapshot:
        indexes.forget(snapshot, keys)
    with catalog.transaction() as connection:
        for key in keys:
            writing.delete(connection, key)


def _insert(connection: Connection, batch: Iterable[ParsedDocument]) -> list[_Pending]:
    pending: list[_Pending] = []
    taken: set[str] = set()
    for parsed in batch:
        document = parsed.document
        former = writing.find_live(connection, uri=document.uri)
        free = document.id not in taken and writing.find_live(connection, id=document.id) is None
        if former is not None:
            document_id = former.id
        else:
            document_id = document.id if free and document.id else sha256(document.uri.encode()).hexdigest()[:16]
        taken.add(document_id)
        key = writing.insert_pending(connection, parsed, document_id)
        pending.append(_Pending(key, document_id, former.key if former else None))
    return pending
