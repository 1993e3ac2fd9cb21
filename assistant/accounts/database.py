"""Open the database of accounts: a SQLite file in the library's home, or the PostgreSQL that also holds the catalog.

Commands can change it while a server runs.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import URL, Connection, Executable

from store.catalog import engine
from store.catalog.account_file import FILE, make_accounts
from store.catalog.schema import migrate

if TYPE_CHECKING:
    from store.catalog.tables import AnyRow

__all__ = ["FILE", "Database"]


class Database:
    """The accounts of one library, for any number of threads."""

    def __init__(self, database: engine.Database) -> None:
        self._database = database
        self.path = database.file
        """None for PostgreSQL."""

    @classmethod
    def open(cls, where: Path | URL) -> Database:
        """Open the accounts of the library in the home `where`, or in PostgreSQL; create them if they are missing.

        Raises SchemaVersionError for a database of a newer version, LibraryError for an unusable one.
        """
        if isinstance(where, URL):
            migrate(where)
            return cls(engine.Database.connect(where, "accounts"))
        return cls(engine.Database.connect(make_accounts(where), "accounts"))

    def close(self) -> None:
        """Close all connections; closing twice is harmless."""
        self._database.close()

    def all(self, statement: Executable, **values: object) -> list[AnyRow]:
        """Return the rows of a query. Raises LibraryError."""
        with self._database.reading() as connection:
            return list(connection.execute(statement, values))

    def one(self, statement: Executable, **values: object) -> AnyRow | None:
        """Return the first row, if any. Raises LibraryError."""
        rows = self.all(statement, **values)
        return rows[0] if rows else None

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Change the accounts in one exclusive transaction; roll it back if the block raises."""
        with self._database.writing() as connection:
            yield connection
