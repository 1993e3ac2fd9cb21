"""The catalog: one SQLite file that holds the truth. `Snapshot` reads it, `Transaction` changes it.

Nothing outside `store.catalog` sees SQLite. Write-ahead logging lets readers go on during writes.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.backup.last_backup import restore_advice
from store.catalog.schema import check_schema, latest_schema, migrate
from store.catalog.snapshot import Snapshot
from store.catalog.sqlite import connect, translate_errors
from store.catalog.transaction import Transaction
from store.errors import LibraryError, SchemaVersionError

FILE = "catalog.sqlite"
_PAGE = 100
"""Documents read in one snapshot: a snapshot that lasts long keeps the log from shrinking."""


class Catalog:
    """Connections to one catalog file, for any number of threads: many readers, one writer at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._idle: list[sqlite3.Connection] = []
        self._idle_lock = threading.Lock()
        self._writer: sqlite3.Connection | None = None
        self._writer_lock = threading.RLock()
        self._closed = False

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Catalog:
        """Open the catalog at `path`; unless `read_only`, make it or migrate it first.

        Raises SchemaVersionError, also for a read-only catalog that would need a migration.
        """
        with translate_errors(path):
            if not read_only:
                migrate(path)
            catalog = cls(path)
            with catalog._reader() as connection:
                current = check_schema(connection, path)
            if current < latest_schema():
                raise SchemaVersionError(
                    f"The library at {path.parent} is owned by an older Attest; "
                    "stop that process, then run the command again."
                )
            return catalog

    def close(self) -> None:
        """Close all connections; a snapshot that is still open closes its own."""
        with self._writer_lock, self._idle_lock:
            self._closed = True
            if self._writer:
                with suppress(sqlite3.Error):  # tidying only: the next opening reads the log too
                    self._writer.execute("PRAGMA optimize")
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._writer.close()
            for connection in self._idle:
                connection.close()
            self._writer = None
            self._idle.clear()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """Read the catalog as it is now; later writes don't show until the block ends."""
        with translate_errors(self.path), self._reader() as connection:
            connection.execute("BEGIN")
            try:
                # SQLite takes the snapshot at the first read, not at BEGIN.
                connection.execute("SELECT 1 FROM library LIMIT 1").fetchone()
                yield Snapshot(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Change the catalog: commit at the end of the block, or roll back if it raises."""
        with translate_errors(self.path), self._writer_lock:
            writer = self._open_writer()
            writer.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(writer)
                writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # after a full disk SQLite may have rolled back already
                    writer.execute("ROLLBACK")
                raise

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
        """Give free pages back to the disk if they are over a quarter of the file."""
        with translate_errors(self.path), self._writer_lock:
            writer = self._open_writer()
            free, pages = (writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
            if free * 4 > pages:
                writer.execute("VACUUM")

    def reindex(self) -> None:
        """Rebuild SQLite's own indexes from the tables; a failure changes nothing. Raises LibraryError."""
        try:
            with translate_errors(self.path), self._writer_lock:
                self._open_writer().execute("REINDEX")
        except LibraryError as error:  # two rows where only one may be: nothing says which of them is right
            raise LibraryError(f"{error} Its indexes can't be rebuilt: {restore_advice(self.path.parent)}.") from error

    def _open_writer(self) -> sqlite3.Connection:
        if self._closed:
            raise LibraryError("The library is closed.")
        if self._writer is None:
            self._writer = connect(self.path)
        return self._writer

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._idle_lock:
            if self._closed:
                raise LibraryError("The library is closed.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = connect(self.path)
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            with self._idle_lock:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)
