"""Open a library's databases with SQLAlchemy: SQLite files in its home, or one PostgreSQL for any number of processes.

This is the only place that makes engines. `Database.reading` sees one moment; writers wait for each other.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

import sqlalchemy as sa
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.pool import QueuePool

from store.catalog.database_errors import BUSY_SECONDS, translate_errors
from store.catalog.kept_connections import refuse_lost_connections
from store.errors import LibraryError, SettingsError
from store.text.storable import check_storable

if TYPE_CHECKING:
    from store.settings import Settings

Area = Literal["catalog", "keywords", "conversations", "accounts", "serving"]
"""Groups of tables whose writers wait for each other, and whose connections are counted together."""
CONNECTIONS = 20
"""The most connections of one process to a PostgreSQL database, per area."""
_KEPT = 8
"""Connections that stay open while unused."""
LOCK_CLASS = {
    "catalog": 0x41545401,
    "conversations": 0x41545402,
    "accounts": 0x41545403,
    "keywords": 0x41545404,
    "documents": 0x41545405,
    "serving": 0x41545406,
}
"""First half of the advisory locks' keys, because other programs use the database too. See also
`store.catalog.change_locks`."""


def location(settings: Settings, file: str) -> Path | URL:
    """Return where a database is according to the settings: the file in the home, or PostgreSQL.

    Raises SettingsError for a URL that isn't PostgreSQL's, and for an unreadable password file.
    """
    if settings.database_url is None:
        return settings.home / file
    url = sa.make_url(settings.database_url).set(drivername="postgresql+psycopg")
    if settings.database_password_file is None:
        return url
    try:
        password = settings.database_password_file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"The database's password can't be read from {settings.database_password_file} ({error}): check the setting "
            "database_password_file."
        ) from error
    return url.set(password=password)


class Database:
    """Connections to one database, for any number of threads."""

    def __init__(self, where: Path | URL, area: Area, readers: Engine, writers: Engine) -> None:
        self.where = where
        self.area: Area = area
        self.was_written = False
        self._readers = readers
        self._single = readers.execution_options(isolation_level="AUTOCOMMIT")
        self._writers = writers
        self._turn = threading.RLock()
        self._idle: list[Connection] = []
        self._owner: Connection | None = None
        self._closed = False

    @classmethod
    def connect(cls, where: Path | URL, area: Area = "catalog") -> Self:
        """Prepare connections to the existing file at `where`, or to PostgreSQL; the first use opens one."""
        if isinstance(where, Path):
            return cls(where, area, _sqlite_engine(where, writes=False), _sqlite_engine(where, writes=True))
        engine = _postgresql_engine(where)
        reading = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return cls(where, area, engine.execution_options(**reading), engine)

    @property
    def file(self) -> Path | None:
        """The SQLite file; None for PostgreSQL."""
        return self.where if isinstance(self.where, Path) else None

    @property
    def is_closed(self) -> bool:
        """Whether it was closed."""
        return self._closed

    @contextmanager
    def reading(self, *, once: bool = False) -> Iterator[Connection]:
        """Read inside one transaction, which sees the moment of its first statement. Raises LibraryError.

        With `once`, for a single statement, a server needs no transaction.
        """
        reader = self._kept_connection() if self.file else self._connection(self._single if once else self._readers)
        with translate_errors(self.where), reader as connection:
            yield connection

    @contextmanager
    def writing(self, *, alone: bool = True) -> Iterator[Connection]:
        """Change the database: commit at the end of the block, or roll back if it raises.

        No other writer of the same area comes between, unless `alone` is false. Raises LibraryError.
        """
        with (
            translate_errors(self.where),
            self._turn if alone or self.file else nullcontext(),
            self._connection(self._writers) as connection,
            connection.begin(),
        ):
            self.was_written = True
            if alone and self.file is None:
                connection.execute(_LOCK, {"area": LOCK_CLASS[self.area]})
            yield connection

    def now(self, connection: Connection) -> str:
        """Return the time, ISO 8601 in UTC: the server's, if any, because the clocks of its clients differ."""
        time: datetime = datetime.now(UTC) if self.file else connection.execute(_NOW).scalar_one()
        return time.astimezone(UTC).isoformat(timespec="microseconds")

    def place(self) -> str | None:
        """Return what tells a PostgreSQL database from a copy of it: its server's number and its own.

        None for a file, and where the role may not see the server's number.
        """
        if self.file is not None:
            return None
        with self.reading(once=True) as connection:
            if not connection.execute(_SEES_SERVER).scalar_one():
                return None
            place: str = connection.execute(_PLACE).scalar_one()
            return place

    def own(self, *, shared: bool = False) -> bool:
        """Become the only owner of a PostgreSQL database until it is closed; return whether that worked.

        A `shared` owner is one next to other shared ones.
        """
        with translate_errors(self.where):
            if self.file is None and self._owner is None:
                connection = self.detached()
                if not connection.execute(_SHARE if shared else _OWN, {"area": LOCK_CLASS[self.area]}).scalar():
                    connection.close()
                    return False
                self._owner = connection
        return True

    def detached(self) -> Connection:
        """Return a connection outside the pool, for locks that last longer than a transaction; its user closes it."""
        connection = self._writers.connect().execution_options(isolation_level="AUTOCOMMIT")
        connection.detach()
        return connection

    @contextmanager
    def outside_transactions(self) -> Iterator[sqlite3.Connection]:
        """Use the writers' SQLite connection directly, for statements that can't run in a transaction."""
        with translate_errors(self.where), self._turn, self._connection(self._writers) as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - only for SQLite
            yield driver

    def close(self) -> None:
        """Close all connections; one in use is closed by its user. Closing twice is harmless."""
        with self._turn:
            self._closed = True
            if self._owner is not None:
                # Unlock explicitly: the server may take a while to notice a closed connection.
                with suppress(sa.exc.SQLAlchemyError):
                    self._owner.execute(_DISOWN)
                with suppress(sa.exc.SQLAlchemyError):
                    self._owner.close()
            while self._idle:
                self._idle.pop().close()
            self._readers.dispose()
            self._writers.dispose()

    @contextmanager
    def _kept_connection(self) -> Iterator[Connection]:
        """Yield a connection to the SQLite file, in a transaction; keep it instead of returning it to its pool.

        Together with the driver's own transactions, this takes a tenth of the time.
        """
        if self._closed:
            raise LibraryError("The library is closed.")
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._readers.connect()
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - only for SQLite
        try:
            driver.execute("BEGIN")
            yield connection
        except BaseException:
            # An open cursor would keep this moment for the next reader, and Ctrl-C may have closed it.
            connection.invalidate()
            connection.close()
            raise
        if connection.in_transaction():  # SQLAlchemy has run something in it
            connection.rollback()
        driver.rollback()
        self._idle.append(connection)
        if self._closed:
            self.close()

    @contextmanager
    def _connection(self, engine: Engine) -> Iterator[Connection]:
        if self._closed:
            raise LibraryError("The library is closed.")
        with engine.connect() as connection:
            try:
                yield connection
            finally:
                if self._closed:
                    with suppress(sa.exc.SQLAlchemyError):
                        connection.detach()  # so that it is closed instead of kept


_NOW = sa.select(sa.func.clock_timestamp())
_SEES_SERVER = sa.text("SELECT has_function_privilege('pg_control_system()', 'execute')")
_PLACE = sa.text(
    "SELECT system_identifier || '/' || oid FROM pg_control_system(), pg_database WHERE datname = current_database()"
)
_OWN = sa.select(sa.func.pg_try_advisory_lock(sa.bindparam("area", type_=sa.Integer), 1))
_SHARE = sa.select(sa.func.pg_try_advisory_lock_shared(sa.bindparam("area", type_=sa.Integer), 1))
_DISOWN = sa.select(sa.func.pg_advisory_unlock_all())
_LOCK = sa.select(sa.func.pg_advisory_xact_lock(sa.bindparam("area", type_=sa.Integer), 0))


def connect_file(path: Path) -> sqlite3.Connection:
    """Open the existing SQLite file at `path`, for use from any thread; transactions begin explicitly.

    `synchronous` is FULL, not NORMAL: after a power cut NORMAL may undo transactions that were already committed,
    and the indexes, which are written after the catalog, would be ahead of it. It costs a few fsyncs per batch.
    """
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
    )
    for pragma in (f"busy_timeout = {BUSY_SECONDS * 1000}", "foreign_keys = ON", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _check_parameters(*arguments: Any) -> None:  # noqa: ANN401 - of SQLAlchemy's event
    """Refuse text that PostgreSQL can't store, on SQLite too."""
    parameters = arguments[3]
    for row in parameters if isinstance(parameters, list) else [parameters]:  # one row, or all of many in one
        check_storable(row.values() if isinstance(row, Mapping) else row)


def _sqlite_engine(path: Path, *, writes: bool) -> Engine:
    """Return an engine for the existing file at `path`."""

    def connect() -> sqlite3.Connection:
        connection = connect_file(path)
        if not writes:
            connection.execute("PRAGMA query_only = ON")
        return connection

    engine = sa.create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=1 if writes else _KEPT,
        max_overflow=-1,
        hide_parameters=True,
    )
    sa.event.listen(engine, "before_cursor_execute", _check_parameters)
    if writes:
        sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    return engine


def _postgresql_engine(url: URL) -> Engine:
    if find_spec("psycopg") is None:
        raise SettingsError("PostgreSQL needs a driver: install it with `pip install 'attest[server]'`.")
    engine = sa.create_engine(
        url,
        hide_parameters=True,  # errors don't repeat what people asked
        pool_size=_KEPT,
        max_overflow=CONNECTIONS - _KEPT,
        pool_timeout=BUSY_SECONDS,
        connect_args={
            "application_name": "attest",
            "connect_timeout": BUSY_SECONDS,
            # Notice within half a minute if a server disappears, as after a power cut.
            "tcp_user_timeout": 30_000,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 4,
            # The server also notices if a client disappears, whose locks others wait for.
            "options": f"-c lock_timeout={BUSY_SECONDS}s -c timezone=UTC -c tcp_keepalives_idle=10 "
            "-c tcp_keepalives_interval=5 -c tcp_keepalives_count=4",
        },
    )
    sa.event.listen(engine, "before_cursor_execute", _check_parameters)
    refuse_lost_connections(engine)
    return engine
