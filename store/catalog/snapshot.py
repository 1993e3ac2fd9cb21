"""Read the catalog at one moment: documents, and what searching and indexing also need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Integer, bindparam

from store.catalog.arrays import given_columns, given_table, is_among
from store.catalog.compiled_statements import Compiled
from store.catalog.documents import (
    DOCUMENT,
    LIVE,
    MANY,
    PASSAGE,
    document_condition,
    to_document,
    to_passage,
)
from store.catalog.filtered_passages import FilteredPassages
from store.catalog.language_sums import LanguageStatistics, LanguageSums
from store.catalog.packing import unpack_passage_vector, unpack_spans, unpack_sum, unpack_vectors
from store.catalog.rows import (
    IndexRow,
    PackedVectors,
    SampledVector,
    StoredDocument,
    StoredPassage,
    StoredVectors,
    UnembeddedPassage,
    UnfinishedChange,
)
from store.catalog.tables import IS_LIVE, centering, documents, languages, passages, vectors
from store.catalog.vector_columns import DIMENSIONS, EMBEDDING, SENTENCES, first_vector, is_whole, with_vectors
from store.types import Document, Filter, Span

if TYPE_CHECKING:
    from store.catalog.tables import Rows

_D, _P, _V = documents.c, passages.c, vectors.c
_RUN = bindparam("run", type_=Integer)
_AMONG = is_among(_P.id)
_IN_USE = with_vectors(EMBEDDING)
_STORED_PASSAGES: Rows = sa.select(*PASSAGE, _D.key, _V.halves, *DOCUMENT).select_from(_IN_USE).where(LIVE, _AMONG)
_STORED_VECTORS = sa.select(_P.id, _P.language, _D.title, _V.halves).select_from(_IN_USE).where(LIVE, _AMONG)
_STORED_TOKENS = Compiled(
    sa.select(_P.id, _V.tokens).select_from(_IN_USE).where(LIVE, _AMONG, _V.tokens != bindparam("none"))
)
_LANGUAGES, _CENTERING = (
    Compiled(sa.select(languages).where(languages.c["count"] > 0)),
    Compiled(sa.select(centering).where(centering.c["count"] > 0)),
)
_ALL_PASSAGES, _ALL_VECTORS = Compiled(_STORED_PASSAGES), Compiled(_STORED_VECTORS)
_INDEX_ROWS: Rows = (
    sa.select(
        *(_P.id, _P.language, _P.start_offset, _P.end_offset, _P.heading_start, _P.heading_end),
        *(_D.id, _D.speaker, _D.published, _D.collection, _D.key, _V.halves, SENTENCES),
    )
    .select_from(with_vectors(_RUN))
    .where(is_among(_D.key))
    .order_by(_D.key, _P.ordinal)
)
_PASSAGE_COUNTS: Rows = sa.select(_D.key, _D.passage_count).where(is_among(_D.key))
_LIVE_KEYS = sa.select(_D.key).where(LIVE, _D.key > bindparam("last")).order_by(_D.key).limit(bindparam("limit"))
_STORED = sa.select(_D.key, _D.id, _D.version).where(LIVE)
_STORED_BY_URI: Rows = sa.select(_D.uri, _D.key, _D.id, _D.version).where(LIVE, is_among(_D.uri))
_STORED_BY_ID = _STORED.where(_D.id == bindparam("id"))
_PACKED = Compiled(
    sa.select(_V.halves, _V.tokens)
    .select_from(passages.join(vectors, sa.and_(_V.passage == _P.key, _V.embedding == _RUN)))
    .where(_P.content == bindparam("content"))
    .limit(1)
)
_UNEMBEDDED = Compiled(
    sa.select(
        *(_P.key, _P.document, _P.content, _P.start_offset, _P.end_offset),
        *(_P.heading_start, _P.heading_end, _P.sentences),
    )
    .select_from(passages.outerjoin(vectors, sa.and_(_V.passage == _P.key, _V.embedding == _RUN)))
    .where(is_among(_P.document), _V.passage.is_(None))
    .order_by(_P.document, _P.ordinal)
)
_given = given_table(_P.content)
_some = (
    sa.select(_V.halves, _V.tokens)
    .select_from(passages.join(vectors, sa.and_(_V.passage == _P.key, _V.embedding == _RUN)))
    .where(_P.content == _given.c.content)
    .limit(1)
    .lateral()
)
_PACKED_EACH = sa.select(_given.c.content, _some.c.halves, _some.c.tokens).select_from(
    _given.join(_some, sa.literal_column("true", type_=sa.Boolean))
)
_CHANGES = sa.select(_D.key, _D.id, _D.state, _D.uri)
_UNFINISHED = sa.union_all(
    _CHANGES.where(_D.state != IS_LIVE),
    _CHANGES.where(_D.stale == sa.literal_column("1"), LIVE),
)
_PASSAGE_IDS: Rows = sa.select(_P.id).where(is_among(_P.document))
_ENDS = sa.select(sa.select(sa.func.min(_P.key)).scalar_subquery(), sa.select(sa.func.max(_P.key)).scalar_subquery())
_SAMPLE = (
    sa.select(_P.key, _P.id, _P.language, _V.halves)
    .select_from(_IN_USE)
    .where(LIVE, _P.key >= bindparam("from"), is_whole(DIMENSIONS))
    .order_by(_P.key)
    .limit(1)
)
_COUNTED = (
    sa.select(_P.language, first_vector(DIMENSIONS), _V.tokens)
    .select_from(with_vectors(_RUN))
    .where(LIVE)
    .execution_options(yield_per=MANY)
)


class Snapshot(FilteredPassages):
    """One moment of the catalog, while its transaction is open. Not shared by threads."""

    def stored_passages(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredPassage]:
        """Return those of `passage_ids` that are live and pass the filter, by id.

        The filter's languages are compared with the passage's, as in the indexes.
        """
        dimensions = self.number("dimensions")
        conditions = document_condition(where, _P.language)
        statement = _STORED_PASSAGES.where(*conditions) if conditions else _ALL_PASSAGES
        found_documents: dict[int, Document] = {}
        rows = [(to_passage(row[:9]), row[9], row[10], row[11:]) for row in self._select_in(statement, passage_ids)]
        words = self.texts_by_key([(key, passage.start, passage.end) for passage, key, *_ in rows])
        found = {}
        for (passage, key, halves, document), text in zip(rows, words, strict=True):
            if key not in found_documents:
                found_documents[key] = to_document(document)
            found[passage.id] = StoredPassage(passage, found_documents[key], text, unpack_vectors(halves, dimensions))
        return found

    def stored_vectors(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredVectors]:
        """Return the vectors of what `stored_passages` would return, in the order of `passage_ids`."""
        dimensions = self.number("dimensions")
        conditions = document_condition(where, _P.language)
        rows = self._select_in(_STORED_VECTORS.where(*conditions) if conditions else _ALL_VECTORS, passage_ids)
        found = {row[0]: StoredVectors(row[0], row[1], row[2], unpack_vectors(row[3], dimensions)) for row in rows}
        return {passage_id: found[passage_id] for passage_id in passage_ids if passage_id in found}

    def stored_tokens(self, passage_ids: Sequence[str]) -> dict[str, bytes]:
        """Return the packed tokens of live passages, by id, without passages that have none."""
        return {row[0]: row[1] for row in self._select_in(_STORED_TOKENS, passage_ids, none=b"")}

    def language_statistics(self) -> dict[str, LanguageStatistics]:
        """Return for each language the count and sum of its live passages' raw vectors, and of their tokens."""
        return {
            row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2]), unpack_sum(row[3]) if row[3] else None)
            for row in _LANGUAGES.rows(self._connection)
        }

    def centering_statistics(self) -> dict[str, LanguageStatistics]:
        """Return the statistics by which the vectors in the current index are centered."""
        rows = _CENTERING.rows(self._connection)
        return {row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2])) for row in rows}

    def index_rows(self, document_keys: Sequence[int], run: int, *, texts: bool = True) -> Iterator[IndexRow]:
        """Yield the index entries of documents in any state, passage by passage, with vectors of this run.

        Without `texts`, their texts stay empty.
        """
        for keys in self._portions(document_keys):
            found = iter(self._select_in(_INDEX_ROWS, keys, run=run))
            while rows := list(islice(found, MANY)):
                parts = [(row[10], *row[2:4]) for row in rows] + [(row[10], row[4] or 0, row[5] or 0) for row in rows]
                words = self.texts_by_key(parts) if texts else [""] * len(parts)
                for row, text, heading in zip(rows, words[: len(rows)], words[len(rows) :], strict=True):
                    yield IndexRow(
                        passage_id=row[0],
                        document_id=row[6],
                        language=row[1],
                        speaker=row[7],
                        published=row[8],
                        collection=row[9],
                        text=text,
                        heading=None if row[4] is None else heading,
                        vector=unpack_passage_vector(row[11], len(row[11]) // 2 // (1 + row[12])),
                    )

    def _portions(self, document_keys: Sequence[int]) -> Iterator[list[int]]:
        """Yield the keys in portions of `MANY` passages, or of one document that has more."""
        counts = {row[0]: row[1] for row in self._select_in(_PASSAGE_COUNTS, document_keys)}
        portion: list[int] = []
        for key in document_keys:
            if portion and sum(counts.get(each, 0) for each in [*portion, key]) > MANY:
                yield portion
                portion = []
            portion.append(key)
        if portion:
            yield portion

    def live_keys(self, last: int, limit: int) -> list[int]:
        """Return the keys of up to `limit` live documents after `last`, in order."""
        return list(self._connection.scalars(_LIVE_KEYS, {"last": last, "limit": limit}))

    def stored_document(self, document_id: str) -> StoredDocument | None:
        """Return key and version of the live document with this id."""
        row = self._connection.execute(_STORED_BY_ID, {"id": document_id}).first()
        return None if row is None else StoredDocument(*row)

    def stored_documents(self, uris: Sequence[str]) -> dict[str, StoredDocument]:
        """Return keys and versions of the live documents with these uris, by uri."""
        return {row[0]: StoredDocument(*row[1:]) for row in self._select_in(_STORED_BY_URI, uris)}

    def packed_vectors(self, run: int, contents: Sequence[bytes]) -> dict[bytes, PackedVectors]:
        """Return the packed vectors of passages that embed the same words, by content digest."""
        wanted = list(dict.fromkeys(contents))
        if not self.is_sqlite:
            rows = self._connection.execute(_PACKED_EACH, {"run": run, **given_columns(content=wanted)})
            return {row[0]: PackedVectors(*row[1:]) for row in rows}
        found = {content: _PACKED.first(self._connection, run=run, content=content) for content in wanted}
        return {content: PackedVectors(*row) for content, row in found.items() if row is not None}

    def unembedded_passages(self, document_keys: Sequence[int], run: int) -> list[UnembeddedPassage]:
        """Return the passages of documents without vectors of this run, in order."""
        rows = self._select_in(_UNEMBEDDED, document_keys, run=run)
        return [
            UnembeddedPassage(
                key,
                document,
                content,
                start,
                end,
                None if heading_start is None else Span(heading_start, heading_end),
                unpack_spans(sentences, 0),
            )
            for key, document, content, start, end, heading_start, heading_end, sentences in rows
        ]

    def unfinished_changes(self) -> list[UnfinishedChange]:
        """Return the documents whose addition, removal or change of metadata is unfinished."""
        return [UnfinishedChange(*row) for row in self._connection.execute(_UNFINISHED)]

    def passage_ids(self, document_keys: Sequence[int]) -> list[str]:
        """Return the ids of documents' passages, in any state."""
        return [row[0] for row in self._select_in(_PASSAGE_IDS, document_keys)]

    def sample(self, size: int) -> list[SampledVector]:
        """Return up to `size` live passages with their vectors, spread evenly from the oldest to the newest."""
        oldest, newest = self._connection.execute(_ENDS).one()
        if oldest is None:
            return []
        dimensions = self.number("dimensions")
        found = {}
        for number in range(size):
            begin = oldest + (newest - oldest) * number // max(1, size - 1)
            row = self._connection.execute(_SAMPLE, {"from": begin, "dimensions": dimensions}).first()
            if row is not None:
                found[row[0]] = SampledVector(row[1], row[2], unpack_passage_vector(row[3], dimensions))
        return list(found.values())

    def count_languages(self, run: int, dimensions: int) -> dict[str, LanguageStatistics]:
        """Compute the statistics of every language from all live passages' vectors of this run."""
        counted = LanguageSums(dimensions)
        for row in self._connection.execute(_COUNTED, {"run": run, "dimensions": dimensions}):
            counted.add(*row)
        return counted.statistics()
