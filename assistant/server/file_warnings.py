"""What a document's file was made to mislead its readers with, in the interface's words."""

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


def told_signs(document: Document, words: Strings) -> list[str]:
    """A sentence for each sign; signs that only a newer version knows are left out."""
    return [words(_KEYS[sign]) for sign in document.signs if sign in _KEYS]
