"""Load frequency lists of the words of some languages, from pyspellchecker."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spellchecker import SpellChecker

LISTED = ("en", "de", "es", "fr", "it", "nl", "pt")
"""Languages that have a list."""


@cache
def word_list(language: str) -> SpellChecker:
    """Return the list of one of `LISTED`, which loads in a third of a second; ``in`` shows whether it has a word."""
    from spellchecker import SpellChecker

    return SpellChecker(language=language)
