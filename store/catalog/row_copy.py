"""Copy all rows of a library from its databases to others, and compare them. Rows go in batches, never all in memory.

The tables come from their definitions, so new tables are included automatically. Rows are read in the order of
their keys, parents before rows that refer to them, so an interrupted copy continues after its last row.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import sqlalchemy as sa
from sqlalchemy import URL, Connection, Table, exc

from store.catalog import account_tables
from store.catalog.account_file import make_accounts
from store.catalog.catalog import FILE
from store.catalog.engine import Database
from store.catalog.schema import migrate
from store.catalog.tables import library, metadata
from store.errors import LibraryError

if TYPE_CHECKING:
    from store.catalog.tables import Rows
    from store.types import Progress

Row = Sequence[Any]
T = TypeVar("T")
TABLES = tuple(
    table
    for described in (metadata, account_tables.metadata)
    for table in described.sorted_tables
    if table is not library
)
"""All except the facts about the library itself, some of which differ in a copy. Parents come first."""
BATCH = 1_000
"""Rows per transaction: the vectors of this many are a few megabytes."""


@dataclass(frozen=True, slots=True)
class LibraryDatabases:
    """The databases of one library: two files in its home, or one PostgreSQL for both."""

    catalog: Database
    accounts: Database

    @classmethod
    @contextmanager
    def opened(cls, where: Path | URL) -> Iterator[LibraryDatabases]:
        """Open the databases in the folder or the PostgreSQL `where`, created if missing, until the block ends.

        Raises SchemaVersionError for databases of a newer version, LibraryError for unusable ones.
        """
        catalog = where / FILE if isinstance(where, Path) else where
        migrate(catalog)
        with ExitStack() as stack:
            first = Database.connect(catalog)
            stack.callback(first.close)
            second = first
            if isinstance(where, Path):
                second = Database.connect(make_accounts(where), "accounts")
                stack.callback(second.close)
            yield cls(first, second)

    def append(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows of a table, durably. Raises LibraryError."""
        database = self.accounts if _is_of_accounts(table) else self.catalog
        with database.writing() as connection:
            insert_rows(connection, table, rows)

    @contextmanager
    def changing(self) -> Iterator[Moment]:
        """Change all tables: commit at the end of the block, or roll back if it raises. Raises LibraryError.

        Files are committed one after the other, the catalog last.
        """
        with self.catalog.writing() as catalog:
            if self.accounts is self.catalog:
                yield Moment(catalog, catalog)
            else:
                with self.accounts.writing() as accounts:
                    yield Moment(catalog, accounts)

    @contextmanager
    def moment(self) -> Iterator[Moment]:
        """Read all tables as they are now, until the block ends. Raises LibraryError."""
        with ExitStack() as stack:
            catalog = stack.enter_context(self.catalog.reading())
            accounts = catalog
            if self.accounts is not self.catalog:
                accounts = stack.enter_context(self.accounts.reading())
            for connection, table in ((catalog, library), (accounts, account_tables.accounts)):
                connection.execute(sa.select(table).limit(1)).all()  # a moment begins at the first read
            yield Moment(catalog, accounts)


@dataclass(frozen=True, slots=True)
class Moment:
    """Connections that see a library at one moment, or the transaction that changes it."""

    catalog: Connection
    accounts: Connection

    def facts(self) -> dict[str, str]:
        """Return the facts about the library itself."""
        return {row[0]: row[1] for row in self.catalog.execute(sa.select(library.c.name, library.c.value))}

    def count(self) -> int:
        """Return the total number of rows of all tables."""
        return sum(self._of(table).execute(_count(table)).scalar_one() for table in TABLES)

    def last_key(self, table: Table) -> Row | None:
        """Return the key of the last row; None for an empty table."""
        keys = _keys(table)
        return self._of(table).execute(sa.select(*keys).order_by(*(key.desc() for key in keys)).limit(1)).first()

    def rows(self, table: Table, after: Row | None = None) -> Iterator[Row]:
        """Yield the rows after a key, in the order of keys."""
        yield from self._of(table).execute(_rows(table, after), execution_options={"yield_per": BATCH})

    def insert(self, table: Table, rows: Sequence[Row]) -> None:
        """Insert rows unchanged, including numbers that a database would assign itself."""
        insert_rows(self._of(table), table, rows)

    def clear(self) -> None:
        """Delete all rows."""
        for table in reversed(TABLES):
            self._of(table).execute(sa.delete(table))

    def set_facts(self, facts: Mapping[str, str]) -> None:
        """Replace all facts about the library by these."""
        self.catalog.execute(sa.delete(library))
        insert_rows(self.catalog, library, list(facts.items()))

    def count_on(self) -> None:
        """Make PostgreSQL number new rows after the existing ones; SQLite does so by itself."""
        for table in TABLES:
            connection = self._of(table)
            for column in table.columns if connection.dialect.name == "postgresql" else ():
                if column.identity is not None:
                    last = sa.select(sa.func.coalesce(sa.func.max(column), 0) + 1).scalar_subquery()
                    sequence = sa.func.pg_get_serial_sequence(table.name, column.name)
                    connection.execute(sa.select(sa.func.setval(sequence, last, sa.false())))

    def _of(self, table: Table) -> Connection:
        return self.accounts if _is_of_accounts(table) else self.catalog


def in_batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Yield the items in lists of at most `BATCH`."""
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch


def copy_all(source: Moment, target: Moment, progress: Progress) -> None:
    """Insert all rows into empty tables, within the target's transaction; `progress` counts rows."""
    done, total = 0, source.count()
    for table in TABLES:
        for batch in in_batches(source.rows(table)):
            target.insert(table, batch)
            done += len(batch)
            progress(done, total)
    target.count_on()


def difference(one: Moment, other: Moment) -> Iterator[str | None]:
    """Compare all rows; yield None after each batch of equal ones, or the name of a table that differs."""
    for table in TABLES:
        pairs = zip_longest(one.rows(table), other.rows(table))
        for batch in in_batches(pairs):
            yield None if all(left == right for left, right in batch) else table.name


def insert_rows(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert whole rows of a table. Raises LibraryError for text that PostgreSQL can't store."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        _copy_in(connection, table, rows)
    else:
        names = [column.name for column in table.columns]
        connection.execute(sa.insert(table), [dict(zip(names, row, strict=True)) for row in rows])


def _copy_in(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert by COPY, which is the fastest, and which accepts numbers for columns that PostgreSQL numbers itself."""
    import psycopg
    from psycopg.sql import SQL, Identifier

    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101 - as the dialect says
    names = SQL(", ").join(Identifier(column.name) for column in table.columns)
    try:
        statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table.name), names)
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except psycopg.DataError as error:
        nul = next((row for row in rows if any(isinstance(value, str) and "\0" in value for value in row)), None)
        if nul is None:
            raise exc.DBAPIError(table.name, None, error) from error
        raise LibraryError(
            f"PostgreSQL can't keep the character NUL, which is in the {table.name} {nul[0]!r}: remove that first."
        ) from error
    except psycopg.IntegrityError as error:
        raise exc.IntegrityError(table.name, None, error) from error
    except psycopg.Error as error:
        raise exc.DBAPIError(table.name, None, error) from error


def _is_of_accounts(table: Table) -> bool:
    return table.metadata is account_tables.metadata


def _keys(table: Table) -> list[sa.Column[Any]]:
    """Return the columns that order the rows: the order of creation, if the table has it."""
    return [table.c.rowid] if "rowid" in table.c else list(table.primary_key)


def _rows(table: Table, after: Row | None) -> Rows:
    keys = _keys(table)
    query = sa.select(*table.columns).order_by(*keys)
    if after is None:
        return query
    values = [sa.literal(value, key.type) for key, value in zip(keys, after, strict=True)]
    return query.where(sa.tuple_(*keys) > sa.tuple_(*values) if len(keys) > 1 else keys[0] > values[0])


def _count(table: Table) -> sa.Select[int]:
    return sa.select(sa.func.count()).select_from(table)
