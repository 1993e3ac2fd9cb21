"""Compare names by the classes of their consonants, to match Thai and Latin spellings."""

from __future__ import annotations

from functools import cache

import regex

from store.text.fold import without_marks

LATIN_WORD = regex.compile(r"[\p{Latin}][\p{Latin}\p{M}\p{N}]*(?:['\-][\p{Latin}\p{N}\p{M}]+)*")


@cache
def bare(text: str) -> str:
    """Return `text` in lower case without accents, so that "Türk" becomes "Turk", and đ becomes d."""
    return without_marks(text.lower())


_THAI_CLASSES = {
    **dict.fromkeys("กขฃคฅฆ", "k"),
    **dict.fromkeys("จฉชซฌศษส", "s"),
    **dict.fromkeys("ดตถทธฎฏฐฑฒ", "t"),
    **dict.fromkeys("นณ", "n"),
    **dict.fromkeys("บปผพภ", "p"),
    **dict.fromkeys("วฝฟ", "w"),
    **dict.fromkeys("รลฬ", "l"),
    **dict.fromkeys("มํ", "m"),
}


def thai_consonants(text: str) -> str:
    """Return the consonants of a Thai text by class of sound, without silent ones, other letters and vowels.

    >>> thai_consonants("มิเชล บาเชเลต์")
    'mslpsl'
    """
    text = regex.sub(r"\p{Thai}[ิุ]?\u0e4c", "", text)
    text = text.replace("ง", "nk").replace("ญ", "n")
    return "".join(_THAI_CLASSES.get(c, c if c in "nk" else "") for c in text)


_LATIN_CLASSES = {
    **dict.fromkeys("cgkq", "k"),
    **dict.fromkeys("jszx", "s"),
    **dict.fromkeys("dt", "t"),
    **dict.fromkeys("bp", "p"),
    **dict.fromkeys("rl", "l"),
    **dict.fromkeys("fvw", "w"),
    "n": "n",
    "m": "m",
}


def latin_consonants(text: str) -> str:
    """Return the consonants of words in Latin letters by the same classes as `thai_consonants`.

    >>> latin_consonants("Michelle Bachelet")
    'mslpslt'
    """
    plain = bare(text)
    for spelling, sound in (("sch", "s"), ("tch", "s"), ("ch", "s"), ("sh", "s"), ("zh", "s"), ("ph", "f")):
        plain = plain.replace(spelling, sound)
    plain = regex.sub(r"c(?=[eiy])", "s", plain)
    plain = regex.sub(r"g(?=[eiy])", "s", plain)
    # Thai marks an "r" at the end of a syllable as silent, if it writes it at all.
    plain = regex.sub(r"r(?=[bcdfgjklmnpqstvwxz]|\b)", "", plain)
    plain = regex.sub(r"(\p{L})\1+", r"\1", plain)
    return "".join(_LATIN_CLASSES.get(c, "") for c in plain)


def occurs(wanted: str, sounds: str) -> bool:
    """Return whether `wanted` occurs in `sounds` with at most one letter in five wrong, missing or added."""
    if not wanted:
        return True
    allowed = len(wanted) // 5
    # Sellers' algorithm: the edit distance of `wanted` to any part of `sounds`.
    row = list(range(len(wanted) + 1))
    for sound in sounds:
        previous, row[0] = row[0], 0
        for at, letter in enumerate(wanted, 1):
            previous, row[at] = row[at], min(previous + (letter != sound), row[at] + 1, row[at - 1] + 1)
        if row[-1] <= allowed:
            return True
    return row[-1] <= allowed
