"""A written sentence's citation markers put right, and the language that it is in told."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import normalize

import regex

from assistant.answer.topics import language_of
from assistant.verify.text import strip_markers

_LEFT_AS_THEY_WERE = regex.compile(
    r"(?<![\p{L}\p{M}])(?=\p{Ll}*[^\p{ASCII}\P{L}])[\p{Latin}&&\p{Ll}]+(?!\p{L})", regex.V1
)
"""Words of a Latin alphabet with more letters than English has, and no capital: no names, so they should have been
translated ("sân bay quốc tế" in a Thai sentence)."""


def cite(sentence: str, keys: Sequence[int]) -> str:
    """`sentence` with markers of exactly `keys`, before the mark that ends it; its words stay as they are.

    >>> cite("It opened in 1998 [7].", (1, 2))
    'It opened in 1998 [1] [2].'
    """
    bare = regex.sub(r"\s*\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\]", "", sentence).rstrip()
    ending = regex.search(r"[.!?。！？]+[\"'”’»)」』]*$", bare)
    at = ending.start() if ending and not regex.search(r"[\"'”’»)」』]$", bare) else len(bare)
    return f"{bare[:at]} {' '.join(f'[{key}]' for key in keys)}{bare[at:]}"


def speaks(text: str, language: str) -> bool:
    """Whether `text` can be in `language`, as far as its script and small words tell; quoted words don't count."""
    words = regex.sub(r"[\"“«「][^\"”»」]*[\"”»」]|\([^)]*\)", " ", normalize("NFC", strip_markers(text)))
    base = language.partition("-")[0]
    letters = len(regex.findall(r"\p{L}", words))
    if letters < 12:
        return True
    scripts = {"th": r"\p{Thai}", "zh": r"\p{Han}", "ja": r"[\p{Han}\p{Hiragana}\p{Katakana}]", "ko": r"\p{Hangul}"}
    scripts |= {"ar": r"\p{Arabic}", "fa": r"\p{Arabic}", "ur": r"\p{Arabic}", "ru": r"\p{Cyrillic}"}
    scripts |= {"uk": r"\p{Cyrillic}", "hi": r"\p{Devanagari}", "he": r"\p{Hebrew}", "el": r"\p{Greek}"}
    scripts |= {"lo": r"\p{Lao}", "km": r"\p{Khmer}", "my": r"\p{Myanmar}", "ta": r"\p{Tamil}", "bn": r"\p{Bengali}"}
    share = len(regex.findall(scripts.get(base, r"\p{Latin}"), words)) / letters
    if share < 0.3:
        return False
    if (base in scripts or base == "en") and len(_LEFT_AS_THEY_WERE.findall(words)) > 1:
        return False
    return base not in ("en", "vi") or language_of(words) == base
