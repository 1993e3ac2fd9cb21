"""Distinguish intended line ends from those caused by the page width.

A text is wrapped if its lines end where the next word would not have fit, as from typesetters and old mail programs. A
line that ends early ends on purpose: it is a heading, a list item or the end of a paragraph. Widths are counted in
columns: a combining mark has none, a Chinese character two.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from itertools import pairwise

import regex

from ingest.blocks import PAGE_START

NARROWEST, WIDEST = 30, 160
"""The possible widths of a wrapped text, in columns."""

NARROWEST_CASELESS = 40
"""In scripts where lower case can't show that a sentence continues."""

NEARLY_FULL = 0.85
"""Share of the text's width that a line and the next word must exceed for the line to be wrapped there."""

WRAPPED_SHARE = 0.4
"""Share of the line ends that must be full for the text to count as wrapped."""

GOING_ON_SHARE = 0.3
"""Share of the full lines without a full stop after which a small letter must follow."""

SPACED_SHARE = 0.6
"""Share of the lines after which an empty one must follow for the text to count as double-spaced."""

LONGEST_WORD = 12
"""Columns. In scripts without spaces between words, the next word is assumed to be no longer."""

UNSPACED = regex.compile(
    r"[\p{Thai}\p{Laoo}\p{Khmr}\p{Mymr}\p{Han}\p{Hira}\p{Kana}、。，．：；！？「」『』（）〈〉《》]"
)
"""Letters and marks of scripts without spaces between words."""
_SENTENCE_END = regex.compile(r"[.!?:;。！？：；។။।۔؟…][\"'”’»)\]」』]*$")
LIST_ITEM = regex.compile(
    r"(?:[-–—•·‣▪◦*●○■□►✓✔]\s|\(?(?:\p{Nd}{1,3}|[a-zA-Z]|[ivxlcIVXLC]{1,5})(?:[.)]|\.\p{Nd}{1,2}(?:\.\p{Nd}{1,2})*\.?)\s)"
)
_PAGE_NUMBER = regex.compile(
    r"[-–—\[( ]*(?:(?:page|trang|หน้า|หน้าที่|p\.)\s*)?\p{Nd}{1,4}(?:\s*(?:/|of|จาก|trên)\s*\p{Nd}{1,4})?[-–—\]) ]*",
    regex.I,
)
_LONGEST_PAGE_NUMBER = 40
_HYPHENATED = regex.compile(r"\p{L}[-‐]$")
_SURE_HYPHEN = regex.compile(rf"-?[\u00ad\ufffe\x02][ \t]*\n[ \t\n]*({PAGE_START}?)(?=\p{{L}})")


@dataclass(frozen=True, slots=True)
class _Line:
    """A nonempty line, with the number of empty ones above it."""

    text: str
    above: int
    width: int
    unspaced: bool
    """Whether most of it is in a script without spaces between words, whose lines have another width."""


def joined_lines(text: str) -> str:
    """Join the lines of `text` that end only because of the width; empty lines stay between paragraphs."""
    lines = _lines(text)
    if len(lines) < 2:
        return text
    full = _full_widths(lines)
    spaced = sum(1 for line in lines[1:] if line.above) >= SPACED_SHARE * (len(lines) - 1)
    if not _is_wrapped(lines, full, spaced):
        return text
    pieces = [lines[0].text]
    for above, below in pairwise(lines):
        goes_on = _goes_on(above, below, full, spaced)
        pieces.append(_between(above.text, below.text) if goes_on else "\n" * (1 + (below.above > 0)))
        pieces.append(below.text)
    return "".join(pieces)


def words_of_wrapped_line(text: str) -> str:
    """Return `text` as one line, for formats whose line ends mean nothing."""
    parts = [part for line in text.split("\n") if (part := line.strip())]
    joined = parts[:1]
    for above, below in pairwise(parts):
        joined += (_between(above, below), below)
    return "".join(joined)


def without_sure_hyphens(text: str) -> str:
    """Join words divided at the end of a line by a typesetter's hyphen."""
    return _SURE_HYPHEN.sub(r"\1", text)


def without_page_numbers(text: str) -> str:
    """Drop numbers that are alone on the first or last line of a page."""
    if PAGE_START not in text:
        return text
    return PAGE_START.join(_without_page_number(page) for page in text.split(PAGE_START))


def _without_page_number(page: str) -> str:
    lines = page.split("\n")
    written = [number for number, line in enumerate(lines) if line.strip()]
    for edge in {written[0], written[-1]} if len(written) > 1 else ():
        if len(lines[edge]) < _LONGEST_PAGE_NUMBER and _PAGE_NUMBER.fullmatch(lines[edge].strip()):
            lines[edge] = ""
    return "\n".join(lines)


def _lines(text: str) -> list[_Line]:
    """Return the lines of `text`; a page start is at the beginning of the line that it belongs to."""
    lines: list[_Line] = []
    above, starts = 0, ""
    for line in text.split("\n"):
        words = line.lstrip(PAGE_START + " ")
        starts += PAGE_START * line[: len(line) - len(words)].count(PAGE_START)
        if words:
            lines.append(_Line(starts + words, above, column_count(words), _is_unspaced(words)))
            above, starts = 0, ""
        else:
            above += 1
    if starts and lines:
        lines[-1] = replace(lines[-1], text=lines[-1].text + starts)
    return lines


def column_count(text: str) -> int:
    """Return the width of a text in columns: 0 for a combining mark, 2 for a Chinese character."""
    text = text.replace(PAGE_START, "")
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf") else _cell(c) for c in text
    )


def _cell(character: str) -> int:
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_unspaced(words: str) -> bool:
    return not words.isascii() and 2 * len(UNSPACED.findall(words)) > len(words)


def _full_widths(lines: list[_Line]) -> dict[bool, int]:
    """Return the width that nine lines in ten don't exceed, for lines in scripts without spaces and for the others."""
    full = {}
    for unspaced in (False, True):
        widths = sorted(line.width for line in lines if line.unspaced == unspaced)
        full[unspaced] = widths[min(len(widths) - 1, len(widths) * 9 // 10)] if widths else 0
    return full


def _is_wrapped(lines: list[_Line], widths: dict[bool, int], spaced: bool) -> bool:
    near = [pair for pair in pairwise(lines) if _may_go_on(*pair, spaced)]
    full = [pair for pair in near if _is_full(*pair, widths)]
    open_ended = [below for above, below in full if not _SENTENCE_END.search(above.text)]
    if not open_ended or len(full) < WRAPPED_SHARE * len(near):
        return False
    cased = [below for below in open_ended if _first(below).islower() or _first(below).isupper()]
    if 2 * len(cased) >= len(open_ended):
        going_on = sum(1 for below in cased if _first(below).islower())
        return NARROWEST <= widths[False] <= WIDEST and going_on >= GOING_ON_SHARE * len(cased)
    width = widths[open_ended[0].unspaced]
    return NARROWEST_CASELESS <= width <= WIDEST and len(open_ended) >= 2


def _may_go_on(above: _Line, below: _Line, spaced: bool) -> bool:
    """Return whether a sentence could continue from one line to the other."""
    gap = 1 if spaced or below.text.startswith(PAGE_START) else 0
    return below.above <= gap and not LIST_ITEM.match(below.text.lstrip(PAGE_START))


def _is_full(above: _Line, below: _Line, widths: dict[bool, int]) -> bool:
    """Return whether the next word would not have fit."""
    word = below.text.lstrip(PAGE_START).split(" ", 1)[0]
    return above.width + 1 + min(column_count(word), LONGEST_WORD) > NEARLY_FULL * widths[above.unspaced]


def _goes_on(above: _Line, below: _Line, widths: dict[bool, int], spaced: bool) -> bool:
    if not _may_go_on(above, below, spaced):
        return False
    if spaced and below.above == 0 and not below.text.startswith(PAGE_START):
        return True  # If every line has an empty one after it, a line without one didn't end.
    if _is_full(above, below, widths):
        return True
    return above.width > widths[above.unspaced] / 2 and not _SENTENCE_END.search(above.text) and _first(below).islower()


def _first(line: _Line) -> str:
    return line.text.lstrip(PAGE_START + "\"'“‘«(")[:1]


def _between(above: str, below: str) -> str:
    """Return what joins two lines: a space if their script divides words, nothing after a hyphen."""
    first = below.lstrip(PAGE_START)[:1]
    if UNSPACED.match(above[-1:]) and UNSPACED.match(first):
        return ""
    return "" if first.islower() and _HYPHENATED.match(above[-2:]) else " "
