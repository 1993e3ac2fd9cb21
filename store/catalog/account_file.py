"""Create and migrate the SQLite file of accounts in a library's home.

Only its owner can read it. It isn't part of the catalog, so that a copy of a library, which people share, doesn't
include its accounts.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from store.catalog.database_errors import BUSY_SECONDS
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
"""Applied to a file in order; `PRAGMA user_version` is the number already applied."""


def make_accounts(home: Path) -> Path:
    """Return the file of accounts in `home`, created or brought to the latest schema.

    Raises SchemaVersionError for a file of a newer version, LibraryError for an unusable one.
    """
    path = home / FILE
    try:
        home.mkdir(parents=True, exist_ok=True)
        _close_to_others(path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            for pragma in (
                f"busy_timeout = {BUSY_SECONDS * 1000}",
                "journal_mode = WAL",
                "synchronous = FULL",
            ):
                connection.execute(f"PRAGMA {pragma}")
            _migrate(connection, path)
    except (OSError, sqlite3.Error) as error:
        raise LibraryError(f"The accounts in {path} can't be used: {error}.") from error
    return path


def _close_to_others(path: Path) -> None:
    """Create the file, or fix its mode: SQLite's own files next to it use the same mode."""
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
