"""Segments -> the lines of a page in reading order: columns one after the other, pieces of a line together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from statistics import median
from typing import Any

import regex

from ingest.readers.pdf.cells import cells_of, joined_cell
from ingest.readers.pdf.columns import tables_of
from ingest.readers.pdf.direction import RIGHT_TO_LEFT
from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import ROOM_FOR_BLANK, Segment
from ingest.readers.tables import DIVIDER

SAME_ROW = 0.35
"""Share of the letter size by which the baselines of one row may differ."""

FEWEST_LINES = 3
"""Lines that a column needs."""

NARROWEST_COLUMN = 8.0
"""Times the letter size."""

FULL_SHARE = 0.5
"""Of a column's lines: how many must fill most of its width, or it is a list of cells."""


_LETTER = regex.compile(r"\p{L}")

MOST_EDGES = 100
"""Left edges that are tried as the beginning of a column."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a column. Lengths are in points, y grows upwards."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    first_word: float
    is_bold: bool
    region: int
    """Number of the column that it stands in; it grows in reading order."""
    region_left: int
    """Left edge of that column, rounded."""
    cells: tuple[str, ...] = ()
    """Of a row of a table: its text in each column, empty where the cell is blank."""
    fonts: tuple[int, ...] = ()
    """Of a row of a table: what its fonts are called."""
    columns: tuple[tuple[float, float], ...] = ()
    """Of a row of a table: where its columns begin and end."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def lines_of(segments: list[Segment], rules: Sequence[Rule] = ()) -> list[Line]:
    """Return the lines of a page in reading order; text that is turned comes last.

    `rules` are the horizontal lines that the page draws.
    """
    lines: list[Line] = []
    for angle in sorted({segment.angle for segment in segments}, key=lambda angle: _weight(segments, angle)):
        drawn = rules if angle == 0 else ()
        for column in _columns([segment for segment in segments if segment.angle == angle], drawn):
            region = lines[-1].region + 1 if lines else 0
            left = round(_usual_left(column))
            lines.extend(_lines(_rows(column), drawn, region, left))
    return lines


def _weight(segments: list[Segment], angle: int) -> tuple[int, int]:
    return -sum(len(segment.text) for segment in segments if segment.angle == angle), angle


def _rows(segments: list[Segment]) -> list[list[Segment]]:
    """Return segments by their baselines from top to bottom, each row from left to right."""
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda segment: -segment.baseline):
        if rows and rows[-1][0].baseline - segment.baseline < SAME_ROW * min(rows[-1][0].size, segment.size):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [_in_order(row) for row in rows]


def _in_order(row: list[Segment]) -> list[Segment]:
    """Return the segments of a row as they are read: from the right where most of them are in such a script."""
    row = sorted(row, key=lambda segment: segment.left)
    return row[::-1] if _is_right_to_left(row) else row


def _is_right_to_left(segments: list[Segment]) -> bool:
    return 2 * sum(1 for segment in segments if RIGHT_TO_LEFT.search(segment.text)) > len(segments)


def _line(row: list[Segment], region: int, region_left: int) -> Line:
    return Line(
        text=_row_text(row),
        left=min(segment.left for segment in row),
        right=max(segment.right for segment in row),
        baseline=median(segment.baseline for segment in row),
        size=max(row, key=lambda segment: len(segment.text)).size,
        first_word=row[0].first_word,
        is_bold=all(segment.is_bold for segment in row),
        region=region,
        region_left=region_left,
    )


def _row_text(row: list[Segment]) -> str:
    pieces = [row[0].text]
    for before, after in pairwise(row):
        room = max(after.left - before.right, before.left - after.right)
        pieces += (" " * (room > ROOM_FOR_BLANK * after.size), after.text)
    return "".join(pieces)


def _usual_left(column: list[Segment]) -> float:
    """Return where most of the lines of a column begin."""
    return float(Counter(round(row[0].left) for row in _rows(column)).most_common(1)[0][0])


def _lines(rows: list[list[Segment]], rules: Sequence[Rule], region: int, left: int) -> Iterator[Line]:
    """Yield the lines of a column of the page; each row of a table is one."""
    sorted_rows = [sorted(row, key=lambda segment: segment.left) for row in rows]
    done = 0
    for table in tables_of(sorted_rows, rules):
        yield from (_line(row, region, left) for row in rows[done : table.first])
        words = [segment for row in rows[table.first : table.end] for segment in row if _LETTER.search(segment.text)]
        is_backward = _is_right_to_left(words)
        for numbers in table.rows:
            pieces: list[list[str]] = [[] for _ in table.columns]
            for number in numbers:
                for column, text in cells_of(sorted_rows[number], table.columns):
                    pieces[column].append(text)
            cells = [joined_cell(column) for column in pieces]
            order = range(len(cells))[:: -1 if is_backward else 1]
            whole = _line([segment for number in numbers for segment in rows[number]], region, left)
            yield replace(
                whole,
                text=DIVIDER.join(cells[number] for number in order if cells[number]),
                cells=tuple(cells[number] for number in order),
                fonts=tuple({font for number in numbers for segment in rows[number] for font in segment.fonts}),
                columns=tuple(table.columns[number] for number in order),
            )
        done = table.end
    yield from (_line(row, region, left) for row in rows[done:])


def _columns(segments: list[Segment], rules: Sequence[Rule]) -> Iterator[list[Segment]]:
    """Yield the columns of a page or part of one, in reading order; all of it where it has one column."""
    gutter = _gutter(segments)
    if gutter is None:
        if segments:
            yield segments
        return
    above: list[Segment] = []
    for spans, band in _bands(segments, gutter):
        left = [segment for segment in band if segment.right <= gutter]
        right = [segment for segment in band if segment.right > gutter]
        if spans or not _are_columns(left, right) or _is_ruled(band, gutter, rules):
            above += band
            continue
        if above:
            yield from _columns(above, rules) if len(above) < len(segments) else (above,)
        above = []
        for side in (right, left) if _is_right_to_left(band) else (left, right):
            yield from _columns(side, rules)
    if above:
        yield from _columns(above, rules) if len(above) < len(segments) else (above,)


def _gutter(segments: list[Segment]) -> float | None:
    """Return the x that parts most segments into left and right ones and crosses few, or None."""
    if len(segments) < 2 * FEWEST_LINES:
        return None
    size = median(segment.size for segment in segments)
    counts = Counter(round(segment.left, 1) for segment in segments)
    best, best_score = None, 0
    for edge, _ in counts.most_common(MOST_EDGES):
        place = edge - 0.3 * size
        left = sum(1 for segment in segments if segment.right <= place)
        right = sum(1 for segment in segments if segment.left > place)
        score = min(left, right) - 2 * max(0, len(segments) - left - right - len(segments) // 3)
        if min(left, right) >= FEWEST_LINES and score > best_score:
            best, best_score = place, score
    return best


def _bands(segments: list[Segment], gutter: float) -> Iterator[tuple[bool, list[Segment]]]:
    """Yield the rows of `segments` as bands that all cross the gutter (True) or all leave it free (False)."""
    band: list[Segment] = []
    crossing = False
    for row in _rows(segments):
        crosses = any(segment.left < gutter < segment.right for segment in row)
        if band and crosses != crossing:
            yield crossing, band
            band = []
        crossing = crosses
        band += row
    if band:
        yield crossing, band


def _are_columns(left: list[Segment], right: list[Segment]) -> bool:
    """Return whether two sides are running text, not the cells of a table or a list of names and values."""
    return all(_is_running_text(column) for side in (left, right) for column in _strips(side))


def _strips(segments: list[Segment]) -> list[list[Segment]]:
    """Return segments by the strips of the page that they fill, where no segment reaches from one into the next."""
    strips: list[list[Segment]] = []
    reach = float("-inf")
    for segment in sorted(segments, key=lambda segment: segment.left):
        if segment.left > reach:
            strips.append([])
        strips[-1].append(segment)
        reach = max(reach, segment.right)
    return strips


def _is_ruled(band: list[Segment], gutter: float, rules: Sequence[Rule]) -> bool:
    """Return whether lines are drawn across a gutter between rows, as in a table."""
    top, bottom = max(segment.baseline for segment in band), min(segment.baseline for segment in band)
    heights = {round(rule.y) for rule in rules if rule.left < gutter < rule.right and bottom < rule.y < top}
    return len(heights) > 1


def _is_running_text(side: list[Segment]) -> bool:
    rows = _rows(side)
    if len(rows) < FEWEST_LINES:
        return False
    size = median(segment.size for segment in side)
    first, last = min(segment.left for segment in side), max(segment.right for segment in side)
    if last - first < NARROWEST_COLUMN * size:
        return False
    pitches = [above[0].baseline - below[0].baseline for above, below in pairwise(rows)]
    if min(pitches) > 2.5 * size:
        return False
    filled = sum(1 for row in rows if _width(row) > 0.7 * (last - first))
    return filled >= FULL_SHARE * len(rows)


def _width(row: list[Segment]) -> float:
    return max(segment.right for segment in row) - min(segment.left for segment in row)
