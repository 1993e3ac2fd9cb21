"""Decode encodings from before Unicode: chardet guesses, and a guess counts only if no other one is plausible."""

from __future__ import annotations

from dataclasses import dataclass

import regex

from ingest.encoding.decoded import EXAMINED_BYTES, Decoded, strictly
from ingest.encoding.plausibility import ALPHABETS, damage, is_vietnamese, objection, prose
from ingest.encoding.vietnamese import VIETNAMESE, decode_vietnamese
from store.errors import ReadError
from store.text.language import detect_language

CANDIDATES = 12
"""The number of the detector's guesses to examine."""

NEAR_TIE = 0.9
"""A guess within this ratio of the best one is a rival that must be refuted."""

LEAST_CONFIDENCE = 0.1
"""Guesses of chardet below this are ignored; right ones have .16 or more even for one line."""

LEAST_EVIDENCE = 12
"""The least non-ASCII bytes that a text needs to count as a script other than Latin."""


_NEVER_MET = (None, "hp-roman8", "MacGreek")
"""Encodings that are rare, but that short texts in common ones resemble."""


MOST_SIGNS_OF_SHORT_TEXT = 60
"""Non-ASCII characters: with more of them, the detector can distinguish western code pages."""

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


def legacy(data: bytes) -> Decoded:
    """Return text in an encoding from before Unicode. Raises ReadError if none can be justified."""
    head = _whole_lines(data)
    guesses = _guesses(head)
    if sum(1 for byte in head[:1000] if byte > 127) < LEAST_EVIDENCE:
        guesses = [guess for guess in guesses if guess.language in ALPHABETS or guess.language == "vi"]
    defended = [guess for guess in guesses if objection(guess.text, guess.language) is None]
    western = _western(head)
    if not defended:
        if error := damage(head.decode("latin-1")):
            raise error
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
    """Return the text as Windows-1252 if that gives a western language with its own letters and signs, otherwise None.

    Short texts have too few non-ASCII letters for a detector; this code page is by far the most common one for them.
    """
    text = strictly(head, "cp1252")
    if text is None:
        return None
    language = detect_language(prose(text))
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
    """Return whether `other`, which is justified too, is so likely that choosing would be guessing."""
    if best.language == other.language == "vi":
        return True
    if best.language == "en" and _is_bygone(other.encoding) and not _is_bygone(best.encoding):
        return False
    return other.confidence >= NEAR_TIE * best.confidence


def _is_bygone(encoding: str) -> bool:
    """Return whether it is of DOS or the first Macintosh. English has so few non-ASCII letters that these can't be
    ruled out in a short text, but a file that makes sense in a later encoding is hardly in one of them.
    """
    return encoding.lower().startswith(("mac", "cp4", "cp7", "cp8", "ibm"))


def _whole_lines(data: bytes) -> bytes:
    """Return the examined head, cut at a line end, so that no multi-byte character is cut."""
    if len(data) <= EXAMINED_BYTES:
        return data
    head = data[:EXAMINED_BYTES]
    return head[: head.rfind(b"\n") + 1] or head


def _guesses(head: bytes) -> list[_Guess]:
    """Return the decodings worth examining, best first; no two give the same text."""
    import chardet

    guesses: dict[str, _Guess] = {}
    words = prose(head.decode("latin-1")).encode("latin-1")
    for found in chardet.detect_all(words, ignore_threshold=True)[:CANDIDATES]:
        name, language = found["encoding"], found["language"]
        if name in _NEVER_MET or found["confidence"] < LEAST_CONFIDENCE:
            continue
        text = _decoded(head, name)
        if text is not None and text not in guesses:
            guesses[text] = _Guess(text, name, language or detect_language(prose(text)), found["confidence"])
    for name in VIETNAMESE:
        text = _decoded(head, name)
        if text is not None and text not in guesses and is_vietnamese(text):
            guesses[text] = _Guess(text, name, "vi", 1.0)
    return sorted(guesses.values(), key=lambda guess: -guess.confidence)


def _decoded(data: bytes, encoding: str) -> str | None:
    return decode_vietnamese(data, encoding) if encoding in VIETNAMESE else strictly(data, encoding)
