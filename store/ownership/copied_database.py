"""Notice that a PostgreSQL database is a copy of another, as `pg_restore` makes them.

A copy has the original's id, which names the vectors on the Chroma server. Changing or rebuilding these for the copy would
take them away from the original. So the library records which database it is in.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from store.catalog.database_files import PLACE, facts_of_a_copy
from store.errors import LibraryError

if TYPE_CHECKING:
    from store.catalog.catalog import Catalog


def is_copy(catalog: Catalog) -> bool:
    """Return whether the library was in another database before; record the database of a new library."""
    (noted,) = catalog.facts(PLACE)
    place = catalog.database.place()
    if noted is None and place is not None:
        with suppress(LibraryError), catalog.transaction() as transaction:  # a role may be allowed to read only
            transaction.set_value(PLACE, place)
    return noted is not None and place is not None and noted != place


def require_own_vectors(*, copied: bool) -> None:
    """Raise LibraryError for a copy."""
    if copied:
        raise LibraryError(
            "The library's database was copied from another one, which the vectors on the Chroma server belong to. Run "
            "`attest rebuild` to give the copy its own. If the other one is gone, you can keep its vectors: see "
            "docs/scaling.md."
        )


def separate(catalog: Catalog) -> str:
    """Give a copy an id of its own, and indexes that must be built; return the id. The original keeps its vectors."""
    names = ("vectors_generation", "keywords_generation", "embedder_fingerprint")
    with catalog.transaction() as transaction:
        known = zip(names, transaction.values(*names), strict=True)
        facts = facts_of_a_copy({name: value for name, value in known if value is not None}, 0)
        for name, value in facts.items():
            transaction.set_value(name, value)
        transaction.delete_value(PLACE)
    return facts["id"]
