"""Read numbers as values: digits of any script, separators of any country, and the number words of en, th and vi.

A claim's numbers are read strictly, so that only certain numbers are checked. A quote's numbers are read liberally, so
that everything that might be the number counts as evidence.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

import regex

from assistant.verify.number_words import NUMBER_WORDS, ROMAN, VIETNAMESE, WordNumbers, roman_value
from assistant.verify.text import SENTENCE_START

Bound = Literal["over", "under", "about", "exact"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with everything that it could mean ("1.234" is 1234 in Vietnam) and its hedge, such as "more than"."""

    text: str
    start: int
    end: int
    values: frozenset[Decimal]
    percent: bool = False
    bound: Bound = "exact"

    def agrees(self, other: Quantity) -> bool:
        """Return whether both can be the same number; a percentage only equals a percentage."""
        return bool(self.values & other.values) and self.percent == other.percent


_SCALES = {
    "hundred": 100, "thousand": 1_000, "million": 10**6, "billion": 10**9, "trillion": 10**12,
    "ร้อยล้าน": 10**8, "สิบล้าน": 10**7, "พันล้าน": 10**9, "หมื่นล้าน": 10**10, "แสนล้าน": 10**11, "ล้านล้าน": 10**12,
    "ร้อย": 100, "พัน": 1_000, "หมื่น": 10_000, "แสน": 10**5, "ล้าน": 10**6,
    "trăm": 100, "nghìn": 1_000, "ngàn": 1_000, "vạn": 10_000, "triệu": 10**6, "tỷ": 10**9, "tỉ": 10**9,
    "万": 10_000, "萬": 10_000, "亿": 10**8, "億": 10**8, "juta": 10**6, "ribu": 1_000, "millones": 10**6,
    "millions": 10**6, "milliards": 10**9, "mn": 10**6, "bn": 10**9,
}  # fmt: skip
_SCALE = "|".join(sorted(map(regex.escape, _SCALES), key=len, reverse=True))
_DIGITS = regex.compile(
    rf"""(?<![\p{{Latin}}\d][.,]?)(?<!\p{{Latin}}-)
    (?P<number>\d+(?:[.,\u00a0 ]\d{{3}})+(?:[.,]\d+)?(?!\d)|\d+[.,]\d+|\d+)(?!\d)
    (?P<ordinal>st|nd|rd|th)?(?!\p{{Latin}}-?\d)
    (?:\s?(?P<scale>{_SCALE})(?![\p{{Latin}}]))?
    (?:\s?(?P<percent>%|percent\b|per\s+cent\b|phần\s+trăm|เปอร์เซ็นต์|pct\b))?""",
    regex.VERBOSE,
)
_PERCENT_BEFORE = regex.compile(r"ร้อยละ\s?$")

_BEFORE: dict[Bound, str] = {
    "over": r"more than|over|above|at least|no fewer than|not less than|upwards of|exceed(?:s|ed|ing)?|"
    r"hơn|trên|ít nhất|vượt|không dưới|มากกว่า|กว่า|เกิน|อย่างน้อย|ไม่ต่ำกว่า|ไม่น้อยกว่า",
    "under": r"nearly|almost|less than|fewer than|under|below|at most|no more than|not more than|up to|close to|"
    r"gần|chưa đến|chưa đầy|dưới|ít hơn|không quá|tối đa|suýt soát|เกือบ|น้อยกว่า|ไม่ถึง|ต่ำกว่า|ไม่เกิน",
    "about": r"about|around|some|roughly|approximately|khoảng|chừng|xấp xỉ|ước|ประมาณ|ราว|ราวๆ|โดยประมาณ",
}
_BOUNDS = {bound: regex.compile(rf"(?i)(?<!\p{{Latin}})(?:{words})\s?$") for bound, words in _BEFORE.items()}
_AFTER_OVER = regex.compile(r"(?i)^\s?(?:กว่า|or more\b|trở lên)")


def numbers_in(text: str, *, strict: bool = True, taken: tuple[tuple[int, int], ...] = ()) -> tuple[Quantity, ...]:
    """Return the numbers of a folded `text` in order, except those inside the ranges `taken`, such as dates.

    `strict` leaves out uncertain numbers, such as a Thai syllable that also begins other words.
    """
    found = _from_digits(text)
    digits = tuple((each.start, each.end) for each in found)
    found += [each for each in _from_words(text, strict=strict) if not _inside(each, digits)]
    if not strict:
        found += _from_roman(text)
    return tuple(sorted((each for each in found if not _inside(each, taken)), key=lambda each: each.start))


def _inside(quantity: Quantity, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(start < quantity.end and quantity.start < end for start, end in ranges)


def _bound(text: str, start: int, end: int) -> Bound:
    before = text[max(0, start - 24) : start]
    if _AFTER_OVER.match(text[end:]):
        return "over"
    # "no more than" also ends in "more than", so look for the longer wording first.
    for bound in ("under", "over", "about"):
        if _BOUNDS[bound].search(before):
            return bound
    return "exact"


def _from_digits(text: str) -> list[Quantity]:
    found = []
    for match in _DIGITS.finditer(text):
        values = _readings(match["number"])
        if match["scale"]:
            values = {value * _SCALES[match["scale"]] for value in values}
        start, end = match.span()
        percent = bool(match["percent"]) or bool(_PERCENT_BEFORE.search(text[:start]))
        found.append(Quantity(match.group().strip(), start, end, frozenset(values), percent, _bound(text, start, end)))
    return found


def _readings(number: str) -> set[Decimal]:
    """Return all values that digits with separators can mean: "1,234" is 1234 in English, 1.234 in Vietnamese."""
    plain = number.replace("\u00a0", "").replace(" ", "")
    separators = [c for c in plain if c in ".,"]
    candidates = set()
    if not separators:
        candidates.add(plain)
    elif len(set(separators)) == 2:
        last = max(plain.rfind("."), plain.rfind(","))
        candidates.add(plain[:last].replace(".", "").replace(",", "") + "." + plain[last + 1 :])
    else:
        groups = regex.split("[.,]", plain)
        if all(len(group) == 3 for group in groups[1:]) and len(groups[0]) <= 3 and groups[0] != "0":
            candidates.add("".join(groups))
        if len(groups) == 2:
            candidates.add(".".join(groups))
        if not candidates:
            candidates.add("".join(groups))
    values = set()
    for candidate in candidates:
        try:
            values.add(Decimal(candidate))
        except InvalidOperation:  # pragma: no cover - the pattern only admits digits and separators
            continue
    return {value.normalize() for value in values}


def _from_words(text: str, *, strict: bool) -> list[Quantity]:
    found = []
    for words in NUMBER_WORDS:
        for match in (words.strict if strict else words.liberal).finditer(text):
            value = value_of_words(match["number"], words)
            if value is not None and not (
                strict and words is VIETNAMESE and _begins_a_name(text, *match.span("number"))
            ):
                start, end = match.span("number")
                percent = bool(regex.match(r"\s?(?:percent|per cent|phần trăm|เปอร์เซ็นต์)", text[end:]))
                values = frozenset({Decimal(value).normalize()})
                found.append(Quantity(match["number"], start, end, values, percent, _bound(text, start, end)))
    return found


def _begins_a_name(text: str, start: int, end: int) -> bool:
    """Return whether a number word has a capital letter like a name: "Ba Lan" is Poland, not three."""
    if not text[start].isupper():
        return False
    follows = regex.match(r"\s\p{Lu}", text[end:]) is not None
    begins = SENTENCE_START.search(text[:start]) is not None
    return follows or not begins


def _from_roman(text: str) -> list[Quantity]:
    read = [(match, roman_value(match.group())) for match in ROMAN.finditer(text)]
    return [
        Quantity(match.group(), *match.span(), frozenset({Decimal(value).normalize()}))
        for match, value in read
        if value is not None
    ]


def value_of_words(number: str, words: WordNumbers) -> int | None:
    """Return the value of a sequence of number words, or None if they make none, as in "five six".

    A small scale multiplies the unit before it, a large one everything before it: two hundred and fifty
    thousand is ``(2 * 100 + 50) * 1000``.
    """
    total = group = pending = 0
    for piece in words.pieces.finditer(number.lower()):
        word = piece.group()
        if word in words.units:
            if pending and not (pending >= 20 and pending % 10 == 0 and words.units[word] < 10):
                return None
            pending += words.units[word]
        elif word in words.small_scales:
            group += (pending or 1) * words.small_scales[word]
            pending = 0
        else:
            total += (group + pending or 1) * words.large_scales[word]
            group = pending = 0
    return total + group + pending
