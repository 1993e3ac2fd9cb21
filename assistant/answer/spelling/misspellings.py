"""Correct unknown words, and known ones with one wrong keystroke: a letter missing, doubled, swapped or wrong, or
accents.

Only languages with a word list are corrected, and only lower-case words: a name or a code that the library lacks is not
a mistake.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from assistant.answer.spelling.vocabulary import Vocabulary
from store.text.spellings import bare
from store.text.word_lists import LISTED, word_list

SHORTEST = 5
"""Letters a word must have to be examined; shorter ones have too many neighbors."""
EVERYWHERE = "en"
"""The language whose words people mix into any other."""
_WORD = regex.compile(r"(?<![\p{L}\p{M}\p{N}_@./\\-])[\p{Latin}\p{M}]+(?![\p{L}\p{M}\p{N}_@/\\-]|\.\p{L})")
_DIGRAPHS = {"de": (("ae", "ä"), ("oe", "ö"), ("ue", "ü"), ("ss", "ß"))}


def mended(text: str, language: str, vocabulary: Vocabulary) -> dict[tuple[int, int], str]:
    """Return the corrections of misspelled words of `text`, by start and end."""
    if language not in LISTED:
        return {}
    shouted = text.isupper()
    words = [word for word in _WORD.finditer(text) if len(word[0]) >= SHORTEST and (shouted or word[0].islower())]
    vocabulary.spellings(bare(word[0]) for word in words)
    found = {word.span(): _meant(word[0].lower(), language, vocabulary) for word in words}
    return {place: meant for place, meant in found.items() if meant is not None}


def _meant(word: str, language: str, vocabulary: Vocabulary) -> str | None:
    letters = bare(word)
    held = vocabulary.spellings([letters])[letters]
    if word in held or vocabulary.rank(word) is not None:
        return None
    lists = [word_list(each) for each in dict.fromkeys((language, EVERYWHERE))]
    if any(word in each for each in lists):
        return None
    if held:
        return max(held, key=lambda spelled: (held[spelled], spelled))
    near = {*lists[0].edit_distance_1(word), *_without_digraphs(word, language)}
    in_library = vocabulary.spellings(bare(each) for each in near)
    best = [(count, spelled) for found in in_library.values() for spelled, count in found.items()]
    if best:
        return max(best)[1]
    return _most_common(near, lists[0])


def _most_common(words: Iterable[str], listed: object) -> str | None:
    frequency: dict[str, int] = listed.word_frequency.dictionary  # type: ignore[attr-defined]
    return max((word for word in words if word in frequency), key=lambda word: (frequency[word], word), default=None)


def _without_digraphs(word: str, language: str) -> Iterable[str]:
    for digraph, letter in _DIGRAPHS.get(language, ()):
        yield word.replace(digraph, letter)
