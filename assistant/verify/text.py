"""Fold texts for comparison, read and write citation markers, and find the words that carry meaning."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache

import regex

from assistant.verify.language_rules import all_rules, rules_of_text
from store.text.fold import plain
from store.types import Span

_LOOSE_MARKER = regex.compile(r"\s*\[\d{1,4}(?:\s*[,;–-]\s*\d{1,4})*\]")
_ENUMERATOR = regex.compile(r"^\s*(?:[-*•–]|\(?\d{1,2}[.)])\s+")
_FRACTION = regex.compile(r"(?P<whole>\d+)?\s?(?P<part>[½¼¾])")
_FRACTIONS = {"½": ".5", "¼": ".25", "¾": ".75"}
SENTENCE_START = regex.compile(r"(?:^|[.!?:;]\s+|[\"'(]\s*)$")
"""The end of the text before a sentence, or before words in quotation marks or brackets."""


def _as_decimal(match: regex.Match[str]) -> str:
    return (match["whole"] or "0") + _FRACTIONS[match["part"]]


def fold(text: str) -> str:
    """Return `text` in NFKC with plain quotation marks, dashes and digits of 0-9, one space between words.

    Letter case stays, because it distinguishes names.
    """
    return plain(_FRACTION.sub(_as_decimal, text))


def strip_markers(text: str) -> str:
    """Return `text` without citation markers such as [1] or [1, 2], and without a list's bullet in front."""
    return _ENUMERATOR.sub("", _LOOSE_MARKER.sub("", text)).strip()


def has_thai(text: str) -> bool:
    """Return whether any letter of `text` is Thai."""
    return any("\u0e00" <= c <= "\u0e7f" for c in text)


def script_of(text: str) -> str:
    """Return the script of most letters of `text`: ``latin``, ``thai``, ``cyrillic`` ..., or empty."""
    counts: dict[str, int] = {}
    for c in text:
        if c.isalpha():
            name = unicodedata.name(c, "").partition(" ")[0].lower()
            counts[name] = counts.get(name, 0) + 1
    return max(counts, key=lambda name: counts[name]) if counts else ""


def citations_in(text: str) -> tuple[int, ...]:
    """Return the keys that a sentence cites by markers such as [1], [1][2] or [1, 2], in order."""
    keys = []
    for marker in regex.finditer(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]", text):
        keys += [int(key) for key in regex.findall(r"\d+", marker[1])]
    return tuple(dict.fromkeys(keys))


@lru_cache(maxsize=4096)
def content_spans(text: str) -> tuple[Span, ...]:
    """Return the positions of content words in `text`, in order; PyThaiNLP segments Thai."""
    spans: list[Span] = []
    for match in regex.finditer(r"\p{Thai}+|[\p{L}\p{M}\p{N}']+", text):
        start = match.start()
        if has_thai(match.group()):
            from pythainlp.tokenize.newmm import segment

            for word in segment(match.group()):
                if word not in _stopwords() and len(word) > 1:
                    spans.append(Span(start, start + len(word)))
                start += len(word)
        elif match.group().lower() not in _stopwords():
            spans.append(Span(start, match.end()))
    return tuple(spans)


@lru_cache(maxsize=4096)
def content_words(text: str) -> tuple[str, ...]:
    """Return the content words of a folded text, in lower case, in order."""
    return tuple(span.of(text).lower() for span in content_spans(text))


@cache
def _stopwords() -> frozenset[str]:
    return frozenset(word for each in all_rules().values() for word in each.words("function_words", "conjunctions"))


_LEFT_AS_THEY_WERE = regex.compile(
    r"(?<![\p{L}\p{M}])(?=\p{Ll}*[^\p{ASCII}\P{L}])[\p{Latin}&&\p{Ll}]+(?!\p{L})", regex.V1
)
"""Words of a Latin alphabet with letters that English lacks, and no capital: they are no names, so they should have
been translated ("sân bay quốc tế" in a Thai sentence)."""


def cite(sentence: str, keys: Sequence[int]) -> str:
    """Return `sentence` with markers of exactly `keys`, before the mark that ends it, and the same words.

    >>> cite("It opened in 1998 [7].", (1, 2))
    'It opened in 1998 [1] [2].'
    """
    bare = regex.sub(r"\s*\[\d{1,4}(?:\s*[,;]\s*\d{1,4})*\]", "", sentence).rstrip()
    ending = regex.search(r"[.!?。！？]+[\"'”’»)」』]*$", bare)
    at = ending.start() if ending and not regex.search(r"[\"'”’»)」』]$", bare) else len(bare)
    return f"{bare[:at]} {' '.join(f'[{key}]' for key in keys)}{bare[at:]}"


def speaks(text: str, language: str) -> bool:
    """Return whether `text` can be in `language`, as far as letters and words show; quoted words don't count."""
    words = regex.sub(r"[\"“«「][^\"”»」]*[\"”»」]|\([^)]*\)", " ", unicodedata.normalize("NFC", strip_markers(text)))
    base = language.partition("-")[0]
    letters = len(regex.findall(r"\p{L}", words))
    if letters < 12:
        return True
    scripts = {"th": r"\p{Thai}", "zh": r"\p{Han}", "ja": r"[\p{Han}\p{Hiragana}\p{Katakana}]", "ko": r"\p{Hangul}"}
    scripts |= {"ar": r"\p{Arabic}", "fa": r"\p{Arabic}", "ur": r"\p{Arabic}", "ru": r"\p{Cyrillic}"}
    scripts |= {"uk": r"\p{Cyrillic}", "hi": r"\p{Devanagari}", "he": r"\p{Hebrew}", "el": r"\p{Greek}"}
    scripts |= {"lo": r"\p{Lao}", "km": r"\p{Khmer}", "my": r"\p{Myanmar}", "ta": r"\p{Tamil}", "bn": r"\p{Bengali}"}
    share = len(regex.findall(scripts.get(base, r"\p{Latin}"), words)) / letters
    if share < 0.3:
        return False
    if (base in scripts or base == "en") and len(_LEFT_AS_THEY_WERE.findall(words)) > 1:
        return False
    return base not in ("en", "vi") or rules_of_text(words).language == base
