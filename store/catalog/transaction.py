"""Changing the catalog: each method is one step inside a transaction that its caller holds open."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import astuple

from store.catalog.language_sums import LanguageStatistics, LanguageSums
from store.catalog.packing import blocks, content_digest, pack_spans, pack_sum, version_digest
from store.catalog.rows import PackedVectors
from store.catalog.snapshot import EMBEDDING, WHOLE, Snapshot
from store.ids import passage_id
from store.text.date_ranges import day_range
from store.types import Chunk, Document, ParsedDocument, Span


class Transaction(Snapshot):
    """The catalog while it is changed; it reads what it has written. See `Catalog.transaction`."""

    def set_value(self, name: str, value: str | int) -> None:
        """Note a fact about the library itself."""
        self._connection.execute("INSERT OR REPLACE INTO library VALUES (?, ?)", (name, str(value)))

    def bump_revision(self) -> None:
        """Count a change of what readers see, so that they can tell that something changed under them."""
        self._connection.execute(
            "INSERT INTO library VALUES ('revision', '1') "
            "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)"
        )

    def is_taken(self, document_id: str) -> bool:
        """Return whether a document that is live, or is being added, has this id."""
        row = self._connection.execute(
            "SELECT EXISTS (SELECT 1 FROM documents WHERE state = 'live' AND id = ?) "
            "OR EXISTS (SELECT 1 FROM documents WHERE state = 'pending' AND id = ?)",
            (document_id, document_id),
        ).fetchone()
        return bool(row[0])

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
        key = self._connection.execute(
            f"INSERT INTO documents ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
            tuple(columns.values()),
        ).lastrowid
        assert key is not None  # noqa: S101 - an INSERT that didn't raise has a rowid
        self._connection.executemany(
            "INSERT INTO texts VALUES (?, ?, ?)",
            ((key, number, block) for number, block in enumerate(blocks(parsed.text))),
        )
        self._connection.executemany(
            "INSERT INTO passages (id, document, ordinal, start_offset, end_offset, language, heading_start, "
            "heading_end, sentences, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                (passage_id(document_id, version, ordinal), key, ordinal, *_chunk_columns(chunk, parsed.text))
                for ordinal, chunk in enumerate(parsed.passages)
            ),
        )
        return key

    def insert_vectors(self, embedding: int, rows: Iterable[tuple[int, PackedVectors]]) -> None:
        """Store packed vectors by passage key, for the given run of the embedding model."""
        self._connection.executemany(
            "INSERT OR REPLACE INTO vectors (embedding, passage, halves, tokens) VALUES (?, ?, ?, ?)",
            ((embedding, key, packed.halves, packed.tokens) for key, packed in rows),
        )

    def publish(self, key: int) -> None:
        """Make a pending document live, and retire the version of it that was live."""
        uri = self._connection.execute("SELECT uri FROM documents WHERE key = ?", (key,)).fetchone()[0]
        former = self.stored_document(uri=uri)
        if former is not None:
            self.retire(former.key)
        self._connection.execute("UPDATE documents SET state = 'live' WHERE key = ?", (key,))
        self._count_languages(key, sign=1)
        self.bump_revision()

    def retire(self, key: int) -> None:
        """Take a live document out of sight; its rows stay until the indexes have forgotten it."""
        self._count_languages(key, sign=-1)
        self._connection.execute("UPDATE documents SET state = 'retired' WHERE key = ?", (key,))
        self.bump_revision()

    def delete(self, key: int) -> None:
        """Delete a document that is not live, with its text, passages and vectors."""
        self._connection.execute("DELETE FROM documents WHERE key = ? AND state <> 'live'", (key,))

    def update_metadata(self, key: int, parsed: ParsedDocument) -> bool:
        """Give a document new metadata where it differs; return whether anything that users see did."""
        columns = _document_columns(parsed.document) | {"original_sha256": parsed.document.original_sha256}
        names = ", ".join(columns)
        before = self._connection.execute(f"SELECT {names} FROM documents WHERE key = ?", (key,)).fetchone()
        changed = tuple(before) != tuple(columns.values())
        if changed:
            self._connection.execute(
                f"UPDATE documents SET {' = ?, '.join(columns)} = ?, stale = 1 WHERE key = ?",
                (*columns.values(), key),
            )
            self.bump_revision()
        self._connection.execute(
            "UPDATE documents SET normalization = ? WHERE key = ? AND normalization <> ?",
            (parsed.normalization, key, parsed.normalization),
        )
        return changed

    def set_languages(self, statistics: Mapping[str, LanguageStatistics], *, recentered: bool) -> None:
        """Store the library's statistics; if `recentered`, also as those by which its vectors are centered."""
        self._connection.execute("DELETE FROM languages")
        for each in statistics.values():
            self._insert_language(each)
        if recentered:
            self._connection.execute("DELETE FROM centring")
            self._connection.execute("INSERT INTO centring SELECT language, count, sum FROM languages")

    def begin_run(self, fingerprint: str) -> int:
        """Return the number of the embedding run that this model began and didn't finish, or of a new one."""
        known = dict(self._connection.execute("SELECT name, value FROM library").fetchall())
        if known.get("next_fingerprint") == fingerprint:
            return int(known["next_embedding"])
        run = max(int(known.get("next_embedding", 0)), int(known.get("embedding", 0))) + 1
        self.set_value("next_embedding", run)
        self.set_value("next_fingerprint", fingerprint)
        return run

    def delete_other_runs(self, run: int) -> None:
        """Delete all vectors but this run's, and the note that it was under way."""
        self._connection.execute("DELETE FROM vectors WHERE embedding <> ?", (run,))
        self._connection.execute("DELETE FROM library WHERE name = 'next_fingerprint'")

    def delete_unfinished(self) -> None:
        """Delete every document that isn't live, and note that all index entries are current."""
        self._connection.execute("DELETE FROM documents WHERE state <> 'live'")
        self._connection.execute("UPDATE documents SET stale = 0 WHERE stale = 1")

    def mark_indexed(self, keys: Iterable[int]) -> None:
        """Note that the index entries of these documents are current."""
        self._connection.executemany("UPDATE documents SET stale = 0 WHERE key = ?", [(key,) for key in keys])

    def delete_incomplete_vectors(self) -> None:
        """Delete the vectors in use of passages that lack some, so that these passages are embedded again."""
        run, dimensions = self.number("embedding"), self.number("dimensions")
        self._connection.execute(
            "DELETE FROM vectors WHERE (passage, embedding) IN (SELECT v.passage, v.embedding FROM vectors v "
            f"JOIN passages p ON p.key = v.passage WHERE v.embedding = ? AND NOT {WHOLE})",
            (run, dimensions),
        )

    def _count_languages(self, key: int, sign: int) -> None:
        """Add a document's passages to the sums of their languages; with sign -1 subtract them."""
        dimensions = self.number("dimensions")
        if not dimensions:
            return
        counted = LanguageSums(dimensions)
        for passage in self._connection.execute(
            "SELECT p.language, substr(v.halves, 1, ?), v.tokens FROM passages p "
            f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} WHERE p.document = ?",
            (2 * counted.dimensions, key),
        ):
            counted.add(*passage)
        before = self.language_statistics()
        for language, change in counted.statistics().items():
            after = change if sign > 0 else change.negative()
            if language in before:
                after = before[language].plus(after)
            if after.count:
                self._insert_language(after)
            else:
                self._connection.execute("DELETE FROM languages WHERE language = ?", (language,))

    def _insert_language(self, each: LanguageStatistics) -> None:
        tokens = b"" if each.token_sum is None else pack_sum(each.token_sum)
        self._connection.execute(
            "INSERT OR REPLACE INTO languages (language, count, sum, tokens) VALUES (?, ?, ?, ?)",
            (each.language, each.count, pack_sum(each.sum), tokens),
        )


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


def _chunk_columns(chunk: Chunk, text: str) -> tuple[object, ...]:
    relative = [Span(span.start - chunk.start, span.end - chunk.start) for span in chunk.sentences]
    heading = chunk.heading
    return (
        chunk.start,
        chunk.end,
        chunk.language,
        *(astuple(heading) if heading else (None, None)),
        pack_spans(chunk.sentences, chunk.start),
        content_digest(text[chunk.start : chunk.end], heading.of(text) if heading else None, relative),
    )
