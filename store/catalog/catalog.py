"""Open the catalog, the database that holds the truth. `Snapshot` reads it, `Transaction` changes it.

Nothing outside `store.catalog` sees a database. Readers continue during writes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL

from store.backup.last_backup import restore_advice
from store.catalog.engine import Database
from store.catalog.facts import FactReader
from store.catalog.schema import check_schema, latest_schema, migrate
from store.catalog.snapshot import Snapshot
from store.catalog.transaction import Transaction
from store.errors import LibraryError, SchemaVersionError

FILE = "catalog.sqlite"
MOVING = "moving"
"""The fact that a library is incomplete: which one is being copied, and what is missing; see `store.moving.move`."""
_PAGE = 100
"""Documents read per snapshot: a long snapshot keeps SQLite's log from shrinking."""


class Catalog:
    """Connections to one catalog, for any number of threads: many readers, one writer at a time."""

    def __init__(self, database: Database) -> None:
        self.database = database

    @classmethod
    def open(cls, where: Path | URL, *, read_only: bool = False) -> Catalog:
        """Open the catalog at `where`; unless `read_only`, create it or migrate it first.

        Raises SchemaVersionError, also for a read-only catalog that would need a migration.
        """
        if not read_only:
            migrate(where)
        catalog = cls(Database.connect(where))
        try:
            catalog._require_latest()
        except BaseException:
            catalog.close()
            raise
        return catalog

    def close(self) -> None:
        """Close all connections; an open snapshot closes its own."""
        if self.database.file is not None and self.database.was_written:
            # Only to tidy up: the next opening reads the log too.
            with suppress(LibraryError), self.database.outside_transactions() as connection:
                connection.execute("PRAGMA optimize")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.database.close()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read the catalog as it is now; later writes are invisible until the block ends."""
        with self.database.reading() as connection:
            yield Snapshot.at_one_moment(connection)

    def facts(self, *names: str) -> tuple[str | None, ...]:
        """Return the library's current facts with these names."""
        with self.database.reading(once=True) as connection:
            return FactReader(connection).values(*names)

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Change the catalog: commit at the end of the block, or roll back if it raises."""
        with self.database.writing() as connection:
            yield Transaction(connection)

    def live_pages(self) -> Iterator[list[int]]:
        """Yield the keys of all live documents, a page at a time, each read in its own snapshot."""
        last = 0
        while True:
            with self.snapshot() as snapshot:
                keys = snapshot.live_keys(last, _PAGE)
            if not keys:
                return
            yield keys
            last = keys[-1]

    def vacuum(self) -> None:
        """Return free pages to the disk if they are over a quarter of the file. PostgreSQL does it by itself."""
        if self.database.file is None:
            return
        with self.database.outside_transactions() as connection:
            free, pages = (
                connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count")
            )
            if free * 4 > pages:
                connection.execute("VACUUM")

    def reindex(self) -> None:
        """Rebuild SQLite's own indexes from the tables; a failure changes nothing. Raises LibraryError."""
        if self.database.file is None:
            return
        try:
            with self.database.outside_transactions() as connection:
                connection.execute("REINDEX")
        except LibraryError as error:  # two rows where only one may be: nothing shows which is right
            advice = restore_advice(self.database.file.parent)
            raise LibraryError(f"{error} Its indexes can't be rebuilt: {advice}.") from error

    def _require_latest(self) -> None:
        where = self.database.where
        named = where.parent if isinstance(where, Path) else where.host
        with self.database.reading() as connection:
            if check_schema(connection, where) < latest_schema():
                raise SchemaVersionError(
                    f"The library at {named} is owned by an older Attest; stop that process, then run the command again."
                )
            if (Snapshot(connection).value(MOVING) or "").endswith("rows"):
                raise LibraryError(
                    f"The library at {named} is only partly there: run `attest move` again to finish it."
                )
