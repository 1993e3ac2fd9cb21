"""Encode the Universal Declaration of Human Rights in every encoding used for its languages, and Vietnamese ones."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from selectolax.lexbor import LexborHTMLParser

from ingest.encoding import decode
from ingest.encoding.vietnamese import VIETNAMESE, decode_vietnamese
from store.errors import ReadError

Verdict = Literal["right", "refused", "wrong"]

UNICODE = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32")
ENCODINGS = {
    "th": "cp874 tis-620",
    "ja": "shift_jis cp932 euc_jp iso2022_jp",
    "zh": "gb2312 gbk gb18030",
    "zh-Hant": "big5 cp950 gb18030",
    "ko": "euc_kr cp949 johab",
    "ru": "koi8_r cp1251 iso8859_5 cp866 mac_cyrillic",
    "uk": "koi8_u cp1251",
    "fr": "cp1252 latin1 iso8859_15 cp850 mac_roman",
    "de": "cp1252 latin1 cp850",
    "es": "cp1252 latin1 cp850",
    "pt": "cp1252 latin1 cp850",
    "it": "cp1252 latin1",
    "sv": "cp1252 latin1 cp850",
    "fi": "cp1252 latin1",
    "nl": "cp1252",
    "id": "cp1252",
    "tl": "cp1252",
    "en": "cp1252",
    "pl": "cp1250 iso8859_2 cp852",
    "cs": "cp1250 iso8859_2 cp852",
    "tr": "cp1254 iso8859_9 cp857",
    "he": "cp1255 iso8859_8",
    "ar": "cp1256 iso8859_6",
    "vi": "cp1258 TCVN3 VISCII VNI",
}
LENGTHS = (20_000, 1_000, 300, 100)
_PLAIN = str.maketrans({"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u200b": ""})
_TONES = "\u0300\u0301\u0303\u0309\u0323"


@dataclass(frozen=True, slots=True)
class Case:
    """A text, and the bytes that it became in an encoding."""

    text: str
    data: bytes


def cases(udhr: Path, seed: int = 5) -> Iterator[Case]:
    """Yield the texts of `udhr`/html in all their encodings, the whole and two fragments of each length."""
    pick = random.Random(seed)  # noqa: S311 - no secret, only the same fragments each time
    for path in sorted((udhr / "html").glob("*.html")):
        language, text = _read(path)
        for encoding in (*ENCODINGS.get(language, "").split(), *UNICODE):
            for length in LENGTHS:
                for _ in range(1 if length == LENGTHS[0] else 2):
                    start = 0 if length == LENGTHS[0] else pick.randrange(max(1, len(text) - length))
                    fragment = _writable(text[start : start + length], encoding)
                    yield Case(fragment, encode(fragment, encoding))


def verdict(case: Case) -> Verdict:
    """Return what becomes of the case's bytes."""
    try:
        text = decode(case.data).text
    except ReadError:
        return "refused"
    return "right" if unicodedata.normalize("NFC", text) == case.text else "wrong"


def encode(text: str, encoding: str) -> bytes:
    """Return `text` in an encoding, also in one that Python lacks. Raises UnicodeEncodeError for what it can't write."""
    if encoding == "cp1258":
        return b"".join(map(_with_tone_apart, text))
    if encoding not in VIETNAMESE:
        return text.encode(encoding)
    letters = _vietnamese_letters(encoding)
    try:
        return b"".join(letters[letter] for letter in unicodedata.normalize("NFC", text))
    except KeyError as error:
        raise UnicodeEncodeError(encoding, text, 0, len(text), f"no byte for {error}") from error


@cache
def _vietnamese_letters(encoding: str) -> dict[str, bytes]:
    """Return how each letter is written; VNI writes most marks as a second letter, of the first one's case."""
    singles = [bytes([byte]) for byte in range(256)]
    written = {text: data for data in singles if len(text := decode_vietnamese(data, encoding) or "") == 1}
    if encoding == "VNI":
        for first in singles:
            for second in singles[128:]:
                text = decode_vietnamese(first + second, encoding) or ""
                sides = (first + second).decode("cp1252", "replace")
                if len(text) == 1 and sides[0].isupper() == sides[1].isupper():
                    written[text] = first + second
    return written


def _with_tone_apart(letter: str) -> bytes:
    """Return a letter with its tone behind it, as Windows-1258 has most of them."""
    try:
        return letter.encode("cp1258")
    except UnicodeEncodeError:
        base, *marks = list(unicodedata.normalize("NFD", letter))
        tones = "".join(mark for mark in marks if mark in _TONES)
        vowel = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark not in _TONES))
        return (vowel + tones).encode("cp1258")


def _read(path: Path) -> tuple[str, str]:
    page = LexborHTMLParser(path.read_text(encoding="utf-8"))
    root = page.css_first("html")
    tag = str(root.attributes["lang"] if root else "")
    text = "\n".join(node.text(strip=True) for node in page.css("h1, h2, h3, p, li"))
    return (tag if tag == "zh-Hant" else tag.split("-", maxsplit=1)[0]), unicodedata.normalize("NFC", text)


def _writable(text: str, encoding: str) -> str:
    """Return `text` without what the encoding has no character for."""
    written = "".join(c if _can(c, encoding) else c.translate(_PLAIN) for c in text)
    return "".join(c for c in written if _can(c, encoding))


@cache
def _can(character: str, encoding: str) -> bool:
    try:
        encode(character, encoding)
    except UnicodeEncodeError:
        return False
    return True
