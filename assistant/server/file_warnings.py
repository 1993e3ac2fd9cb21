"""What a reader should know of a document's file before trusting it, in the interface's words."""

from __future__ import annotations

from assistant.server.strings import Strings
from store.types import Document, Span

_KEYS = {
    "direction": "sign.direction",
    "tags": "sign.tags",
    "invisible": "sign.invisible",
    "title": "sign.title",
    "speaker": "sign.speaker",
}

_PAGE_KEYS = {"unread": "sign.unread", "recognized": "sign.recognized"}
"""Of signs that name pages: ``unread:2-3/4``, pages 2 and 3 of 4."""


def told_signs(document: Document, words: Strings) -> list[str]:
    """Return a sentence for each sign; signs that only a newer version knows are left out."""
    return [told for sign in document.signs if (told := _told(sign, words))]


def told_signs_of_quote(document: Document, quote: Span, words: Strings) -> list[str]:
    """Return a sentence for each sign that concerns a quote: recognized text only where it is on the quote's own pages."""
    pages = range(document.page_of(quote.start) or 1, (document.page_of(max(quote.start, quote.end - 1)) or 1) + 1)
    told: list[str] = []
    for sign in document.signs:
        name, _, where = sign.partition(":")
        if name != "recognized":
            told += filter(None, [_told(sign, words)])
        elif any(page in _numbers(where.partition("/")[0]) for page in pages):
            told.append(words("sign.recognized.quote"))
    return told


def _told(sign: str, words: Strings) -> str:
    name, _, where = sign.partition(":")
    if name in _PAGE_KEYS:
        pages, _, total = where.partition("/")
        return words(_PAGE_KEYS[name], count=len(_numbers(pages)), total=total, pages=pages.replace(",", ", "))
    return words(_KEYS[sign]) if sign in _KEYS else ""


def _numbers(pages: str) -> frozenset[int]:
    """Return the numbers that ``1-3,7`` stands for."""
    runs = (run.partition("-") for run in pages.split(","))
    return frozenset(number for first, _, last in runs for number in range(int(first), int(last or first) + 1))
