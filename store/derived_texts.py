"""Keep texts made from a library's documents in its catalog until the documents change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.library import Library

PREFIX = "made."
"""Of their names among what the catalog notes."""


@dataclass(frozen=True, slots=True)
class Note:
    """A text that was made of the documents."""

    text: str
    is_current: bool
    """Whether no document was added, changed or removed since."""


def noted(library: Library, name: str) -> Note | None:
    """Return what `note` kept under `name`; None where nothing was."""
    with library.snapshot() as snapshot:
        value, revision = snapshot.value(PREFIX + name), snapshot.number("revision")
    if value is None:
        return None
    made_at, _, text = value.partition("\n")
    return Note(text, made_at == str(revision))


def note(library: Library, name: str, text: str, revision: int) -> None:
    """Keep a text that was made of the documents as they were at `revision` of the catalog.

    Raises LibraryError for a library that was opened to read.
    """
    with library.ownership.catalog_for_writing() as catalog, catalog.transaction() as transaction:
        transaction.set_value(PREFIX + name, f"{revision}\n{text}")
