"""Pass whole columns as parameters of one statement to PostgreSQL, so that statements stay short."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement, bindparam
from sqlalchemy.dialects.postgresql import ARRAY


def any_of(name: str, kind: sa.types.TypeEngine[Any]) -> ColumnElement[Any]:
    """Return an expression that a column equals if the parameter `name`, a list, contains its value."""
    return sa.any_(bindparam(name, type_=ARRAY(kind)))


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
