"""Questions that are nearly answered: one fact of an answered question is changed, a year, a number or a name.

A near-miss is kept if none of the passages that are found for it holds what the fact was changed to. Countries are known
from the Unicode CLDR, in every language.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import regex

from assistant.verify.names import latin_names
from assistant.verify.places import mentions
from assistant.verify.text import fold

_NUMBER = regex.compile(r"(?<![\p{Nd}.,])\p{Nd}{1,6}(?!\p{Nd}|[.,]\p{Nd})")
_STEPS = (3, 4, 6, 7, 11)
"""Added to a year or a number, the first that makes a number which isn't found."""

_OTHERS = frozenset({"PE", "NO", "NZ", "EG", "CA"})
"""Countries that may take another's place, from five continents: one of them isn't in the passages."""

FoundTexts = Callable[[str], Sequence[str]]
"""The passages that are found for a question."""


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A question with one fact changed."""

    text: str
    was: str
    becomes: str
    country: str | None = None
    """The code of the country that it becomes, if it is one."""


def near_miss(question: str, language: str, names: Sequence[str], found: FoundTexts) -> NearMiss | None:
    """Return `question` with one fact changed to one that the documents don't speak of; None where none can be.

    `names` of several words, from other documents, may take the place of such a name. The same question gives the same
    near-miss.
    """
    for changed in _changes(question, language, names):
        if not any(_holds(text, changed) for text in found(changed.text)):
            return changed
    return None


def _changes(question: str, language: str, names: Sequence[str]) -> Iterator[NearMiss]:
    # A year first: it is what readers take for granted.
    for match in sorted(_NUMBER.finditer(question), key=lambda each: len(each.group()) != 4):
        for step in _STEPS:
            number = _written_as(int(match.group()) + step, match.group())
            yield _changed(question, match.start(), match.group(), number)
    countries = _countries(language)
    named = [(name, code) for name, code in countries.items() if _place(question, name) is not None]
    for was, code in sorted(named, key=lambda each: -len(each[0]))[:1]:
        start = _place(question, was) or 0
        for becomes, other in (
            (name, other) for name, other in countries.items() if other in _OTHERS and other != code
        ):
            yield _changed(question, start, was, becomes, other)
    for was in (name for name in latin_names(question) if " " in name):
        for becomes in names:
            if " " in becomes and becomes not in question and was not in becomes:
                yield _changed(question, question.index(was), was, becomes)
                break


@cache
def _countries(language: str) -> dict[str, str]:
    """Return the code of each country by its name in a language."""
    from babel import Locale, UnknownLocaleError

    try:
        territories = Locale.parse(language, sep="-").territories
    except (UnknownLocaleError, ValueError):
        return {}
    return {name: code for code, name in territories.items() if len(code) == 2 and len(name) >= 3}


def _place(question: str, name: str) -> int | None:
    """Return where a name stands in a question as a word of its own; Thai has no marks between words."""
    whole = rf"(?<!\p{{L}}){regex.escape(name)}(?!\p{{L}})" if name[0].isupper() else regex.escape(name)
    found = regex.search(whole, question)
    return found.start() if found else None


def _changed(question: str, start: int, was: str, becomes: str, country: str | None = None) -> NearMiss:
    return NearMiss(question[:start] + becomes + question[start + len(was) :], was, becomes, country)


def _written_as(number: int, like: str) -> str:
    """Return a number in the script of digits that `like` is written in."""
    zero = ord(like[0]) - unicodedata.digit(like[0])
    return "".join(chr(zero + int(digit)) for digit in str(number))


def _holds(text: str, changed: NearMiss) -> bool:
    if changed.country is not None:
        return mentions(fold(text), frozenset({changed.country}))
    if changed.becomes[0].isdecimal():
        return any(int(found) == int(changed.becomes) for found in _NUMBER.findall(text))
    return changed.becomes.casefold() in text.casefold()
