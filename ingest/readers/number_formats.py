"""Format spreadsheet numbers as their cell shows them: "00123", "฿1,234.50", "7.25%", "(20)", "26:05".

Supports Excel's number formats except conditions and colors. Source: ECMA-376, part 1, 18.8.31.
"""

from __future__ import annotations

import datetime
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import regex

_TOKEN = regex.compile(
    r'"([^"]*)"|\\(.)|[_*].|\[\$([^\]-]*)(?:-[^\]]*)?\]|\[[^\]]*\]|([0#?](?:[0#?.,]*[0#?.])?,*|\.[0#?]+)|(E[+-]0+)|(.)',
    regex.I | regex.S,
)
_FRACTION = regex.compile(r"[#?0]\s*/\s*([#?0-9]+)")
_GENERAL = frozenset(("", "general", "@", "standard"))


def shown_number(value: float, number_format: str) -> str:
    """Return a number in a format of Excel; empty if the format hides it.

    >>> shown_number(1234.5, '"฿"#,##0.00'), shown_number(123, "00000"), shown_number(-20, "0;(0)")
    ('฿1,234.50', '00123', '(20)')
    """
    sections = _sections(number_format)
    if number_format.strip().lower() in _GENERAL:
        return f"{value:.15g}"
    place = 1 if value < 0 and len(sections) > 1 else 2 if value == 0 and len(sections) > 2 else 0
    section = sections[place]
    if section.strip().lower() in _GENERAL:
        return f"{value:.15g}" if section.strip() else ""
    is_signed = value < 0 and place == 0
    text = _written(Decimal(repr(abs(value))), section)
    return f"-{text}" if is_signed and regex.search(r"[1-9]", text) else text


def shown_duration(value: datetime.timedelta) -> str:
    """Return a duration in hours and minutes, and seconds if any: "26:05"."""
    seconds = round(value.total_seconds())
    hours, rest = divmod(abs(seconds), 3_600)
    text = f"{hours}:{rest // 60:02}" + (f":{rest % 60:02}" if rest % 60 else "")
    return f"-{text}" if seconds < 0 else text


def _sections(number_format: str) -> list[str]:
    return regex.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', number_format) or [""]


def _written(value: Decimal, section: str) -> str:
    if fraction := _FRACTION.search(regex.sub(r'"[^"]*"', "", section)):
        return _as_fraction(value, fraction[1])
    tokens = list(_TOKEN.finditer(section))
    digits = [match[4] for match in tokens if match[4]]
    if not digits:
        return "".join(_literal(match) for match in tokens).strip()
    percents = sum(1 for match in tokens if match[6] == "%")
    value = value.scaleb(2 * percents)
    exponent = next((match[5] for match in tokens if match[5]), None)
    if exponent is not None:
        power = value.adjusted() if value else 0
        value = value.scaleb(-power)
        written = f"E{'-' if power < 0 else '+' if '+' in exponent else ''}{abs(power):0{len(exponent) - 2}}"
    numbers = (
        _in_groups(value, digits) if len(digits) > 1 and "." not in "".join(digits) else [_digits(value, digits[0])]
    )
    pieces = iter(numbers)
    text = "".join(next(pieces, "") if match[4] else written if match[5] else _literal(match) for match in tokens)
    return " ".join(text.split())


def _literal(match: regex.Match[str]) -> str:
    return next((text for number in (1, 2, 3, 6) if (text := match[number]) is not None), "")


def _digits(value: Decimal, pattern: str) -> str:
    core = pattern.rstrip(",")
    value = value.scaleb(-3 * (len(pattern) - len(core)))
    whole, _, decimals = core.partition(".")
    places = len(decimals.replace(",", ""))
    rounded = value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    text = f"{rounded:f}"
    before, _, after = text.partition(".")
    least = decimals.rfind("0") + 1
    after = after[:least] + after[least:].rstrip("0")
    before = before.lstrip("0").rjust(whole.count("0"), "0")
    if "," in whole:
        before = regex.sub(r"(?<=\d)(?=(?:\d{3})+$)", ",", before)
    return (
        f"{before or ('0' if not after else '')}.{after}" if after else before or "0" * ("0" in whole or not decimals)
    )


def _in_groups(value: Decimal, patterns: list[str]) -> list[str]:
    """Return the digits of a number in the groups of its format, as in "1-2345-67890-12-3"."""
    text = f"{value.quantize(Decimal(1), ROUND_HALF_UP):f}"
    found: list[str] = []
    for number, pattern in reversed(list(enumerate(patterns))):
        size = len(pattern.replace(",", "")) if number else len(text)
        own, text = text[max(0, len(text) - size) :], text[: max(0, len(text) - size)]
        found.insert(0, own.rjust(pattern.count("0"), "0"))
    return found


def _as_fraction(value: Decimal, denominator: str) -> str:
    whole = int(value)
    rest = Fraction(value - whole)
    if denominator.isdecimal():
        part, of = round(rest * int(denominator)), int(denominator)
    else:
        limited = rest.limit_denominator(10 ** len(denominator) - 1)
        part, of = limited.numerator, limited.denominator
    if not part:
        return str(whole)
    return f"{whole} {part}/{of}" if whole else f"{part}/{of}"
