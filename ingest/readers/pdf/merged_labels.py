"""Labels that stand in the middle of the rows that they are for, in a table without lines between its rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingest.readers.pdf.cells import Interval, Visual, cells_of

NEAR = 0.2
"""Times the distance of two rows by which a label may miss the middle of its rows."""


def labelled_rows(
    lines: Sequence[Visual], columns: Sequence[Interval]
) -> tuple[list[list[int]], dict[int, str]] | None:
    """Return the rows, each as the numbers of its lines, and the label of each row that has none of its own.

    None where the first column has no such labels: each must stand in the middle of rows, and all rows must have one.
    """
    cells = [dict(cells_of(line, columns)) for line in lines]
    rows = [number for number, found in enumerate(cells) if found.keys() - {0}]
    labels = [number for number, found in enumerate(cells) if 0 in found]
    if len(labels) == len(rows) or len(rows) < 3 or not labels:
        return None
    heights = [line[0].baseline for line in lines]
    pitch = median(heights[one] - heights[other] for one, other in pairwise(rows))
    texts: dict[int, str] = {}
    start, is_inside = 0, False
    for label in labels:
        if start >= len(rows):
            return None
        end_height = 2 * heights[label] - heights[rows[start]]
        end = min(range(start, len(rows)), key=lambda number: abs(heights[rows[number]] - end_height))
        if abs(heights[rows[end]] - end_height) > 2 * NEAR * pitch:
            return None
        is_inside = is_inside or end > start
        texts |= dict.fromkeys(range(start, end + 1), cells[label][0])
        start = end + 1
    if start < len(rows) or not is_inside:
        return None
    return [[number] for number in rows], texts
