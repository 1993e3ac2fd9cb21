"""Define the result of decoding, and the strict decoding at the end of every method."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import regex

EXAMINED_BYTES = 100_000
"""Bytes of a long file that decide its encoding; the whole file must then decode without error."""

MARKUP = regex.compile(r"<[^<>]*+>")
"""Characters that show nothing about a language."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the encoding's name, and how certain that is, in (0, 1]; 1 for Unicode."""

    text: str
    encoding: str
    confidence: float


def strictly(data: bytes, codec: str, *, final: bool = True) -> str | None:
    """Return the text of `data`, or None if it is not in `codec`; without `final`, its last character may be cut."""
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, final)
    except (UnicodeError, LookupError, TypeError, AttributeError):  # Some codecs aren't for text.
        return None
