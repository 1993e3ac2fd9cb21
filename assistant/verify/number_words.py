"""Match number words of English, Thai and Vietnamese: strict patterns for claims, liberal ones for quotes, and the
numbers of a text's parts.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex


@dataclass(frozen=True, slots=True)
class WordNumbers:
    """One language's number words. Both patterns have a group ``number``; `pieces` cuts it into words."""

    units: dict[str, int]
    small_scales: dict[str, int]
    """Multiply only the unit before them: "hundred", "สิบ", "mươi"."""
    large_scales: dict[str, int]
    """Multiply everything counted before them: "thousand", "ล้าน", "nghìn"."""
    pieces: regex.Pattern[str]
    strict: regex.Pattern[str]
    liberal: regex.Pattern[str]
    part: str
    """The alternatives of a regular expression for what numbers a part of a text: "nineteen" in "Article nineteen"."""


def _pieces(*groups: dict[str, int], boundary: str) -> regex.Pattern[str]:
    words = sorted({word for group in groups for word in group}, key=len, reverse=True)
    return regex.compile(rf"(?i){boundary}(?:{'|'.join(map(regex.escape, words))}){boundary}")


def _counted(one_to_nineteen: str, start: int = 1) -> dict[str, int]:
    return {word: value for value, word in enumerate(one_to_nineteen.split(), start)}


_EN_UNITS = (
    _counted(
        "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen"
    )
    | {word: 10 * value for word, value in _counted("twenty thirty forty fifty sixty seventy eighty ninety", 2).items()}
    | _counted("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", 3)
    | {"zero": 0, "twentieth": 20, "thirtieth": 30, "fiftieth": 50}
)
_EN_SMALL = {"hundred": 100}
_EN_LARGE = {"thousand": 1_000, "million": 10**6, "billion": 10**9}
_EN_PIECES = _pieces(_EN_UNITS, _EN_SMALL, _EN_LARGE, boundary=r"\b")
_EN_WORD = rf"(?:{'|'.join([*_EN_UNITS, *_EN_SMALL, *_EN_LARGE])})"
_EN_RUN = rf"\b{_EN_WORD}(?:(?:[\s-]|\sand\s){_EN_WORD})*\b"

_TH_UNITS = _counted("หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า") | {"เอ็ด": 1, "ยี่": 2, "ศูนย์": 0}
_TH_SMALL = {"สิบ": 10, "ร้อย": 100, "พัน": 1_000, "หมื่น": 10_000, "แสน": 10**5}
_TH_LARGE = {"ล้าน": 10**6}
_TH_WORD = rf"(?:{'|'.join([*_TH_UNITS, *_TH_SMALL, *_TH_LARGE])})"
_TH_CLASSIFIERS = [
    "คน",
    "ราย",
    "ประเทศ",
    "แห่ง",
    "ปี",
    "ครั้ง",
    "ฉบับ",
    "เรื่อง",
    "ข้อ",
    "เวที",
    "เสียง",
    "วัน",
    "เดือน",
    "ชั่วโมง",
    "นาที",
    "บาท",
    "กิโลเมตร",
    "เมตร",
    "ชาติ",
    "ฝ่าย",
    "กลุ่ม",
    "องค์กร",
    "หน่วยงาน",
    "รัฐ",
    "โครงการ",
    "เปอร์เซ็นต์",
    "ส่วน",
    "ด้าน",
    "ประการ",
    "ประเด็น",
    "คำ",
    "ชุด",
    "เล่ม",
    "ตัว",
    "สัปดาห์",
    "แผน",
    "มาตรา",
    "ภาษา",
    "คู่",
    "ท่าน",
    "สมัย",
    "รอบ",
    "หัวข้อ",
    "ขั้นตอน",
    "ศตวรรษ",
    "ทศวรรษ",
]
_TH_RUN = rf"{_TH_WORD}(?:\s?{_TH_WORD})*"

_VI_UNITS = _counted("một hai ba bốn năm sáu bảy tám chín") | {
    "mốt": 1, "tư": 4, "lăm": 5, "nhăm": 5, "bẩy": 7, "nhất": 1, "nhì": 2, "không": 0,
}  # fmt: skip
_VI_SMALL = {"mười": 10, "mươi": 10, "chục": 10, "trăm": 100}
_VI_LARGE = {"nghìn": 1_000, "ngàn": 1_000, "vạn": 10_000, "triệu": 10**6, "tỷ": 10**9, "tỉ": 10**9}
_VI_WORD = rf"(?:{'|'.join(word for word in [*_VI_UNITS, *_VI_SMALL, *_VI_LARGE] if word not in ('không', 'nhất'))})"
_VI_CLASSIFIERS = (
    "người|quốc gia|nước|lần|kỳ|ngày|tháng|tuần|giờ|phút|phần|vế|điểm|bên|phía|cơ quan|tổ chức|thành viên|"
    "phiếu|lá|mục tiêu|nhiệm vụ|dự án|đại biểu|khóa|chủ đề|sáng kiến|đoàn|năm|phiên|vòng|bài|nhiệm kỳ|ghế|"
    "khu vực|diễn giả|quan sát viên|địa phương|làng|đề xuất|châu lục|trường|văn bản|khuyến nghị|thập kỷ|"
    "thế kỷ|tiếng|chương"
)
# "bốn năm" is four years: as a number, "năm" only begins a sequence or comes before "mươi", and "lăm" ends it.
_VI_YEAR = r"năm(?!\p{L})(?!\s(?:mươi|chục)(?!\p{L}))"
_VI_RUN = (
    rf"(?<![\p{{L}}\d])(?!t[ỷỉ]\s(?:lệ|số|trọng|suất|phú|giá)){_VI_WORD}(?:\s(?!{_VI_YEAR}){_VI_WORD})*(?!\p{{L}})"
)
# "hai phần ba" is two thirds, "phần tư" a quarter, and "kỳ họp năm nào" asks for a year.
_VI_PART = (
    rf"(?<!(?<!\p{{L}}){_VI_WORD}\s(?:phần|điểm)\s)"
    r"(?!tư(?!\p{L})|nhì(?!\p{L})|năm\s+(?:\d|nay|nào|sau|trước|ngoái|tới|đó|ấy|này|qua))"
    rf"{_VI_WORD}(?:\s(?:(?:linh|lẻ)\s{_VI_WORD}|(?!{_VI_YEAR}){_VI_WORD}))*(?!\p{{L}})"
)

ENGLISH = WordNumbers(
    _EN_UNITS,
    _EN_SMALL,
    _EN_LARGE,
    _EN_PIECES,
    # A lone "one" is mostly an article or a pronoun, and "second" a unit of time.
    strict=regex.compile(rf"(?i)(?!\bone\b(?![\s-](?:hundred|thousand|million|billion)))(?P<number>{_EN_RUN})"),
    liberal=regex.compile(rf"(?i)(?P<number>{_EN_RUN})"),
    part=rf"(?<!\b{_EN_WORD}\spoint\s){_EN_RUN}",  # "two point five"
)
THAI = WordNumbers(
    _TH_UNITS,
    _TH_SMALL,
    _TH_LARGE,
    _pieces(_TH_UNITS, _TH_SMALL, _TH_LARGE, boundary=""),
    # Many number syllables begin or end other words, so they are certain only before what is counted, or as an ordinal.
    strict=regex.compile(
        rf"(?!หนึ่ง\s?(?:{'|'.join(_TH_CLASSIFIERS)}))(?:(?P<number>{_TH_RUN})(?=\s?(?:กว่า)?(?:{'|'.join(_TH_CLASSIFIERS)}))"
        rf"|(?<=ครั้งที่\s?)(?P<number>{_TH_RUN}))"
    ),
    liberal=regex.compile(rf"(?P<number>(?!สามารถ|ห้าม|พันธ|พันธุ์|สามี|เก้าอี้){_TH_RUN})"),
    # "อีกข้อหนึ่ง" is another one, "ข้อใดข้อหนึ่ง" any one, "ในบทหนึ่งของ" in a chapter of.
    part=rf"(?!หนึ่ง)(?!สามารถ|ห้าม|สามี|เก้าอี้){_TH_RUN}"
    rf"|(?<!(?:อีก|ใด|ไหน)\s?\p{{Thai}}{{1,12}})หนึ่ง(?!\s?(?:ของ|ใน|มี|ที่))(?:\s?{_TH_WORD})*",
)
VIETNAMESE = WordNumbers(
    _VI_UNITS,
    _VI_SMALL,
    _VI_LARGE,
    _pieces(_VI_UNITS, _VI_SMALL, _VI_LARGE, boundary=r"(?:\b)"),
    # "năm" is five or a year, "ba" three or a father, "thứ Ba" Tuesday.
    strict=regex.compile(
        rf"(?i)(?:(?!một(?!\p{{L}})|tư(?!\p{{L}}))(?<!(?:thứ|tháng)\s)(?P<number>{_VI_RUN})(?<!(?<!\p{{L}})năm(?!\s(?:{_VI_CLASSIFIERS})))"
        rf"|(?<=(?:lần|kỳ|khóa|hạng)\s+thứ\s+)(?P<number>{_VI_RUN}))"
    ),
    liberal=regex.compile(rf"(?i)(?!năm\s+(?:\d|nay|sau|trước|ngoái))(?P<number>{_VI_RUN})"),
    part=_VI_PART,
)
ROMAN = regex.compile(
    r"(?<![\p{L}\p{N}])(?=[IVXLCDM]{2})M{0,3}(?:CM|CD|D?C{0,3})(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})(?![\p{L}\p{N}])"
)
"""Roman numerals of at least two letters, because single letters are rarely numerals."""


def roman_value(word: str) -> int | None:
    """Return the value of a Roman numeral of at least two letters; None for anything else.

    >>> roman_value("XXXIII")
    33
    """
    if not ROMAN.fullmatch(word):
        return None
    values = [{"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}[letter] for letter in word]
    return sum(-value if value < after else value for value, after in zip(values, [*values[1:], 0], strict=True))


NUMBER_WORDS_BY_LANGUAGE = {"en": ENGLISH, "th": THAI, "vi": VIETNAMESE}
NUMBER_WORDS = tuple(NUMBER_WORDS_BY_LANGUAGE.values())
