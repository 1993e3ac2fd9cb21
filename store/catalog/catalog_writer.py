"""Changing the catalog: each function is one step inside a transaction that its caller holds."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass

from store.catalog.language_sums import LanguageCounts
from store.catalog.packing import (
    blocks,
    content_digest,
    pack_spans,
    pack_sum,
    version_digest,
)
from store.catalog.snapshot import EMBEDDING, LanguageStatistics, Snapshot
from store.text.date_ranges import day_range
from store.types import Document, ParsedDocument, Passage, Span


@dataclass(frozen=True, slots=True)
class Packed:
    """What the embedding model made of a passage, as the catalog keeps it."""

    halves: bytes
    """See `store.catalog.packing.pack_vectors`."""
    tokens: bytes
    """See `store.embedding.token_states.PassageTokens`; empty where the model has no basis for them."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A row of `documents` with what decides whether it is up to date."""

    key: int
    id: str
    version: str


def set_value(connection: sqlite3.Connection, name: str, value: str | int) -> None:
    """Note a fact about the library itself."""
    connection.execute("INSERT OR REPLACE INTO library VALUES (?, ?)", (name, str(value)))


def bump_revision(connection: sqlite3.Connection) -> None:
    """Count a change of what readers see, so that they can tell that something changed under them."""
    connection.execute(
        "INSERT INTO library VALUES ('revision', '1') "
        "ON CONFLICT (name) DO UPDATE SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT)"
    )


def find_live(connection: sqlite3.Connection, *, uri: str | None = None, id: str | None = None) -> Stored | None:
    """The live document with this uri or this id."""
    column, value = ("uri", uri) if uri is not None else ("id", id)
    row = connection.execute(
        f"SELECT key, id, version FROM documents WHERE state = 'live' AND {column} = ?",
        (value,),
    ).fetchone()
    return None if row is None else Stored(*row)


def insert_pending(connection: sqlite3.Connection, parsed: ParsedDocument, document_id: str) -> int:
    """Store a document that no search sees yet; returns its key.

    Its passages get ids that no other version of any document has, so that the entries of two
    versions can lie in the indexes side by side.
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
    key = connection.execute(
        f"INSERT INTO documents ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})",
        tuple(columns.values()),
    ).lastrowid
    assert key is not None  # noqa: S101 - an INSERT that didn't raise has a rowid
    connection.executemany(
        "INSERT INTO texts VALUES (?, ?, ?)",
        ((key, number, block) for number, block in enumerate(blocks(parsed.text))),
    )
    connection.executemany(
        "INSERT INTO passages (id, document, ordinal, start_offset, end_offset, language, heading_start, "
        "heading_end, sentences, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            (f"{document_id}.{version}.{passage.ordinal}", key, *_passage_columns(passage, parsed.text))
            for passage in parsed.passages
        ),
    )
    return key


def insert_vectors(connection: sqlite3.Connection, embedding: int, rows: Iterable[tuple[int, Packed]]) -> None:
    """Store packed vectors by passage key, for the given run of the embedding model."""
    connection.executemany(
        "INSERT OR REPLACE INTO vectors (embedding, passage, halves, tokens) VALUES (?, ?, ?, ?)",
        ((embedding, key, packed.halves, packed.tokens) for key, packed in rows),
    )


def known_vectors(connection: sqlite3.Connection, embedding: int, contents: Sequence[bytes]) -> dict[bytes, Packed]:
    """Packed vectors of passages whose embedded words are the same, by content digest."""
    found = {}
    for content in dict.fromkeys(contents):
        row = connection.execute(
            "SELECT v.halves, v.tokens FROM passages p JOIN vectors v ON v.passage = p.key AND v.embedding = ? "
            "WHERE p.content = ? LIMIT 1",
            (embedding, content),
        ).fetchone()
        if row is not None:
            found[content] = Packed(*row)
    return found


def publish(connection: sqlite3.Connection, key: int) -> None:
    """Make a pending document live, and retire the version of it that was live."""
    uri = connection.execute("SELECT uri FROM documents WHERE key = ?", (key,)).fetchone()[0]
    former = find_live(connection, uri=uri)
    if former is not None:
        retire(connection, former.key)
    connection.execute("UPDATE documents SET state = 'live' WHERE key = ?", (key,))
    _count_languages(connection, key, sign=1)
    bump_revision(connection)


def retire(connection: sqlite3.Connection, key: int) -> None:
    """Take a live document out of sight; its rows stay until the indexes have forgotten it."""
    _count_languages(connection, key, sign=-1)
    connection.execute("UPDATE documents SET state = 'retired' WHERE key = ?", (key,))
    bump_revision(connection)


def delete(connection: sqlite3.Connection, key: int) -> None:
    """Delete a document that is not live, with its text, passages and vectors."""
    connection.execute("DELETE FROM documents WHERE key = ? AND state <> 'live'", (key,))


def update_metadata(connection: sqlite3.Connection, key: int, parsed: ParsedDocument) -> bool:
    """Give a document new metadata where it differs; returns whether anything that users see did."""
    columns = _document_columns(parsed.document) | {"original_sha256": parsed.document.original_sha256}
    names = ", ".join(columns)
    before = connection.execute(f"SELECT {names} FROM documents WHERE key = ?", (key,)).fetchone()
    changed = tuple(before) != tuple(columns.values())
    if changed:
        connection.execute(
            f"UPDATE documents SET {' = ?, '.join(columns)} = ?, stale = 1 WHERE key = ?",
            (*columns.values(), key),
        )
        bump_revision(connection)
    connection.execute(
        "UPDATE documents SET normalization = ? WHERE key = ? AND normalization <> ?",
        (parsed.normalization, key, parsed.normalization),
    )
    return changed


def set_languages(
    connection: sqlite3.Connection, statistics: Mapping[str, LanguageStatistics], *, recentred: bool
) -> None:
    """Take these as the library's statistics and, if `recentred`, as those that its indexes are centred by."""
    connection.execute("DELETE FROM languages")
    for each in statistics.values():
        _insert_language(connection, each)
    if recentred:
        connection.execute("DELETE FROM centring")
        connection.execute("INSERT INTO centring SELECT language, count, sum FROM languages")


def begin_run(connection: sqlite3.Connection, fingerprint: str) -> int:
    """The number of the embedding run that this model began and didn't end, or of a new one."""
    known = dict(connection.execute("SELECT name, value FROM library").fetchall())
    if known.get("next_fingerprint") == fingerprint:
        return int(known["next_embedding"])
    run = max(int(known.get("next_embedding", 0)), int(known.get("embedding", 0))) + 1
    set_value(connection, "next_embedding", run)
    set_value(connection, "next_fingerprint", fingerprint)
    return run


def delete_other_runs(connection: sqlite3.Connection, run: int) -> None:
    """Delete all vectors but this run's, and the note that it was under way."""
    connection.execute("DELETE FROM vectors WHERE embedding <> ?", (run,))
    connection.execute("DELETE FROM library WHERE name = 'next_fingerprint'")


def _document_columns(document: Document) -> dict[str, object]:
    """What a user may change about a document without changing its text."""
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


def _passage_columns(passage: Passage, text: str) -> tuple[object, ...]:
    relative = [Span(span.start - passage.start, span.end - passage.start) for span in passage.sentences]
    heading = passage.heading
    words = text[passage.start : passage.end]
    return (
        passage.ordinal,
        passage.start,
        passage.end,
        passage.language,
        *(astuple(heading) if heading else (None, None)),
        pack_spans(passage.sentences, passage.start),
        content_digest(words, heading.of(text) if heading else None, relative),
    )


def _count_languages(connection: sqlite3.Connection, key: int, sign: int) -> None:
    """Add a document's passages to the sums of their languages, or with sign -1 take them off."""
    row = connection.execute("SELECT value FROM library WHERE name = 'dimensions'").fetchone()
    if row is None:
        return
    counted = LanguageCounts(int(row[0]))
    for passage in connection.execute(
        "SELECT p.language, substr(v.halves, 1, ?), v.tokens FROM passages p "
        f"JOIN vectors v ON v.passage = p.key AND v.embedding = {EMBEDDING} WHERE p.document = ?",
        (2 * counted.dimensions, key),
    ):
        counted.add(*passage)
    before = Snapshot(connection).language_statistics()
    for language, change in counted.statistics().items():
        after = change if sign > 0 else change.negative()
        if language in before:
            after = before[language].plus(after)
        if after.count:
            _insert_language(connection, after)
        else:
            connection.execute("DELETE FROM languages WHERE language = ?", (language,))


def _insert_language(connection: sqlite3.Connection, each: LanguageStatistics) -> None:
    tokens = b"" if each.token_sum is None else pack_sum(each.token_sum)
    connection.execute(
        "INSERT OR REPLACE INTO languages (language, count, sum, tokens) VALUES (?, ?, ?, ?)",
        (each.language, each.count, pack_sum(each.sum), tokens),
    )
