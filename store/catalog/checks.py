"""Check for `attest doctor` whether the catalog is consistent."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy import bindparam

from store.catalog.documents import LIVE, MANY, WITH_PASSAGES
from store.catalog.packing import text_sha256
from store.catalog.snapshot import Snapshot
from store.catalog.tables import documents, passages, vectors
from store.catalog.vector_columns import EMBEDDING, is_whole
from store.types import Document, Span

SQLITE_VERSION = sqlite3.sqlite_version
_INDEX_ONLY = re.compile("missing from index|wrong # of entries in index")
"""SQLite's message if only an index is wrong, which has nothing that its table doesn't have."""
_D, _P, _V = documents.c, passages.c, vectors.c
_COUNT = sa.select(sa.func.count())
_DOCUMENT = sa.select(_D.id, _D.characters).where(LIVE, _D.key == bindparam("key"))
_INCOMPLETE = _COUNT.select_from(
    WITH_PASSAGES.outerjoin(vectors, sa.and_(_V.passage == _P.key, _V.embedding == EMBEDDING))
).where(LIVE, sa.or_(_V.halves.is_(None), ~is_whole(bindparam("dimensions", type_=sa.Integer))))
_LIVE_AMONG = _COUNT.select_from(WITH_PASSAGES).where(LIVE, _P.id.in_(bindparam("ids", expanding=True)))
_LIVE_PASSAGES = sa.select(_P.id).select_from(WITH_PASSAGES).where(LIVE).execution_options(yield_per=MANY)


@dataclass(frozen=True, slots=True)
class IntegrityProblems:
    """The result of SQLite's own check."""

    messages: tuple[str, ...]
    only_indexes: bool
    """Whether rebuilding SQLite's own indexes would fix all of it."""


def integrity_problems(snapshot: Snapshot) -> IntegrityProblems | None:
    """Run SQLite's integrity check; return None for a sound catalog. PostgreSQL checks the data itself when it reads."""
    if not snapshot.is_sqlite:
        return None
    messages = tuple(str(row[0]) for row in snapshot._connection.exec_driver_sql("PRAGMA integrity_check(100)"))
    if messages == ("ok",):
        return None
    return IntegrityProblems(messages, all(_INDEX_ONLY.search(message) for message in messages))


def orphan_rows(snapshot: Snapshot) -> int:
    """Count the rows that refer to a row that doesn't exist."""
    if not snapshot.is_sqlite:
        return 0  # PostgreSQL's foreign keys are never switched off
    return len(snapshot._connection.exec_driver_sql("PRAGMA foreign_key_check").all())


def document_problems(snapshot: Snapshot, key: int) -> Iterator[tuple[Document, str]]:
    """Yield the problems of live documents: a text doesn't match its hash, or parts lie outside it."""
    row = snapshot._connection.execute(_DOCUMENT, {"key": key}).first()
    if row is None:  # removed since its page was read
        return
    document = snapshot.document(row[0])
    text = snapshot.text(document.id)
    if len(text) != row[1] or text_sha256(text) != document.text_sha256:
        yield document, "its stored text isn't the one that was added"
    passages = snapshot.passages(document.id)
    spans = [
        span
        for passage in passages
        for span in (Span(passage.start, passage.end), *passage.sentences, passage.heading)
        if span is not None
    ]
    if any(not 0 <= span.start <= span.end <= len(text) for span in spans):
        yield document, "some of its passages lie outside its text"
    if len(passages) != document.passage_count:
        yield document, f"it has {len(passages)} of its {document.passage_count} passages"


def count_incomplete(snapshot: Snapshot) -> int:
    """Count the live passages that lack some of their vectors."""
    count = snapshot._connection.execute(_INCOMPLETE, {"dimensions": snapshot.number("dimensions")}).scalar_one()
    return int(count)


def count_live(snapshot: Snapshot, passage_ids: Sequence[str]) -> int:
    """Count the live ones of at most `MANY` passages."""
    count = snapshot._connection.execute(_LIVE_AMONG, {"ids": list(passage_ids)}).scalar_one()
    return int(count)


def live_passage_ids(snapshot: Snapshot) -> Iterator[str]:
    """Yield the id of every live passage."""
    yield from snapshot._connection.scalars(_LIVE_PASSAGES)


def in_pages(items: Iterable[str]) -> Iterator[list[str]]:
    """Yield the items in lists of at most `MANY`."""
    iterator = iter(items)
    while page := list(islice(iterator, MANY)):
        yield page


def file_problem(database: Path) -> str | None:
    """Check any SQLite file; return the first problem, or None if it is sound."""
    try:
        with closing(sqlite3.connect(f"{database.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            problem = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        problem = str(error)
    return None if problem == "ok" else problem
