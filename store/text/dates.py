"""Find dates in running text as (year, month, day), in any calendar, language and format.

``14 มิถุนายน พ.ศ. 2566``, ``ngày 14 tháng 6 năm 2023``, ``June 14, 2023`` and ``2023年6月14日`` are the same day. Names of
months come from the Unicode CLDR through Babel, all other language data from ``dates.yaml``. Years of the Buddhist Era
are converted to the common ones. The parts that a date leaves open are None.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import regex
import yaml

from store.text.fold import fold, plain

Day = tuple[int | None, int | None, int | None]
"""A year, a month and a day, each if given."""

BUDDHIST_ERA = 543
"""The Thai year 2566 is 2023 (since 1941, when the Thai year began to start in January)."""
_BUDDHIST_YEARS = range(2400, 2644)
_COMMON_YEARS = range(1000, 2200)

DATE_TERM = regex.compile("(?:year|month|day|date):[0-9]")
"""Matches the terms that `date_terms` makes."""

_DIGIT = regex.compile("[0-9]")
_FOUR_DIGITS = regex.compile(r"(?<![\d.,])\d{4}(?!\d|[.,]\d)")
_THAI = regex.compile("[\u0e00-\u0e7f]")
_NEAR = 40
"""Code points before a month's name in which its day or year may be."""
_UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hangul}]")
"""Scripts without blanks between words, or with endings joined to them: a name may touch its neighbors."""


@dataclass(frozen=True, slots=True)
class DateMention:
    """One date in a text; `alternatives` has (year, month, day) for each way to read it."""

    text: str
    start: int
    end: int
    alternatives: tuple[Day, ...]

    def within(self, known: tuple[DateMention, ...]) -> bool:
        """Return whether `known` dates contain it: day and month must be together, a year anywhere next to them."""
        return any(self._reading_within(reading, known) for reading in self.alternatives)

    @staticmethod
    def _reading_within(reading: Day, known: tuple[DateMention, ...]) -> bool:
        year, month, day = reading
        readings = [other for mention in known for other in mention.alternatives]
        years = {other[0] for other in readings if other[0] is not None}
        for other_year, other_month, other_day in readings:
            if year is not None and other_year != year and (other_year is not None or year not in years):
                continue
            if month is not None and other_month != month:
                continue
            if day is not None and other_day != day:
                continue
            return True
        return False


def dates_in(text: str) -> tuple[DateMention, ...]:
    """Return the dates of `text` in order, without overlaps; `text` is in the form of `store.text.fold.plain`."""
    found: list[DateMention] = []
    is_thai = _THAI.search(text) is not None
    for start, end, parts in _candidates(text):
        if not any(start < other.end and other.start < end for other in found):
            found += [DateMention(text[start:end].strip(), start, end, days) for days in _days(parts, is_thai=is_thai)]
    return tuple(sorted(found, key=lambda mention: (mention.start, mention.text)))


def date_terms(text: str) -> frozenset[str]:
    """Return search terms for the dates and years in any `text`, such as ``year:2023`` and ``date:2023-06-14``.

    A month alone gives none; any four digits that can be a year give one.
    """
    text = plain(text)
    if not _DIGIT.search(text):
        return frozenset()
    years = {common_year(int(match.group())) for match in _FOUR_DIGITS.finditer(text)}
    terms = {f"year:{year}" for year in years if year in _COMMON_YEARS}
    for mention in dates_in(text):
        for reading in mention.alternatives:
            terms.update(_terms(*reading))
    return frozenset(terms)


def common_year(year: int) -> int:
    """Return the year of the common era for a number written as a year: 2023 for 2566.

    The years of both eras that people write about don't overlap.
    """
    return year - BUDDHIST_ERA if year in _BUDDHIST_YEARS else year


def _terms(year: int | None, month: int | None, day: int | None) -> Iterator[str]:
    if day and month and day > calendar.monthrange(2000, month)[1]:
        day = None
    if day and month:
        yield f"day:{month:02}-{day:02}"
    if year is None or (year := common_year(year)) not in _COMMON_YEARS:
        return
    yield f"year:{year}"
    if month:
        yield f"month:{year}-{month:02}"
        if day:
            yield f"date:{year}-{month:02}-{day:02}"


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("dates.yaml").read_text(encoding="utf-8"))
    return data


@cache
def _months(languages: str) -> dict[str, int]:
    """Return the months' numbers by their lower-case names, in the languages listed in the data as `languages`."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for language in _data()[languages].split():
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    for written in (plain(name).lower().strip(". "), fold(name).strip(". ")):
                        if len(written) > 1 and not _DIGIT.search(written):
                            names.setdefault(written, number)
    return names | {name: number for number, spelled in _data()["months"].items() for name in spelled}


@cache
def _any_month() -> re.Pattern[str]:
    """Return a pattern for the longest name of a month at a place; `re` is faster than `regex` for so many words."""
    spaced: list[str] = []
    unspaced: list[str] = []
    for name in sorted(_months("languages"), key=len, reverse=True):
        (unspaced if _UNSPACED.search(name) else spaced).append(re.escape(name))
    return re.compile(rf"(?<!\w)(?:{'|'.join(spaced)})(?!\w)|(?:{'|'.join(unspaced)})(?![a-z])")


@dataclass(frozen=True, slots=True)
class _Patterns:
    """Patterns for dates, or for what surrounds the name of a month."""

    with_numbers: tuple[regex.Pattern[str], ...]
    days_before: regex.Pattern[str]
    year_after_days: regex.Pattern[str]
    year_before: regex.Pattern[str]
    day_after_year: regex.Pattern[str]
    after: regex.Pattern[str]
    years: tuple[regex.Pattern[str], ...]


@cache
def _patterns() -> _Patterns:
    word = {name: f"(?:{pattern})" for name, pattern in _data().items() if isinstance(pattern, str)}
    digits = r"(?:1[0-9]|2[0-6])\d\d"
    number, day = r"(?P<number>1[0-2]|0?[1-9])", r"(?P<day>[0-3]?\d)"
    numeral = r"(?:st|nd|rd|th|er|º|ª)?"
    days = rf"{day}{numeral}(?:\s?(?:-|–|{word['to']})\s?(?P<day2>[0-3]?\d){numeral})?(?!\d)"
    era = rf"(?P<era>{word['buddhist_era']}|{word['common_era']})"
    year = rf"(?:{word['year']}\s?)?{era}?\s?(?P<year>{digits})(?!\d)"

    abbreviation = r"(?:(?<=\.\p{L}{1,2})\.)?"

    one = partial(regex.compile, flags=regex.IGNORECASE)

    def each(*patterns: str) -> tuple[regex.Pattern[str], ...]:
        return tuple(map(one, patterns))

    return _Patterns(
        with_numbers=each(
            # 2023-06-14
            rf"(?<![\d-])(?P<year>{digits})-(?P<number>[01]?\d)-{day}(?![\d-])",
            # 2023年6月14日, 2023년 6월; 6月14日
            rf"(?P<year>{digits})\s?[年년](?:\s?{number}\s?[月월](?:\s?{day}\s?[日일])?)?",
            rf"(?<!\d){number}\s?[月월]\s?{day}\s?[日일]",
            # ngày 14 tháng 6 năm 2023, tháng 6/2023, tháng 6
            rf"(?:{word['day']}\s+)?(?:(?<!\d){days}\s+)?(?:tháng|thg)\s+{number}(?!\d)(?:\s*(?:năm|/|,)\s*{year})?",
        ),
        # 14 June 2023, 14 มิถุนายน พ.ศ. 2566, ngày 14 tháng sáu năm 2023
        days_before=one(rf"(?:{word['day']}\s+)?(?<!\d){days}\s?(?:{word['of']}\s+|\.\s?)?$"),
        year_after_days=one(rf"\.?[\s,]*{year}|{abbreviation}"),
        # 2023. june 14.
        year_before=one(rf"(?<!\d)(?P<year>{digits})\.?\s$"),
        day_after_year=one(rf"\.?\s{day}(?!\d)"),
        # June 14, 2023; June 2023; June
        after=one(rf"\.?(?:\s+{days}(?:,?\s+{year})?|[\s,]*{year})|{abbreviation}"),
        years=each(
            # 14/6/2023, 14.6.2023
            rf"(?<![\d/.-]){day}(?P<mark>[/.-])(?P<number>[0-3]?\d)(?P=mark)(?P<year>{digits})(?![\d/])",
            # 8/12 after "ngày"
            rf"{word['day']}\s+{day}/(?P<number>[01]?\d)(?![\d/])",
            # 2021-2025
            rf"(?<![\d-])(?P<year>{digits})\s?(?:-|–|/)\s?(?P<year2>{digits})(?![\d-])",
            # a year marked as such, or that can hardly be anything else
            rf"(?:{word['says_year']}\s?{era}?|{era})\s?(?P<year>{digits})(?![\d.,]*\d)",
            rf"(?<![\d.,]|\p{{Latin}}|\p{{Latin}}-)(?P<year>(?:1[4-9]|2[0-1])\d\d)(?!\p{{Latin}}|[.,]?\d|\s?{word['counts']})",
        ),
    )


_Parts = Mapping[str, str | None]
"""The parts of a date: its day, month or number, and year, with marks of how to read them."""


def _candidates(text: str) -> Iterator[tuple[int, int, _Parts]]:
    """Yield possible dates with their positions: the most certain ones before those that they may overlap."""
    has_digits = _DIGIT.search(text) is not None
    for pattern in _patterns().with_numbers if has_digits else ():
        for match in pattern.finditer(text):
            yield *match.span(), match.groupdict()
    yield from _around_months(text)
    for pattern in _patterns().years if has_digits else ():
        for match in pattern.finditer(text):
            yield *match.span(), match.groupdict()


def _around_months(text: str) -> Iterator[tuple[int, int, _Parts]]:
    """Yield the names of months with the days and years next to them."""
    lowered = text.lower()
    if len(lowered) != len(text):  # a few capital letters have a lower-case form of two code points
        lowered = "".join(letter.lower()[:1] for letter in text)
    patterns = _patterns()
    for name in _any_month().finditer(lowered):
        start, end = name.span()
        near = max(0, start - _NEAR)
        before = patterns.days_before.search(text, near, start)
        after = patterns.year_after_days.match(text, end) if before else None
        if before is None and (before := patterns.year_before.search(text, near, start)):
            after = patterns.day_after_year.match(text, end)
            before = before if after else None
        after = after or patterns.after.match(text, end)
        parts = {"month": name.group(), "name": text[start:end]}
        for match in (before, after):
            parts |= match.groupdict() if match else {}
        if _is_month(parts):
            yield before.start() if before else start, after.end() if after else end, parts


def _is_month(parts: _Parts) -> bool:
    """Return whether a month's name is one at this position, rather than another word."""
    month, name = parts["month"] or "", parts["name"] or ""
    has_day, has_year = bool(parts.get("day")), bool(parts.get("year"))
    if has_day or has_year:
        return (has_day and has_year) or month not in _data()["ordinary_words"].split()
    if month not in _months("alone_in") or month in _data()["never_alone"].split():
        return False
    latin = name.isascii() or name[0].isupper()
    return " " in name or not latin or (name[0].isupper() and len(name) > 4)


def _days(parts: _Parts, *, is_thai: bool) -> Iterator[tuple[Day, ...]]:
    """Yield each day in `parts`, in all ways to read it: two days for a range."""
    year = _year(parts.get("year"), parts.get("era") or "", is_thai=is_thai)
    month = _months("languages")[name] if (name := parts.get("month")) else _number(parts.get("number"))
    day = _number(parts.get("day"))
    readings = [(year, month, day)]
    if parts.get("mark") == "/" and not is_thai:
        readings.append((year, day, month))  # June 14 as 6/14
    possible = tuple(each for each in readings if _is_possible(each))
    if not possible:
        return
    yield possible
    if parts.get("day2") and _is_possible(until := (year, possible[0][1], _number(parts["day2"]))):
        yield (until,)
    if parts.get("year2"):
        yield ((_year(parts["year2"], "", is_thai=is_thai), None, None),)


def _number(written: str | None) -> int | None:
    return int(written) if written else None


def _year(written: str | None, era: str, *, is_thai: bool) -> int | None:
    if written is None:
        return None
    year = int(written)
    if era and regex.match(_data()["buddhist_era"], era, regex.IGNORECASE):
        return year - BUDDHIST_ERA
    # A year from the 2300s to the 2600s in a Thai text is of the Buddhist Era, whether or not it says so.
    return year - BUDDHIST_ERA if not era and year >= 2300 and is_thai else year


def _is_possible(reading: Day) -> bool:
    _, month, day = reading
    if month is not None and not 1 <= month <= 12:
        return False
    return day is None or 1 <= day <= 31  # even if there was no such day, it is what was written
