"""Compile frequent statements once, and run them with SQLite's own driver, which is faster than SQLAlchemy's layers."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Executable
from sqlalchemy.dialects.sqlite import dialect as sqlite_dialect

from store.text.storable import check_storable

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

Values = Mapping[str, object]
_DIALECT = sqlite_dialect(paramstyle="qmark")


class Compiled:
    """One statement. Parameters are named; a list parameter expands to its values."""

    def __init__(self, statement: Executable, columns: Sequence[str] | None = None) -> None:
        """`columns` are those that an INSERT has values for."""
        self._statement = statement
        compiled: SQLCompiler = statement.compile(  # type: ignore[attr-defined]
            dialect=_DIALECT, column_keys=None if columns is None else list(columns)
        )
        self._text = compiled.string
        self._order: tuple[str, ...] = tuple(compiled.positiontup or ())
        self._has_lists = "__[POSTCOMPILE_" in self._text
        self._constants = {name: value for name, value in compiled.params.items() if value is not None}

    def rows(self, connection: Connection, **values: object) -> Sequence[Sequence[Any]]:
        """Return all rows of a query."""
        driver = _driver(connection)
        if driver is None:
            return connection.execute(self._statement, values).all()
        text, given = self._bound(values)
        check_storable(given)
        return driver.execute(text, given).fetchall()

    def first(self, connection: Connection, **values: object) -> Sequence[Any] | None:
        """Return the first row of a query, if any."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def run(self, connection: Connection, many: Sequence[Values]) -> None:
        """Run the statement for each of `many` mappings."""
        driver = _driver(connection)
        if driver is not None:
            rows = [[values[name] for name in self._order] for values in many]
            check_storable(chain.from_iterable(rows))
            driver.executemany(self._text, rows)
        elif many:
            connection.execute(self._statement, many)

    def _bound(self, values: Values) -> tuple[str, list[object]]:
        if not self._has_lists:
            return self._text, [values[name] if name in values else self._constants[name] for name in self._order]
        text = self._text
        given: list[object] = []
        for name in self._order:
            value = values.get(name, self._constants.get(name))
            if isinstance(value, list | tuple):
                marks = ", ".join("?" * len(value)) or "NULL"
                text = text.replace(f"__[POSTCOMPILE_{name}]", marks)
                given += value
            else:
                given.append(value)
        return text, given


def _driver(connection: Connection) -> sqlite3.Connection | None:
    driver = connection.connection.driver_connection
    return driver if isinstance(driver, sqlite3.Connection) else None
