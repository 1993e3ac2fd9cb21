"""Check which text databases can store: all of Unicode except the character NUL, which PostgreSQL's text lacks.

Half of a surrogate pair (U+D800 to U+DFFF) isn't a character and has no UTF-8 form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from store.errors import RequestError

NOTHING = "\uffff"
"""A value that can be looked up but never exists: Unicode promises that no text has this code point."""
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def unstorable(text: str) -> str | None:
    """Return the first character of the text that can't be stored, as ``U+0000``; None if all can."""
    found = _UNSTORABLE.search(text)
    return None if found is None else f"U+{ord(found[0]):04X}"


def check_storable(texts: Iterable[object]) -> None:
    """Raise RequestError if any of these values, or of a list among them, is text that can't be stored."""
    for text in texts:
        if isinstance(text, list):
            check_storable(text)
        elif isinstance(text, str) and (character := unstorable(text)):
            raise RequestError(
                "The text holds the character {character}, which can't be stored: take it out and try again.",
                code="text_unstorable",
                character=character,
            )
