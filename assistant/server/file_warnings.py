"""What a reader should know of a document's file before trusting it, in the interface's words."""

from __future__ import annotations

from assistant.server.strings import Strings
from store.types import Document

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


def _told(sign: str, words: Strings) -> str:
    name, _, where = sign.partition(":")
    if name in _PAGE_KEYS:
        pages, _, total = where.partition("/")
        return words(_PAGE_KEYS[name], count=_count(pages), total=total, pages=pages.replace(",", ", "))
    return words(_KEYS[sign]) if sign in _KEYS else ""


def _count(pages: str) -> int:
    """Return how many numbers ``1-3,7`` stands for: 4."""
    runs = (run.partition("-") for run in pages.split(","))
    return sum(int(last or first) - int(first) + 1 for first, _, last in runs)
