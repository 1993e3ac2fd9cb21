"""Arrange segments into the lines of a page in reading order: columns one after the other, pieces of a line together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingest.readers.pdf.grids import Grid
from ingest.readers.pdf.rows import Line, is_right_to_left, rows_of
from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import Segment
from ingest.readers.pdf.table_lines import lines_with_tables, with_tables_apart

FEWEST_LINES = 3
"""Lines that a column needs."""

NARROWEST_COLUMN = 8.0
"""Multiple of the letter size."""

FULL_SHARE = 0.5
"""Share of a column's lines that must fill most of its width; otherwise it is a list of cells."""

MOST_EDGES = 100
"""Left edges to try as the beginning of a column."""


def lines_of(segments: list[Segment], rules: Sequence[Rule] = (), grids: Sequence[Grid] = ()) -> list[Line]:
    """Return the lines of a page in reading order; turned text comes last.

    `rules` are the horizontal lines that the page draws, `grids` the tables with the segments' cells.
    """
    lines: list[Line] = []
    segments, tables = with_tables_apart(segments, grids)
    for angle in sorted({segment.angle for segment in segments}, key=lambda angle: _weight(segments, angle)):
        drawn = rules if angle == 0 else ()
        for column in _columns([segment for segment in segments if segment.angle == angle], drawn):
            region = lines[-1].region + 1 if lines else 0
            left = round(_usual_left(column))
            lines.extend(lines_with_tables(rows_of(column), drawn, tables, region, left))
    return lines


def _weight(segments: list[Segment], angle: int) -> tuple[int, int]:
    return -sum(len(segment.text) for segment in segments if segment.angle == angle), angle


def _usual_left(column: list[Segment]) -> float:
    """Return where most of the lines of a column begin."""
    return float(Counter(round(row[0].left) for row in rows_of(column)).most_common(1)[0][0])


def _columns(segments: list[Segment], rules: Sequence[Rule]) -> Iterator[list[Segment]]:
    """Yield the columns of a page or part of one, in reading order; the whole of it if it has one column."""
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
        for side in (right, left) if is_right_to_left(band) else (left, right):
            yield from _columns(side, rules)
    if above:
        yield from _columns(above, rules) if len(above) < len(segments) else (above,)


def _gutter(segments: list[Segment]) -> float | None:
    """Return the x that separates most segments into left and right ones and crosses few, or None."""
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
    """Yield the rows of `segments` as bands in which all cross the gutter (True) or none does (False)."""
    band: list[Segment] = []
    crossing = False
    for row in rows_of(segments):
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
    """Return segments by the strips of the page that they fill, if no segment extends from one into the next."""
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
    rows = rows_of(side)
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
