"""Format list numbers as a reader sees them: decimal, letters, roman and those of other scripts."""

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
_CHINESE_PLACES = "十百千"
_CHINESE_LEGAL = "零壹贰叁肆伍陆柒捌玖", "拾佰仟"
_TAIWANESE_LEGAL = "零壹貳參肆伍陸柒捌玖", "拾佰仟"
_STEMS = "甲乙丙丁戊己庚辛壬癸"
_BRANCHES = "子丑寅卯辰巳午未申酉戌亥"
_KOREAN = "가나다라마바사아자차카타파하"
_KOREAN_CONSONANTS = "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_KATAKANA = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_IROHA = "イロハニホヘトチリヌルヲワカヨタレソツネナラムウヰノオクヤマケフコエテアサキユメミシヱヒモセスン"
_VIETNAMESE = ("không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
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
    """Return `value` in a numbering style of Word, HTML, CSS, OpenDocument or PowerPoint; decimal if it is unknown.

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
    """Continue after the last letter like Word: z, aa, bb."""
    return lambda value: letters[(value - 1) % len(letters)] * ((value - 1) // len(letters) + 1) if value else ""


def _placed(letters: str) -> Callable[[int], str]:
    """Continue after the last letter like HTML and OpenDocument: z, aa, ab."""

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


def _within(letters: str) -> Callable[[int], str]:
    """Use letters, and decimals after the last one."""
    return lambda value: letters[value - 1] if 0 < value <= len(letters) else str(value)


def _counted(digits: str, places: str, *, says_one: bool, says_zero: bool = True) -> Callable[[int], str]:
    """Count as in Chinese and related systems: digits with the names of their places, a zero for skipped places."""

    def make(value: int) -> str:
        if not 0 < value < 10_000:
            return "".join(digits[int(digit)] for digit in str(value))
        text, is_skipped = "", False
        for place in range(3, -1, -1):
            digit = value // 10**place % 10
            if digit == 0:
                is_skipped = bool(text)
                continue
            has_silent_one = digit == 1 and place == 1 and not text and not says_one
            text += (digits[0] if is_skipped and says_zero else "") + ("" if has_silent_one else digits[digit])
            text += places[place - 1] if place else ""
            is_skipped = False
        return text

    return make


def _digit_by_digit(digits: str) -> Callable[[int], str]:
    return lambda value: "".join(digits[int(digit)] for digit in str(value))


def _thai_counting(value: int) -> str:
    if value == 0:
        return _THAI_COUNTING[0]
    text = ""
    for place, name in ((5, "แสน"), (4, "หมื่น"), (3, "พัน"), (2, "ร้อย")):
        digit = value // 10**place % 10
        text += f"{_THAI_COUNTING[digit]}{name}" if digit else ""
    tens, ones = divmod(value % 100, 10)
    text += {0: "", 1: "สิบ", 2: "ยี่สิบ"}.get(tens, f"{_THAI_COUNTING[tens]}สิบ")
    return text + ("เอ็ด" if ones == 1 and text else _THAI_COUNTING[ones] if ones else "")


def _vietnamese_counting(value: int) -> str:
    if not 0 < value < 100:
        return str(value)
    tens, ones = divmod(value, 10)
    head = {0: "", 1: "mười"}.get(tens, f"{_VIETNAMESE[tens]} mươi")
    last = "mốt" if ones == 1 and tens > 1 else "lăm" if ones == 5 and tens else _VIETNAMESE[ones] if ones else ""
    return f"{head} {last}".strip()


def _cardinal(value: int) -> str:
    words = _CARDINALS.split()
    if value <= 20 or value >= 100:
        return words[value].capitalize() if value <= 20 else str(value)
    return f"{_TENS[value // 10 - 2]}{'-' + words[value % 10] if value % 10 else ''}".capitalize()


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
    **dict.fromkeys(("decimalZero", "decimal-leading-zero"), lambda value: f"{value:02}"),
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese", "①, ②, ③, ..."), _enclosed),
    "ordinal": _ordinal,
    "cardinalText": _cardinal,
    "vietnameseCounting": _vietnamese_counting,
    **dict.fromkeys(("decimalFullWidth", "decimalFullWidth2"), _digits(0xFF10)),
    "decimalEnclosedParen": lambda value: f"({value})",
    "decimalEnclosedFullstop": lambda value: f"{value}.",
    "numberInDash": lambda value: f"- {value} -",
    "hex": lambda value: f"{value:X}",
    "hindiVowels": _repeated("अआइईउऊऋएऐओऔ"),
    "hindiConsonants": _repeated("कखगघङचछजझञटठडढणतथदधनपफबभमयरलवशषसह"),
    "ganada": _repeated(_KOREAN),
    "chosung": _repeated(_KOREAN_CONSONANTS),
    "koreanDigital": _digit_by_digit("영일이삼사오육칠팔구"),
    "koreanCounting": _counted("영일이삼사오육칠팔구", "십백천", says_one=False, says_zero=False),
    **dict.fromkeys(("aiueo", "aiueoFullWidth", "アイウ"), _repeated(_KATAKANA)),
    **dict.fromkeys(("iroha", "irohaFullWidth"), _repeated(_IROHA)),
    **dict.fromkeys(("ideographTraditional", "cjk-heavenly-stem", "甲, 乙, 丙, ..."), _within(_STEMS)),
    **dict.fromkeys(("ideographZodiac", "cjk-earthly-branch", "子, 丑, 寅, ..."), _within(_BRANCHES)),
    "ordinalText": _listed(_ORDINALS.split()),
    **dict.fromkeys(("thaiNumbers", "thai", "๑, ๒, ๓, ..."), _digits(0x0E50)),
    **dict.fromkeys(("hindiNumbers", "devanagari"), _digits(0x0966)),
    "arabic-indic": _digits(0x0660),
    "persian": _digits(0x06F0),
    "lao": _digits(0x0ED0),
    **dict.fromkeys(("khmer", "cambodian"), _digits(0x17E0)),
    "myanmar": _digits(0x1040),
    "bengali": _digits(0x09E6),
    **dict.fromkeys(("thaiLetters", "ก, ข, ค, ..."), _repeated(_THAI_LETTERS)),
    "thaiCounting": _thai_counting,
    "arabicAlpha": _repeated(_ARABIC_ALPHABET),
    "arabicAbjad": _repeated(_ARABIC_ABJAD),
    **dict.fromkeys(("hebrew1", "hebrew2"), _repeated(_HEBREW)),
    "russianLower": _repeated(_RUSSIAN),
    "russianUpper": _upper(_repeated(_RUSSIAN)),
    "upperLetter": _upper(_repeated(_LATIN)),
    "lowerLetter": _repeated(_LATIN),
    **dict.fromkeys(("upperRoman", "I", "upper-roman"), _roman),
    **dict.fromkeys(("lowerRoman", "i", "lower-roman"), _lower(_roman)),
    **dict.fromkeys(
        (
            "chineseCounting",
            "chineseCountingThousand",
            "taiwaneseCounting",
            "taiwaneseCountingThousand",
            "japaneseCounting",
            "cjk-ideographic",
            "trad-chinese-informal",
            "simp-chinese-informal",
            "一, 二, 三, ...",
        ),
        _counted(_CHINESE, _CHINESE_PLACES, says_one=False),
    ),
    **dict.fromkeys(
        ("chineseLegalSimplified", "simp-chinese-formal", "壹, 贰, 叁, ..."), _counted(*_CHINESE_LEGAL, says_one=True)
    ),
    **dict.fromkeys(("ideographLegalTraditional", "trad-chinese-formal"), _counted(*_TAIWANESE_LEGAL, says_one=True)),
    "japaneseLegal": _counted("零壱弐参四伍六七八九", "拾百千", says_one=True),
    **dict.fromkeys(("ideographDigital", "japaneseDigitalTenThousand", "cjk-decimal"), _digit_by_digit(_CHINESE)),
    "taiwaneseDigital": _digit_by_digit("○一二三四五六七八九"),
    "koreanDigital2": _digit_by_digit("零一二三四五六七八九"),
    "ideographEnclosedCircle": lambda value: chr(0x3280 + value - 1) if 1 <= value <= 10 else str(value),
    **dict.fromkeys(("a", "lower-alpha", "lower-latin"), _placed(_LATIN)),
    **dict.fromkeys(("A", "upper-alpha", "upper-latin"), _upper(_placed(_LATIN))),
    "lower-greek": _placed(_GREEK),
}
"""By the formats' names for them; missing ones are decimal."""
