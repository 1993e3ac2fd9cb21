"""Find signs that a text was made to look like something else: invisible characters, letters of another script.

`ingest.normalize` removes invisible characters. This module counts them, so that people can be warned. Lookalike
letters stay, because they may be intended; a title that mixes them is also reported.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import regex

from ingest.blocks import Block

_BIDIRECTIONAL = regex.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_TAGS = regex.compile(r"(?<!\U0001f3f4[\U000e0020-\U000e007f]{0,16})[\U000e0000-\U000e007f]")
_INVISIBLE = regex.compile(r"[\u200b\u2060-\u2064\u180e\u00ad](?=\p{L}|\p{N})")
_DIRECTED = regex.compile(r"[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")
_UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}]")
_MOST_INVISIBLE = 20
"""Soft hyphens and zero-width spaces that a normal page may have; in scripts without blanks any number."""
_LOOKALIKES = "аеорсухіјѕһԁԛԝАВЕКМНОРСТУХІЈЅαορνυικτΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_WORD = regex.compile(r"[\p{L}\p{M}]+")
_LATIN = regex.compile(r"\p{Latin}")
_LOOKALIKE = regex.compile(f"[{_LOOKALIKES}]")
_OTHER_LETTER = regex.compile(rf"[[\p{{Cyrillic}}\p{{Greek}}]--[{_LOOKALIKES}]]", regex.V1)


@dataclass(frozen=True, slots=True)
class Sign:
    """Something that would mislead a reader."""

    names: tuple[str, ...]
    """The names of its kinds in a document: ``direction``, ``tags``, ``invisible``, ``title`` or ``speaker``."""
    sentence: str


def signs(blocks: Iterable[Block], title: str | None, speaker: str | None) -> list[Sign]:
    """Return everything that would mislead the reader of a document: hidden characters, lookalikes in title or speaker."""
    found = [hidden(blocks)]
    for name, value in (("title", title), ("speaker", speaker)):
        sentence = disguised(value)
        found.append(None if sentence is None else Sign((name,), sentence))
    return [sign for sign in found if sign is not None]


def hidden(blocks: Iterable[Block]) -> Sign | None:
    """Return the characters in a document that would mislead its reader; None if there are none."""
    directions = tags = invisible = 0
    directed = unspaced = False
    for block in blocks:
        if block.text.isascii():
            continue
        directions += len(_BIDIRECTIONAL.findall(block.text))
        tags += len(_TAGS.findall(block.text))
        invisible += len(_INVISIBLE.findall(block.text))
        directed = directed or bool(_DIRECTED.search(block.text))
        unspaced = unspaced or bool(_UNSPACED.search(block.text))
    found = {}
    if directions and not directed:
        found["direction"] = f"{directions:,} that turn the direction of writing"
    if tags:
        found["tags"] = f"{tags:,} tag characters"
    if invisible > _MOST_INVISIBLE and not unspaced:
        found["invisible"] = f"{invisible:,} without width inside words"
    return Sign(tuple(found), f"Invisible characters were left out: {', '.join(found.values())}.") if found else None


def disguised(name: str | None) -> str | None:
    """Return a sentence about a title or speaker with letters that only look like Latin ones; None if there are none."""
    words = _WORD.findall(name or "")
    mixed = [word for word in words if _LATIN.search(word) and _LOOKALIKE.search(word)]
    if not mixed and any(_LATIN.search(word) for word in words):
        # A whole word of lookalikes among Latin ones; a real Cyrillic or Greek word has other letters too.
        mixed = [word for word in words if len(word) > 1 and all(_LOOKALIKE.match(letter) for letter in word)]
    if mixed and not any(_OTHER_LETTER.search(word) for word in words):
        return f"“{mixed[0][:40]}” holds letters of another script that look like Latin ones."
    return None
