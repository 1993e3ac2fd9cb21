"""Check the names of collections. A document belongs to one; accounts say who may see it."""

from __future__ import annotations

import unicodedata

from store.errors import RequestError

LONGEST_COLLECTION = 64
"""Characters."""


def checked_collection(name: str) -> str:
    """Return the name as it is stored (NFC, single blanks); the empty name stands for no collection.

    Raises RequestError if it contains control or invisible characters, or is too long.
    """
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if len(plain) > LONGEST_COLLECTION:
        raise RequestError(f"The collection's name has {len(plain)} characters; the most is {LONGEST_COLLECTION}.")
    if any(unicodedata.category(character)[0] == "C" for character in plain):
        raise RequestError(f"The collection's name {plain!r} holds invisible characters: type it without them.")
    return plain
