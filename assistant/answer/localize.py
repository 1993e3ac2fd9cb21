"""Add dates, numbers and names of a short answer in the asker's language, by rule: next to its words, never instead.

Dates and numbers follow the Unicode CLDR (Babel), with years in Thai in the Buddhist Era. A name is what a document
gives in brackets (`assistant.answer.bracketed_names`), or else what `assistant.verify.places` or the CLDR calls a
place, a body or a language; other names stay unchanged.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from functools import cache

import regex
from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_skeleton
from babel.numbers import NumberFormatError, format_decimal, parse_decimal

from assistant.answer.bracketed_names import in_language
from assistant.types import AnswerSpan, Evidence, Rendering, ShortAnswer
from assistant.verify.names import latin_names
from assistant.verify.number_reading import Quantity, numbers_in
from assistant.verify.places import entities_of, name_in, thai_names
from assistant.verify.text import fold
from store.text.dates import BUDDHIST_ERA, DateMention, dates_in

ANY_LEAP_YEAR = 2000
THAI_LANGUAGE = "ภาษา"
"""The word before the name of a language in Thai, which the CLDR leaves out."""
LARGEST = 10**15
"""Digits of at least this size are a code rather than a number."""
_HALF = regex.compile(r"ครึ่ง|rưỡi|nửa|\bhalf\b|\bhalves\b")
"""Words such as "half", next to which a number isn't the whole amount."""


def with_renderings(
    short: ShortAnswer, evidence: Sequence[Evidence], language: str, texts: Sequence[str] = ()
) -> ShortAnswer:
    """Return `short` with the parts that rules can give in `language`; unchanged if its quotes are in that language.

    `texts` are the surrounding texts of documents, which may give names in two languages.
    """
    quoted_in = {each.key: each.language for each in evidence}
    renderings = [
        rendering
        for span in short.spans
        if _base(quoted_in[span.key]) != _base(language)
        for rendering in _renderings(span, quoted_in[span.key], language, texts)
    ]
    distinct = tuple(dict.fromkeys(renderings))
    return short.model_copy(update={"in_asker_language": distinct})


def _renderings(span: AnswerSpan, quoted_in: str, language: str, texts: Sequence[str]) -> Iterator[Rendering]:
    """Yield the dates, numbers and names of a span, except those that look the same in both languages."""
    locale = _locale(language)
    if locale is None:
        return
    text = fold(span.text)
    dates = dates_in(text)
    taken = tuple((each.start, each.end) for each in dates)
    numbers = () if _HALF.search(text) else numbers_in(text, strict=True, taken=taken)
    found = [(each.start, each.end, _date(each, locale)) for each in dates]
    found += [(each.start, each.end, _number(each, quoted_in, locale)) for each in numbers]
    found += _names(text, language, texts)
    written = span.text if len(span.text) == len(text) else text
    for start, end, rendered in sorted(found, key=lambda each: each[0]):
        if rendered is not None and rendered.removesuffix("%").casefold() not in span.text.casefold():
            yield Rendering(key=span.key, words=written[start:end].strip(), rendered=rendered)


def _date(mention: DateMention, locale: Locale) -> str | None:
    """Return a date in `locale`; None if it is ambiguous or no valid day."""
    if len(set(mention.alternatives)) != 1:
        return None
    year, month, day = mention.alternatives[0]
    shown_year = None if year is None else f"พ.ศ. {year + BUDDHIST_ERA}" if locale.language == "th" else str(year)
    if month is None:
        return shown_year if day is None else None
    try:
        moment = date(year or ANY_LEAP_YEAR, month, day or 1)
    except ValueError:
        return None
    if shown_year is None:
        return str(format_skeleton("MMMMd" if day else "MMMM", moment, locale=locale))
    if locale.language == "th":
        return f"{format_skeleton('MMMMd' if day else 'MMMM', moment, locale=locale)} {shown_year}"
    return str(format_date(moment, "long", locale) if day else format_skeleton("yMMMM", moment, locale=locale))


def _number(quantity: Quantity, quoted_in: str, locale: Locale) -> str | None:
    """Return a number with the separators of `locale`; None if it is ambiguous."""
    values = quantity.values
    if len(values) > 1:
        values = frozenset(value for value in values if value == _parsed(quantity.text, quoted_in))
    if len(values) != 1 or max(values) >= LARGEST:
        return None
    written = str(format_decimal(next(iter(values)), locale=locale, decimal_quantization=False))
    return f"{written}%" if quantity.percent else written


def _parsed(text: str, quoted_in: str) -> Decimal | None:
    found = regex.search(r"[\d.,]*\d", text)
    locale = _locale(quoted_in)
    try:
        return parse_decimal(found[0], locale=locale).normalize() if found and locale else None
    except NumberFormatError:
        return None


def _names(text: str, language: str, texts: Sequence[str]) -> list[tuple[int, int, str | None]]:
    """Return where names are, and their form in `language`: as in documents, or else as in tables."""
    written = in_language(text, language, map(fold, texts))
    found: list[tuple[int, int, str | None]] = [
        (text.index(name), text.index(name) + len(name), other) for name, other in written.items()
    ]
    known = [
        *_languages(text, language),
        *((at, at + len(name), name_in(name, language)) for at, name in _places(text)),
    ]
    for each in known:
        if not any(start < each[1] and each[0] < end for start, end, _ in found):
            found.append(each)
    return found


def _languages(text: str, language: str) -> Iterator[tuple[int, int, str | None]]:
    """Yield where languages are named by unambiguous words: "ภาษาฝรั่งเศส", "tiếng Pháp"."""
    locale = _locale(language)
    if locale is None:
        return
    for pattern, tags in _language_names():
        for found in pattern.finditer(text):
            name = locale.languages.get(tags[found[0].lower()])
            is_bare = locale.language == "th" and name is not None and not name.startswith(THAI_LANGUAGE)
            yield found.start(), found.end(), f"{THAI_LANGUAGE}{name}" if is_bare else name


@cache
def _language_names() -> list[tuple[regex.Pattern[str], dict[str, str]]]:
    """Return, for Thai and Vietnamese, a pattern of the names of languages, and their tags by lower-case name."""
    found = []
    for tag, before in (("th", THAI_LANGUAGE), ("vi", "tiếng ")):
        named = Locale.parse(tag).languages.items()
        tags = {before + str(name).lower().removeprefix(before): code for code, name in named if "_" not in code}
        every = "|".join(map(regex.escape, sorted(tags, key=len, reverse=True)))
        found.append((regex.compile(rf"(?:{every})(?!\p{{Latin}})", regex.IGNORECASE), tags))
    return found


def _places(text: str) -> Iterator[tuple[int, str]]:
    """Yield where known places and bodies are named, each once."""
    thai = (match[0] for match in thai_names().finditer(text))
    latin = latin_names(f"- {text}")  # include the first word, because it doesn't begin a sentence
    for name in dict.fromkeys((*thai, *latin)):
        if entities_of(name) and name in text:
            yield text.index(name), name


def _locale(tag: str) -> Locale | None:
    try:
        return Locale.parse(tag, sep="-")
    except (UnknownLocaleError, ValueError):
        return None


def _base(tag: str) -> str:
    return tag.partition("-")[0].lower()
