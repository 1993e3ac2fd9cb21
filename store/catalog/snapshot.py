"""The catalog at one moment: documents, and what searching and indexing need beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from store.catalog.documents import DOCUMENT, PASSAGE, DocumentReader, document_condition, to_document, to_passage
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
from store.types import Document, Filter, Span

EMBEDDING = "(SELECT CAST(value AS INTEGER) FROM library WHERE name = 'embedding')"
"""SQL: the embedding run whose vectors are in use."""
WHOLE = "length(v.halves) = 2 * ? * (1 + length(p.sentences) / 8)"
"""SQL: a passage has all the vectors that it should have, of as many dimensions as are given."""


class Snapshot(DocumentReader):
    """One moment of the catalog, for as long as its transaction is open. Not shared by threads."""

    def stored_passages(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredPassage]:
        """Return those of `passage_ids` that are live and pass the filter, by id.

        The filter's languages go by the passage, as in the indexes.
        """
        where = where or Filter()
        dimensions = self.number("dimensions")
        condition, values = document_condition(where, language="p.language")
        rows = self._select_in(
            f"SELECT {PASSAGE}, d.key, v.halves, {DOCUMENT} FROM passages p "
            "JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            f"WHERE d.state = 'live' AND {condition} AND p.id IN",
            passage_ids,
            values,
        )
        documents: dict[int, Document] = {}
        found = {}
        for row in rows:
            passage, key, halves = to_passage(row[:9]), row[9], row[10]
            if key not in documents:
                documents[key] = to_document(row[11:])
            found[passage.id] = StoredPassage(
                passage,
                documents[key],
                self.text_by_key(key, passage.start, passage.end),
                unpack_vectors(halves, dimensions),
            )
        return found

    def stored_vectors(self, passage_ids: Sequence[str], where: Filter | None = None) -> dict[str, StoredVectors]:
        """Return the vectors of those that `stored_passages` would return, in the order of `passage_ids`."""
        dimensions = self.number("dimensions")
        condition, values = document_condition(where or Filter(), language="p.language")
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
        """Return the packed tokens of live passages, by id; passages without any are left out."""
        rows = self._select_in(
            "SELECT p.id, v.tokens FROM passages p JOIN documents d ON d.key = p.document "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
            "WHERE d.state = 'live' AND v.tokens <> x'' AND p.id IN",
            passage_ids,
        )
        return dict(rows)

    def language_statistics(self) -> dict[str, LanguageStatistics]:
        """Return for each language the count and sum of its live passages' raw vectors, and of their tokens."""
        rows = self._connection.execute("SELECT language, count, sum, tokens FROM languages WHERE count > 0")
        return {
            row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2]), unpack_sum(row[3]) if row[3] else None)
            for row in rows
        }

    def centering_statistics(self) -> dict[str, LanguageStatistics]:
        """Return the statistics by which the vectors in the current index are centered."""
        rows = self._connection.execute("SELECT language, count, sum FROM centring WHERE count > 0")
        return {row[0]: LanguageStatistics(row[0], row[1], unpack_sum(row[2])) for row in rows}

    def index_rows(self, document_key: int, run: int) -> Iterator[IndexRow]:
        """Yield what the indexes hold of a document in any state, passage by passage, with vectors of this run."""
        rows = self._connection.execute(
            "SELECT p.id, p.language, p.start_offset, p.end_offset, p.heading_start, p.heading_end, "
            "d.id, d.speaker, d.published, d.collection, v.halves, length(p.sentences) / 8 "
            "FROM documents d JOIN passages p ON p.document = d.key "
            "JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
            "WHERE d.key = ? ORDER BY p.ordinal",
            (run, document_key),
        )
        for row in rows:
            yield IndexRow(
                passage_id=row[0],
                document_id=row[6],
                language=row[1],
                speaker=row[7],
                published=row[8],
                collection=row[9],
                text=self.text_by_key(document_key, row[2], row[3]),
                heading=None if row[4] is None else self.text_by_key(document_key, row[4], row[5]),
                vector=unpack_passage_vector(row[10], len(row[10]) // 2 // (1 + row[11])),
            )

    def live_keys(self, last: int, limit: int) -> list[int]:
        """Return the keys of up to `limit` live documents that follow `last`, in order."""
        rows = self._connection.execute(
            "SELECT key FROM documents WHERE key > ? AND state = 'live' ORDER BY key LIMIT ?", (last, limit)
        )
        return [row[0] for row in rows]

    def stored_document(self, *, uri: str | None = None, id: str | None = None) -> StoredDocument | None:
        """Return key and version of the live document with this uri or this id."""
        column, value = ("uri", uri) if uri is not None else ("id", id)
        row = self._connection.execute(
            f"SELECT key, id, version FROM documents WHERE state = 'live' AND {column} = ?", (value,)
        ).fetchone()
        return None if row is None else StoredDocument(*row)

    def packed_vectors(self, run: int, contents: Sequence[bytes]) -> dict[bytes, PackedVectors]:
        """Return the packed vectors of passages that embed the same words, by content digest."""
        found = {}
        for content in dict.fromkeys(contents):
            row = self._connection.execute(
                "SELECT v.halves, v.tokens FROM passages p JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
                "WHERE p.content = ? LIMIT 1",
                (run, content),
            ).fetchone()
            if row is not None:
                found[content] = PackedVectors(*row)
        return found

    def unembedded_passages(self, document_key: int, run: int) -> list[UnembeddedPassage]:
        """Return the passages of a document that have no vectors of this run, in order."""
        rows = self._connection.execute(
            "SELECT p.key, p.content, p.start_offset, p.end_offset, p.heading_start, p.heading_end, p.sentences "
            "FROM passages p LEFT JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
            "WHERE p.document = ? AND v.passage IS NULL ORDER BY p.ordinal",
            (run, document_key),
        )
        return [
            UnembeddedPassage(
                key,
                document_key,
                content,
                start,
                end,
                None if heading_start is None else Span(heading_start, heading_end),
                unpack_spans(sentences, 0),
            )
            for key, content, start, end, heading_start, heading_end, sentences in rows
        ]

    def unfinished_changes(self) -> list[UnfinishedChange]:
        """Return the documents whose adding, removal or change of metadata was begun and not finished."""
        rows = self._connection.execute(
            "SELECT key, id, state FROM documents WHERE state <> 'live' "
            "UNION ALL SELECT key, id, state FROM documents WHERE stale = 1 AND state = 'live'"
        )
        return [UnfinishedChange(*row) for row in rows]

    def passage_ids(self, document_key: int) -> list[str]:
        """Return the ids of a document's passages, whatever its state."""
        rows = self._connection.execute("SELECT id FROM passages WHERE document = ?", (document_key,))
        return [row[0] for row in rows]

    def sample(self, size: int) -> list[SampledVector]:
        """Return up to `size` live passages with their vectors, spread evenly from the oldest to the newest."""
        oldest, newest = self._connection.execute(
            "SELECT (SELECT min(key) FROM passages), (SELECT max(key) FROM passages)"
        ).fetchone()
        if oldest is None:
            return []
        dimensions = self.number("dimensions")
        found = {}
        for number in range(size):
            row = self._connection.execute(
                "SELECT p.key, p.id, p.language, v.halves FROM passages p "
                "JOIN documents d ON d.key = p.document "
                f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} "
                f"WHERE p.key >= ? AND d.state = 'live' AND {WHOLE} ORDER BY p.key LIMIT 1",
                (oldest + (newest - oldest) * number // max(1, size - 1), dimensions),
            ).fetchone()
            if row is not None:
                found[row[0]] = SampledVector(row[1], row[2], unpack_passage_vector(row[3], dimensions))
        return list(found.values())

    def count_languages(self, run: int, dimensions: int) -> dict[str, LanguageStatistics]:
        """Compute the statistics of every language from all live passages' vectors of this run."""
        counted = LanguageSums(dimensions)
        for row in self._connection.execute(
            "SELECT p.language, substr(v.halves, 1, ?), v.tokens FROM documents d JOIN passages p ON p.document = d.key "
            "JOIN vectors v ON v.passage = p.key AND v.embedding = ? WHERE d.state = 'live'",
            (2 * dimensions, run),
        ):
            counted.add(*row)
        return counted.statistics()
