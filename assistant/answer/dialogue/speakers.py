"""Find the speakers of the catalog that a turn names, in full or by distinctive words."""

from __future__ import annotations

from collections import Counter

import regex

from assistant.answer.dialogue.turn_parts import plain
from store.library import Library
from store.types import Filter

SHORTEST_WORD = 4
"""Letters of a word that can distinguish speakers."""
SHORTEST_THAI = 5
_WORD = regex.compile(r"[\p{L}\p{M}\p{N}\-]+")
_SEPARATORS = regex.compile(r"[,;:(（—–]")


def named_speakers(text: str, where: Filter, library: Library) -> tuple[str, ...]:
    """Return those speakers whom `text` names, out of the hundred most frequent in documents that `where` matches.

    A speaker is named by the part before its first comma or bracket, or by a word of it that no other speaker has.
    """
    if not text.strip():
        return ()
    speakers = list(library.statistics(where.collections).speakers)
    if where.speakers:
        speakers = [speaker for speaker in speakers if speaker in where.speakers]
    said = _squeezed(text)
    names = {speaker: _squeezed(_SEPARATORS.split(speaker)[0]) for speaker in speakers}
    whole = [speaker for speaker, name in names.items() if len(name) >= SHORTEST_WORD and name in said]
    if whole:
        parts = {speaker: [_squeezed(part) for part in _SEPARATORS.split(speaker)] for speaker in whole}
        closest = max(sum(part in said for part in parts[speaker] if part) for speaker in whole)
        return tuple(speaker for speaker in whole if sum(part in said for part in parts[speaker] if part) == closest)
    return _by_own_words(text, said, names)


def _by_own_words(text: str, said: str, names: dict[str, str]) -> tuple[str, ...]:
    """Return the speakers whose names have the rarest of the words of `text`, with at most two letters different."""
    words = {plain(word).replace("-", "") for word in _WORD.findall(text)}
    telling = {word for word in words if len(word) >= SHORTEST_WORD}
    found: Counter[str] = Counter()
    for word in telling:
        having = [speaker for speaker, name in names.items() if word in name]
        if having and len(having) <= max(1, len(names) // 4):
            found.update(dict.fromkeys(having, len(word)))
    for speaker, name in names.items():
        # Thai is written without blanks, so the longest part of the name found in the text counts.
        if regex.search(r"\p{Thai}", name) and (run := _longest_shared(name, said)) >= max(
            SHORTEST_THAI * 2, len(name) // 2
        ):
            found[speaker] += run
    if not found:
        return ()
    best = max(found.values())
    return tuple(speaker for speaker, count in found.items() if count == best)


def _longest_shared(name: str, said: str) -> int:
    longest = 0
    for start in range(len(name)):
        while start + longest < len(name) and name[start : start + longest + 1] in said:
            longest += 1
    return longest


def _squeezed(text: str) -> str:
    return "".join(character for character in plain(text) if character.isalnum() or "\u0e00" <= character <= "\u0e7f")
