"""Warn readers about a document's file before they trust it, in the interface's language."""

from __future__ import annotations

from assistant.server.strings import Strings
from store.types import Document, Span, page_numbers

_KEYS = {
    "direction": "sign.direction",
    "tags": "sign.tags",
    "invisible": "sign.invisible",
    "title": "sign.title",
    "speaker": "sign.speaker",
}

_PAGE_KEYS = {"unread": "sign.unread", "recognized": "sign.recognized"}
"""For signs that name pages: ``unread:2-3/4`` means pages 2 and 3 of 4."""


def told_signs(document: Document, words: Strings) -> list[str]:
    """Return a sentence for each sign, without signs that only a newer version knows."""
    return [told for sign in document.signs if (told := _told(sign, words))]


def told_signs_of_quote(document: Document, quote: Span, words: Strings) -> list[str]:
    """Return a sentence for each sign that concerns a quote: recognized text only if it is on the quote's own pages."""
    told = [_told(sign, words) for sign in document.signs if not sign.startswith("recognized:")]
    if document.is_recognized(quote):
        told.append(words("sign.recognized.quote"))
    return [each for each in told if each]


def _told(sign: str, words: Strings) -> str:
    name, _, where = sign.partition(":")
    if name in _PAGE_KEYS:
        pages, _, total = where.partition("/")
        return words(_PAGE_KEYS[name], count=len(page_numbers(pages)), total=total, pages=pages.replace(",", ", "))
    return words(_KEYS[sign]) if sign in _KEYS else ""
