"""Dates in running text as search terms, in the languages whose names of months CLDR knows.

``14 มิถุนายน พ.ศ. 2566``, ``ngày 14 tháng 6 năm 2023``, ``June 14, 2023`` and ``2023年6月14日`` all give
``date:2023-06-14`` with its parts. Names of months come from CLDR through Babel;
a name alone gives nothing ("may" is a verb as well), only one beside a day or a year.
"""

from __future__ import annotations

import calendar
import re
from functools import lru_cache

from store.text.fold import fold

BUDDHIST_ERA_OFFSET = 543
"""The Thai year 2566 is 2023 (since 1941, when the Thai year came to begin in January)."""
_BUDDHIST_YEARS = range(2400, 2644)
_YEARS = range(1000, 2200)

DATE_TERM = re.compile("(?:year|month|day|date):[0-9]")
"""Matches the terms that `date_terms` makes."""

_LANGUAGES = """
    af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fil fr ga gl gu he hi hr hu hy id is it ja ka
    kk km kn ko ky lo lt lv mk ml mn mr ms my nb ne nl pa pl ps pt ro ru si sk sl sq sr sv sw ta te th tr uk
    ur uz vi zh zu
""".split()  # noqa: SIM905 - eighty codes on eighty lines help nobody
_SPELLED_OUT = {  # CLDR has only "tháng 6"; people also write the number as a word.
    1: ("tháng một", "tháng giêng"),
    2: ("tháng hai",),
    3: ("tháng ba",),
    4: ("tháng tư", "tháng bốn"),
    5: ("tháng năm",),
    6: ("tháng sáu",),
    7: ("tháng bảy", "tháng bẩy"),
    8: ("tháng tám",),
    9: ("tháng chín",),
    10: ("tháng mười",),
    11: ("tháng mười một",),
    12: ("tháng mười hai", "tháng chạp"),
}

_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u9fff\uac00-\ud7af]")
"""Scripts without blanks between words, or that join endings to numbers: a name may touch its neighbors."""

_DIGIT = re.compile("[0-9]")
_YEAR = re.compile(r"(?<![\d.,])(\d{4})(?![\d]|[.,]\d)")
_ISO = re.compile(r"(?<!\d)(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMERIC = re.compile(r"(?<![\d./-])(\d{1,2})([./-])(\d{1,2})\2(\d{4})(?!\d)")
_DAY_BEFORE = re.compile(r"(?<!\d)(\d{1,2})(?:st|nd|rd|th|er|\.)?[\s,]{0,2}(?:of |de |den )?$")
_YEAR_BEFORE = re.compile(r"(?<!\d)(\d{4})\s?[年년]?\s?$")
_DAY_AFTER = re.compile(r"^[\s,]{0,2}(\d{1,2})(?:st|nd|rd|th)?(?!\d)")
_YEAR_AFTER = re.compile(r"^[^\d\n]{0,14}?(\d{4})(?!\d)")


def date_terms(text: str) -> frozenset[str]:
    """Return search terms for the dates and years in `text`, such as ``year:2023`` and ``date:2023-06-14``."""
    text = fold(text)
    terms: set[str] = set()
    if not _DIGIT.search(text):
        return frozenset()
    for match in _YEAR.finditer(text):
        terms.update(f"year:{year}" for year in _gregorian(int(match[1])))
    for match in _ISO.finditer(text):
        terms |= _terms(match[1], match[2], match[3])
    for match in _NUMERIC.finditer(text):
        # 6/7/2023 is June or July by country: add both, and let the other terms decide
        terms |= _terms(match[4], match[3], match[1]) | _terms(match[4], match[1], match[3])
    names, pattern = _months()
    for match in pattern.finditer(text):
        before, after = text[max(0, match.start() - 10) : match.start()], text[match.end() : match.end() + 22]
        day = _DAY_BEFORE.search(before) or _DAY_AFTER.search(after)
        rest = after[day.end() :] if day and day.re is _DAY_AFTER else after
        year = _YEAR_BEFORE.search(before) or _YEAR_AFTER.search(rest)
        if day or year:
            terms |= _terms(year and year[1], str(names[match[0]]), day and day[1])
    return frozenset(terms)


def _terms(year: str | None, month: str, day: str | None) -> set[str]:
    terms: set[str] = set()
    if not 1 <= int(month) <= 12 or (day and not 1 <= int(day) <= calendar.monthrange(2000, int(month))[1]):
        return terms
    if day:
        terms.add(f"day:{int(month):02}-{int(day):02}")
    for number in _gregorian(int(year)) if year else ():
        terms |= {f"year:{number}", f"month:{number}-{int(month):02}"}
        if day:
            terms.add(f"date:{number}-{int(month):02}-{int(day):02}")
    return terms


def _gregorian(year: int) -> list[int]:
    """Return the Gregorian years that a number written as a year can mean; Buddhist years don't overlap with them."""
    if year in _BUDDHIST_YEARS:
        return [year - BUDDHIST_ERA_OFFSET]
    return [year] if year in _YEARS else []


@lru_cache(maxsize=1)
def _months() -> tuple[dict[str, int], re.Pattern[str]]:
    """Return month numbers by folded name, and a pattern that finds the longest name at a place."""
    from babel.dates import get_month_names

    names: dict[str, int] = {}
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    folded = fold(name).strip(". ")
                    if len(folded) > 1 and not folded.isdecimal():
                        names.setdefault(folded, number)
    names |= {fold(name): number for number, spelled in _SPELLED_OUT.items() for name in spelled}
    spaced: list[str] = []
    unspaced: list[str] = []
    for name in sorted(names, key=len, reverse=True):
        (unspaced if _UNSPACED.search(name) else spaced).append(re.escape(name))
    return names, re.compile(f"(?<!\\w)(?:{'|'.join(spaced)})(?!\\w)|(?<!\\d)(?:{'|'.join(unspaced)})")
