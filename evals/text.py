"""Texts made comparable: normalized, cut into words, and searched in each other, in any script.

Counting words by spaces makes a Thai sentence one word. So words are found by script: Thai by a
dictionary (newmm of PyThaiNLP), Han and kana by character, Lao, Khmer and Burmese by grapheme cluster,
everything else by spaces, which for Vietnamese means syllables. `SEGMENTER` names this in every report.
"""

from __future__ import annotations

import os
import string
import unicodedata
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import PurePosixPath

import regex

_ARTICLES = regex.compile(r"\b(a|an|the)\b")
_SPLIT_THAI_AM = regex.compile(r"\u0E4D([\u0E48-\u0E4B]?)\u0E32")
_SPLIT_LAO_AM = regex.compile(r"\u0ECD([\u0EC8-\u0ECB]?)\u0EB2")
_IGNORABLE = regex.compile(r"\p{Cf}|[\uFE00-\uFE0F\u034F]")
_PUNCTUATION = regex.compile(rf"\p{{P}}|[{regex.escape(string.punctuation)}]")
_QUOTES = str.maketrans("‘’‚‛′“”„‟″‐‑‒–—−", "'''''\"\"\"\"\"------")
_SCHEME = regex.compile(r"^[a-z][a-z0-9+.-]+:/{0,2}")
_MARKER = regex.compile(r"\s*\[\d+(?:\s*[,;]\s*\d+)*\]")
_PIECES = regex.compile(
    r"(?P<thai>\p{Script=Thai}+)"
    r"|(?P<character>[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー]\p{M}*)"
    r"|(?P<cluster>(?:[\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]\p{M}*))"
    r"|(?P<word>[^\s\p{Script=Thai}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}ー"
    r"\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]+)"
)


def _thai_segmenter() -> str:
    try:
        return f"newmm of PyThaiNLP {version('pythainlp')}"
    except PackageNotFoundError:  # the program was bundled without its metadata
        return "newmm of PyThaiNLP"


SEGMENTER = (
    f"Thai: {_thai_segmenter()}; Chinese and Japanese: characters; Lao, Khmer, Burmese: grapheme clusters; "
    "all others, Vietnamese by syllable: spaces"
)


def fold(text: str) -> str:
    """`text` so that only what a reader would call a difference remains one.

    NFKC, case folding, every script's decimal digits as 0-9, typographic quotes and dashes as plain
    ones, format characters (zero-width space, soft hyphen, direction marks) dropped, white space
    collapsed. Punctuation stays: 3.5 is not 35. Idempotent.
    """
    text = unicodedata.normalize("NFKC", _IGNORABLE.sub("", text)).casefold()
    text = _IGNORABLE.sub("", unicodedata.normalize("NFKC", text)).translate(_QUOTES)
    text = "".join(str(unicodedata.decimal(letter)) if letter.isdecimal() else letter for letter in text)
    # NFKC takes the Thai and Lao vowel "am" apart, and no dictionary knows it in two pieces.
    text = _SPLIT_LAO_AM.sub("\\1\u0eb3", _SPLIT_THAI_AM.sub("\\1\u0e33", text))
    return " ".join(text.split())


def normalize(text: str, language: str | None = None) -> str:
    """`fold`, then without punctuation and, where `language` is English, without articles.

    For English in ASCII this is what the published SQuAD evaluation does, in its order: lower case,
    punctuation deleted (not replaced by a space), the articles a, an and the deleted, spaces collapsed.
    """
    text = _PUNCTUATION.sub("", fold(text))
    if base_language(language) == "en":
        text = _ARTICLES.sub(" ", text)
    return " ".join(text.split())


def words(text: str, language: str | None = None) -> tuple[str, ...]:
    """The words of `normalize(text, language)`, as `SEGMENTER` says; white space is none.

    >>> words("The 2 reports", "en")
    ('2', 'reports')
    >>> words("ประเทศไทย ๒๕๖๖ UN", "th")
    ('ประเทศ', 'ไทย', '2566', 'un')
    """
    found: list[str] = []
    for piece in _PIECES.finditer(normalize(text, language)):
        if piece.lastgroup == "thai":
            found.extend(_thai_words(piece.group()))
        else:
            found.append(piece.group())
    return tuple(found)


@lru_cache(maxsize=4096)
def _thai_words(text: str) -> tuple[str, ...]:
    # Left alone, PyThaiNLP makes a folder in the user's home at its first import.
    os.environ.setdefault("PYTHAINLP_READ_ONLY", "1")
    from pythainlp.tokenize.newmm import segment

    return tuple(word for word in segment(text) if word.strip())


def contains(text: str, needle: str) -> bool:
    """Whether `needle` stands in `text`, both folded; a number only as a whole number.

    >>> contains("Founded in ๒๕๖๖.", "2566"), contains("in 2015", "5"), contains("3.5 %", "3")
    (True, False, False)
    """
    text, needle = fold(text), fold(needle)
    if not needle:
        return False
    start = text.find(needle)
    while start >= 0:
        if not _cuts_a_number(text, start, start + len(needle)):
            return True
        start = text.find(needle, start + 1)
    return False


def _cuts_a_number(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` begins or ends within a number such as 2015, 3.5 or 1,000."""
    return _within_number(text, start) or _within_number(text, end)


def _within_number(text: str, at: int) -> bool:
    left, right = text[max(0, at - 2) : at], text[at : at + 2]
    if left[-1:].isdigit() and right[:1].isdigit():
        return True
    if left[-1:].isdigit():
        return right[:1] in {".", ","} and right[1:].isdigit()
    return right[:1].isdigit() and left[-1:] in {".", ","} and left[:1].isdigit()


def without_markers(text: str) -> str:
    """`text` without citation markers such as [1] or [2, 3], and without the space before them."""
    return _MARKER.sub("", text)


def path_parts(name: str) -> tuple[str, ...]:
    """The parts of a path or address without its scheme, folded: file systems differ in form, case and slash."""
    return PurePosixPath(_SCHEME.sub("/", fold(name.replace("\\", "/")))).parts


def base_language(tag: str | None) -> str:
    """The primary subtag in lower case: ``zh`` for ``zh-Hant``; ``und`` for None."""
    return (tag or "und").replace("_", "-").split("-", 1)[0].lower()


def same_language(one: str | None, other: str | None) -> bool:
    """Whether two BCP 47 tags name one language; an unknown one is the same as none."""
    return base_language(one) == base_language(other) != "und"
