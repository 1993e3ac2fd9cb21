"""Encodings that look like ASCII: those that switch alphabets with an escape sequence, and Vietnamese in VIQR."""

from __future__ import annotations

import regex

from ingest.encoding.decoded import EXAMINED_BYTES, MARKUP, Decoded, strictly
from ingest.encoding.plausibility import is_vietnamese
from store.errors import ReadError
from store.text.language import detect_language

_ESCAPES = {b"\x1b$": "iso2022_jp_2", b"\x1b(": "iso2022_jp_2", b"\x1b$)C": "iso2022_kr", b"~{": "hz"}


def seven_bit(data: bytes, *, is_markup: bool) -> Decoded | None:
    """Return the text of data in seven bits, None where it has none or is plain ASCII. Raises ReadError for VIQR."""
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
    """Return the share of words with marks of VIQR, if these make Vietnamese of it; else 0."""
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
