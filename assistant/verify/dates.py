"""Dates as (year, month, day), whichever calendar, language and format they are written in.

Years of the Buddhist Era are turned into the common ones. Month and weekday names come from the Unicode CLDR by way
of Babel. What a mention leaves open is None.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import regex

from assistant.verify.text import has_thai

LANGUAGES = ("en", "th", "vi", "fr", "de", "es", "pt", "it", "id", "nl", "ru")
"""Whose month names are known."""

BUDDHIST_ERA = 543


@dataclass(frozen=True, slots=True)
class DateMention:
    """One date of a text; `alternatives` holds (year, month, day) for each way to read it."""

    text: str
    start: int
    end: int
    alternatives: tuple[tuple[int | None, int | None, int | None], ...]

    def within(self, known: tuple[DateMention, ...]) -> bool:
        """Return whether `known` dates say so: a day and month must stand together, a year anywhere beside them."""
        return any(self._reading_within(reading, known) for reading in self.alternatives)

    @staticmethod
    def _reading_within(reading: tuple[int | None, int | None, int | None], known: tuple[DateMention, ...]) -> bool:
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


@cache
def _months() -> dict[str, int]:
    """Return the months' numbers by their names, lower-cased, of all `LANGUAGES`."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for language in LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    word = name.lower().rstrip(".")
                    if len(word) >= 3 and not word.isdigit():
                        names.setdefault(word, number)
    return names


@cache
def _month_pattern() -> str:
    names = sorted(_months(), key=len, reverse=True)
    return "|".join(regex.escape(name) for name in names)


_ERA = r"(?:พ\.\s?ศ\.|พ\.ศ|ค\.\s?ศ\.|ค\.ศ|พุทธศักราช|คริสต์ศักราช|BE|B\.E\.|CE|AD)"
_YEAR = rf"(?P<era>{_ERA})?\s?(?P<year>(?:1[0-9]|2[0-6])\d\d)(?!\d)"


@cache
def _patterns() -> tuple[regex.Pattern[str], ...]:
    month = rf"(?P<month>{_month_pattern()})\.?"
    ordinal = "(?:st|nd|rd|th)?"
    days = rf"(?<!\d)(?P<day>[0-3]?\d){ordinal}(?:\s?(?:-|to|and|ถึง|đến|và|และ)\s?(?P<day2>[0-3]?\d){ordinal})?"
    flags = regex.IGNORECASE
    return tuple(
        regex.compile(pattern, flags)
        for pattern in (
            # 2023-06-14, 2023年6月14日
            r"(?<![\d-])(?P<year>(?:1[0-9]|2[0-6])\d\d)-(?P<number>[01]?\d)-(?P<day>[0-3]?\d)(?![\d-])",
            r"(?P<year>(?:1[0-9]|2[0-6])\d\d)\s?年(?:\s?(?P<number>[01]?\d)\s?月(?:\s?(?P<day>[0-3]?\d)\s?日)?)?",
            # ngày 14 tháng 6 năm 2023, tháng 6/2023, tháng 6
            rf"(?:ngày\s+)?(?:{days}\s+)?tháng\s+(?P<number>1[0-2]|0?[1-9])(?!\d)(?:\s*(?:năm|/|,)\s*{_YEAR})?",
            rf"(?:ngày\s+)?(?:{days}\s+)?tháng\s+(?P<word>giêng|một|hai|ba|tư|năm|sáu|bảy|tám|chín|mười(?:\s+(?:một|hai))?|chạp)(?!\p{{L}})(?:\s+năm\s+{_YEAR})?",
            # 14 June 2023, 14 มิถุนายน พ.ศ. 2566
            rf"{days}\s?(?:of\s+|de\s+|\.\s?)?{month}(?!\p{{Latin}})(?:[\s,]*(?:de\s+|ปี\s?)?{_YEAR})?",
            # June 14, 2023; June 2023
            rf"(?<!\p{{L}}){month}\s+(?P<day>[0-3]?\d)(?:st|nd|rd|th)?(?:\s?(?:-|to|and)\s?(?P<day2>[0-3]?\d))?(?!\d)(?:,?\s+{_YEAR})?",
            rf"{month}(?!\p{{Latin}})[\s,]*(?:of\s+|de\s+|ปี\s?)?{_YEAR}",
            # 14/6/2023, 14.6.2023
            r"(?<![\d/.])(?P<day>[0-3]?\d)[/.](?P<number>[0-3]?\d)[/.](?P<year>(?:1[0-9]|2[0-6])\d\d)(?![\d/])",
            # 8/12 after "ngày"
            r"(?:ngày)\s+(?P<day>[0-3]?\d)[/](?P<number>[01]?\d)(?![\d/])",
            # 2021-2025
            r"(?<![\d-])(?P<year>(?:1[0-9]|2[0-6])\d\d)\s?(?:-|–|/)\s?(?P<year2>(?:1[0-9]|2[0-6])\d\d)(?![\d-])",
            # a year said to be one, or that can't well be anything else
            rf"(?P<era>{_ERA}|ปี|năm|year|since|until|in|by|from)\s?(?P<era2>{_ERA})?\s?(?P<year>(?:1[0-9]|2[0-6])\d\d)(?![\d.,]*\d)",
            r"(?<![\d.,]|\p{Latin}|\p{Latin}-)(?P<year>(?:1[4-9]|2[0-1])\d\d)(?!\p{Latin}|[.,]?\d|\s?(?:%|people|người|คน))",
            # a month alone, where it can't be another word
            rf"(?<!\p{{L}})(?P<alone>{_month_pattern()})(?!\p{{L}})",
        )
    )


_VIETNAMESE_MONTHS = {
    word: number
    for number, words in enumerate(
        ("giêng|một", "hai", "ba", "tư", "năm", "sáu", "bảy", "tám", "chín", "mười", "mười một", "mười hai|chạp"), 1
    )
    for word in words.split("|")
}
_AMBIGUOUS_ALONE = {
    "may",
    "mar",
    "mars",
    "march",
    "mai",
    "sept",
    "set",
    "ago",
    "jun",
    "dec",
    "jan",
    "out",
    "mei",
    "abr",
}


def dates_in(text: str) -> tuple[DateMention, ...]:
    """Return the dates of a folded `text` in order, none overlapping another."""
    found: list[DateMention] = []
    for pattern in _patterns():
        for match in pattern.finditer(text):
            start, end = match.span()
            if any(start < other.end and other.start < end for other in found):
                continue
            found += _mentions(match, text)
    return tuple(sorted(found, key=lambda mention: (mention.start, mention.text)))


def _mentions(match: regex.Match[str], text: str) -> list[DateMention]:
    parts = match.groupdict()
    month = _month(parts, match, text)
    if month == 0:
        return []
    year = _common_year(parts.get("year"), (parts.get("era") or "") + (parts.get("era2") or ""), text)
    number = parts.get("number")
    months = [int(number)] if number else [month]
    day = int(parts["day"]) if parts.get("day") else None
    alternatives = [(year, each, day) for each in months]
    if number and day and "/" in match.group() and parts.get("year") and not has_thai(text):
        alternatives.append((year, day, int(number)))  # June 14 as 6/14
    alternatives = [each for each in alternatives if _possible(each)]
    if not alternatives:
        return []
    start, end = match.span()
    mentions = [DateMention(match.group().strip(), start, end, tuple(alternatives))]
    if parts.get("day2"):
        second = (year, alternatives[0][1], int(parts["day2"]))
        if _possible(second):
            mentions.append(DateMention(match.group().strip(), start, end, (second,)))
    if parts.get("year2"):
        until = (_common_year(parts["year2"], "", text), None, None)
        mentions.append(DateMention(match.group().strip(), start, end, (until,)))
    return mentions


def _month(parts: dict[str, str | None], match: regex.Match[str], text: str) -> int | None:
    """Return the month named, None if none is, 0 if what looked like one must be taken for another word."""
    if word := parts.get("word"):
        return _VIETNAMESE_MONTHS[" ".join(word.lower().split())]
    if word := parts.get("month"):
        return _months()[word.lower().rstrip(".")]
    if word := parts.get("alone"):
        written = text[match.start("alone") : match.end("alone")]
        latin = written.isascii() or written[0].isupper()
        if word.lower() in _AMBIGUOUS_ALONE or (latin and not (written[0].isupper() and len(written) > 4)):
            return 0
        return _months()[word.lower()]
    return None


def _common_year(year: str | None, era: str, text: str) -> int | None:
    if year is None:
        return None
    value = int(year)
    if "พ" in era or "BE" in era.upper().replace(".", "").split():
        return value - BUDDHIST_ERA
    if "ค" in era:
        return value
    # A year of the 2400s to 2600s in a Thai text is one of the Buddhist Era, whether it says so or not.
    return value - BUDDHIST_ERA if has_thai(text) and value >= 2300 else value


def _possible(reading: tuple[int | None, int | None, int | None]) -> bool:
    _, month, day = reading
    return (month is None or 1 <= month <= 12) and (day is None or 1 <= day <= 31)
