"""Strip words of their marks, to find a library's spelling of words typed without marks or with wrong ones.

The keyword index has a term for each word and, in languages written syllable by syllable, for each two in a row: the
bare form, `SPELLED`, and the folded form. All spellings of a bare form are adjacent in the index.
"""

from __future__ import annotations

from collections.abc import Iterator

import regex

from store.text.fold import fold, without_marks

SPELLED = "|"
"""Separates the bare form of a word from its spelling."""
BESIDE = "_"
"""Separates two consecutive words."""
NUMBER = "#"
"""Replaces any number next to a word: before a year, "nam" is "năm"."""
_LONGEST = 40
"""Letters of a word; longer ones are no words."""
_BY_SYLLABLE = frozenset({"vi"})
"""Languages with a blank between syllables: a syllable's word determines its marks."""
_WORD = regex.compile(
    r"(?<![\p{L}\p{M}\p{N}])(?:[\p{Latin}\p{Cyrillic}\p{Greek}\p{M}]+|(?P<number>\p{N}+))(?![\p{L}\p{M}\p{N}])"
)
_LETTERS = str.maketrans({"ł": "l", "ø": "o", "ı": "i", "ħ": "h", "æ": "ae", "œ": "oe"})


def bare(word: str) -> str:
    """Return the folded form of `word` without marks on its letters.

    >>> bare("Điện"), bare("Müller")
    ('dien', 'muller')
    """
    return without_marks(fold(word).translate(_LETTERS))


def spelling_terms(text: str, language: str) -> frozenset[str]:
    """Return the terms for the words of `text`, in scripts with blanks between words and marks on letters."""
    terms: set[str] = set()
    before: tuple[str, int] | None = None
    for word, start, end in _words(fold(text)):
        if word != NUMBER:
            terms.add(f"{bare(word)}{SPELLED}{word}")
        if language in _BY_SYLLABLE and before is not None and before[1] + 1 == start:
            pair = f"{before[0]}{BESIDE}{word}"
            terms.add(f"{bare(pair)}{SPELLED}{pair}")
        before = word, end
    return frozenset(terms)


def _words(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield each word, or `NUMBER`, with its start and end."""
    for match in _WORD.finditer(text):
        if match.end() - match.start() <= _LONGEST:
            yield NUMBER if match["number"] else match[0], match.start(), match.end()
