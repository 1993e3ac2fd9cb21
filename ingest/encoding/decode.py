"""Decode bytes to text correctly, or refuse them with the reason.

A file in an old encoding is decoded only if the result is plausible (see
`plausibility`). Otherwise it is refused with the reason, because garbled text would be found, quoted
and believed. Unicode is recognized by its marks and its form; chardet guesses everything else, and the guess is checked.
"""

from __future__ import annotations

import codecs

import regex

from ingest.encoding.decoded import EXAMINED_BYTES, MARKUP, Decoded, strictly
from ingest.encoding.legacy import legacy
from ingest.encoding.plausibility import damage, is_vietnamese, objection, prose
from store.errors import ReadError
from store.text.language import UNKNOWN, detect_language


def decode(data: bytes, declared: str | None = None, *, is_markup: bool = False) -> Decoded:
    """Return the text of `data`. Raises ReadError, with the reason, if no decoding can be trusted.

    `declared` is the encoding that the file states, like a web page; it is used only if it makes sense. With
    `is_markup`, the words between ``<`` and ``>`` don't count.
    """
    decoded = (
        _by_mark(data)
        or _seven_bit(data, is_markup=is_markup)
        or _utf8(data)
        or _wide(data)
        or _declared(data, declared)
    )
    if decoded is None:
        if _is_binary(data):
            raise ReadError("This is not a text file: it holds binary data.", code="binary")
        decoded = legacy(data)
    if error := damage(decoded.text[:EXAMINED_BYTES]) or _double_encoded(decoded.text):
        raise error
    return decoded


_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
    (b"\x84\x31\x95\x33", "gb18030", "GB18030"),
)


def _by_mark(data: bytes) -> Decoded | None:
    """Decode text that begins with a byte order mark."""
    for mark, codec, name in _MARKS:
        if data.startswith(mark):
            try:
                return Decoded(data.decode(codec).removeprefix("\ufeff"), name, 1.0)
            except UnicodeDecodeError as error:
                raise ReadError(
                    "This file says that it is {name}, but it is damaged at byte {place}.",
                    code="damaged_mark",
                    name=name,
                    place=f"{error.start:,}",
                ) from error
    return None


_ESCAPES = {b"\x1b$": "iso2022_jp_2", b"\x1b(": "iso2022_jp_2", b"\x1b$)C": "iso2022_kr", b"~{": "hz"}


def _seven_bit(data: bytes, *, is_markup: bool) -> Decoded | None:
    """Return 7-bit text that switches alphabets by escape sequences; None for plain ASCII. Raises ReadError for VIQR."""
    head = data[:EXAMINED_BYTES]
    if not head.isascii():
        return None
    if b"\x1b" in head or b"~{" in head:
        for mark, codec in sorted(_ESCAPES.items(), key=lambda item: -len(item[0])):
            if mark not in head:
                continue
            text = strictly(data, codec)
            if text and not text.isascii() and detect_language(text) in ("ja", "ko", "zh"):
                return Decoded(text, codec, 1.0)
    text = head.decode("ascii")
    if share := _viqr_share(MARKUP.sub(" ", text) if is_markup else text):
        raise ReadError(
            "This file is Vietnamese typed in VIQR ({share} of its words carry marks like a^ or o+'): convert it to UTF-8.",
            code="viqr",
            share=f"{share:.0%}",
        )
    return None


_VIQR_MARK = regex.compile(r"[aeoAEO]\^[`'?~.]?|[ouOU][+*][`'?~.]?|[aA]\([`'?~.]?|\b[dD]d")
_VIQR_LETTER = regex.compile(r"([aeiouyAEIOUY])(\^|\(|[+*])?([`'?~.])?(?=[\p{L}\s.,;:!?)]|$)")
_VIQR_SIGNS = {"^": "\u0302", "(": "\u0306", "+": "\u031b", "*": "\u031b"}
_VIQR_TONES = {"`": "\u0300", "'": "\u0301", "?": "\u0309", "~": "\u0303", ".": "\u0323"}


def _viqr_share(text: str) -> float:
    """Return the share of words with marks of VIQR, if these turn it into Vietnamese; otherwise 0."""
    words = [word for word in text.split() if len(word) < 20]
    marked = [word for word in words if _VIQR_MARK.search(word)]
    if len(words) < 5 or len(marked) <= 0.15 * len(words) or not is_vietnamese(_from_viqr(text)):
        return 0.0
    return len(marked) / len(words)


def _from_viqr(text: str) -> str:
    text = regex.sub(r"\b([dD])d", lambda match: "đ" if match[1] == "d" else "Đ", text[:20_000])
    return _VIQR_LETTER.sub(
        lambda match: match[1] + _VIQR_SIGNS.get(match[2] or "", "") + _VIQR_TONES.get(match[3] or "", ""), text
    )


def _utf8(data: bytes) -> Decoded | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(data, error)
        return None
    return None if "\0" in text else Decoded(text, "UTF-8", 1.0)


def _refuse_damaged_utf8(data: bytes, error: UnicodeDecodeError) -> None:
    """Raise ReadError if `data` is UTF-8 except for a few bytes; no other encoding looks like that."""
    if b"\0" in data[:EXAMINED_BYTES]:
        return
    text = data[:EXAMINED_BYTES].decode("utf-8", errors="replace")
    good = sum(1 for character in text if ord(character) > 127 and character != "\ufffd")
    if error.end == len(data) and error.reason == "unexpected end of data" and good > 0:
        raise ReadError(
            "This file ends in the middle of a character: it was cut off. Use the whole file.", code="cut_off"
        )
    if good > 10 * text.count("\ufffd"):
        raise ReadError(
            "This file is UTF-8, but it is damaged at byte {place}. Use an undamaged copy.",
            code="damaged_utf8",
            place=f"{error.start:,}",
        )


def _wide(data: bytes) -> Decoded | None:
    """Decode UTF-16 or UTF-32 without a mark, recognized by spaces, line ends and full stops at even positions."""
    for codec, name, width in (
        ("utf-32-le", "UTF-32", 4),
        ("utf-32-be", "UTF-32", 4),
        ("utf-16-le", "UTF-16", 2),
        ("utf-16-be", "UTF-16", 2),
    ):
        if len(data) % width:
            continue
        sample = strictly(data[: EXAMINED_BYTES - EXAMINED_BYTES % 4], codec, final=False)
        if not sample or "\0" in sample or not _separated(sample):
            continue
        if objection(sample) or detect_language(prose(sample)) == UNKNOWN:
            continue
        if text := strictly(data, codec):
            return Decoded(text, name, 0.99)
    return None


_SEPARATORS = regex.compile(r"[ \n\u3000-\u3002\uff0c]")


def _separated(sample: str) -> bool:
    """Return whether words or sentences end somewhere; a wrong 16-bit decoding has this 1 time in 10,000."""
    return len(_SEPARATORS.findall(sample)) > 0.005 * len(sample)


_WEB_NAMES = {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "iso-8859-11": "cp874",
    "tis-620": "cp874",
    "windows-874": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "x-gbk": "gb18030",
    "big5": "cp950",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "euc-kr": "cp949",
    "ks_c_5601-1987": "cp949",
}


def _declared(data: bytes, name: str | None) -> Decoded | None:
    """Return the decoding with the declared name, as browsers understand it, if nothing contradicts it."""
    if name is None:
        return None
    codec = _WEB_NAMES.get(name.lower(), name.lower())
    text = None if codec.startswith("utf") else strictly(data, codec)
    if not text or objection(MARKUP.sub(" ", text[:EXAMINED_BYTES])):
        return None
    return Decoded(text, codec, 0.95)


_CONTROLS = regex.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")


def _is_binary(data: bytes) -> bool:
    head = data[:EXAMINED_BYTES]
    return b"\0" in head or len(_CONTROLS.findall(head)) > 0.01 * len(head)


def _double_encoded(text: str) -> ReadError | None:
    """Return an error if `text` is UTF-8 that some program decoded as Windows-1252 or Latin-1 and saved again."""
    sample = text[:EXAMINED_BYTES]
    sample = sample[: sample.rfind("\n") + 1] or sample if len(text) > len(sample) else sample
    if sample.isascii():
        return None
    for codec in ("cp1252", "latin-1", "cp1258", "cp874"):
        try:
            again = sample.encode(codec).decode("utf-8")
        except UnicodeError:
            continue
        if len(again) < len(sample):
            return ReadError(
                "This file's characters were garbled (UTF-8 read as another encoding) before it was saved. "
                "Use the original file.",
                code="text_garbled",
            )
    return None
