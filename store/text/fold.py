"""Fold spellings that readers consider the same, for comparing texts; never shown.

`fold` is for keywords. Its rules, in order: NFKC and case folding; invisible format characters dropped; decimal digits
of every script to 0-9; Thai SARA AM and its tone mark in one order (NFKC takes SARA AM apart, and typists type both orders);
Vietnamese tone marks of oa, oe and uy on their first vowel (hoà and hòa are one word); Arabic vowel signs and
tatweel dropped, since they are optional.

`plain` is for comparing statements: case and marks stay, and quotation marks and dashes become plain ones.
"""

from __future__ import annotations

import re
import unicodedata

import regex

_NIKHAHIT_BEFORE_TONE = re.compile("(\u0e4d+)([\u0e48-\u0e4b]+)")
_SARA_AM_APART = re.compile("\u0e4d\u0e32")
_SARA_AM_BEFORE_TONE = re.compile("(\u0e33+)([\u0e48-\u0e4b]+)")
_SECOND_VOWEL_TONE = re.compile("(o(?=[ae])|u(?=y))([aey])([\u0300\u0301\u0303\u0309\u0323])(?![a-z])")
_RAISED_FIGURE = re.compile("(?<=\\d)(?=[\u00b2\u00b3\u00b9\u2070\u2074-\u2079\u2080-\u2089])")
_ARABIC_AT_WILL = frozenset("\u0640\u0670") | frozenset(map(chr, range(0x064B, 0x0653)))


_PUNCTUATION = str.maketrans(
    dict.fromkeys("“”„‟«»「」『』", '"') | dict.fromkeys("‘’‚‛′", "'") | dict.fromkeys("‐‑‒–—−", "-")
)
_FORMAT = regex.compile(r"\p{Cf}|[\uFE00-\uFE0F\u034F]")
_SPLIT_THAI_AM = re.compile("\u0e4d([\u0e48-\u0e4b]*)\u0e32")
_SPLIT_LAO_AM = re.compile("\u0ecd([\u0ec8-\u0ecb]*)\u0eb2")


class _Characters(dict[int, str]):
    """The folded form of each character by itself, computed when it first occurs."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if character.isdecimal():
            folded = str(unicodedata.decimal(character))
        else:
            folded = "" if unicodedata.category(character) == "Cf" or character in _ARABIC_AT_WILL else character
        self[code] = folded
        return folded


_CHARACTERS = _Characters()


def _compatible(text: str) -> str:
    """Return `text` in NFKC, with ``^`` before a raised digit after a digit: 10⁶ is not 106, nor 500¹ with its note 5001."""
    return unicodedata.normalize("NFKC", _RAISED_FIGURE.sub("^", text))


def fold(text: str) -> str:
    """Return the folded form of `text`; folding twice changes nothing.

    >>> fold("พ.ศ. ๒๕๖๖") == fold("พ.ศ. 2566")
    True
    """
    text = _compatible(text).casefold()
    if text.isascii():
        return text
    text = text.translate(_CHARACTERS)
    if "\u0e4d" in text or "\u0e33" in text:
        text = _NIKHAHIT_BEFORE_TONE.sub("\\2\\1", text)
        text = _SARA_AM_APART.sub("\u0e33", text)
        text = _SARA_AM_BEFORE_TONE.sub("\\2\\1", text)
    return unicodedata.normalize("NFC", _SECOND_VOWEL_TONE.sub("\\1\\3\\2", unicodedata.normalize("NFD", text)))


def without_marks(text: str) -> str:
    """Return `text` without the marks on its letters; đ becomes d too.

    >>> without_marks("điện, Müller")
    'dien, Muller'
    """
    letters = unicodedata.normalize("NFD", text.replace("đ", "d"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def plain(text: str) -> str:
    """Return `text` in NFKC with digits 0-9, plain quotation marks and dashes, and single blanks between words.

    Invisible format characters are dropped. Case stays. Applying it twice changes nothing.

    >>> plain("“Số ٣–๔”")
    '"Số 3-4"'
    """
    text = _FORMAT.sub("", _compatible(_FORMAT.sub("", text))).translate(_PUNCTUATION)
    if not text.isascii():
        text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() and not c.isascii() else c for c in text)
        # NFKC takes the Thai and Lao vowel "am" apart, which nobody writes that way.
        text = _SPLIT_LAO_AM.sub("\\1\u0eb3", _SPLIT_THAI_AM.sub("\\1\u0e33", text))
    return " ".join(text.split())
