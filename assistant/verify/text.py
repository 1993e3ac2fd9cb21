"""What all checks share: texts folded for comparison, with markers and enumerators taken off."""

from __future__ import annotations

import unicodedata

import regex

from store.text.fold import plain

_LOOSE_MARKER = regex.compile(r"\s*\[\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\]")
_ENUMERATOR = regex.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_FRACTION = regex.compile(r"(?P<whole>\d+)?\s?(?P<part>[½¼¾])")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
SENTENCE_START = regex.compile(r"(?:^|[.!?:;]\s+|[\"'(]\s*)$")
"""Ends where a sentence, or what stands in quotation marks or brackets, begins."""


def _as_decimal(match: regex.Match[str]) -> str:
    return (match["whole"] or "0") + _FRACTIONS[match["part"]]


def fold(text: str) -> str:
    """`text` in NFKC with plain quotation marks, dashes and digits of 0-9, one space between words.

    Letter case stays, since names are told by it.
    """
    return plain(_FRACTION.sub(_as_decimal, text))


def strip_markers(text: str) -> str:
    """`text` without citation markers such as [1] or [1, 2], and without a list's bullet or number in front."""
    return _ENUMERATOR.sub("", _LOOSE_MARKER.sub("", text)).strip()


def has_thai(text: str) -> bool:
    """Whether any letter of `text` is Thai."""
    return any("\u0e00" <= c <= "\u0e7f" for c in text)


def script_of(text: str) -> str:
    """The script that most letters of `text` are of: ``latin``, ``thai``, ``cyrillic`` ..., else empty."""
    counts: dict[str, int] = {}
    for c in text:
        if c.isalpha():
            name = unicodedata.name(c, "").partition(" ")[0].lower()
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name]) if counts else ""


def citations_in(text: str) -> tuple[int, ...]:
    """The keys that a sentence cites by markers such as [1], [1][2] or [1, 2], in order."""
    keys = []
    for marker in regex.finditer(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]", text):
        keys += [int(key) for key in regex.findall(r"\d+", marker[1])]
    return tuple(dict.fromkeys(keys))
