"""Changing the catalog: each method is one step inside a transaction that its caller holds open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlalchemy.dialects.postgresql import insert  # compiles for SQLite too, which has the same clause

from store.catalog.compiled import Compiled
from store.catalog.language_sums import LanguageStatistics, LanguageSums
from store.catalog.packing import blocks, content_digest, pack_spans, pack_sum, version_digest
from store.catalog.rows import PackedVectors
from store.catalog.snapshot import EMBEDDING, Snapshot, first_vector, is_whole
from store.catalog.tables import IS_LIVE, centering, documents, languages, library, passages, texts, vectors
from store.errors import LibraryError
from store.ids import passage_id
from store.text.date_ranges import day_range
from store.types import Chunk, Document, ParsedDocument, Span

_D, _P, _V = documents.c, passages.c, vectors.c


def _upsert(table: sa.Table) -> sa.Insert:
    """Return a statement that inserts a row, or replaces the one with its key."""
    statement = insert(table)
    others = {column.name: statement.excluded[column.name] for column in table.columns if not column.primary_key}
    return statement.on_conflict_do_update(index_elements=list(table.primary_key), set_=others)


_ONE: sa.ColumnClause[int] = sa.literal_column("1")
_BY_KEY = _D.key == bindparam("of")
_SET_VALUE = _upsert(library)
_COUNT_REVISION = (
    insert(library)
    .values(name="revision", value="1")
    .on_conflict_do_update(
        index_elements=[library.c.name],
        set_={"value": sa.cast(sa.cast(library.c.value, sa.BigInteger) + _ONE, sa.Text)},
    )
)
_TAKEN = sa.select(_ONE).where(_D.id == bindparam("id")).limit(1)
_IS_LIVE, _IS_PENDING = _TAKEN.where(_D.state == IS_LIVE), _TAKEN.where(_D.state == sa.literal_column("'pending'"))
_INSERT_DOCUMENT = sa.insert(documents).returning(_D.key)
_INSERT_TEXTS = Compiled(sa.insert(texts), [column.name for column in texts.c])
_INSERT_PASSAGES = Compiled(sa.insert(passages), [column.name for column in passages.c if column is not _P.key])
_INSERT_VECTORS = Compiled(_upsert(vectors), [column.name for column in vectors.c])
_INSERT_LANGUAGE = _upsert(languages)
_PENDING_URI = sa.select(_D.uri).where(_BY_KEY, _D.state == sa.literal_column("'pending'"))
_SET_STATE = sa.update(documents).where(_BY_KEY).values(state=bindparam("becomes"))
_DELETE = sa.delete(documents).where(_BY_KEY, _D.state != IS_LIVE)
_DELETE_UNFINISHED = sa.delete(documents).where(_D.state != IS_LIVE)
_IS_STALE = _D.stale == _ONE
_SETTLE = sa.update(documents).where(_IS_STALE).values(stale=0)
_MARK_INDEXED = sa.update(documents).where(_BY_KEY).values(stale=0)
_NOTED = sa.select(library.c.name, library.c.value)
_KEEP_CENTERING = sa.insert(centering).from_select(
    ["language", "count", "sum"], sa.select(languages.c.language, languages.c["count"], languages.c["sum"])
)
_INCOMPLETE = (
    sa.select(_V.passage, _V.embedding)
    .select_from(vectors.join(passages, _P.key == _V.passage))
    .where(_V.embedding == bindparam("run"), ~is_whole(bindparam("dimensions", type_=sa.Integer)))
)
_DELETE_INCOMPLETE = sa.delete(vectors).where(sa.tuple_(_V.passage, _V.embedding).in_(_INCOMPLETE))
_OF_DOCUMENT = (
    sa.select(_P.language, first_vector(bindparam("dimensions", type_=sa.Integer)), _V.tokens)
    .select_from(passages.join(vectors, sa.and_(_V.passage == _P.key, _V.embedding == EMBEDDING)))
    .where(_P.document == bindparam("of"))
)


class Transaction(Snapshot):
    """The catalog while it is changed; it reads what it has written. See `Catalog.transaction`."""

    def set_value(self, name: str, value: str | int) -> None:
        """Note a fact about the library itself."""
        self._connection.execute(_SET_VALUE, {"name": name, "value": str(value)})

    def delete_value(self, name: str) -> None:
        """Forget a fact about the library itself; an unknown one is no error."""
        self._connection.execute(sa.delete(library).where(library.c.name == name))

    def bump_revision(self) -> None:
        """Count a change of what readers see, so that they can tell that something changed under them."""
        self._connection.execute(_COUNT_REVISION)

    def is_taken(self, document_id: str) -> bool:
        """Return whether a document that is live, or is being added, has this id."""
        return any(self._connection.execute(each, {"id": document_id}).first() for each in (_IS_LIVE, _IS_PENDING))

    def insert_pending(self, parsed: ParsedDocument, document_id: str) -> int:
        """Store a document that no search sees yet; return its key.

        Its passages have ids of their own, so the entries of two versions can be in the indexes side by side.
        """
        version = version_digest(parsed)
        columns = _document_columns(parsed.document) | {
            "id": document_id,
            "original_sha256": parsed.document.original_sha256,
            "text_sha256": parsed.document.text_sha256,
            "normalization": parsed.normalization,
            "version": version,
            "characters": len(parsed.text),
            "passage_count": len(parsed.passages),
            "state": "pending",
        }
        key: int = self._connection.execute(_INSERT_DOCUMENT, columns).scalar_one()
        _INSERT_TEXTS.run(
            self._connection,
            [{"document": key, "block": number, "text": block} for number, block in enumerate(blocks(parsed.text))],
        )
        _INSERT_PASSAGES.run(
            self._connection,
            [
                {
                    "id": passage_id(document_id, version, ordinal),
                    "document": key,
                    "ordinal": ordinal,
                    **_chunk_columns(chunk, parsed.text),
                }
                for ordinal, chunk in enumerate(parsed.passages)
            ],
        )
        return key

    def insert_vectors(self, embedding: int, rows: Iterable[tuple[int, PackedVectors]]) -> None:
        """Store packed vectors by passage key, for the given run of the embedding model. Raises as `publish` does."""
        values = [
            {"embedding": embedding, "passage": key, "halves": packed.halves, "tokens": packed.tokens}
            for key, packed in rows
        ]
        try:
            _INSERT_VECTORS.run(self._connection, values)
        except sa.exc.IntegrityError as error:
            raise _undone() from error

    def publish(self, key: int) -> None:
        """Make a pending document live, and retire the version of it that was live.

        Raises LibraryError where another process has undone the change since, taking this one for dead.
        """
        uri = self._connection.execute(_PENDING_URI, {"of": key}).scalar()
        if uri is None:
            raise _undone()
        former = self.stored_document(uri=uri)
        if former is not None:
            self.retire(former.key)
        self._connection.execute(_SET_STATE, {"of": key, "becomes": "live"})
        self._count_languages(key, sign=1)
        self.bump_revision()

    def retire(self, key: int) -> None:
        """Take a live document out of sight; its rows stay until the indexes have forgotten it."""
        self._count_languages(key, sign=-1)
        self._connection.execute(_SET_STATE, {"of": key, "becomes": "retired"})
        self.bump_revision()

    def delete(self, key: int) -> None:
        """Delete a document that is not live, with its text, passages and vectors."""
        self._connection.execute(_DELETE, {"of": key})

    def update_metadata(self, key: int, parsed: ParsedDocument) -> bool:
        """Give a document new metadata where it differs; return whether anything that users see did."""
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

    def set_languages(self, statistics: Mapping[str, LanguageStatistics], *, recentered: bool) -> None:
        """Store the library's statistics; if `recentered`, also as those by which its vectors are centered."""
        self._connection.execute(sa.delete(languages))
        for each in statistics.values():
            self._insert_language(each)
        if recentered:
            self._connection.execute(sa.delete(centering))
            self._connection.execute(_KEEP_CENTERING)

    def begin_run(self, fingerprint: str) -> int:
        """Return the number of the embedding run that this model began and didn't finish, or of a new one."""
        known = {row[0]: row[1] for row in self._connection.execute(_NOTED)}
        if known.get("next_fingerprint") == fingerprint:
            return int(known["next_embedding"])
        run = max(int(known.get("next_embedding", 0)), int(known.get("embedding", 0))) + 1
        self.set_value("next_embedding", run)
        self.set_value("next_fingerprint", fingerprint)
        return run

    def delete_other_runs(self, run: int) -> None:
        """Delete all vectors but this run's, and the note that it was under way."""
        self._connection.execute(sa.delete(vectors).where(_V.embedding != run))
        self.delete_value("next_fingerprint")

    def delete_unfinished(self) -> None:
        """Delete every document that isn't live, and note that all index entries are current."""
        self._connection.execute(_DELETE_UNFINISHED)
        self._connection.execute(_SETTLE)

    def mark_indexed(self, keys: Iterable[int]) -> None:
        """Note that the index entries of these documents are current."""
        values = [{"of": key} for key in keys]
        if values:
            self._connection.execute(_MARK_INDEXED, values)

    def delete_incomplete_vectors(self) -> None:
        """Delete the vectors in use of passages that lack some, so that these passages are embedded again."""
        run, dimensions = self.number("embedding"), self.number("dimensions")
        self._connection.execute(_DELETE_INCOMPLETE, {"run": run, "dimensions": dimensions})

    def _count_languages(self, key: int, sign: int) -> None:
        """Add a document's passages to the sums of their languages; with sign -1 subtract them."""
        dimensions = self.number("dimensions")
        if not dimensions:
            return
        counted = LanguageSums(dimensions)
        for row in self._connection.execute(_OF_DOCUMENT, {"of": key, "dimensions": dimensions}):
            counted.add(*row)
        before = self.language_statistics()
        for language, change in counted.statistics().items():
            after = change if sign > 0 else change.negative()
            if language in before:
                after = before[language].plus(after)
            if after.count:
                self._insert_language(after)
            else:
                self._connection.execute(sa.delete(languages).where(languages.c.language == language))

    def _insert_language(self, each: LanguageStatistics) -> None:
        tokens = b"" if each.token_sum is None else pack_sum(each.token_sum)
        self._connection.execute(
            _INSERT_LANGUAGE,
            {"language": each.language, "count": each.count, "sum": pack_sum(each.sum), "tokens": tokens},
        )


def _undone() -> LibraryError:
    return LibraryError("Another process has undone this change; add the document once more.")


def _document_columns(document: Document) -> dict[str, object]:
    """Return what a user may change about a document without changing its text."""
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
