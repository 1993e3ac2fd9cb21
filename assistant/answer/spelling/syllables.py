"""Split Vietnamese syllables into their parts, and place the tone mark."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import regex

TONES = ("", "\u0300", "\u0301", "\u0309", "\u0303", "\u0323")
_MARKED = {"a": "aăâ", "e": "eê", "i": "i", "o": "oôơ", "u": "uư", "y": "y"}
_PARTS = regex.compile(
    r"(ngh?|nh|ch|gh|gi(?=[aeouyăâêôơư])|kh|ph|qu(?=[aeiouyăâêôơ])|th|tr|[bcdđghklmnrstvx])?"
    r"([aeiouyăâêôơư]{1,3})(ch|ng|nh|[cmnpt])?"
)


_TONE_ON_QU = regex.compile(r"^(qu)([\u0300\u0301\u0303\u0309\u0323])(y)")


@dataclass(frozen=True, slots=True)
class Syllable:
    """A syllable in lower case; `vowels` have their marks, but not the tone's."""

    onset: str
    vowels: str
    coda: str

    def with_tone(self, tone: str) -> str:
        """Return the syllable with one of `TONES`, in NFC, as `store.text.fold.fold` spells it."""
        at = self._tone_place()
        vowels = self.vowels[: at + 1] + tone + self.vowels[at + 1 :]
        return unicodedata.normalize("NFC", self.onset + vowels + self.coda)

    def _tone_place(self) -> int:
        marked = [place for place, vowel in enumerate(self.vowels) if vowel in "ăâêôơư"]
        if marked:
            return marked[-1]
        if self.coda:
            return len(self.vowels) - 1
        return 1 if len(self.vowels) == 3 else 0


def parse(letters: str) -> Syllable | None:
    """Return the parts of a syllable without a tone; None if it is no syllable."""
    match = _PARTS.fullmatch(letters)
    return Syllable(match[1] or "", match[2], match[3] or "") if match else None


def is_syllable(word: str) -> bool:
    """Return whether a lower-case word, with its marks, could be Vietnamese: a final stop allows only two tones."""
    letters = unicodedata.normalize("NFD", word)
    tone = "".join(letter for letter in letters if letter in TONES)
    parts = parse(unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in TONES)))
    if parts is None or len(tone) > 1:
        return False
    return parts.coda not in ("c", "ch", "p", "t") or tone in ("\u0301", "\u0323")


def as_written(folded: str) -> str:
    """Return a folded word in its usual spelling: the u of "qu" is no vowel and takes no tone.

    >>> as_written("qúy")
    'quý'
    """
    letters = unicodedata.normalize("NFD", folded)
    return unicodedata.normalize("NFC", _TONE_ON_QU.sub(r"\1\3\2", letters))


def spellings(letters: str) -> Iterator[str]:
    """Yield all that a syllable without marks can stand for, including itself; nothing for other words."""
    parts = parse(letters)
    if parts is None:
        return
    for onset in ("d", "đ") if parts.onset == "d" else (parts.onset,):
        for vowels in product(*(_MARKED[vowel] for vowel in parts.vowels)):
            for tone in TONES:
                yield Syllable(onset, "".join(vowels), parts.coda).with_tone(tone)
