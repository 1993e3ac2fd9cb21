"""The cells of one line of a table: which words of the line stand in which column."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

import regex

from ingest.hyphens import LINE_END_HYPHEN
from ingest.readers.pdf.segments import UNSPACED, Segment

_CUT_WORD = regex.compile(r"(?<=\p{L})[-‐\u00ad]$")

Interval = tuple[float, float]
Visual = list[Segment]
"""The segments of one line of a page, from left to right."""


def cells_of(line: Visual, columns: Sequence[Interval]) -> list[tuple[int, str]]:
    """Return the texts of a line by the column in which each begins; words are parted where columns are."""
    cells: dict[int, list[str]] = {}
    for segment in line:
        if not segment.words:
            cells.setdefault(column_of(columns, segment.left, segment.right), []).append(segment.text)
            continue
        for word in segment.words:
            cells.setdefault(column_of(columns, word.left, word.right), []).append(word.text)
    return [(column, " ".join(cells[column])) for column in sorted(cells)]


def column_of(columns: Sequence[Interval], left: float, right: float) -> int:
    """Return the first column that a piece of a line reaches into, or the nearest one."""
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
