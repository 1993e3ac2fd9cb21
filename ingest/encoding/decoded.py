"""Define the result of decoding, and the strict decoding that every method ends with."""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import regex

EXAMINED_BYTES = 100_000
"""How much of a long file decides about its encoding; the whole of it must then decode without error."""

MARKUP = regex.compile(r"<[^<>]*+>")
"""What is no evidence of a language."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the encoding's name, and how sure that is, in (0, 1]; 1 for Unicode."""

    text: str
    encoding: str
    confidence: float


def strictly(data: bytes, codec: str, *, final: bool = True) -> str | None:
    """Return the text of `data`, or None where it is not in `codec`; without `final` its last character may be cut."""
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, final)
    except (UnicodeError, LookupError, TypeError, AttributeError):  # Some codecs aren't of text.
        return None
