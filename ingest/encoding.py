"""Bytes -> text, rightly or not at all.

A file that was saved in an old encoding is decoded only when the decoding can be defended (see
`plausible`); otherwise it is refused with the reason, because garbled text would be found, quoted
and believed. Unicode is told by its marks and its form, all else by chardet and then examined.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

import regex

from ingest.encoding_check import ALPHABETS, damage, is_vietnamese, objection
from ingest.vietnamese import VIETNAMESE, decode_vietnamese
from store.errors import ReadError
from store.text.language import UNKNOWN, detect_language

EXAMINED_BYTES = 100_000
"""How much of a long file decides about its encoding; the whole of it must then decode without error."""

CANDIDATES = 12
"""How many of the detector's guesses are examined."""

NEAR_TIE = 0.9
"""A guess within this ratio of the best one is a rival that must be refuted."""

LEAST_CONFIDENCE = 0.1
"""Guesses of chardet below this are not examined; it gives right ones .16 or more even for one line."""

LEAST_EVIDENCE = 12
"""Bytes beyond ASCII that a text needs at least before it is believed to be in another script than Latin."""


@dataclass(frozen=True, slots=True)
class Decoded:
    """The text of a file, the encoding's name, and how sure that is, in (0, 1]; 1 for Unicode."""

    text: str
    encoding: str
    confidence: float


def decode(data: bytes, declared: str | None = None, *, is_markup: bool = False) -> Decoded:
    """Return the text of `data`. Raises ReadError, naming the reason, where no decoding can be trusted.

    `declared` is what the file says of itself, as a web page does; it is believed only if it makes sense. With
    `is_markup` the words between ``<`` and ``>`` are no evidence.
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
        decoded = _legacy(data)
    if reason := damage(decoded.text[:EXAMINED_BYTES]) or _double_encoded(decoded.text):
        raise ReadError(
            "This file can't be read as text: {reason}. Use the original file.", code="not_text", reason=reason
        )
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
    """Text that begins with a byte order mark."""
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
    """Encodings that look like ASCII: they switch alphabets with an escape sequence."""
    head = data[:EXAMINED_BYTES]
    if not head.isascii():
        return None
    if b"\x1b" in head or b"~{" in head:
        for mark, codec in sorted(_ESCAPES.items(), key=lambda item: -len(item[0])):
            if mark not in head:
                continue
            text = _strictly(data, codec)
            if text and not text.isascii() and detect_language(text) in ("ja", "ko", "zh"):
                return Decoded(text, codec, 1.0)
    text = head.decode("ascii")
    if share := _viqr_share(_ELEMENT.sub(" ", text) if is_markup else text):
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


def _utf8(data: bytes) -> Decoded | None:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(data, error)
        return None
    return None if "\0" in text else Decoded(text, "UTF-8", 1.0)


def _refuse_damaged_utf8(data: bytes, error: UnicodeDecodeError) -> None:
    """Raise ReadError if `data` is UTF-8 but for a few bytes: no other encoding looks like that."""
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
    """UTF-16 or UTF-32 without a mark: told by spaces, line ends and full stops at even places."""
    for codec, name, width in (
        ("utf-32-le", "UTF-32", 4),
        ("utf-32-be", "UTF-32", 4),
        ("utf-16-le", "UTF-16", 2),
        ("utf-16-be", "UTF-16", 2),
    ):
        if len(data) % width:
            continue
        sample = _strictly(data[: EXAMINED_BYTES - EXAMINED_BYTES % 4], codec, final=False)
        if not sample or "\0" in sample or not _separated(sample):
            continue
        if objection(sample) or detect_language(sample) == UNKNOWN:
            continue
        if text := _strictly(data, codec):
            return Decoded(text, name, 0.99)
    return None


_SEPARATORS = regex.compile(r"[ \n\u3000-\u3002\uff0c]")


def _separated(sample: str) -> bool:
    """Whether words or sentences end somewhere: a wrong reading of 16 bits hits these 1 time in 10,000."""
    return len(_SEPARATORS.findall(sample)) > 0.005 * len(sample)


_ELEMENT = regex.compile(r"<[^<>]*+>")
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
    """The decoding that the file names, as browsers understand the name, if nothing speaks against it."""
    if name is None:
        return None
    codec = _WEB_NAMES.get(name.lower(), name.lower())
    text = None if codec.startswith("utf") else _strictly(data, codec)
    if not text or objection(_ELEMENT.sub(" ", text[:EXAMINED_BYTES])):
        return None
    return Decoded(text, codec, 0.95)


_CONTROLS = regex.compile(rb"[\x00-\x08\x0e-\x19\x1c-\x1f\x7f]")


def _is_binary(data: bytes) -> bool:
    head = data[:EXAMINED_BYTES]
    return b"\0" in head or len(_CONTROLS.findall(head)) > 0.01 * len(head)


_NEVER_MET = (None, "hp-roman8", "MacGreek")
"""Sets that hardly any file is in, but that short texts in common ones look like."""


MOST_SIGNS_OF_SHORT_TEXT = 60
"""Characters beyond ASCII: with more of them the detector can tell western code pages apart."""

_WESTERN = frozenset(("en", "fr", "de", "es", "it", "pt", "nl", "da", "sv", "no", "fi", "ca", "gl", "ga", "is", "af"))
_WESTERN_SIGNS = "“”‘’„‚–—…•·«»‹›€£§©®™°½¼¾²³×±ªº¿¡\u00a0\u00ad"
_LOOSE_SIGN = regex.compile(r"(?<=\s)[…•»”’‚„°](?=\s)")
_BEYOND_ASCII = regex.compile(r"[^\x00-\x7f]")


@dataclass(frozen=True, slots=True)
class _Guess:
    text: str
    encoding: str
    language: str
    confidence: float


def _legacy(data: bytes) -> Decoded:
    """Text in an encoding from before Unicode. Raises ReadError where none can be defended."""
    head = _whole_lines(data)
    guesses = _guesses(head)
    if sum(1 for byte in head[:1000] if byte > 127) < LEAST_EVIDENCE:
        guesses = [guess for guess in guesses if guess.language in ALPHABETS or guess.language == "vi"]
    defended = [guess for guess in guesses if objection(guess.text, guess.language) is None]
    western = _western(head)
    if not defended:
        reason = damage(head.decode("latin-1"))
        if reason:
            raise ReadError(
                "This file can't be read as text: {reason}. Use the original file.", code="not_text", reason=reason
            )
        if western is not None and (text := _decoded(data, western.encoding)) is not None:
            return Decoded(text, western.encoding, western.confidence)
        raise ReadError(
            "The encoding of this file can't be told: no known one makes sense of it. Save it as UTF-8 and try again.",
            code="encoding_none",
        )
    best = defended[0]
    later = next((guess for guess in defended[1:] if not _is_bygone(guess.encoding) and _rivals(best, guess)), None)
    if best.language == "en" and _is_bygone(best.encoding) and later:
        defended = [guess for guess in defended if not _is_bygone(guess.encoding)]
        best = later
    rivals = [guess for guess in defended[1:] if _rivals(best, guess)]
    if rivals and western is not None and not any(guess.language == "vi" for guess in (best, *rivals)):
        best, rivals = western, []
    if rivals:
        names = " and ".join(guess.encoding for guess in (best, *rivals[:1]))
        raise ReadError(
            "The encoding of this file can't be told: {names} both make sense of it. Save it as UTF-8 and try again.",
            code="encoding_two",
            names=names,
        )
    text = _decoded(data, best.encoding)
    if (
        text is None
        or objection(text[-EXAMINED_BYTES // 2 :], best.language) == "it would hold characters that don't exist"
    ):
        raise ReadError(
            "This file looks like {name}, but a part of it is not. Save it as UTF-8 and try again.",
            code="encoding_part",
            name=best.encoding,
        )
    return Decoded(text, best.encoding, best.confidence)


def _western(head: bytes) -> _Guess | None:
    """Return the text as Windows-1252 where that gives a western language with its own letters and signs, else None.

    Short texts have too few letters beyond ASCII for a detector; this code page is by far the commonest for them.
    """
    text = _strictly(head, "cp1252")
    if text is None:
        return None
    language = detect_language(text)
    if language not in _WESTERN or objection(text, language) is not None:
        return None
    beyond = _BEYOND_ASCII.findall(text)
    letters = ALPHABETS[language] + ALPHABETS[language].upper()
    usual = sum(1 for character in beyond if character in letters or character in _WESTERN_SIGNS)
    if _LOOSE_SIGN.search(text):
        return None
    is_sure = len(beyond) <= MOST_SIGNS_OF_SHORT_TEXT and usual == len(beyond)
    return _Guess(text, "cp1252", language, 0.9) if is_sure else None


def _rivals(best: _Guess, other: _Guess) -> bool:
    """Whether `other`, which is defended too, is likely enough that choosing would be guessing."""
    if best.language == other.language == "vi":
        return True
    if best.language == "en" and _is_bygone(other.encoding) and not _is_bygone(best.encoding):
        return False
    return other.confidence >= NEAR_TIE * best.confidence


def _is_bygone(encoding: str) -> bool:
    """Whether it is of DOS or the first Macintosh. English has so few letters beyond ASCII that these
    can't be ruled out in a short text; a file that makes sense in a later encoding is hardly in one of them.
    """
    return encoding.lower().startswith(("mac", "cp4", "cp7", "cp8", "ibm"))


def _whole_lines(data: bytes) -> bytes:
    """The examined head, cut where a line ends, so that no character of several bytes is cut."""
    if len(data) <= EXAMINED_BYTES:
        return data
    head = data[:EXAMINED_BYTES]
    return head[: head.rfind(b"\n") + 1] or head


def _guesses(head: bytes) -> list[_Guess]:
    """The decodings that are worth examining, best first; no two give the same text."""
    import chardet

    guesses: dict[str, _Guess] = {}
    for found in chardet.detect_all(head, ignore_threshold=True)[:CANDIDATES]:
        name, language = found["encoding"], found["language"]
        if name in _NEVER_MET or found["confidence"] < LEAST_CONFIDENCE:
            continue
        text = _decoded(head, name)
        if text is not None and text not in guesses:
            guesses[text] = _Guess(text, name, language or detect_language(text), found["confidence"])
    for name in VIETNAMESE:
        text = _decoded(head, name)
        if text is not None and text not in guesses and is_vietnamese(text):
            guesses[text] = _Guess(text, name, "vi", 1.0)
    return sorted(guesses.values(), key=lambda guess: -guess.confidence)


def _decoded(data: bytes, encoding: str) -> str | None:
    return decode_vietnamese(data, encoding) if encoding in VIETNAMESE else _strictly(data, encoding)


def _strictly(data: bytes, codec: str, *, final: bool = True) -> str | None:
    try:
        return codecs.getincrementaldecoder(codec)("strict").decode(data, final)
    except (UnicodeError, LookupError, TypeError, AttributeError):  # Some codecs aren't of text.
        return None


def _double_encoded(text: str) -> str | None:
    """A reason if `text` is UTF-8 that some program read as Windows-1252 or Latin-1 and saved again."""
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
            return "its characters were garbled (UTF-8 read as another encoding) before it was saved"
    return None
