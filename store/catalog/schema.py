"""The catalog's shape on disk: numbered SQL files, applied in order, after a backup.

`PRAGMA user_version` counts the migrations that a file has seen. Each runs in one transaction.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from store.errors import LibraryError, SchemaVersionError
from store.version import program_version

APPLICATION_ID = 0x41545354
"""Marks the file as a catalog of ours, so that another program's database is never migrated."""

MIGRATIONS = Path(__file__).parent / "migrations"


def latest_schema(folder: Path = MIGRATIONS) -> int:
    """Return the schema version that this code reads and writes."""
    return len(_migrations(folder))


def migrate(path: Path, folder: Path = MIGRATIONS) -> Path | None:
    """Bring the catalog at `path` to the latest schema, making it if it's absent.

    Returns the backup made before an existing catalog was changed, None if none was needed.
    Raises SchemaVersionError for a newer schema, LibraryError for a file of another kind.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA busy_timeout = 10000")
        current = check_schema(connection, path, folder)
        pending = _migrations(folder)[current:]
        backup = _back_up(connection, path, current) if current and pending else None
        for number, file in enumerate(pending, start=current + 1):
            _apply(connection, number, file)
        return backup


def check_schema(connection: sqlite3.Connection, path: Path, folder: Path = MIGRATIONS) -> int:
    """Return the schema version of an open catalog; 0 for an empty file. Raises what `migrate` raises."""
    current = int(connection.execute("PRAGMA user_version").fetchone()[0])
    application = int(connection.execute("PRAGMA application_id").fetchone()[0])
    empty = connection.execute("SELECT NOT EXISTS (SELECT 1 FROM sqlite_master)").fetchone()[0]
    if not empty and application != APPLICATION_ID:
        raise LibraryError(f"{path} is a database of another program; choose another --home.")
    if current > latest_schema(folder):
        made_by = connection.execute("SELECT value FROM library WHERE name = 'made_by'").fetchone()
        raise SchemaVersionError(
            f"The library at {path.parent} was made by Attest {made_by[0] if made_by else '?'} "
            f"(schema {current}); this is {program_version()} (schema {latest_schema(folder)}). "
            "Upgrade Attest, or choose another --home."
        )
    return current


def _migrations(folder: Path) -> list[Path]:
    return sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql"))


def _back_up(connection: sqlite3.Connection, path: Path, current: int) -> Path:
    backup = path.with_name(f"{path.stem}.before-{current + 1:04}{path.suffix}")
    with closing(sqlite3.connect(backup)) as copy:
        connection.backup(copy)
    return backup


def _apply(connection: sqlite3.Connection, number: int, file: Path) -> None:
    made_by = program_version().replace("'", "''")
    try:
        connection.executescript(
            f"BEGIN IMMEDIATE;\n{file.read_text(encoding='utf-8')}\n"
            f"INSERT OR REPLACE INTO library VALUES ('made_by', '{made_by}');\n"
            f"PRAGMA application_id = {APPLICATION_ID};\nPRAGMA user_version = {number};\nCOMMIT;"
        )
    except sqlite3.Error as error:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise LibraryError(f"The catalog could not be brought to schema {number}: {error}.") from error
