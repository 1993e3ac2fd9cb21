"""Decide whether a machine translation of a quote can be shown: cheap checks for nonsense and for changed numbers.

They don't prove that a translation is right. A translation that passes is always labelled as a machine translation.
"""

from __future__ import annotations

from typing import Literal

import regex

from assistant.types import Evidence
from assistant.verify.claim_against_quotes import Quote, read_quote, unsupported_date, unsupported_number
from assistant.verify.injection_filter import commands
from assistant.verify.text import fold, script_of, speaks
from store.text.dates import common_year
from store.text.language import UNKNOWN, detect_language

TranslationFault = Literal["empty", "same", "language", "length", "number", "date", "command"]

LONGEST, SHORTEST = 4.0, 0.2
"""The most and least letters of a translation, as multiples of the quote's: 99 in 100 true ones have .5 to 2.1."""
SPARE_LETTERS = 40
"""A difference of this many letters is always allowed, because a name may be spelled out."""
_CIRCLE = regex.compile(r"(?s)(.{4,120}?)\1\1")
"""Repeated words of a true translation are names, which have other words between them."""
MOST_COPIED, MOST_TERMS = 0.5, 0.1
"""Share of a text's letters in words of the quote, including names, and in those that aren't names: many
technical terms stay English in Thai texts, but Vietnamese ones stay in none."""
_LATIN = regex.compile(r"\p{Latin}[\p{Latin}\p{Mn}]*")
_BUDDHIST_YEAR = regex.compile(r"(?<!\d)2[45]\d\d(?!\d)")
_ERA_NAMED = regex.compile(r"(?i)\bB\.?\s?E\b|Buddh|Phật|bouddh|พ\.\s?ศ|佛|仏")
_WORTH = ((regex.compile(r"[\p{Han}]"), 3), (regex.compile(r"[\p{Hiragana}\p{Katakana}\p{Hangul}]"), 2))
"""The number of alphabetic letters that one character corresponds to."""


def translation_fault(translation: str, evidence: Evidence, language: str) -> TranslationFault | None:
    """Return why `translation` into `language` (BCP 47) can't be shown next to its quote; None if it can."""
    quote, folded = fold(evidence.quote), fold(translation)
    fault: TranslationFault | None = None
    if not regex.search(r"\p{L}", folded):
        fault = "empty"
    elif _bare(folded) == _bare(quote):
        fault = "same"
    elif not _is_in(folded, language) or _is_partly_left(folded, quote):
        fault = "language"
    elif _is_out_of_measure(folded, quote):
        fault = "length"
    elif commands(folded):
        fault = "command"
    return fault or _altered(folded, quote, evidence, language)


def goes_in_circles(text: str) -> bool:
    """Return whether `text` repeats the same three times in a row."""
    return bool(_CIRCLE.search(text))


def same_language(one: str, other: str) -> bool:
    """Return whether two tags mean the same language, ignoring regions and scripts."""
    return one.partition("-")[0].lower() == other.partition("-")[0].lower()


def _is_in(text: str, language: str) -> bool:
    found = detect_language(text)
    # A few words, or names alone, show no language, so letters must decide.
    return same_language(found, language) or (found == UNKNOWN and speaks(text, language))


def _is_partly_left(text: str, quote: str) -> bool:
    """Return whether `text` has words of the quote in the quote's own script; Latin names are allowed anywhere."""
    script = script_of(quote)
    if script in ("", "cjk"):
        return False
    if script != "latin":
        return sum(script_of(character) == script for character in text) > 1
    if all(script_of(character) in ("", "latin") for character in text):
        return False  # For another language in the same script, names look alike, and other checks cover the words.
    own = set(_LATIN.findall(quote))
    copied = [word for word in _LATIN.findall(text) if word in own]
    terms = [word for word in copied if word[0].islower()]
    return (
        any(not word.isascii() for word in terms)
        or sum(map(len, copied)) > MOST_COPIED * _letters(text)
        or (len(terms) > 1 and sum(map(len, terms)) > MOST_TERMS * _letters(text))
    )


def _is_out_of_measure(text: str, quote: str) -> bool:
    given, worth = _letters(text), _letters(quote)
    return bool(
        given > LONGEST * worth + SPARE_LETTERS or given + SPARE_LETTERS < SHORTEST * worth or goes_in_circles(text)
    )


def _altered(text: str, quote: str, evidence: Evidence, language: str) -> TranslationFault | None:
    """Return the fault of a number or date in only one of quote and `text`; for the quote, only digits count."""
    before, after = _read(evidence), _read(evidence.model_copy(update={"quote": text, "language": language}))
    if unsupported_date(text, before) or unsupported_date(quote, after) or _is_of_another_era(text, before, language):
        return "date"
    lost = unsupported_number(quote, after)
    if unsupported_number(text, before) or (lost and regex.search(r"\d", lost.detail or "")):
        return "number"
    return None


def _is_of_another_era(text: str, quotes: tuple[Quote], language: str) -> bool:
    """Return whether a Buddhist year was not converted, for readers who would take it for a far future year."""
    if same_language(language, "th") or _ERA_NAMED.search(text):
        return False
    years = {reading[0] for quote in quotes for mention in quote.dates for reading in mention.alternatives}
    return any(common_year(int(year)) in years for year in _BUDDHIST_YEAR.findall(text))


def _read(evidence: Evidence) -> tuple[Quote]:
    # A number in a title or a publication date isn't in the quote.
    bare = evidence.document.model_copy(update={"title": "", "speaker": None, "published": None})
    return (read_quote(evidence.model_copy(update={"document": bare})),)


def _bare(text: str) -> str:
    return regex.sub(r"[\P{L}--\p{M}]+", "", text.casefold(), flags=regex.V1)


def _letters(text: str) -> int:
    worth = len(regex.findall(r"\p{L}", text))
    return worth + sum((each - 1) * len(pattern.findall(text)) for pattern, each in _WORTH)
