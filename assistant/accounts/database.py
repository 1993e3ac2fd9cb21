"""The file with the accounts: SQLite with write-ahead logging, so that commands can change it beside a server.

It lies in the library's home and is readable by its owner only. It is no part of the catalog, so that a copy of a
library, which people share, does not carry its accounts.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.errors import LibraryError, SchemaVersionError

FILE = "accounts.sqlite"
APPLICATION_ID = 0x41545355
"""Marks the file as ours."""
MIGRATIONS = (
    """
    CREATE TABLE accounts (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        folded TEXT NOT NULL UNIQUE,   -- names that people take for the same are the same
        password TEXT,                 -- a hash with salt and parameters; NULL: only a proxy lets this one in
        "right" TEXT NOT NULL CHECK ("right" IN ('ask', 'add', 'administer')),
        collections TEXT,              -- JSON array; NULL: all
        created TEXT NOT NULL
    ) STRICT;
    CREATE TABLE sessions (
        token BLOB PRIMARY KEY,        -- SHA-256 of what the browser holds
        account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        began REAL NOT NULL,           -- seconds since 1970, as `seen`
        seen REAL NOT NULL
    ) STRICT;
    CREATE INDEX sessions_by_account ON sessions (account, seen);
    CREATE TABLE attempts (
        id INTEGER PRIMARY KEY,
        subject BLOB NOT NULL,         -- digest of a name or of an address
        at REAL NOT NULL
    ) STRICT;
    CREATE INDEX attempts_by_subject ON attempts (subject, at);
    CREATE INDEX attempts_by_time ON attempts (at);
    """,
    """
    CREATE TABLE tokens (
        id TEXT PRIMARY KEY,
        digest BLOB NOT NULL UNIQUE,   -- SHA-256 of what the program holds
        account TEXT NOT NULL REFERENCES accounts (id) ON DELETE CASCADE,
        label TEXT NOT NULL,
        "right" TEXT NOT NULL CHECK ("right" IN ('ask', 'add', 'administer')),
        collections TEXT,              -- JSON array; NULL: all that the account may see
        created TEXT NOT NULL,
        ends REAL,                     -- seconds since 1970, as `used`; NULL: never
        used REAL
    ) STRICT;
    CREATE INDEX tokens_by_account ON tokens (account);
    """,
)
"""Applied in order; `PRAGMA user_version` counts those that a file has seen."""


class Database:
    """One connection to the file, for any number of threads."""

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        self.path = path
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def open(cls, home: Path) -> Database:
        """The accounts of the library at `home`, made where there are none.

        Raises SchemaVersionError for a file of a newer version, LibraryError for one that can't be used.
        """
        path = home / FILE
        try:
            home.mkdir(parents=True, exist_ok=True)
            _close_to_others(path)
            connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            connection.row_factory = sqlite3.Row
            for pragma in ("busy_timeout = 15000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
                connection.execute(f"PRAGMA {pragma}")
            _migrate(connection, path)
        except (OSError, sqlite3.Error) as error:
            raise LibraryError(f"The accounts in {path} can't be used: {error}.") from error
        return cls(connection, path)

    def close(self) -> None:
        """Close the connection; closing twice is harmless."""
        with self._lock:
            self._connection.close()

    def all(self, statement: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query. Raises LibraryError."""
        with self._lock, _translated(self.path):
            return self._connection.execute(statement, values).fetchall()

    def one(self, statement: str, *values: object) -> sqlite3.Row | None:
        """Its first row, if any. Raises LibraryError."""
        rows = self.all(statement, *values)
        return rows[0] if rows else None

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction that no other writer comes between, undone if the block raises."""
        with self._lock, _translated(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        raise LibraryError(f"The accounts in {path} can't be used: {error}.") from error


def _close_to_others(path: Path) -> None:
    """Make the file, or mend its mode: SQLite's own files beside it take the mode over."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        current = _version(connection, path)
        for script in MIGRATIONS[current:]:
            for statement in filter(str.strip, script.split(";\n")):
                connection.execute(statement)
        if current < len(MIGRATIONS):
            connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection, path: Path) -> int:
    current = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    filled = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if filled and application != APPLICATION_ID:
        raise LibraryError(f"{path} is a database of another program; move it away, or choose another --home.")
    if current > len(MIGRATIONS):
        raise SchemaVersionError(f"The accounts in {path} were made by a newer Attest: upgrade this one.")
    return current
