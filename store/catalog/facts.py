"""Facts about the library as a whole, by name: which indexes are in use, which model made them, how often it changed."""

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
"""Names of facts that nearly every reader asks for."""
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
        """Return a reader that nothing changes under; the facts that are asked for often are read at once.

        A database takes its snapshot at the first read, which this is.
        """
        reader = cls(connection)
        reader._known = dict(zip(OFTEN, reader.values(*OFTEN), strict=True))
        return reader

    def value(self, name: str) -> str | None:
        """Return what the library notes under `name`, such as the embedding model's fingerprint."""
        return self.values(name)[0]

    def values(self, *names: str) -> tuple[str | None, ...]:
        """Return what `value` returns for each of the names."""
        unknown = [name for name in names if name not in self._known]
        found = {row[0]: str(row[1]) for row in _VALUES.rows(self._connection, names=unknown)} if unknown else {}
        found |= {name: known for name in names if (known := self._known.get(name)) is not None}
        return tuple(map(found.get, names))

    def number(self, name: str) -> int:
        """Return the noted value as a whole number; 0 where nothing is noted."""
        return int(self.value(name) or 0)
