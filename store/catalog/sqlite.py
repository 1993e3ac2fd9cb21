"""SQLite connections, and the one place where SQLite's errors become errors of the library."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from store.backup.last_backup import restore_advice
from store.errors import LibraryError

BUSY_SECONDS = 10
"""How long a statement waits for another connection's lock."""


def connect(path: Path) -> sqlite3.Connection:
    """Open the existing database at `path`, for use from any thread; transactions are begun explicitly.

    `synchronous` is FULL, not NORMAL: after a power cut NORMAL may undo transactions that were already committed,
    and the indexes, which are written after the catalog, would be ahead of it. It costs a few fsyncs per batch.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in (f"busy_timeout = {BUSY_SECONDS * 1000}", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


@contextmanager
def translate_errors(path: Path) -> Iterator[None]:
    """Raise LibraryError for an SQLite error on the database at `path`."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise LibraryError(_explain(error, path)) from error


def _explain(error: sqlite3.DatabaseError, path: Path) -> str:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the lowest byte is the primary code
        case sqlite3.SQLITE_FULL:
            return f"The disk that holds {path.parent} is full. Free some space and run the command again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return f"{path.parent} can't be written to: make the folder writable or choose another --home."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"The catalog {path} is damaged ({error}): {restore_advice(path.parent)}."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"The catalog {path} stayed busy for {BUSY_SECONDS} s; try again."
    return f"The catalog {path} can't be used: {error}."
