"""Find tables by the lines that a page draws around cells. A missing line between two cells merges them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingest.readers.pdf.glyphs import Glyph
from ingest.readers.pdf.grids import MOST_COLUMNS, MOST_ROWS, Grid, GridCell, is_table, numbered
from ingest.readers.pdf.ruled_lines import Rule, Upright

TOUCHING = 2.0
"""Points between two lines that still count as meeting."""

SAME_LINE = 3.5
"""Points between two lines that are the same: the edges of a thick line, or of two adjacent boxes."""

MOST_LINES = 600
"""In each direction: a drawing has more."""

DRAWN_SHARE = 0.6
"""Share of the side between two cells that must be drawn to separate them."""

MIDDLE_OF_LETTERS = 0.3
"""Multiple of the letter size above the baseline."""


@dataclass(slots=True)
class _Line:
    """A straight line in one direction: its position across, and its start and end."""

    place: float
    start: float
    end: float


def ruled_grids(
    glyphs: list[Glyph], rules: Sequence[Rule], uprights: Sequence[Upright]
) -> tuple[list[Glyph], list[Grid]]:
    """Return `glyphs` with the numbers of the cells that lines draw around them, and the tables of these cells."""
    flat = _merged([_Line(rule.y, rule.left, rule.right) for rule in rules])
    tall = _merged([_Line(upright.x, upright.bottom, upright.top) for upright in uprights])
    if max(len(flat), len(tall)) > MOST_LINES:
        return glyphs, []
    grids = []
    for rows, columns in _joined(flat, tall):
        found = _grid(glyphs, rows, columns)
        if found is not None:
            glyphs, grid = found
            grids.append(grid)
    return glyphs, grids


def _merged(lines: list[_Line]) -> list[_Line]:
    """Return lines with those that continue each other combined."""
    near: list[list[_Line]] = []
    for line in sorted(lines, key=lambda line: line.place):
        if near and line.place - near[-1][0].place < 1:
            near[-1].append(line)
        else:
            near.append([line])
    merged: list[_Line] = []
    for group in near:
        first, *more = sorted(group, key=lambda line: line.start)
        merged.append(first)
        for line in more:
            if line.start <= merged[-1].end + TOUCHING:
                merged[-1].end = max(merged[-1].end, line.end)
            else:
                merged.append(line)
    return merged


def _joined(flat: list[_Line], tall: list[_Line]) -> Iterator[tuple[list[_Line], list[_Line]]]:
    """Yield the horizontal and vertical lines that meet, directly or through others."""
    group = {id(line): number for number, line in enumerate([*flat, *tall])}
    members = {number: [line] for number, line in enumerate([*flat, *tall])}
    for row in flat:
        for column in tall:
            one, other = group[id(row)], group[id(column)]
            if one != other and _meet(row, column):
                for line in members[other]:
                    group[id(line)] = one
                members[one] += members.pop(other)
    flat_lines = {id(line) for line in flat}
    for lines in members.values():
        rows = [line for line in lines if id(line) in flat_lines]
        if len(rows) > 1 and len(rows) < len(lines):
            yield rows, [line for line in lines if id(line) not in flat_lines]


def _meet(row: _Line, column: _Line) -> bool:
    return (
        row.start - TOUCHING <= column.place <= row.end + TOUCHING
        and column.start - TOUCHING <= row.place <= column.end + TOUCHING
    )


def _grid(glyphs: list[Glyph], rows: list[_Line], columns: list[_Line]) -> tuple[list[Glyph], Grid] | None:
    """Return the table that joined lines draw, with its glyphs numbered; None if they draw something else."""
    xs = _places(columns, rows)
    ys = _places(rows, columns)[::-1]
    if not 3 <= len(xs) <= MOST_COLUMNS + 1 or not 3 <= len(ys) <= MOST_ROWS + 1:
        return None
    cells = _cells(ys, xs, rows, columns)
    if cells is None:
        return None
    places = [_cell_at(glyph, ys, xs, cells) for glyph in glyphs]
    letters: dict[GridCell, int] = {}
    for glyph, cell in zip(glyphs, places, strict=True):
        if cell is not None and glyph.text.strip():
            letters[cell] = letters.get(cell, 0) + len(glyph.text)
    if not is_table(cells.values(), letters) or _holds_rows(glyphs, places):
        return None
    first = max((glyph.cell for glyph in glyphs), default=0) + 1
    marked = numbered(glyphs, places, first)
    marked = [new if cell else old for old, new, cell in zip(glyphs, marked, places, strict=True)]
    used = {glyph.cell: cell for glyph, cell in zip(marked, places, strict=True) if cell is not None}
    return marked, Grid(used, tuple(pairwise(xs)), is_as_seen=True)


def _places(lines: list[_Line], across: list[_Line]) -> list[float]:
    """Return the positions of lines, each once, with the ends of the lines across them, because a side may be open."""
    found: list[float] = []
    ends = [min(line.start for line in across), max(line.end for line in across)]
    for place in sorted([*(line.place for line in lines), *ends]):
        if not found or place - found[-1] > SAME_LINE:
            found.append(place)
    return found


def _cells(
    ys: list[float], xs: list[float], rows: list[_Line], columns: list[_Line]
) -> dict[tuple[int, int], GridCell] | None:
    """Return the cell at each position of a table; None if a merged cell isn't a rectangle. `ys` decrease."""
    parts: dict[tuple[int, int], int] = {}
    for row, column in ((row, column) for row in range(len(ys) - 1) for column in range(len(xs) - 1)):
        own = len(parts)
        left, above = parts.get((row, column - 1)), parts.get((row - 1, column))
        if left is not None and not _is_drawn(columns, xs[column], ys[row + 1], ys[row]):
            own = left
        if above is not None and above != own and not _is_drawn(rows, ys[row], xs[column], xs[column + 1]):
            parts = {place: above if part == own else part for place, part in parts.items()}
            own = above
        parts[row, column] = own
    squares: dict[int, list[tuple[int, int]]] = {}
    for place, part in parts.items():
        squares.setdefault(part, []).append(place)
    cells: dict[tuple[int, int], GridCell] = {}
    for places in squares.values():
        top, left = min(row for row, _ in places), min(column for _, column in places)
        height = max(row for row, _ in places) - top + 1
        width = max(column for _, column in places) - left + 1
        if height * width != len(places):
            return None
        cells |= dict.fromkeys(places, GridCell(top, left, height, width))
    return cells


def _is_drawn(lines: list[_Line], place: float, start: float, end: float) -> bool:
    covered = [min(line.end, end) - max(line.start, start) for line in lines if abs(line.place - place) <= SAME_LINE]
    return sum(length for length in covered if length > 0) >= DRAWN_SHARE * (end - start)


def _cell_at(glyph: Glyph, ys: list[float], xs: list[float], cells: dict[tuple[int, int], GridCell]) -> GridCell | None:
    if glyph.angle or glyph.cell:  # A cell that tags name keeps its number.
        return None
    row = _number_of(glyph.baseline + MIDDLE_OF_LETTERS * glyph.size, ys, lambda one, other: one <= other)
    column = _number_of((glyph.left + glyph.right) / 2, xs, lambda one, other: one >= other)
    return None if row is None or column is None else cells[row, column]


def _number_of(place: float, edges: list[float], is_beyond: Callable[[float, float], bool]) -> int | None:
    number = sum(1 for edge in edges if is_beyond(place, edge)) - 1
    return number if 0 <= number < len(edges) - 1 else None


def _holds_rows(glyphs: list[Glyph], places: list[GridCell | None]) -> bool:
    """Return whether there are lines between columns only: all cells of a row have as many text lines, side by side."""
    heights: dict[GridCell, set[int]] = {}
    for glyph, cell in zip(glyphs, places, strict=True):
        if cell is not None and glyph.text.strip():
            heights.setdefault(cell, set()).add(round(glyph.baseline))
    by_row: dict[int, list[set[int]]] = {}
    for cell, found in heights.items():
        if cell.rows == 1:
            by_row.setdefault(cell.row, []).append(found)
    return any(len(row) > 1 and len(row[0]) > 2 and all(other == row[0] for other in row) for row in by_row.values())
