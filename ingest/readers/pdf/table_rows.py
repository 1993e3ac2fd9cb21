"""Group the lines of a table into rows, by ruling lines or by the distances between lines.

A label may be in the middle of its rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from ingest.readers.pdf.cells import Interval, Visual, cells_of, usual_size
from ingest.readers.pdf.ruled_lines import Rule

FEWEST_ROWS = 3
WRAPPED = 1.7
"""Multiple of the letter size: the largest distance of two lines of one cell."""

HALF_A_LINE = 0.9
"""Multiple of the letter size: closer lines are of cells that are centered in their row."""

CLOSER = 0.8
"""Multiple of the distance of two rows: lines of one cell are closer than that."""

NEAR_MIDDLE = 0.2
"""Multiple of the distance of two rows by which a label may be off the middle of its rows."""


def groups_of(lines: Sequence[Visual], columns: Sequence[Interval], rules: Sequence[Rule]) -> list[list[int]]:
    """Return which lines form one row of the table."""
    if (ruled := _ruled_groups(lines, columns, rules)) is not None:
        return ruled
    size = usual_size(lines)
    heights = [line[0].baseline for line in lines]
    clusters = _clusters(heights, HALF_A_LINE * size)
    firsts = [any(cells_of(lines[number], columns)[0][0] == 0 for number in cluster) for cluster in clusters]
    with_first = [cluster for cluster, has_first in zip(clusters, firsts, strict=True) if has_first]
    distances = [heights[one[-1]] - heights[other[0]] for one, other in pairwise(with_first)]
    usual = median(distances) if distances else 0.0
    groups: list[list[int]] = [clusters[0]]
    anchored = [firsts[0]]
    for cluster, has_first in zip(clusters[1:], firsts[1:], strict=True):
        distance = heights[groups[-1][-1]] - heights[cluster[0]]
        goes_on = distance <= CLOSER * usual or _is_rest(lines[cluster[0]], has_first)
        if distance <= WRAPPED * size and goes_on:
            groups[-1] = groups[-1] + cluster
            anchored[-1] = anchored[-1] or has_first
        else:
            groups.append(cluster)
            anchored.append(has_first)
    is_centered = len(clusters) < len(lines)
    return _around(groups, anchored, heights, WRAPPED * size) if is_centered and any(anchored) else groups


def _is_rest(line: Visual, has_first: bool) -> bool:
    """Return whether a lower-case letter shows that a line's only cell continues the line above."""
    return not has_first and len(line) == 1 and line[0].text[:1].islower()


def _clusters(heights: Sequence[float], close: float) -> list[list[int]]:
    """Return lines closer than lines of one cell, which are cells that are centered in their row."""
    clusters: list[list[int]] = [[0]]
    for number in range(1, len(heights)):
        if heights[number - 1] - heights[number] < close:
            clusters[-1].append(number)
        else:
            clusters.append([number])
    return clusters


def _around(
    groups: Sequence[list[int]], anchored: Sequence[bool], heights: Sequence[float], close: float
) -> list[list[int]]:
    """Return groups of lines; those without a first cell join the nearest one that has it, if it is close."""
    joined = [group for group, has_first in zip(groups, anchored, strict=True) if has_first]
    apart: list[list[int]] = []
    for group in (group for group, has_first in zip(groups, anchored, strict=True) if not has_first):
        place = min(range(len(joined)), key=lambda number: _height_between(joined[number], group, heights))
        if _height_between(joined[place], group, heights) <= close:
            joined[place] = sorted(joined[place] + group)
        else:
            apart.append(group)
    return sorted(joined + apart)


def _height_between(one: list[int], other: list[int], heights: Sequence[float]) -> float:
    return min(abs(heights[one[0]] - heights[other[-1]]), abs(heights[one[-1]] - heights[other[0]]))


def _ruled_groups(
    lines: Sequence[Visual], columns: Sequence[Interval], rules: Sequence[Rule]
) -> list[list[int]] | None:
    """Return the rows separated by ruling lines; None if not every two rows have one between them."""
    width = columns[-1][1] - columns[0][0]
    heights = [
        rule.y for rule in rules if min(rule.right, columns[-1][1]) - max(rule.left, columns[0][0]) > 0.15 * width
    ]
    groups: list[list[int]] = [[0]]
    for number in range(1, len(lines)):
        above, below = lines[number - 1], lines[number]
        top = min(segment.baseline for segment in above)
        bottom = max(segment.baseline + 0.6 * segment.size for segment in below)
        if any(bottom - 0.3 * below[0].size <= height <= top for height in heights):
            groups.append([number])
        else:
            groups[-1].append(number)
    together = [group for group in groups if len(group) > 1]
    if not together:
        return groups
    # Lines only under the header or above a sum separate no rows: a row of several lines has cells with fewer.
    full = sum(1 for group in together for number in group if len(cells_of(lines[number], columns)) == len(columns))
    return groups if full <= len(together) and len(groups) >= FEWEST_ROWS else None


def labelled_rows(
    lines: Sequence[Visual], columns: Sequence[Interval]
) -> tuple[list[list[int]], dict[int, str]] | None:
    """Return the rows, each as the numbers of its lines, and the label of each row that has none of its own.

    None if the first column has no such labels: each must be in the middle of rows, and all rows must have one.
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
        if abs(heights[rows[end]] - end_height) > 2 * NEAR_MIDDLE * pitch:
            return None
        is_inside = is_inside or end > start
        texts |= dict.fromkeys(range(start, end + 1), cells[label][0])
        start = end + 1
    if start < len(rows) or not is_inside:
        return None
    return [[number] for number in rows], texts
