"""Lock out concurrent changes to a library: threads by a lock of the process, processes by PostgreSQL's advisory locks.

To change documents, a process holds a shared lock on the library and an exclusive lock on each document. To replace the
indexes, it holds an exclusive lock on the library. Locks belong to a connection, so they end with their process,
however that ends. If the catalog has an unfinished change to a document that nobody has locked, its process died.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Protocol

import sqlalchemy as sa
from sqlalchemy import BigInteger, Connection, Integer, bindparam
from sqlalchemy.dialects.postgresql import ARRAY

from store.catalog.database_errors import translate_errors
from store.catalog.engine import LOCK_CLASS, Database
from store.errors import LibraryError, LibraryLockedError

PATIENCE = 600
"""Seconds that a change waits for others: as long as embedding a thick book takes."""
_LIBRARY = bindparam("area", LOCK_CLASS["catalog"], Integer), 2
_DOCUMENT = bindparam("area", LOCK_CLASS["documents"], Integer)
_KEY = sa.column("key", Integer)
_KEYS = sa.func.unnest(bindparam("keys", type_=ARRAY(Integer))).table_valued(_KEY, name="given").render_derived()
_SET_PATIENCE = sa.select(sa.func.set_config("lock_timeout", bindparam("patience", type_=sa.Text), sa.false()))
_LOCK_LIBRARY = {
    True: sa.select(sa.func.pg_advisory_lock(*_LIBRARY)),
    False: sa.select(sa.func.pg_advisory_lock_shared(*_LIBRARY)),
}
_TRY_LIBRARY = {
    True: sa.select(sa.func.pg_try_advisory_lock(*_LIBRARY)),
    False: sa.select(sa.func.pg_try_advisory_lock_shared(*_LIBRARY)),
}
"""The statement, by whether the lock is exclusive."""
_LOCK_DOCUMENTS = sa.select(sa.func.pg_advisory_lock(_DOCUMENT, _KEYS.c.key)).select_from(_KEYS)
_TRY_DOCUMENT = sa.select(sa.func.pg_try_advisory_lock(_DOCUMENT, bindparam("key", type_=Integer)))
_WHO = sa.select(sa.func.pg_backend_pid(type_=BigInteger))
_UNLOCK = sa.select(sa.func.pg_advisory_unlock_all())
_TIMED_OUT = "55P03"


class Held(Protocol):
    """The locks of a running change."""

    def take(self, uri: str) -> bool:
        """Lock one more document; return whether that worked."""

    def check(self) -> None:
        """Raise LibraryError if the locks were lost, because others may have changed the documents."""


class ChangeLocks:
    """The locks of one process on one library. Safe to use from several threads."""

    def __init__(self, database: Database | None) -> None:
        """Without a `database`, this process is the only one that changes the library."""
        self._database = database
        self._turn = threading.RLock()
        self._held: _Session | None = None
        self._holder: int | None = None
        self._connection: Connection | None = None
        self._closed = False

    def close(self) -> None:
        """Close the connection kept for locks."""
        self._closed = True
        connection, self._connection = self._connection, None
        if connection is not None:
            _close(connection)

    @property
    def are_held(self) -> bool:
        """Return whether this thread is already changing something."""
        return self._holder == threading.get_ident()

    @contextmanager
    def documents(self, uris: Iterable[str] = (), patience: float = PATIENCE) -> Iterator[Held]:
        """Change the documents under `uris`, and those that `Held.take` adds.

        Raises LibraryLockedError if others change them, or the indexes, for longer than `patience` seconds.
        """
        with self._changing(patience, alone=False) as held:
            if isinstance(held, _Session):
                held.wait_for(uris)
            yield held

    @contextmanager
    def whole(self, patience: float = PATIENCE) -> Iterator[Held]:
        """Change the library as a whole. Raises LibraryLockedError while others change it for longer than `patience`."""
        with self._changing(patience, alone=True) as held:
            yield held

    @contextmanager
    def _changing(self, patience: float, *, alone: bool) -> Iterator[Held]:
        if not self._turn.acquire(timeout=-1 if self._database is None else patience):
            raise busy()
        try:
            if self._database is None:
                yield _NoOthers()
            elif self._held is not None:  # this thread is already changing something
                assert self._held.alone or not alone  # noqa: S101 - two who both hold it would wait for each other
                yield self._held
            else:
                with self._session(self._database, patience, alone=alone) as held:
                    self._held, self._holder = held, threading.get_ident()
                    try:
                        yield held
                    finally:
                        self._held, self._holder = None, None
        finally:
            self._turn.release()

    @contextmanager
    def _session(self, database: Database, patience: float, *, alone: bool) -> Iterator[_Session]:
        """Lock the library, on a connection that is kept for the next change."""
        values = {"patience": f"{max(1, int(patience * 1000))}ms"}
        with _translated(database):
            connection = self._connection or database.detached()
            try:
                connection.execute(_SET_PATIENCE, values)
            except sa.exc.DBAPIError:  # the server has restarted since
                _close(connection)
                connection = database.detached()
                connection.execute(_SET_PATIENCE, values)
        self._connection = None
        try:
            with _translated(database):
                if patience > 0:
                    connection.execute(_LOCK_LIBRARY[alone])
                elif not connection.execute(_TRY_LIBRARY[alone]).scalar():
                    raise busy()
                session = _Session(connection, database, alone=alone)
            yield session
        finally:
            # Unlock explicitly: the server may take a while to notice a closed connection.
            try:
                connection.execute(_UNLOCK)
            except sa.exc.SQLAlchemyError:
                _close(connection)
            else:
                self._connection = None if self._closed else connection


class _NoOthers:
    """Replaces locks if no other process can change the library."""

    def take(self, uri: str) -> bool:
        return True

    def check(self) -> None:
        pass


class _Session:
    """Locks held by one connection."""

    def __init__(self, connection: Connection, database: Database, *, alone: bool) -> None:
        self.alone = alone
        self._connection = connection
        self._database = database
        self._pid = connection.execute(_WHO).scalar_one()

    def wait_for(self, uris: Iterable[str]) -> None:
        """Lock these documents. Everybody locks in the same order, so that there are no deadlocks."""
        keys = sorted({_key(uri) for uri in uris})
        if keys:
            with _translated(self._database):
                self._connection.execute(_LOCK_DOCUMENTS, {"keys": keys}).all()

    def take(self, uri: str) -> bool:
        with _translated(self._database):
            return bool(self._connection.execute(_TRY_DOCUMENT, {"key": _key(uri)}).scalar())

    def check(self) -> None:
        with _translated(self._database):
            if self._connection.execute(_WHO).scalar_one() != self._pid:  # SQLAlchemy has opened another one
                raise LibraryError("The connection to the database was lost in the middle of a change; try again.")


def _close(connection: Connection) -> None:
    with suppress(sa.exc.SQLAlchemyError):
        connection.close()


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    try:
        with translate_errors(database.where):
            yield
    except LibraryError as error:
        if getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == _TIMED_OUT:
            raise busy() from error
        raise


def busy() -> LibraryLockedError:
    """Return the error after waiting long enough for others."""
    return LibraryLockedError("Others are changing the library just now; try again in a moment.", code="library_busy")


def _key(uri: str) -> int:
    """Return the second half of a document's lock. If two documents share a key, they only wait for each other."""
    return int.from_bytes(sha256(uri.encode("utf-8", "surrogatepass")).digest()[:4], signed=True)
