"""Reading documents, their text and their passages, as they are at one moment.

Only live documents are visible: neither those still being added nor those being removed. Every lookup goes by a key.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import Any

from store.catalog.packing import BLOCK, unpack_spans
from store.catalog.rows import DocumentPage, Statistics
from store.errors import NotFoundError
from store.text.date_ranges import day_range
from store.types import Chunk, Document, Filter, ParsedDocument, Passage, Span

DOCUMENT = (
    "d.id, d.uri, d.title, d.language, d.original_sha256, d.text_sha256, d.speaker, d.published, "
    "d.media_type, d.pages, d.passage_count, d.collection, d.signs"
)
"""The columns that `to_document` reads."""
PASSAGE = "p.id, d.id, p.ordinal, p.start_offset, p.end_offset, p.language, p.sentences, p.heading_start, p.heading_end"
"""The columns that `to_passage` reads."""
MANY = 500
"""Values in one `IN (...)`: below SQLite's oldest limit of 999."""


class DocumentReader:
    """Reads documents inside one transaction. Not shared by threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def value(self, name: str) -> str | None:
        """Return what the library notes under `name`, such as the embedding model's fingerprint."""
        row = self._connection.execute("SELECT value FROM library WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def number(self, name: str) -> int:
        """Return the noted value as a whole number; 0 where nothing is noted."""
        return int(self.value(name) or 0)

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
        """Return those that exist, by id."""
        rows = self._select_in(f"SELECT {DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.id IN", document_ids)
        return {row[0]: to_document(row) for row in rows}

    def find_document(self, uri: str) -> Document | None:
        """Return the document that was added under `uri`, if any."""
        row = self._connection.execute(
            f"SELECT {DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.uri = ?",
            (uri,),
        ).fetchone()
        return None if row is None else to_document(row)

    def is_current(self, uri: str, original_sha256: str, normalization: int) -> bool:
        """Return whether this very file is here already, as this `normalization` would read it."""
        row = self._connection.execute(
            "SELECT original_sha256, normalization FROM documents WHERE state = 'live' AND uri = ?", (uri,)
        ).fetchone()
        return row is not None and tuple(row) == (original_sha256, normalization)

    def documents(self, after: str | None, limit: int, where: Filter | None = None) -> DocumentPage:
        """Return up to `limit` documents whose uri follows `after`; `where` goes by the documents' languages."""
        condition, values = document_condition(where or Filter())
        rows = self._connection.execute(
            f"SELECT {DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.uri > ? AND {condition} "
            "ORDER BY d.uri LIMIT ?",
            (after or "", *values, limit + 1),
        ).fetchall()
        documents = tuple(to_document(row) for row in rows[:limit])
        return DocumentPage(documents, documents[-1].uri if len(rows) > limit else None)

    def documents_prepared_before(self, normalization: int, after: str | None, limit: int) -> DocumentPage:
        """Return up to `limit` documents whose uri follows `after` and whose `normalization` is a lower number."""
        rows = self._connection.execute(
            f"SELECT {DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.uri > ? AND d.normalization < ? "
            "ORDER BY d.uri LIMIT ?",
            (after or "", normalization, limit + 1),
        ).fetchall()
        documents = tuple(to_document(row) for row in rows[:limit])
        return DocumentPage(documents, documents[-1].uri if len(rows) > limit else None)

    def prepared_before(self, normalization: int, document_ids: Sequence[str]) -> frozenset[str]:
        """Return those of the ids whose documents have a lower `normalization`."""
        rows = self._select_in(
            "SELECT d.id, d.normalization FROM documents d WHERE d.state = 'live' AND d.id IN", document_ids
        )
        return frozenset(row[0] for row in rows if row[1] < normalization)

    def newest(self, limit: int, where: Filter | None = None) -> tuple[Document, ...]:
        """Return up to `limit` documents, those added last first; `where` goes by the documents' languages."""
        condition, values = document_condition(where or Filter())
        rows = self._connection.execute(
            f"SELECT {DOCUMENT} FROM documents d WHERE d.state = 'live' AND {condition} ORDER BY d.key DESC LIMIT ?",
            (*values, limit),
        )
        return tuple(to_document(row) for row in rows)

    def document_languages(self, where: Filter | None = None) -> dict[str, int]:
        """Return how many of the documents that `where` admits are in each language, the most frequent first."""
        condition, values = document_condition(where or Filter())
        rows = self._connection.execute(
            f"SELECT d.language, count(*) FROM documents d WHERE d.state = 'live' AND {condition} "
            "GROUP BY d.language ORDER BY count(*) DESC, d.language",
            values,
        )
        return dict(rows.fetchall())

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the part ``[start:end]`` of a document's normalized text. Raises NotFoundError."""
        row = self._connection.execute(
            "SELECT key, characters FROM documents WHERE state = 'live' AND id = ?", (document_id,)
        ).fetchone()
        if row is None:
            self.document(document_id)
        return self.text_by_key(row[0], start, row[1] if end is None else min(end, row[1]))

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order. Raises NotFoundError."""
        self.document(document_id)
        rows = self._connection.execute(
            f"SELECT {PASSAGE} FROM documents d JOIN passages p ON p.document = d.key "
            "WHERE d.state = 'live' AND d.id = ? ORDER BY p.ordinal",
            (document_id,),
        )
        return tuple(to_passage(row) for row in rows)

    def parsed(self, document_id: str) -> ParsedDocument:
        """Return a document as `Library.add` takes it. Raises NotFoundError."""
        document = self.document(document_id)
        row = self._connection.execute(
            "SELECT normalization FROM documents WHERE state = 'live' AND id = ?", (document_id,)
        ).fetchone()
        chunks = tuple(Chunk(p.start, p.end, p.language, p.sentences, p.heading) for p in self.passages(document_id))
        return ParsedDocument(document, self.text(document_id), chunks, row[0])

    def collections(self) -> dict[str, int]:
        """Return how many documents each collection has; the empty name stands for those without any."""
        rows = self._connection.execute(
            "SELECT collection, count(*) FROM documents WHERE state = 'live' GROUP BY collection ORDER BY collection"
        )
        return dict(rows.fetchall())

    def statistics(self, collections: Sequence[str] = ()) -> Statistics:
        """Count all documents or those in `collections`, from a covering index and the table of languages.

        With `collections`, the passages of a document count for the document's language.
        """
        if collections:
            return self._statistics_of(collections)
        documents, characters = self._connection.execute(
            "SELECT count(*), coalesce(sum(characters), 0) FROM documents WHERE state = 'live'"
        ).fetchone()
        speakers = self._connection.execute(
            "SELECT speaker, count(*) FROM documents WHERE state = 'live' AND speaker IS NOT NULL "
            "GROUP BY speaker ORDER BY count(*) DESC, speaker LIMIT 100"
        )
        languages = self._connection.execute(
            "SELECT language, count FROM languages WHERE count > 0 ORDER BY count DESC, language"
        )
        counts = dict(languages.fetchall())
        return Statistics(documents, sum(counts.values()), characters, counts, dict(speakers.fetchall()))

    def _statistics_of(self, collections: Sequence[str]) -> Statistics:
        among = f"FROM documents WHERE state = 'live' AND collection IN ({placeholders(collections)})"
        languages: dict[str, int] = {}
        documents = characters = 0
        for language, count, length, passages in self._connection.execute(
            f"SELECT language, count(*), sum(characters), sum(passage_count) {among} GROUP BY language "
            "ORDER BY sum(passage_count) DESC, language",
            tuple(collections),
        ):
            documents, characters = documents + count, characters + length
            languages[language] = passages
        speakers = self._connection.execute(
            f"SELECT speaker, count(*) {among} AND speaker IS NOT NULL "
            "GROUP BY speaker ORDER BY count(*) DESC, speaker LIMIT 100",
            tuple(collections),
        )
        return Statistics(documents, sum(languages.values()), characters, languages, dict(speakers.fetchall()))

    def text_by_key(self, key: int, start: int, end: int) -> str:
        """Return the part ``[start:end]`` of the text of the document with this key, in any state."""
        if end <= start:
            return ""
        first = start // BLOCK
        rows = self._connection.execute(
            "SELECT text FROM texts WHERE document = ? AND block BETWEEN ? AND ? ORDER BY block",
            (key, first, (end - 1) // BLOCK),
        )
        return "".join(row[0] for row in rows)[start - first * BLOCK : end - first * BLOCK]

    def _select_in(self, query: str, keys: Sequence[str], values: Sequence[object] = ()) -> Iterator[Any]:
        """Yield the rows of `query`, which ends with ``IN``, for the keys in portions."""
        for start in range(0, len(keys), MANY):
            some = keys[start : start + MANY]
            yield from self._connection.execute(f"{query} ({placeholders(some)})", (*values, *some))


def document_condition(where: Filter, language: str = "d.language") -> tuple[str, list[object]]:
    """Return the filter as SQL on a document `d`, with its values."""
    parts: list[str] = []
    values: list[object] = []
    for column, wanted in (
        ("d.id", where.documents),
        ("d.speaker", where.speakers),
        (language, where.languages),
        ("d.collection", where.collections),
    ):
        if wanted:
            parts.append(f"{column} IN ({placeholders(wanted)})")
            values.extend(wanted)
    if where.published_from is not None:
        parts.append("d.published_last >= ?")
        values.append(day_range(where.published_from)[0])
    if where.published_to is not None:
        parts.append("d.published_first <= ?")
        values.append(day_range(where.published_to)[1])
    return " AND ".join(parts) or "1", values


def placeholders(values: Sequence[object]) -> str:
    """Return a question mark for each value."""
    return ",".join("?" * len(values))


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
