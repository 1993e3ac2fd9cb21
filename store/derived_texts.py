"""Keep texts made from a library's documents in its catalog until the documents change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.library import Library

PREFIX = "made."
"""The prefix of their names among the catalog's facts."""


@dataclass(frozen=True, slots=True)
class Note:
    """A text made from the documents."""

    text: str
    is_current: bool
    """Whether no document was added, changed or removed since."""


def noted(library: Library, name: str) -> Note | None:
    """Return what `note` stored under `name`; None if there is nothing."""
    with library.snapshot() as snapshot:
        value, revision = snapshot.value(PREFIX + name), snapshot.number("revision")
    if value is None:
        return None
    made_at, _, text = value.partition("\n")
    return Note(text, made_at == str(revision))


def note(library: Library, name: str, text: str, revision: int) -> None:
    """Store a text made from the documents at `revision` of the catalog.

    Raises LibraryError for a library opened read-only.
    """
    with library.ownership.catalog_for_writing() as catalog, catalog.transaction() as transaction:
        transaction.set_value(PREFIX + name, f"{revision}\n{text}")
