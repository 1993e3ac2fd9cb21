"""Two single-byte encodings of Vietnamese that Python lacks, TCVN3 and VISCII.

The tables were compared character by character with those of the GNU C library.
"""

from __future__ import annotations

import codecs
import unicodedata
from functools import cache

VIETNAMESE = ("TCVN3", "VISCII")


def decode_vietnamese(data: bytes, encoding: str) -> str | None:
    """Return the text of `data`, or None where a byte has no meaning in `encoding`, one of `VIETNAMESE`."""
    return _table(encoding).decode(data)


def encode_vietnamese(text: str, encoding: str) -> bytes:
    """`text` in `encoding`, one of `VIETNAMESE`. Raises UnicodeEncodeError for a character it lacks."""
    return _table(encoding).encode(unicodedata.normalize("NFC", text))


class _Table:
    """A single-byte encoding that Python lacks."""

    def __init__(self, name: str, high: str, low: dict[int, str]) -> None:
        ascii_half = {i: chr(i) for i in range(128) if i >= 32 or chr(i) in "\t\n\v\f\r\x1a"}
        self._name = name
        self._characters = ascii_half | low | {128 + i: character for i, character in enumerate(high)}
        self._bytes = {ord(character): byte for byte, character in self._characters.items()}

    def decode(self, data: bytes) -> str | None:
        """Return the text, or None where a byte has no meaning."""
        try:
            return codecs.charmap_decode(data, "strict", self._characters)[0]
        except UnicodeDecodeError:
            return None

    def encode(self, text: str) -> bytes:
        try:
            return bytes(self._bytes[ord(character)] for character in text)
        except KeyError as error:
            raise UnicodeEncodeError(self._name, text, 0, len(text), f"no byte for {error}") from error


@cache
def _table(name: str) -> _Table:
    if name == "TCVN3":
        return _Table(name, _TCVN3, _TCVN3_LOW)
    return _Table(name, _VISCII, {2: "Ẳ", 5: "Ẵ", 6: "Ẫ", 20: "Ỷ", 25: "Ỹ", 30: "Ỵ"})


# TCVN 5712:1993 as in the fonts named ".Vn...": the upper half, capitals with tone marks included.
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
