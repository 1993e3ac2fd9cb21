"""The names of collections: a document belongs to one, and whom that concerns is the accounts' business."""

from __future__ import annotations

import unicodedata

from store.errors import RequestError

LONGEST_COLLECTION = 64
"""Characters."""


def checked_collection(name: str) -> str:
    """The name in the form it is kept in (NFC, single blanks); the empty one is that of documents without any.

    Raises RequestError for one with control or invisible characters, or one that is too long.
    """
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if len(plain) > LONGEST_COLLECTION:
        raise RequestError(f"The collection's name has {len(plain)} characters; the most is {LONGEST_COLLECTION}.")
    if any(unicodedata.category(character)[0] == "C" for character in plain):
        raise RequestError(f"The collection's name {plain!r} holds invisible characters: type it without them.")
    return plain
