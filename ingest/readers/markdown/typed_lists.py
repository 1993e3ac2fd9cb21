"""Lists that Markdown doesn't know: lines of a paragraph that begin with Thai numbers, letters, or numbers as 1.2."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_HAN = "〇一二三四五六七八九十百"
_ITEM = regex.compile(
    r"[ \t]*(?:"
    r"\(?\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){0,4}[.)]|\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){1,4}(?=\s)"
    r"|\(?[\p{L}--\p{Han}]\p{M}*[.)]|\(?[ivxlcIVXLC]{1,6}[.)]"
    rf"|[(（]?[{_HAN}]{{1,4}}[、.)）]|第[{_HAN}]{{1,4}}[条章节項]"
    r"|ข้อ(?:ที่)?[ \t]*\p{Nd}{1,3}\.?|[•‣▪◦●–—]"
    r")[ \t]*(?=\S)",
    regex.V1,
)
_FEWEST = 2


def part_typed_lists(state: StateCore) -> None:
    """Part each paragraph of which several lines are items into these."""
    if not any(token.type == "inline" and "\n" in token.content for token in state.tokens):
        return
    parted: list[Token] = []
    tokens = state.tokens
    number = 0
    while number < len(tokens):
        trio = tokens[number : number + 3]
        if len(trio) == 3 and trio[0].type == "paragraph_open" and trio[1].type == "inline":
            parted += _parted(*trio)
            number += 3
        else:
            parted.append(tokens[number])
            number += 1
    state.tokens = parted


def _parted(opening: Token, inline: Token, closing: Token) -> Iterator[Token]:
    lines = inline.content.split("\n")
    starts = [number for number, line in enumerate(lines) if _ITEM.match(line)]
    if len(starts) < _FEWEST:
        yield from (opening, inline, closing)
        return
    edges = sorted({0, *starts, len(lines)})
    for start, end in pairwise(edges):
        piece = copy(inline)
        piece.content, piece.children = "\n".join(lines[start:end]), []
        # An item is a paragraph of its own also where the paragraphs of a list are not shown as such.
        for token in (copy(opening), piece, copy(closing)):
            token.hidden = False
            yield token
