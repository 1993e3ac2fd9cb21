"""The catalog: one SQLite file that is the truth. Opened here; `snapshot` reads and `writing` changes it.

Write-ahead logging lets readers go on during writes. `synchronous` is FULL, not NORMAL: after a power
cut NORMAL may take back transactions that were already committed, and the vectors and keywords, which
are written after the catalog, would then be ahead of it. It costs a few fsyncs per 256 passages.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from store.backup.last_backup import advice
from store.catalog.schema import check_schema, latest_schema, migrate
from store.catalog.snapshot import Snapshot
from store.errors import LibraryError, SchemaVersionError

FILE = "catalog.sqlite"
_BUSY_MILLISECONDS = 10_000


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
        with translated(path):
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
                with suppress(sqlite3.Error):  # only tidying: the log is read on the next opening too
                    self._writer.execute("PRAGMA optimize")
                    self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._writer.close()
            for connection in self._idle:
                connection.close()
            self._writer = None
            self._idle.clear()

    @contextmanager
    def snapshot(self) -> Iterator[Snapshot]:
        """The catalog as it is now, unmoved by what is written until the block ends."""
        with translated(self.path), self._reader() as connection:
            connection.execute("BEGIN")
            try:
                # SQLite takes the snapshot at the first read, not at BEGIN.
                connection.execute("SELECT 1 FROM library LIMIT 1").fetchone()
                yield Snapshot(connection)
            finally:
                connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """The writing connection, in a transaction: committed as the block ends, undone if it raises."""
        with translated(self.path), self._writer_lock:
            if self._closed:
                raise LibraryError("The library is closed.")
            if self._writer is None:
                self._writer = self._connect()
            self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                self._writer.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):  # after a full disk SQLite may have rolled back already
                    self._writer.execute("ROLLBACK")
                raise

    def vacuum(self) -> None:
        """Give free pages back to the disk if they are over a quarter of the file."""
        with translated(self.path), self._writer_lock:
            writer = self._writer or self._connect()
            self._writer = writer
            free, pages = (writer.execute(f"PRAGMA {name}").fetchone()[0] for name in ("freelist_count", "page_count"))
            if free * 4 > pages:
                writer.execute("VACUUM")

    def reindex(self) -> None:
        """Make SQLite's own indexes anew from the tables; nothing is changed where that fails. Raises LibraryError."""
        try:
            with self.transaction() as connection:
                connection.execute("REINDEX")
        except LibraryError as error:  # two rows where there may be one: nothing says which of them is right
            raise LibraryError(f"{error} Its indexes can't be made anew: {advice(self.path.parent)}.") from error

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        with self._idle_lock:
            if self._closed:
                raise LibraryError("The library is closed.")
            connection = self._idle.pop() if self._idle else None
        if connection is None:
            connection = self._connect()
            connection.execute("PRAGMA query_only = ON")
        try:
            yield connection
        finally:
            with self._idle_lock:
                if self._closed:
                    connection.close()
                else:
                    self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            f"{self.path.absolute().as_uri()}?mode=rw",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        for pragma in (f"busy_timeout = {_BUSY_MILLISECONDS}", "foreign_keys = ON", "synchronous = FULL"):
            connection.execute(f"PRAGMA {pragma}")
        return connection


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn SQLite's errors on the catalog at `path` into ours."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise LibraryError(_explain(error, path)) from error


def _explain(error: sqlite3.DatabaseError, path: Path) -> str:
    reason = str(error)
    if "full" in reason:
        return f"The disk that holds {path.parent} is full. Free some space and run the command again."
    if "readonly" in reason or "unable to open" in reason:
        return f"{path.parent} can't be written to: make the folder writable or choose another --home."
    if "malformed" in reason or "not a database" in reason:
        return f"The catalog {path} is damaged ({reason}): {advice(path.parent)}."
    if "locked" in reason or "busy" in reason:
        return f"The catalog {path} stayed busy for {_BUSY_MILLISECONDS // 1000} s; try again."
    return f"The catalog {path} can't be used: {reason}."
