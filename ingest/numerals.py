"""Numbers of lists as a reader sees them: decimal, letters, roman and those of other scripts."""

from __future__ import annotations

from collections.abc import Callable

_THAI_LETTERS = "กขคงจฉชซฌญฎฏฐฑฒณดตถทธนบปผฝพฟภมยรลวศษสหฬอฮ"
_ARABIC_ALPHABET = "أبتثجحخدذرزسشصضطظعغفقكلمنهوي"
_ARABIC_ABJAD = "أبجدهوزحطيكلمنسعفصقرشتثخذضظغ"
_HEBREW = "אבגדהוזחטיכלמנסעפצקרשת"
_GREEK = "αβγδεζηθικλμνξοπρστυφχψω"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщэюя"
_LATIN = "abcdefghijklmnopqrstuvwxyz"
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"),
    (50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_CHINESE = "〇一二三四五六七八九"
_THAI_COUNTING = ("ศูนย์", "หนึ่ง", "สอง", "สาม", "สี่", "ห้า", "หก", "เจ็ด", "แปด", "เก้า")
_CARDINALS = """
zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty
"""
_ORDINALS = """
zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth
sixteenth seventeenth eighteenth nineteenth twentieth
"""


def numeral(value: int, style: str) -> str:
    """Return `value` in a numbering style of Word, HTML, CSS, OpenDocument or PowerPoint; decimal for an unknown one.

    >>> numeral(4, "lowerRoman"), numeral(28, "upperLetter"), numeral(12, "thaiNumbers")
    ('iv', 'BB', '๑๒')
    """
    if not 0 <= value <= 100_000:
        return str(value)
    make = _STYLES.get(style)
    return str(value) if make is None else make(value)


def _digits(zero: int) -> Callable[[int], str]:
    return lambda value: "".join(chr(zero + int(digit)) for digit in str(value))


def _repeated(letters: str) -> Callable[[int], str]:
    """Count as Word does beyond the last letter: z, aa, bb."""
    return lambda value: letters[(value - 1) % len(letters)] * ((value - 1) // len(letters) + 1) if value else ""


def _placed(letters: str) -> Callable[[int], str]:
    """Count as HTML and OpenDocument do beyond the last letter: z, aa, ab."""

    def make(value: int) -> str:
        text = ""
        while value > 0:
            value, place = divmod(value - 1, len(letters))
            text = letters[place] + text
        return text

    return make


def _roman(value: int) -> str:
    if not 0 < value < 5_000:
        return str(value)
    text = ""
    for worth, letters in _ROMAN:
        text += letters * (value // worth)
        value %= worth
    return text


def _chinese(value: int) -> str:
    if value >= 100:
        return "".join(_CHINESE[int(digit)] for digit in str(value))
    tens, ones = divmod(value, 10)
    head = "" if tens == 0 else "十" if tens == 1 else f"{_CHINESE[tens]}十"
    return head + (_CHINESE[ones] if ones or not tens else "")


def _thai_counting(value: int) -> str:
    if value >= 100:
        return str(value)
    tens, ones = divmod(value, 10)
    head = {0: "", 1: "สิบ", 2: "ยี่สิบ"}.get(tens, f"{_THAI_COUNTING[tens]}สิบ")
    return head + ("เอ็ด" if ones == 1 and tens else _THAI_COUNTING[ones] if ones or not tens else "")


def _ordinal(value: int) -> str:
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def _listed(words: list[str]) -> Callable[[int], str]:
    return lambda value: words[value].capitalize() if value < len(words) else str(value)


def _enclosed(value: int) -> str:
    return chr(0x2460 + value - 1) if 1 <= value <= 20 else str(value)


def _upper(make: Callable[[int], str]) -> Callable[[int], str]:
    return lambda value: make(value).upper()


def _lower(make: Callable[[int], str]) -> Callable[[int], str]:
    return lambda value: make(value).lower()


_STYLES: dict[str, Callable[[int], str]] = {
    "none": lambda value: "",
    "decimalZero": lambda value: f"{value:02}",
    "decimal-leading-zero": lambda value: f"{value:02}",
    "decimalEnclosedCircle": _enclosed,
    "decimalEnclosedCircleChinese": _enclosed,
    "ordinal": _ordinal,
    "cardinalText": _listed(_CARDINALS.split()),
    "ordinalText": _listed(_ORDINALS.split()),
    "thaiNumbers": _digits(0x0E50),
    "thai": _digits(0x0E50),
    "hindiNumbers": _digits(0x0966),
    "devanagari": _digits(0x0966),
    "arabic-indic": _digits(0x0660),
    "persian": _digits(0x06F0),
    "lao": _digits(0x0ED0),
    "khmer": _digits(0x17E0),
    "cambodian": _digits(0x17E0),
    "myanmar": _digits(0x1040),
    "bengali": _digits(0x09E6),
    "thaiLetters": _repeated(_THAI_LETTERS),
    "thaiCounting": _thai_counting,
    "arabicAlpha": _repeated(_ARABIC_ALPHABET),
    "arabicAbjad": _repeated(_ARABIC_ABJAD),
    "hebrew1": _repeated(_HEBREW),
    "hebrew2": _repeated(_HEBREW),
    "russianLower": _repeated(_RUSSIAN),
    "russianUpper": _upper(_repeated(_RUSSIAN)),
    "upperLetter": _upper(_repeated(_LATIN)),
    "lowerLetter": _repeated(_LATIN),
    "upperRoman": _roman,
    "lowerRoman": _lower(_roman),
    "chineseCounting": _chinese,
    "chineseCountingThousand": _chinese,
    "chineseLegalSimplified": _chinese,
    "ideographDigital": _chinese,
    "japaneseCounting": _chinese,
    "taiwaneseCounting": _chinese,
    "cjk-ideographic": _chinese,
    "simp-chinese-informal": _chinese,
    "a": _placed(_LATIN),
    "lower-alpha": _placed(_LATIN),
    "lower-latin": _placed(_LATIN),
    "A": _upper(_placed(_LATIN)),
    "upper-alpha": _upper(_placed(_LATIN)),
    "upper-latin": _upper(_placed(_LATIN)),
    "i": _lower(_roman),
    "lower-roman": _lower(_roman),
    "I": _roman,
    "upper-roman": _roman,
    "lower-greek": _placed(_GREEK),
    "๑, ๒, ๓, ...": _digits(0x0E50),
    "ก, ข, ค, ...": _repeated(_THAI_LETTERS),
}
"""By the names that the formats give them; whatever is missing is decimal."""
