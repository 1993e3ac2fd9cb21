"""Decode Vietnamese encodings that Python lacks: TCVN3, VISCII, and VNI, which writes most marks as a second letter.

The tables of the first two were compared character by character with those of the GNU C library.
"""

from __future__ import annotations

import codecs
import unicodedata
from functools import cache

import regex

VIETNAMESE = ("TCVN3", "VISCII", "VNI")


def decode_vietnamese(data: bytes, encoding: str) -> str | None:
    """Return the text of `data`, or None if a byte has no meaning in `encoding`, one of `VIETNAMESE`."""
    return _table(encoding).decode(data)


class _Table:
    """A single-byte encoding that Python lacks."""

    def __init__(self, high: str, low: dict[int, str]) -> None:
        ascii_half = {i: chr(i) for i in range(128) if i >= 32 or chr(i) in "\t\n\v\f\r\x1a"}
        self._characters = ascii_half | low | {128 + i: character for i, character in enumerate(high)}

    def decode(self, data: bytes) -> str | None:
        """Return the text, or None if a byte has no meaning."""
        try:
            return codecs.charmap_decode(data, "strict", self._characters)[0]
        except UnicodeDecodeError:
            return None


class _Pairs:
    """VNI: a letter of Windows-1252 after a vowel stands for its marks; ``Hoäi nghò`` is "Hội nghị"."""

    def __init__(self) -> None:
        self._letters = dict(zip("ôöíìæóòîñÔÖÍÌÆÓÒÎÑ", "ơưíìỉĩịỵđƠƯÍÌỈĨỊỴĐ", strict=True))
        self._pairs = {}
        for second, (first, marks) in _VNI_MARKS.items():
            for base in (*first, *first.upper()):
                for sign in {second, second.upper()}:
                    letter = unicodedata.normalize("NFC", self._letters.get(base, base) + marks)
                    self._pairs[base + sign] = letter
        self._pattern = regex.compile("|".join([*self._pairs, *self._letters]))

    def decode(self, data: bytes) -> str | None:
        """Return the text, or None if a byte has no meaning."""
        try:
            text = data.decode("cp1252")
        except UnicodeDecodeError:
            return None
        return self._pattern.sub(lambda match: self._pairs.get(match[0]) or self._letters[match[0]], text)


@cache
def _table(name: str) -> _Table | _Pairs:
    if name == "VNI":
        return _Pairs()
    if name == "TCVN3":
        return _Table(_TCVN3, _TCVN3_LOW)
    return _Table(_VISCII, {2: "Ẳ", 5: "Ẵ", 6: "Ẫ", 20: "Ỷ", 25: "Ỹ", 30: "Ỵ"})


_VNI_MARKS = {
    "ù": ("aeouyôö", "\u0301"), "ø": ("aeouyôö", "\u0300"), "û": ("aeouyôö", "\u0309"), "õ": ("aeouyôö", "\u0303"),
    "ï": ("aeouôö", "\u0323"), "â": ("aeo", "\u0302"), "á": ("aeo", "\u0302\u0301"), "à": ("aeo", "\u0302\u0300"),
    "å": ("aeo", "\u0302\u0309"), "ã": ("aeo", "\u0302\u0303"), "ä": ("aeo", "\u0302\u0323"), "ê": ("a", "\u0306"),
    "é": ("a", "\u0306\u0301"), "è": ("a", "\u0306\u0300"), "ú": ("a", "\u0306\u0309"), "ü": ("a", "\u0306\u0303"),
    "ë": ("a", "\u0306\u0323"),
}  # fmt: skip
# TCVN 5712:1993 as in the fonts named ".Vn...": the upper half, including capitals with tone marks.
_TCVN3 = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨ"
    "ÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ"
    "\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ"
    "\u0300\u0309\u0303\u0301\u0323àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽ"
    "éẹềểễếệìỉỄẾỒĩíịò"
    "Ổỏõóọồổỗốộờởỡớợù"
    "ỖủũúụừửữứựỳỷỹýỵỐ"
)
_TCVN3_LOW = dict(zip((1, 2, 4, 5, 6, 17, 18, 19, 20, 21, 22, 23), "ÚỤỪỬỮỨỰỲỶỸÝỴ", strict=True))
# RFC 1456.
_VISCII = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐ"
    "ỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲ"
    "Õắằặấầẩậẽẹếềểễệố"
    "ồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳ"
    "ĐứÒÓÔạỷừửÙÚỹỵÝỡư"
    "àáâãảăữẫèéêẻìíĩỉ"
    "đựòóôõỏọụùúũủýợỮ"
)
