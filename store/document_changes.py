"""Add, change and remove a document: the order of steps that makes each change atomic.

    catalog (pending) -> embedded -> indexed -> catalog (live) -> old version deleted

Only live documents are visible, and one transaction makes a document live, after its entries are in the indexes.
`finish_changes` undoes or finishes what a killed process left between two steps, using only the catalog.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Literal

from store.catalog.packing import text_sha256, version_digest
from store.errors import RequestError
from store.ids import document_id
from store.index.vectorize import embed_documents
from store.text.date_ranges import day_range
from store.text.storable import unstorable
from store.types import Chunk, Document, ParsedDocument

if TYPE_CHECKING:
    from store.catalog.catalog import Catalog
    from store.catalog.change_locks import Held
    from store.catalog.transaction import Transaction
    from store.embedding.embedder import Embedder
    from store.index.index_set import IndexSet

Outcome = Literal["added", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class AddResult:
    """The outcome for one document that was added."""

    document: Document
    """In the library's current form."""
    outcome: Outcome
    embedded: int = 0
    """Passages that went through the embedding model; the vectors of the others were already known."""


@dataclass(frozen=True, slots=True)
class _Pending:
    key: int
    id: str
    former: int | None
    """Key of the version that this one replaces."""


def check_document(parsed: ParsedDocument) -> None:
    """Refuse an inconsistent document, before anything is stored.

    Raises RequestError: no uri, a malformed date, text that can't be stored, a wrong hash, or passages and sentences
    that lie outside the text or overlap.
    """
    document, text = parsed.document, parsed.text
    _check_storable(parsed)
    name = document.uri or document.title or "a document"
    if not document.uri:
        raise RequestError(f"{name} has no uri: say where it came from.")
    try:
        if document.published is not None:
            day_range(document.published)
    except ValueError as error:
        raise RequestError(f"{name} can't be added: {error}") from error
    if text_sha256(text) != document.text_sha256:
        raise RequestError(f"{name} can't be added: its text_sha256 is not that of its text.")
    last = 0
    for number, passage in enumerate(parsed.passages):
        if not (last <= passage.start <= passage.end <= len(text)):
            raise RequestError(f"{name} can't be added: passage {number} is out of order or outside the text.")
        last = passage.end
        if not _holds_its_sentences(passage):
            raise RequestError(f"{name} can't be added: a sentence of passage {number} lies outside it.")
        if passage.heading is not None and not 0 <= passage.heading.start <= passage.heading.end <= len(text):
            raise RequestError(f"{name} can't be added: a heading lies outside the text.")


def _check_storable(parsed: ParsedDocument) -> None:
    """Refuse text that no database can store, in the document or in its metadata."""
    parts: list[tuple[str, object]] = [("text", parsed.text)]
    parts += [(field.name, getattr(parsed.document, field.name)) for field in fields(parsed.document)]
    parts += [("language of a passage", passage.language) for passage in parsed.passages]
    parts += [("signs", sign) for sign in parsed.document.signs]
    for part, value in parts:
        if isinstance(value, str) and (character := unstorable(value)):
            name = next((each for each in (parsed.document.uri, parsed.document.title) if not unstorable(each)), "")
            raise RequestError(
                f"{name or 'A document'} can't be added: its {part} holds the character {character}, which can't be stored."
            )


def _holds_its_sentences(passage: Chunk) -> bool:
    last = passage.start
    for span in passage.sentences:
        if not (last <= span.start <= span.end <= passage.end):
            return False
        last = span.end
    return True


def update_metadata(catalog: Catalog, batch: Sequence[ParsedDocument]) -> list[AddResult]:
    """Handle the documents whose text is already in the library under their uri; return their results.

    Changed metadata is stored at once. The index entries, marked stale, follow in `finish_changes`.
    """
    with catalog.snapshot() as snapshot:
        stored = snapshot.stored_documents([each.document.uri for each in batch])
    known = [
        (stored[each.document.uri], each)
        for each in batch
        if each.document.uri in stored and stored[each.document.uri].version == version_digest(each)
    ]
    if not known:
        return []
    with catalog.transaction() as transaction:
        changed = [transaction.update_metadata(former.key, each) for former, each in known]
    with catalog.snapshot() as snapshot:
        documents = snapshot.documents_by_id([former.id for former, _ in known])
    return [
        AddResult(documents[former.id], "updated" if differs else "unchanged")
        for (former, _), differs in zip(known, changed, strict=True)
    ]


def add_documents(
    catalog: Catalog,
    indexes: IndexSet,
    embedder: Embedder,
    batch: Sequence[ParsedDocument],
    on_embedded: Callable[[int], None],
    held: Held,
) -> list[AddResult]:
    """Add checked, locked documents with distinct uris; `on_embedded` gets the number of passages embedded so far.

    Nothing of the batch is visible unless all steps succeed; `finish_changes` cleans up after an error.
    """
    with catalog.transaction() as transaction:
        pending = _insert(transaction, batch)
        run = transaction.number("embedding")
    embedded = embed_documents(catalog, embedder, [each.key for each in pending], run, on_embedded)
    with catalog.snapshot() as snapshot:
        indexes.write(snapshot, [each.key for each in pending], run)
    held.check()
    with catalog.transaction() as transaction:
        transaction.publish([each.key for each in pending])
    _delete(catalog, indexes, [each.former for each in pending if each.former is not None])
    with catalog.snapshot() as snapshot:
        documents = snapshot.documents_by_id([each.id for each in pending])
    return [
        AddResult(documents[each.id], "added" if each.former is None else "updated", embedded[each.key])
        for each in pending
    ]


def remove_document(catalog: Catalog, indexes: IndexSet, document_id: str) -> None:
    """Hide a document at once, then delete it from the indexes and the catalog."""
    with catalog.transaction() as transaction:
        known = transaction.stored_document(document_id)
        if known is None:
            return
        transaction.retire([known.key])
    _delete(catalog, indexes, [known.key])


def finish_changes(catalog: Catalog, indexes: IndexSet, held: Held) -> None:
    """Finish or undo every unfinished change that nobody else is working on.

    A pending document never became visible and is deleted; a retired one is deleted from the indexes, then from the
    catalog; a live one with stale index entries gets new ones.
    """
    with catalog.snapshot() as snapshot:
        left = {change.uri for change in snapshot.unfinished_changes()}
    left = {uri for uri in sorted(left) if held.take(uri)}
    if not left:
        return
    with catalog.snapshot() as snapshot:  # read again, now that nobody else can continue them
        changes = [change for change in snapshot.unfinished_changes() if change.uri in left]
        stale = [change.key for change in changes if change.state == "live"]
        if stale:
            indexes.remove(snapshot, stale)
            indexes.write(snapshot, stale, snapshot.number("embedding"))
    if stale:
        with catalog.transaction() as transaction:
            transaction.mark_indexed(stale)
    _delete(catalog, indexes, [change.key for change in changes if change.state != "live"])


def _delete(catalog: Catalog, indexes: IndexSet, keys: Sequence[int]) -> None:
    """Delete versions that aren't live: first from the indexes, then their rows."""
    if not keys:
        return
    with catalog.snapshot() as snapshot:
        indexes.remove(snapshot, keys)
    with catalog.transaction() as transaction:
        transaction.delete(keys)


def _insert(transaction: Transaction, batch: Sequence[ParsedDocument]) -> list[_Pending]:
    """Store documents as pending, each under its uri's id or under a free one."""
    former = transaction.stored_documents([each.document.uri for each in batch])
    wanted = [each.document.id or document_id(each.document.uri) for each in batch]
    taken = transaction.taken(wanted) | {each.id for each in former.values()}
    ids = []
    for parsed, chosen in zip(batch, wanted, strict=True):
        uri, attempt = parsed.document.uri, 0
        if uri in former:
            ids.append(former[uri].id)
            continue
        while chosen in taken:
            chosen, attempt = document_id(uri, attempt), attempt + 1  # noqa: PLW2901
            taken |= transaction.taken([chosen])
        taken.add(chosen)
        ids.append(chosen)
    keys = transaction.insert_pending(list(zip(batch, ids, strict=True)))
    return [
        _Pending(key, id, former[each.document.uri].key if each.document.uri in former else None)
        for key, id, each in zip(keys, ids, batch, strict=True)
    ]
