"""Find the header of a table without lines around its cells: which lines at its top belong to it, and what each spans.

A header over several columns has no cell of its own. It is recognized by its extent: a word that reaches over columns,
one that is centered over several, or a line drawn below it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.readers.pdf.cells import Interval, Visual, holds_value, joined_cell, pieces_of, usual_size
from ingest.readers.pdf.columns import Table
from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import Segment
from ingest.readers.pdf.table_rows import WRAPPED
from ingest.readers.tables import is_number, is_year

MOST_LINES = 6
CENTERED = 0.4
"""Multiple of the letter size by which the middle of a header may differ from that of its columns."""


@dataclass(frozen=True, slots=True)
class HeadCell:
    """A cell of a header and its columns: from `first` to `last`, inclusive."""

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a table: its first line, its number of table rows, and its cells by level."""

    first: int
    rows: int
    levels: tuple[tuple[HeadCell, ...], ...]


@dataclass(slots=True)
class _Piece:
    text: str
    left: float
    right: float
    first: int
    last: int


def head_of(rows: Sequence[Visual], table: Table, rules: Sequence[Rule], earliest: int) -> Head | None:
    """Return the header of a table with several lines or levels; None if it has one row or none.

    `rows` are the lines of a column of the page; those before `earliest` belong to another table.
    """
    inside = _rows_inside(rows, table)
    size = usual_size(rows[table.first : table.end])
    lines = range(table.first, table.rows[inside - 1][-1] + 1) if inside else range(0)
    found = [(number, _pieces(rows[number], table.columns, size)) for number in lines]
    above: list[tuple[int, list[_Piece]]] = []
    for number in range(table.first - 1, max(earliest, table.first - MOST_LINES) - 1, -1):
        pieces = _pieces(rows[number], table.columns, size)
        below = rows[number + 1]
        if rows[number][0].baseline - below[0].baseline > _farthest(rows, table, size) or not _may_be_head(
            pieces, table
        ):
            break
        above.insert(0, (number, pieces))
    while above and len(above[0][1]) == 1 and above[0][1][0].first == 0:
        above.pop(0)  # A single word above the first column is a title.
    if not above and len(lines) < 2:
        return None
    found = above + found
    if any(one.last >= other.first for _, pieces in found for one, other in pairwise(pieces)):
        return None
    lowest = [
        next((piece.text for piece in found[-1][1] if piece.first == number), "")
        for number in range(len(table.columns))
    ]
    for (number, pieces), (next_number, next_pieces) in reversed(list(pairwise(found))):
        _widen(pieces, table.columns, size, rules, rows[number][0], lowest)
        if rows[number][0].baseline - rows[next_number][0].baseline <= WRAPPED * size:
            _continue(pieces, next_pieces)
    return Head(found[0][0], inside, _levels([pieces for _, pieces in found], len(table.columns)))


def _rows_inside(rows: Sequence[Visual], table: Table) -> int:
    """Return how many rows at the top of a table are headers, by their fonts or because they have no values."""
    fonts = [
        frozenset(font for number in group for segment in rows[number] for font in segment.fonts)
        for group in table.rows
    ]
    styled = next((number for number, own in enumerate(fonts) if not fonts[0] & own), 0)
    if styled and not any(fonts[0] & own for own in fonts[styled:]):
        return styled
    values = [number for number, group in enumerate(table.rows) if any(holds_value(rows[line]) for line in group)]
    first = values[0] if values else 0
    return first if first <= 3 and len(values) >= len(table.rows) - first else min(first, 1)


def _farthest(rows: Sequence[Visual], table: Table, size: float) -> float:
    """Return the largest distance of two lines of a header: that of rows."""
    heights = [rows[group[0]][0].baseline for group in table.rows]
    apart = sorted(one - other for one, other in pairwise(heights))
    return max(WRAPPED * size, 1.15 * apart[len(apart) // 2])


def _pieces(line: Visual, columns: Sequence[Interval], size: float) -> list[_Piece]:
    """Return the cells of a header's line with the columns that each overlaps, or else the nearest."""
    pieces = [_Piece(word.text, word.left, word.right, 0, 0) for word in pieces_of(line)]
    for piece in pieces:
        over = [
            number
            for number, (left, right) in enumerate(columns)
            if min(piece.right, right) - max(piece.left, left) > 0.1 * size
        ]
        if not over:
            middle = (piece.left + piece.right) / 2
            over = [min(range(len(columns)), key=lambda number: abs(sum(columns[number]) / 2 - middle))]
        piece.first, piece.last = over[0], over[-1]
    return pieces


def _may_be_head(pieces: Sequence[_Piece], table: Table) -> bool:
    """Return whether a line above a table may be part of its header, and isn't a title or running text."""
    if any(one.last >= other.first for one, other in pairwise(pieces)):
        return False
    if any(piece.first == 0 and piece.last > 0 for piece in pieces):
        return False
    if any(is_number(piece.text) and not is_year(piece.text) for piece in pieces):
        return False
    return pieces[-1].right <= table.columns[-1][1] + (pieces[-1].right - pieces[-1].left)


def _widen(
    pieces: list[_Piece],
    columns: Sequence[Interval],
    size: float,
    rules: Sequence[Rule],
    line: Segment,
    lowest: Sequence[str],
) -> None:
    """Extend each cell of a header's line to further columns below it.

    They are recognized by a line drawn below it, by repeated names below each cell, or by the middle of the columns.
    """
    if (groups := _returning(pieces, lowest)) is not None:
        for piece, (first, last) in zip((piece for piece in pieces if piece.first > 0), groups, strict=True):
            piece.first, piece.last = first, last
        return
    reach = 0
    for number, piece in enumerate(pieces):
        end = pieces[number + 1].first - 1 if number + 1 < len(pieces) else len(columns) - 1
        drawn = _drawn_below(piece, columns, rules, line)
        if drawn is not None and reach <= drawn[0] <= piece.first and piece.last <= drawn[1] <= end:
            piece.first, piece.last = drawn
        elif not _is_over(piece, piece.first, piece.last, columns, size):
            ways = [
                (first, last)
                for first in range(max(reach, 1), piece.first + 1)
                for last in range(piece.last, end + 1)
                if last > first and _is_over(piece, first, last, columns, size)
            ]
            piece.first, piece.last = min(ways, key=lambda way: way[1] - way[0], default=(piece.first, piece.last))
        reach = piece.last + 1


def _continue(pieces: Sequence[_Piece], below: Sequence[_Piece]) -> None:
    """Give the first line of a cell the columns of the line that continues it."""
    for piece in pieces:
        for other in below:
            is_alone = all(each is piece or each.last < other.first or each.first > other.last for each in pieces)
            if is_alone and other.last > other.first and other.first <= piece.first and piece.last <= other.last:
                piece.first, piece.last = other.first, other.last


def _returning(pieces: Sequence[_Piece], lowest: Sequence[str]) -> list[tuple[int, int]] | None:
    """Return the groups of columns with repeated names, as in "Q1 Q2 Q1 Q2", one for each of the cells above them."""
    above = [piece for piece in pieces if piece.first > 0]
    for first in range(1, len(lowest)):
        names = list(lowest[first:])
        if len(above) < 2 or len(names) % len(above) or above[0].first < first:
            continue
        width = len(names) // len(above)
        if width < 2 or len(set(names[:width])) < width or names != list(names[:width]) * len(above):
            continue
        groups = [(first + number * width, first + (number + 1) * width - 1) for number in range(len(above))]
        if all(start <= piece.first and piece.last <= end for piece, (start, end) in zip(above, groups, strict=True)):
            return groups
    return None


def _is_over(piece: _Piece, first: int, last: int, columns: Sequence[Interval], size: float) -> bool:
    """Return whether a header's cell is in the middle of some columns, by their texts or by the space around these."""
    middle = (piece.left + piece.right) / 2
    left, right = columns[first][0], columns[last][1]
    start = columns[first - 1][1] if first else left
    end = columns[last + 1][0] if last + 1 < len(columns) else right
    middles = ((left + right) / 2, (start + right) / 2, (left + end) / 2)
    return any(abs(middle - each) <= CENTERED * size for each in middles)


def _drawn_below(
    piece: _Piece, columns: Sequence[Interval], rules: Sequence[Rule], line: Segment
) -> tuple[int, int] | None:
    """Return the columns with a line drawn right below a header's cell, but not below the whole table."""
    middle = (piece.left + piece.right) / 2
    for rule in rules:
        if 0 < line.baseline - rule.y < line.size and rule.left <= middle <= rule.right:
            over = [
                number for number, (left, right) in enumerate(columns) if rule.left <= (left + right) / 2 <= rule.right
            ]
            if over and len(over) < len(columns):
                return over[0], over[-1]
    return None


def _levels(lines: Sequence[Sequence[_Piece]], width: int) -> tuple[tuple[HeadCell, ...], ...]:
    """Return the cells of a header by level; lines that continue over the same columns are one cell."""
    levels: list[dict[tuple[int, int], list[str]]] = []
    for pieces in lines:
        for piece in pieces:
            span = piece.first, piece.last
            depth = max((number for number, level in enumerate(levels) if _meets(level, span)), default=-1)
            if depth >= 0 and span in levels[depth]:
                levels[depth][span].append(piece.text)
            else:
                if depth + 1 == len(levels):
                    levels.append({})
                levels[depth + 1][span] = [piece.text]
    return tuple(
        tuple(HeadCell(joined_cell(texts), first, last) for (first, last), texts in sorted(level.items()))
        for level in levels
    )


def _meets(level: dict[tuple[int, int], list[str]], span: tuple[int, int]) -> bool:
    return any(first <= span[1] and span[0] <= last for first, last in level)
