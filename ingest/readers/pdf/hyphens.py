"""Decide for hyphens at line ends whether a word was divided there or is written with a hyphen.

The document's own words decide first, then a dictionary of the most common languages in Latin script. A hyphen that
neither explains stays only between two words that are known separately.
"""

from __future__ import annotations

from collections.abc import Sequence

import regex

from ingest.blocks import PAGE_START
from store.text.language import detect_language
from store.text.word_lists import LISTED, word_list

LINE_END_HYPHEN = "\x02"
"""Stands for a hyphen that ended a line, with the two parts of the word around it."""

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*+(?:-\p{L}[\p{L}\p{M}]*+)*+")
_DIVIDED = regex.compile(rf"(\p{{L}}[\p{{L}}\p{{M}}-]*)({LINE_END_HYPHEN}[\s{PAGE_START}]*)(\p{{L}}[\p{{L}}\p{{M}}-]*)")
_SAMPLE = 20_000
_LATIN = regex.compile(r"^[\p{Latin}\p{M}-]+$")


def without_line_end_hyphens(texts: Sequence[str]) -> list[str]:
    """Return the texts of one document with each `LINE_END_HYPHEN` left out or replaced by a real hyphen."""
    if not any(LINE_END_HYPHEN in text for text in texts):
        return list(texts)
    words = {word.lower() for text in texts for word in _WORD.findall(_DIVIDED.sub(" ", text))}
    language = detect_language(" ".join(texts)[:_SAMPLE])

    def joint(match: regex.Match[str]) -> str:
        before, gap, after = match.groups()
        hyphen = "-" if _keeps_hyphen(before, after, words, language) else ""
        return f"{before}{hyphen}{PAGE_START * gap.count(PAGE_START)}{after}"

    return [_DIVIDED.sub(joint, text).replace(LINE_END_HYPHEN, "-") for text in texts]


def _keeps_hyphen(before: str, after: str, words: set[str], language: str) -> bool:
    one, other = before.lower(), after.lower()
    if f"{one}-{other}" in words:
        return True
    if one + other in words:
        return False
    if after[:1].isupper() or "-" in after:
        return True
    one = one.rsplit("-", 1)[-1]
    if min(len(one), len(other)) < 3 or not _LATIN.match(one + other):
        return False
    spelled = word_list(language if language in LISTED else "en")
    return one + other not in spelled and all(part in words or part in spelled for part in (one, other))
