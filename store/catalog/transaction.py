"""Change the catalog: each method is one step inside a transaction that its caller holds open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import astuple
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert  # also compiles for SQLite, which has the same clause

from store.catalog.arrays import is_among
from store.catalog.compiled_statements import Compiled
from store.catalog.documents import MANY
from store.catalog.language_counts import LanguageCounter, upsert
from store.catalog.packing import blocks, content_digest, pack_spans, version_digest
from store.catalog.rows import PackedVectors
from store.catalog.tables import IS_LIVE, documents, library, passages, texts, vectors
from store.catalog.vector_columns import is_whole
from store.errors import LibraryError
from store.ids import passage_id
from store.text.date_ranges import day_range
from store.types import Chunk, Document, ParsedDocument, Span

if TYPE_CHECKING:
    from store.catalog.tables import Rows

_D, _P, _V = documents.c, passages.c, vectors.c


_ONE: sa.ColumnClause[int] = sa.literal_column("1")
_BY_KEY = _D.key == bindparam("of")
_SET_VALUE = upsert(library)
_COUNT_REVISION = (
    insert(library)
    .values(name="revision", value="1")
    .on_conflict_do_update(
        index_elements=[library.c.name],
        set_={"value": sa.cast(sa.cast(library.c.value, sa.BigInteger) + _ONE, sa.Text)},
    )
)
_TAKEN: tuple[Rows, Rows] = (  # two statements, for two indexes
    sa.select(_D.id).where(_D.state == IS_LIVE, is_among(_D.id)),
    sa.select(_D.id).where(_D.state == sa.literal_column("'pending'"), is_among(_D.id)),
)
_INSERT_DOCUMENTS = sa.insert(documents).returning(_D.key, sort_by_parameter_order=True)
_INSERT_TEXTS = Compiled(sa.insert(texts), [column.name for column in texts.c])
_INSERT_PASSAGES = Compiled(sa.insert(passages), [column.name for column in passages.c if column is not _P.key])
_INSERT_VECTORS = Compiled(upsert(vectors), [column.name for column in vectors.c])
_AMONG = is_among(_D.key)
_PENDING: Rows = sa.select(_D.uri).where(_AMONG, _D.state == sa.literal_column("'pending'"))
_SET_STATE = sa.update(documents).where(_AMONG).values(state=bindparam("becomes"))
_DELETE = sa.delete(documents).where(_AMONG, _D.state != IS_LIVE)
_DELETE_UNFINISHED = sa.delete(documents).where(_D.state != IS_LIVE)
_IS_STALE = _D.stale == _ONE
_SETTLE = sa.update(documents).where(_IS_STALE).values(stale=0)
_MARK_INDEXED = sa.update(documents).where(_BY_KEY).values(stale=0)
_NOTED = sa.select(library.c.name, library.c.value)
_INCOMPLETE = (
    sa.select(_V.passage, _V.embedding)
    .select_from(vectors.join(passages, _P.key == _V.passage))
    .where(_V.embedding == bindparam("run"), ~is_whole(bindparam("dimensions", type_=sa.Integer)))
)
_DELETE_INCOMPLETE = sa.delete(vectors).where(sa.tuple_(_V.passage, _V.embedding).in_(_INCOMPLETE))


class Transaction(LanguageCounter):
    """The catalog during a change; it reads what it has written. See `Catalog.transaction`."""

    def set_value(self, name: str, value: str | int) -> None:
        """Store a fact about the library itself."""
        self._connection.execute(_SET_VALUE, {"name": name, "value": str(value)})

    def delete_value(self, name: str) -> None:
        """Delete a fact about the library itself, if it exists."""
        self._connection.execute(sa.delete(library).where(library.c.name == name))

    def bump_revision(self) -> None:
        """Count a change that readers can see, so that they notice it."""
        self._connection.execute(_COUNT_REVISION)

    def taken(self, document_ids: Sequence[str]) -> set[str]:
        """Return those of the ids that belong to a live document, or to one being added."""
        return {row[0] for statement in _TAKEN for row in self._select_in(statement, document_ids)}

    def insert_pending(self, batch: Sequence[tuple[ParsedDocument, str]]) -> list[int]:
        """Store documents, each under its id, invisible to searches; return their keys.

        Their passages have their own ids, so the entries of two versions can be in the indexes at the same time.
        """
        versions = [version_digest(parsed) for parsed, _ in batch]
        rows = [
            _document_columns(parsed.document) | _version_columns(parsed, id, version)
            for (parsed, id), version in zip(batch, versions, strict=True)
        ]
        keys = list(self._connection.execute(_INSERT_DOCUMENTS, rows).scalars())
        _INSERT_TEXTS.run(
            self._connection,
            [
                {"document": key, "block": number, "text": block}
                for key, (parsed, _) in zip(keys, batch, strict=True)
                for number, block in enumerate(blocks(parsed.text))
            ],
        )
        _INSERT_PASSAGES.run(
            self._connection,
            [
                {"id": passage_id(id, version, ordinal), "document": key, "ordinal": ordinal}
                | _chunk_columns(chunk, parsed.text)
                for key, version, (parsed, id) in zip(keys, versions, batch, strict=True)
                for ordinal, chunk in enumerate(parsed.passages)
            ],
        )
        return keys

    def insert_vectors(self, embedding: int, rows: Iterable[tuple[int, PackedVectors]]) -> None:
        """Store packed vectors by passage key, for the given run of the embedding model. Raises like `publish`."""
        values = [
            {"embedding": embedding, "passage": key, "halves": packed.halves, "tokens": packed.tokens}
            for key, packed in rows
        ]
        try:
            _INSERT_VECTORS.run(self._connection, values)
        except sa.exc.IntegrityError as error:
            raise _undone() from error

    def publish(self, keys: Sequence[int]) -> None:
        """Make pending documents live, and retire their former live versions.

        Raises LibraryError if another process took this one for dead and undid the change.
        """
        uris = [row[0] for row in self._select_in(_PENDING, keys)]
        if len(uris) != len(keys):
            raise _undone()
        former = self.stored_documents(uris)
        if former:
            self.retire([each.key for each in former.values()])
        self._set_state(keys, "live")
        self.count_documents(keys, sign=1)
        self.bump_revision()

    def retire(self, keys: Sequence[int]) -> None:
        """Hide live documents; their rows stay until the indexes have forgotten them."""
        self.count_documents(keys, sign=-1)
        self._set_state(keys, "retired")
        self.bump_revision()

    def _set_state(self, keys: Sequence[int], state: str) -> None:
        for start in range(0, len(keys), MANY):
            self._connection.execute(_SET_STATE, {"keys": keys[start : start + MANY], "becomes": state})

    def delete(self, keys: Sequence[int]) -> None:
        """Delete those of the documents that are not live, with their texts, passages and vectors."""
        for start in range(0, len(keys), MANY):
            self._connection.execute(_DELETE, {"keys": keys[start : start + MANY]})

    def update_metadata(self, key: int, parsed: ParsedDocument) -> bool:
        """Give a document new metadata if they differ; return whether anything visible to users changed."""
        columns = _document_columns(parsed.document) | {"original_sha256": parsed.document.original_sha256}
        before = self._connection.execute(sa.select(*(_D[name] for name in columns)).where(_BY_KEY), {"of": key}).one()
        changed = tuple(before) != tuple(columns.values())
        if changed:
            self._connection.execute(sa.update(documents).where(_BY_KEY).values(stale=1, **columns), {"of": key})
            self.bump_revision()
        self._connection.execute(
            sa.update(documents)
            .where(_BY_KEY, _D.normalization != parsed.normalization)
            .values(normalization=parsed.normalization),
            {"of": key},
        )
        return changed

    def begin_run(self, fingerprint: str) -> int:
        """Return the number of this model's unfinished embedding run, or of a new one."""
        known = {row[0]: row[1] for row in self._connection.execute(_NOTED)}
        if known.get("next_fingerprint") == fingerprint:
            return int(known["next_embedding"])
        run = max(int(known.get("next_embedding", 0)), int(known.get("embedding", 0))) + 1
        self.set_value("next_embedding", run)
        self.set_value("next_fingerprint", fingerprint)
        return run

    def delete_other_runs(self, run: int) -> None:
        """Delete all vectors of other runs, and the record that this one was in progress."""
        self._connection.execute(sa.delete(vectors).where(_V.embedding != run))
        self.delete_value("next_fingerprint")

    def delete_unfinished(self) -> None:
        """Delete every document that isn't live, and record that all index entries are current."""
        self._connection.execute(_DELETE_UNFINISHED)
        self._connection.execute(_SETTLE)

    def mark_indexed(self, keys: Iterable[int]) -> None:
        """Record that the index entries of these documents are current."""
        values = [{"of": key} for key in keys]
        if values:
            self._connection.execute(_MARK_INDEXED, values)

    def delete_incomplete_vectors(self) -> None:
        """Delete the vectors in use of passages that lack some, so that these passages are embedded again."""
        run, dimensions = self.number("embedding"), self.number("dimensions")
        self._connection.execute(_DELETE_INCOMPLETE, {"run": run, "dimensions": dimensions})


def _undone() -> LibraryError:
    return LibraryError("Another process has undone this change; add the document once more.")


def _document_columns(document: Document) -> dict[str, object]:
    """Return the values that a user may change without changing the document's text."""
    first, last = day_range(document.published) if document.published else (None, None)
    return {
        "uri": document.uri,
        "title": document.title,
        "speaker": document.speaker,
        "published": document.published,
        "published_first": first,
        "published_last": last,
        "language": document.language,
        "media_type": document.media_type,
        "collection": document.collection,
        "signs": " ".join(document.signs),
        "pages": json.dumps(document.pages, separators=(",", ":")),
    }


def _version_columns(parsed: ParsedDocument, document_id: str, version: str) -> dict[str, object]:
    """Return a document's other values, which only another version changes."""
    return {
        "id": document_id,
        "original_sha256": parsed.document.original_sha256,
        "text_sha256": parsed.document.text_sha256,
        "normalization": parsed.normalization,
        "version": version,
        "characters": len(parsed.text),
        "passage_count": len(parsed.passages),
        "state": "pending",
    }


def _chunk_columns(chunk: Chunk, text: str) -> dict[str, object]:
    relative = [Span(span.start - chunk.start, span.end - chunk.start) for span in chunk.sentences]
    heading = chunk.heading
    heading_start, heading_end = astuple(heading) if heading else (None, None)
    return {
        "start_offset": chunk.start,
        "end_offset": chunk.end,
        "language": chunk.language,
        "heading_start": heading_start,
        "heading_end": heading_end,
        "sentences": pack_spans(chunk.sentences, chunk.start),
        "content": content_digest(text[chunk.start : chunk.end], heading.of(text) if heading else None, relative),
    }
