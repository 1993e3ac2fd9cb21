"""Correct text typed with another keyboard layout: Thai in Latin keys, and the reverse.

Each part between blanks is read in the layout for which the embedding model's vocabulary needs the fewest pieces. The
vocabulary covers a hundred languages, and splits other text into many pieces.
"""

from __future__ import annotations

from collections.abc import Callable

import regex

PIECES = 0.6
"""A reading in another layout may need at most this share of the pieces."""
LEAST = 5
"""With fewer keys, nothing is decided."""
_THAI = regex.compile(r"\p{Thai}")
_PART = regex.compile(r"\S+")
_DIGITS = regex.compile(r"([0-9]+)")


def in_other_layout(text: str, pieces: Callable[[str], int]) -> str | None:
    """Return `text` as its keys read in the other layout, Kedmanee or Latin; None if it is right already.

    `pieces` returns how many pieces of a vocabulary make up a text.
    """
    if len(text) < LEAST or not any(character.isalpha() for character in text):
        return None
    from pythainlp.util import eng_to_thai, thai_to_eng

    def best(part: str) -> str:
        convert = thai_to_eng if _THAI.search(part) else eng_to_thai
        kept = "".join(each if each.isdigit() else convert(each) for each in _DIGITS.split(part))
        return min((kept, part, convert(part)), key=lambda each: (pieces(each), each != kept))

    other = _PART.sub(lambda match: best(match[0]), text)
    is_turned = bool(_THAI.search(other)) != bool(_THAI.search(text))
    return other if is_turned and pieces(other) <= PIECES * pieces(text) else None
