"""Read facts about the library as a whole, by name: the indexes in use, their model, how often it changed."""

from __future__ import annotations

from typing import Self

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam

from store.catalog.compiled_statements import Compiled
from store.catalog.tables import library

OFTEN = (
    "dimensions",
    "embedder_fingerprint",
    "embedder_name",
    "embedding",
    "keywords_generation",
    "revision",
    "vectors_generation",
)
"""Names of facts that nearly every reader needs."""
_VALUES = Compiled(
    sa.select(library.c.name, library.c.value).where(library.c.name.in_(bindparam("names", expanding=True)))
)


class FactReader:
    """Reads facts inside one transaction. Not shared by threads."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._known: dict[str, str | None] = {}

    @classmethod
    def at_one_moment(cls, connection: Connection) -> Self:
        """Return a reader of an unchanging state; it reads the frequent facts at once.

        A database takes its snapshot at the first read, which this is.
        """
        reader = cls(connection)
        reader._known = dict(zip(OFTEN, reader.values(*OFTEN), strict=True))
        return reader

    def value(self, name: str) -> str | None:
        """Return the library's fact `name`, such as the embedding model's fingerprint."""
        return self.values(name)[0]

    def values(self, *names: str) -> tuple[str | None, ...]:
        """Return the facts with these names."""
        unknown = [name for name in names if name not in self._known]
        found = {row[0]: str(row[1]) for row in _VALUES.rows(self._connection, names=unknown)} if unknown else {}
        found |= {name: known for name in names if (known := self._known.get(name)) is not None}
        return tuple(map(found.get, names))

    def number(self, name: str) -> int:
        """Return a fact as an integer; 0 if it isn't stored."""
        return int(self.value(name) or 0)
