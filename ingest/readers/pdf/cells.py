"""Find the cells of one line of a table: which words of the line belong to which column."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import regex

from ingest.readers.pdf.hyphens import LINE_END_HYPHEN
from ingest.readers.pdf.segments import UNSPACED, Segment, Word
from ingest.readers.tables import is_number, is_year

_CUT_WORD = regex.compile(r"(?<=\p{L})[-‐\u00ad]$")

Interval = tuple[float, float]
APART = 0.42
"""Multiple of the letter size between two pieces of a line; a usual blank is narrower."""

Visual = list[Segment]
"""The segments of one line of a page, from left to right."""


def cells_of(line: Visual, columns: Sequence[Interval]) -> list[tuple[int, str]]:
    """Return the texts of a line by the column in which each begins; words are separated where columns are."""
    cells: dict[int, list[str]] = {}
    for segment in line:
        if not segment.words:
            cells.setdefault(column_of(columns, segment.left, segment.right), []).append(segment.text)
            continue
        for word in segment.words:
            cells.setdefault(column_of(columns, word.left, word.right), []).append(word.text)
    return [(column, " ".join(cells[column])) for column in sorted(cells)]


def pieces_of(line: Visual, apart: float = APART) -> list[Word]:
    """Return the words of a line from left to right; those closer than `apart` letter sizes are combined."""
    pieces: list[Word] = []
    for segment in sorted(line, key=lambda segment: segment.left):
        for word in segment.words or (Word(segment.text, segment.left, segment.right),):
            if pieces and word.left - pieces[-1].right < apart * segment.size:
                pieces[-1] = Word(f"{pieces[-1].text} {word.text}", pieces[-1].left, word.right)
            else:
                pieces.append(word)
    return pieces


def holds_value(line: Visual) -> bool:
    """Return whether a line has a number that is not a year."""
    return any(is_number(word.text) and not is_year(word.text) for word in pieces_of(line, 0.0))


def column_of(columns: Sequence[Interval], left: float, right: float) -> int:
    """Return the first column that a piece of a line overlaps, or the nearest one."""
    return min(range(len(columns)), key=lambda number: (_distance(columns[number], (left, right)), number))


def _distance(one: Interval, other: Interval) -> float:
    return max(0.0, one[0] - other[1], other[0] - one[1])


def usual_size(rows: Sequence[Visual]) -> float:
    """Return the letter size of most segments of some lines, in points."""
    return median(segment.size for row in rows for segment in row)


def joined_cell(pieces: Sequence[str]) -> str:
    """Return the lines of one cell as one text."""
    text = ""
    for piece in pieces:
        if _CUT_WORD.search(text) and piece[:1].islower():
            text = text[:-1] + LINE_END_HYPHEN + piece
            continue
        blank = "" if not text or (UNSPACED.match(text[-1]) and UNSPACED.match(piece)) else " "
        text += blank + piece
    return text
