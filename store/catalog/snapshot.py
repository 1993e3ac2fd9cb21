"""Reading the catalog as it is at one moment: every lookup goes by a key, none by a scan.

Only live documents are seen: neither those that are still being added nor those being removed.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from store.catalog.packing import BLOCK, unpack_spans, unpack_sum, unpack_vectors
from store.errors import NotFoundError
from store.text.date_ranges import day_range
from store.types import Document, Filter, ParsedDocument, Passage, Span

_DOCUMENT = (
    "d.id, d.uri, d.title, d.language, d.original_sha256, d.text_sha256, d.speaker, d.published, "
    "d.media_type, d.pages, d.passage_count, d.collection, d.signs"
)
_PASSAGE = (
    "p.id, d.id, p.ordinal, p.start_offset, p.end_offset, p.language, p.sentences, p.heading_start, p.heading_end"
)
EMBEDDING = "(SELECT CAST(value AS INTEGER) FROM library WHERE name = 'embedding')"
MANY = 500
"""Values in one `IN (...)`: below SQLite's oldest limit of 999."""


@dataclass(frozen=True, slots=True)
class StoredPassage:
    """A passage with all that ranking and showing it need."""

    passage: Passage
    document: Document
    text: str
    vectors: NDArray[np.float32]
    """Raw unit vectors ``(1 + sentences, dimensions)``: row 0 the passage, then its sentences."""


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """What ranking needs of a passage, and no more: it looks at far more passages than are shown."""

    passage_id: str
    language: str
    vectors: NDArray[np.float32]
    """Raw unit vectors ``(1 + sentences, dimensions)``: row 0 the passage, then its sentences."""


@dataclass(frozen=True, slots=True)
class LanguageStatistics:
    """Sum of the raw passage vectors of one language, so ``sum / count`` is their mean."""

    language: str
    count: int
    sum: NDArray[np.float64]
    """``(dimensions,)``"""
    token_sum: NDArray[np.float64] | None = None
    """Sum of the passages' mean token codes, ``(size,)``; None where the library has none."""

    def plus(self, other: LanguageStatistics) -> LanguageStatistics:
        """Both together."""
        mine, its = self.token_sum, other.token_sum
        tokens = mine + its if mine is not None and its is not None else mine if its is None else its
        return LanguageStatistics(self.language, self.count + other.count, self.sum + other.sum, tokens)

    def negative(self) -> LanguageStatistics:
        """What `plus` takes off."""
        tokens = None if self.token_sum is None else -self.token_sum
        return LanguageStatistics(self.language, -self.count, -self.sum, tokens)


@dataclass(frozen=True, slots=True)
class DocumentPage:
    """Some documents, ordered by uri, and where the next page begins."""

    documents: tuple[Document, ...]
    next: str | None
    """Give it as `after` for the following page; None after the last one."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """How much a library holds. `languages` counts passages, `speakers` counts documents."""

    documents: int
    passages: int
    characters: int
    languages: dict[str, int]
    speakers: dict[str, int]
    """The hundred most frequent; documents without a speaker aren't counted here."""


class Snapshot:
    """One moment of the catalog, for as long as its transaction is open. Not shared by threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        """For the store's own modules."""

    def value(self, name: str) -> str | None:
        """What the library notes under `name`, such as the embedding model's fingerprint."""
        row = self.connection.execute("SELECT value FROM library WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def number(self, name: str) -> int:
        """The same as a whole number; 0 where nothing is noted."""
        return int(self.value(name) or 0)

    def document(self, document_id: str) -> Document:
        """Raises NotFoundError."""
        found = self.documents_by_id([document_id])
        if document_id not in found:
            raise NotFoundError(f"No document has the id {document_id!r}; `attest documents list` shows all of them.")
        return found[document_id]

    def documents_by_id(self, document_ids: Sequence[str]) -> dict[str, Document]:
        """Those that exist, by id."""
        rows = self._select_in(f"SELECT {_DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.id IN", document_ids)
        return {row[0]: _document(row) for row in rows}

    def find_document(self, uri: str) -> Document | None:
        """The document that was added under `uri`, if any."""
        row = self.connection.execute(
            f"SELECT {_DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.uri = ?",
            (uri,),
        ).fetchone()
        return None if row is None else _document(row)

    def is_current(self, uri: str, original_sha256: str, normalization: int) -> bool:
        """Whether the very file is here already, as this normalization would read it."""
        row = self.connection.execute(
            "SELECT original_sha256, normalization FROM documents WHERE state = 'live' AND uri = ?", (uri,)
        ).fetchone()
        return row is not None and tuple(row) == (original_sha256, normalization)

    def documents(self, after: str | None, limit: int, where: Filter | None = None) -> DocumentPage:
        """Up to `limit` documents whose uri follows `after`; `where` goes by the documents' languages."""
        condition, values = _document_condition(where or Filter())
        rows = self.connection.execute(
            f"SELECT {_DOCUMENT} FROM documents d WHERE d.state = 'live' AND d.uri > ? AND {condition} "
            "ORDER BY d.uri LIMIT ?",
            (after or "", *values, limit + 1),
        ).fetchall()
        documents = tuple(_document(row) for row in rows[:limit])
        return DocumentPage(documents, documents[-1].uri if len(rows) > limit else None)

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """The part ``[start:end]`` of a document's normalized text. Raises NotFoundError."""
        row = self.connection.execute(
            "SELECT key, characters FROM documents WHERE state = 'live' AND id = ?", (document_id,)
        ).fetchone()
        if row is None:
            self.document(document_id)
        return self.words(row[0], start, row[1] if end is None else min(end, row[1]))

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """The passages of a document, in order. Raises NotFoundError."""
        self.document(document_id)
        rows = self.connection.execute(
            f"SELECT {_PASSAGE} FROM documents d JOIN passages p ON p.document = d.key "
            "WHERE d.state = 'live' AND d.id = ? ORDER BY p.ordinal",
            (document_id,),
        )
        return tuple(_passage(row) for row in rows)

    def parsed(self, document_id: str) -> ParsedDocument:
        """All that is kept of a document, as adding it takes it. Raises NotFoundError."""
        document = self.document(document_id)
        row = self.connection.execute(
            "SELECT normalization FROM documents WHERE state = 'live' AND id = ?", (document_id,)
        ).fetchone()
        return ParsedDocument(document, self.text(document_id), self.passages(document_id), row[0])

    def stored_passages(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredPassage]:
        """Those of `passage_ids` that are live and pass the filter, by id, with words and raw vectors.

        The filter's languages go by the passage here, as in the indexes.
        """
        where = where or Filter()
        dimensions = self.number("dimensions")
        condition, values = _document_condition(where, language="p.language")
        rows = self._select_in(
            f"SELECT {_PASSAGE}, d.key, v.halves, {_DOCUMENT} FROM passages p "
            "JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            f"WHERE d.state = 'live' AND {condition} AND p.id IN",
            passage_ids,
            values,
        )
        documents: dict[int, Document] = {}
        found = {}
        for row in rows:
            passage, key, halves = _passage(row[:9]), row[9], row[10]
            if key not in documents:
                documents[key] = _document(row[11:])
            found[passage.id] = StoredPassage(
                passage,
                documents[key],
                self.words(key, passage.start, passage.end),
                unpack_vectors(halves, dimensions),
            )
        return found

    def stored_vectors(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredVectors]:
        """The vectors of those that `stored_passages` would give, in the order of `passage_ids`."""
        dimensions = self.number("dimensions")
        condition, values = _document_condition(where or Filter(), language="p.language")
        rows = self._select_in(
            "SELECT p.id, p.language, v.halves FROM passages p "
            "JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            f"WHERE d.state = 'live' AND {condition} AND p.id IN",
            passage_ids,
            values,
        )
        found = {row[0]: StoredVectors(row[0], row[1], unpack_vectors(row[2], dimensions)) for row in rows}
        return {passage_id: found[passage_id] for passage_id in passage_ids if passage_id in found}

    def stored_tokens(self, passage_ids: Sequence[str]) -> dict[str, bytes]:
        """The packed tokens of live passages, by id; those without any are left out."""
        rows = self._select_in(
            "SELECT p.id, v.tokens FROM passages p JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            "WHERE d.state = 'live' AND v.tokens <> x'' AND p.id IN",
            passage_ids,
        )
        return dict(rows)

    def language_statistics(self) -> dict[str, LanguageStatistics]:
        """For each language, count and sum of its live passages' raw vectors, and of their tokens."""
        rows = self.connection.execute("SELECT language, count, sum, tokens FROM languages WHERE count > 0")
        return {
            row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2]), unpack_sum(row[3]) if row[3] else None)
            for row in rows
        }

    def centring_statistics(self) -> dict[str, LanguageStatistics]:
        """The same as it was when the indexes in use were last made: what their vectors are centred by."""
        rows = self.connection.execute("SELECT language, count, sum FROM centring WHERE count > 0")
        return {row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2])) for row in rows}

    def collections(self) -> dict[str, int]:
        """How many documents each collection has, the empty name's among them."""
        rows = self.connection.execute(
            "SELECT collection, count(*) FROM documents WHERE state = 'live' GROUP BY collection ORDER BY collection"
        )
        return dict(rows.fetchall())

    def statistics(self, collections: Sequence[str] = ()) -> Statistics:
        """Counts of all documents or of those in `collections`, from a covering index and the table of languages.

        In collections the passages of a document count for its own language.
        """
        if collections:
            return self._statistics_of(collections)
        documents, characters = self.connection.execute(
            "SELECT count(*), coalesce(sum(characters), 0) FROM documents WHERE state = 'live'"
        ).fetchone()
        speakers = self.connection.execute(
            "SELECT speaker, count(*) FROM documents WHERE state = 'live' AND speaker IS NOT NULL "
            "GROUP BY speaker ORDER BY count(*) DESC, speaker LIMIT 100"
        )
        languages = self.connection.execute(
            "SELECT language, count FROM languages WHERE count > 0 ORDER BY count DESC, language"
        )
        counts = dict(languages.fetchall())
        return Statistics(documents, sum(counts.values()), characters, counts, dict(speakers.fetchall()))

    def _statistics_of(self, collections: Sequence[str]) -> Statistics:
        among = f"FROM documents WHERE state = 'live' AND collection IN ({_marks(collections)})"
        languages: dict[str, int] = {}
        documents = characters = 0
        for language, count, length, passages in self.connection.execute(
            f"SELECT language, count(*), sum(characters), sum(passage_count) {among} GROUP BY language "
            "ORDER BY sum(passage_count) DESC, language",
            tuple(collections),
        ):
            documents, characters = documents + count, characters + length
            languages[language] = passages
        speakers = self.connection.execute(
            f"SELECT speaker, count(*) {among} AND speaker IS NOT NULL "
            "GROUP BY speaker ORDER BY count(*) DESC, speaker LIMIT 100",
            tuple(collections),
        )
        return Statistics(documents, sum(languages.values()), characters, languages, dict(speakers.fetchall()))

    def words(self, key: int, start: int, end: int) -> str:
        """The part ``[start:end]`` of the text of the document with this key, in any state."""
        if end <= start:
            return ""
        first = start // BLOCK
        rows = self.connection.execute(
            "SELECT text FROM texts WHERE document = ? AND block BETWEEN ? AND ? ORDER BY block",
            (key, first, (end - 1) // BLOCK),
        )
        return "".join(row[0] for row in rows)[start - first * BLOCK : end - first * BLOCK]

    def _select_in(self, query: str, keys: Sequence[str], values: Sequence[object] = ()) -> Iterator[Any]:
        """Rows of `query`, which ends with ``IN``, for the keys in portions."""
        for start in range(0, len(keys), MANY):
            some = keys[start : start + MANY]
            yield from self.connection.execute(f"{query} ({_marks(some)})", (*values, *some))


def _document_condition(where: Filter, language: str = "d.language") -> tuple[str, list[object]]:
    """The filter as SQL on a document `d`, with its values."""
    parts: list[str] = []
    values: list[object] = []
    for column, wanted in (
        ("d.id", where.documents),
        ("d.speaker", where.speakers),
        (language, where.languages),
        ("d.collection", where.collections),
    ):
        if wanted:
            parts.append(f"{column} IN ({_marks(wanted)})")
            values.extend(wanted)
    if where.published_from is not None:
        parts.append("d.published_last >= ?")
        values.append(day_range(where.published_from)[0])
    if where.published_to is not None:
        parts.append("d.published_first <= ?")
        values.append(day_range(where.published_to)[1])
    return " AND ".join(parts) or "1", values


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


def _document(row: Sequence[Any]) -> Document:
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


def _passage(row: Sequence[Any]) -> Passage:
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
