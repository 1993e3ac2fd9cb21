"""Pass whole columns as parameters of one statement to PostgreSQL, so that statements stay short and planned once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


def any_of(name: str, kind: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
    """Return an expression that a column equals if the parameter `name`, a list, contains its value."""
    return sa.any_(bindparam(name, type_=ARRAY(kind)))


class is_among(FunctionElement[Any]):  # noqa: N801 - reads as a condition
    """The condition that a column's value is in the parameter `keys`, a list: an array on PostgreSQL, `IN` on SQLite."""

    inherit_cache = True
    type = sa.types.NullType()  # SQLite has no Boolean, and uses no index for `(... IN ...) = 1`

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)


@compiles(is_among)
def _in_list(element: is_among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - of SQLAlchemy
    (column,) = element.clauses
    return compiler.process(column.in_(bindparam("keys", expanding=True)), **options)


@compiles(is_among, "postgresql")
def _in_array(element: is_among, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - of SQLAlchemy
    (column,) = element.clauses
    return compiler.process(column == any_of("keys", column.type), **options)


def given_table(*columns: Any) -> sa.TableValuedAlias:  # noqa: ANN401 - columns of any type
    """Return a table of the parameters that `given_columns` makes."""
    arrays = [bindparam(f"given_{column.name}", type_=ARRAY(column.type)) for column in columns]
    return (
        sa.func.unnest(*arrays)
        .table_valued(*(sa.column(c.name, c.type) for c in columns), name="given")
        .render_derived()
    )


def given_columns(**columns: Iterable[Any]) -> dict[str, list[Any]]:
    """Return the parameters of a table made by `given_table`: the values of each column."""
    return {f"given_{name}": list(values) for name, values in columns.items()}
