"""Read documents, their text and their passages, at one moment.

Only live documents are visible: neither those still being added nor those being removed. Every lookup uses a key.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam

from store.catalog.arrays import given_columns, given_table, is_among
from store.catalog.compiled_statements import Compiled
from store.catalog.facts import FactReader
from store.catalog.packing import BLOCK, unpack_spans
from store.catalog.rows import DocumentPage, Statistics
from store.catalog.tables import IS_LIVE, documents, languages, passages, texts
from store.errors import NotFoundError
from store.text.date_ranges import day_range
from store.types import Chunk, Document, Filter, ParsedDocument, Passage, Span

if TYPE_CHECKING:
    from store.catalog.tables import Rows

_D, _P = documents.c, passages.c
DOCUMENT = (
    *(_D.id, _D.uri, _D.title, _D.language, _D.original_sha256, _D.text_sha256, _D.speaker, _D.published),
    *(_D.media_type, _D.pages, _D.passage_count, _D.collection, _D.signs),
)
"""The columns that `to_document` reads."""
PASSAGE = (
    *(_P.id, _D.id, _P.ordinal, _P.start_offset, _P.end_offset, _P.language, _P.sentences),
    *(_P.heading_start, _P.heading_end),
)
"""The columns that `to_passage` reads."""
MANY = 500
"""Values in one `IN (...)`: below SQLite's oldest limit of 999."""
LIVE = _D.state == IS_LIVE
WITH_PASSAGES = documents.join(passages, _P.document == _D.key)

_count = sa.func.count()
_DOCUMENTS: Rows = sa.select(*DOCUMENT).where(LIVE)
_BY_ID = Compiled(_DOCUMENTS.where(is_among(_D.id)))
_PREPARED: Rows = sa.select(_D.id, _D.normalization).where(LIVE, is_among(_D.id))
_BY_URI = _DOCUMENTS.where(_D.uri == bindparam("uri"))
_AFTER = _DOCUMENTS.where(_D.uri > bindparam("after")).order_by(_D.uri).limit(bindparam("limit"))
_CURRENT = sa.select(_D.original_sha256, _D.normalization).where(LIVE, _D.uri == bindparam("uri"))
_LENGTH = Compiled(sa.select(_D.key, _D.characters, _D.normalization).where(LIVE, _D.id == bindparam("id")))
_PASSAGES: Rows = (
    sa.select(*PASSAGE).select_from(WITH_PASSAGES).where(LIVE, _D.id == bindparam("id")).order_by(_P.ordinal)
)
_TEXT = Compiled(
    sa.select(texts.c.text)
    .where(
        texts.c.document == bindparam("key"), texts.c.block >= bindparam("first"), texts.c.block <= bindparam("last")
    )
    .order_by(texts.c.block)
)
_wanted = given_table(texts.c.document, texts.c.block)
_BLOCKS = sa.select(texts.c.document, texts.c.block, texts.c.text).where(
    texts.c.document == _wanted.c.document, texts.c.block == _wanted.c.block
)
_COLLECTIONS = sa.select(_D.collection, _count).where(LIVE).group_by(_D.collection).order_by(_D.collection)
_TOTAL = sa.select(_count, sa.func.coalesce(sa.func.sum(_D.characters), 0)).where(LIVE)
_SPEAKERS = (
    sa.select(_D.speaker, _count)
    .where(LIVE, _D.speaker.is_not(None))
    .group_by(_D.speaker)
    .order_by(_count.desc(), _D.speaker)
    .limit(100)
)
_LANGUAGES = (
    sa.select(languages.c.language, languages.c["count"])
    .where(languages.c["count"] > 0)
    .order_by(languages.c["count"].desc(), languages.c.language)
)
_LANGUAGES_OF = (
    sa.select(_D.language, _count, sa.func.sum(_D.characters), sa.func.sum(_D.passage_count))
    .where(LIVE)
    .group_by(_D.language)
    .order_by(sa.func.sum(_D.passage_count).desc(), _D.language)
)


class DocumentReader(FactReader):
    """Reads documents inside one transaction. Not shared by threads."""

    @property
    def is_sqlite(self) -> bool:
        """Return whether this catalog is a SQLite file."""
        return self._connection.dialect.name == "sqlite"

    def document(self, document_id: str) -> Document:
        """Return a document by its id. Raises NotFoundError."""
        found = self.documents_by_id([document_id])
        if document_id not in found:
            raise NotFoundError(
                "No document has the id {id}; `attest documents list` shows all of them.",
                code="document_gone",
                id=f"{document_id!r}",
            )
        return found[document_id]

    def documents_by_id(self, document_ids: Sequence[str]) -> dict[str, Document]:
        """Return the existing ones of these documents, by id."""
        return {row[0]: to_document(row) for row in self._select_in(_BY_ID, document_ids)}

    def find_document(self, uri: str) -> Document | None:
        """Return the document that was added under `uri`, if any."""
        row = self._connection.execute(_BY_URI, {"uri": uri}).first()
        return None if row is None else to_document(row)

    def is_current(self, uri: str, original_sha256: str, normalization: int) -> bool:
        """Return whether exactly this file is already here, as this `normalization` would read it."""
        row = self._connection.execute(_CURRENT, {"uri": uri}).first()
        return row is not None and tuple(row) == (original_sha256, normalization)

    def documents(self, after: str | None, limit: int, where: Filter | None = None) -> DocumentPage:
        """Return up to `limit` documents with a uri after `after`; the languages in `where` are the documents'."""
        return self._page(_AFTER.where(*document_condition(where)), after, limit)

    def documents_prepared_before(self, normalization: int, after: str | None, limit: int) -> DocumentPage:
        """Return up to `limit` documents with a uri after `after` and a lower `normalization`."""
        return self._page(_AFTER.where(_D.normalization < normalization), after, limit)

    def prepared_before(self, normalization: int, document_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the ids whose documents have a lower `normalization`."""
        return frozenset(row[0] for row in self._select_in(_PREPARED, document_ids) if row[1] < normalization)

    def newest(self, limit: int, where: Filter | None = None) -> tuple[Document, ...]:
        """Return up to `limit` documents, the last added first; the languages in `where` are the documents'."""
        statement = _DOCUMENTS.where(*document_condition(where)).order_by(_D.key.desc()).limit(limit)
        return tuple(map(to_document, self._connection.execute(statement)))

    def document_languages(self, where: Filter | None = None) -> dict[str, int]:
        """Return the number of documents in each language that `where` matches, most frequent first."""
        rows = self._connection.execute(
            sa.select(_D.language, _count)
            .where(LIVE, *document_condition(where))
            .group_by(_D.language)
            .order_by(_count.desc(), _D.language)
        )
        return {row[0]: row[1] for row in rows}

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the part ``[start:end]`` of a document's normalized text. Raises NotFoundError."""
        key, characters, _ = self._length(document_id)
        return self.text_by_key(key, start, characters if end is None else min(end, characters))

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order. Raises NotFoundError."""
        self.document(document_id)
        return tuple(map(to_passage, self._connection.execute(_PASSAGES, {"id": document_id})))

    def parsed(self, document_id: str) -> ParsedDocument:
        """Return a document in the form that `Library.add` takes. Raises NotFoundError."""
        document = self.document(document_id)
        _, _, normalization = self._length(document_id)
        chunks = tuple(Chunk(p.start, p.end, p.language, p.sentences, p.heading) for p in self.passages(document_id))
        return ParsedDocument(document, self.text(document_id), chunks, normalization)

    def collections(self) -> dict[str, int]:
        """Return the number of documents in each collection; the empty name stands for none."""
        return {row[0]: row[1] for row in self._connection.execute(_COLLECTIONS)}

    def statistics(self, collections: Sequence[str] = ()) -> Statistics:
        """Count all documents or those in `collections`, using a covering index and the table of languages.

        With `collections`, the passages of a document count for the document's language.
        """
        among = [_D.collection.in_(collections)] if collections else []
        speakers = {row[0]: row[1] for row in self._connection.execute(_SPEAKERS.where(*among))}
        if collections:
            rows = self._connection.execute(_LANGUAGES_OF.where(*among)).all()
            documents, characters = sum(row[1] for row in rows), int(sum(row[2] for row in rows))
            counts = {row[0]: int(row[3]) for row in rows}
        else:
            documents, characters = self._connection.execute(_TOTAL).one()
            counts = {row[0]: row[1] for row in self._connection.execute(_LANGUAGES)}
        return Statistics(documents, sum(counts.values()), int(characters), counts, speakers)

    def text_by_key(self, key: int, start: int, end: int) -> str:
        """Return the part ``[start:end]`` of the text of the document with this key, in any state."""
        if end <= start:
            return ""
        first, last = start // BLOCK, (end - 1) // BLOCK
        rows = _TEXT.rows(self._connection, key=key, first=first, last=last)
        return "".join(row[0] for row in rows)[start - first * BLOCK : end - first * BLOCK]

    def texts_by_key(self, parts: Sequence[tuple[int, int, int]]) -> list[str]:
        """Return the result of `text_by_key` for each (key, start, end): from a server in one round trip."""
        if self.is_sqlite:
            return [self.text_by_key(*part) for part in parts]
        numbers = {part: range(part[1] // BLOCK, max(part[1], part[2] - 1) // BLOCK + 1) for part in parts}
        wanted = list({(part[0], block) for part, blocks in numbers.items() for block in blocks})
        held: dict[tuple[int, int], str] = {}
        asked = given_columns(document=(key for key, _ in wanted), block=(block for _, block in wanted))
        for document, block, text in self._connection.execute(_BLOCKS, asked):
            held[document, block] = text
        found = []
        for part in parts:
            key, start, end = part
            whole = "".join(held.get((key, block), "") for block in numbers[part])
            first = numbers[part].start * BLOCK
            found.append(whole[start - first : max(start, end) - first])
        return found

    def _length(self, document_id: str) -> Sequence[Any]:
        row = _LENGTH.first(self._connection, id=document_id)
        if row is None:
            self.document(document_id)  # raises NotFoundError
            raise AssertionError
        return row

    def _page(self, statement: Rows, after: str | None, limit: int) -> DocumentPage:
        rows = self._connection.execute(statement, {"after": after or "", "limit": limit + 1}).all()
        found = tuple(map(to_document, rows[:limit]))
        return DocumentPage(found, found[-1].uri if len(rows) > limit else None)

    def _select_in(
        self, statement: Compiled | Rows, keys: Sequence[object], **values: object
    ) -> Iterator[Sequence[Any]]:
        """Yield the rows of a statement with a parameter `keys`, in portions of keys."""
        for start in range(0, len(keys), MANY):
            some = list(keys[start : start + MANY])
            if isinstance(statement, Compiled):
                yield from statement.rows(self._connection, keys=some, **values)
            else:
                yield from self._connection.execute(statement, {"keys": some, **values})


def document_condition(
    where: Filter | None, language: ColumnElement[str] | None = _D.language
) -> list[ColumnElement[bool]]:
    """Return the filter as conditions on documents; its languages on `language`, or not at all if that is None."""
    if where is None:
        return []
    among = (
        (_D.id, where.documents),
        (_D.speaker, where.speakers),
        (language, where.languages),
        (_D.collection, where.collections),
    )
    parts: list[ColumnElement[bool]] = [column.in_(wanted) for column, wanted in among if wanted and column is not None]
    if where.published_from is not None:
        parts.append(_D.published_last >= day_range(where.published_from)[0])
    if where.published_to is not None:
        parts.append(_D.published_first <= day_range(where.published_to)[1])
    return parts


def to_document(row: Sequence[Any]) -> Document:
    """Return the document of a row of `DOCUMENT` columns."""
    return Document(
        id=row[0],
        uri=row[1],
        title=row[2],
        language=row[3],
        original_sha256=row[4],
        text_sha256=row[5],
        speaker=row[6],
        published=row[7],
        media_type=row[8],
        pages=tuple(json.loads(row[9])),
        passage_count=row[10],
        collection=row[11],
        signs=tuple(row[12].split()),
    )


def to_passage(row: Sequence[Any]) -> Passage:
    """Return the passage of a row of `PASSAGE` columns."""
    return Passage(
        id=row[0],
        document_id=row[1],
        ordinal=row[2],
        start=row[3],
        end=row[4],
        language=row[5],
        sentences=unpack_spans(row[6], row[3]),
        heading=None if row[7] is None else Span(row[7], row[8]),
    )
