"""The rows of a page -> its tables: columns by the gaps that return from row to row, and which lines are one row.

A gap is one where no row has a word. It parts two columns if it is wide in half of the rows that have words on both
sides; a row whose words stand closer is cut there all the same. Lines of a cell that wraps are one row where they stand
closer than rows do, or where ruling lines part the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

import regex

from ingest.readers.pdf.rules import Rule
from ingest.readers.pdf.segments import UNSPACED, WIDE_GAP, Segment

FEWEST_ROWS = 3
MOST_ROWS = 400
"""Of one table on one page."""

FARTHEST_ROWS = 3.6
"""Times the letter size between the baselines of two lines of one table."""

ALIKE = 0.15
"""Share by which the letter sizes of a table's rows may differ, but for the first."""

NARROWEST_GAP = 0.3
"""Times the letter size that must be free in all rows between two columns."""

CLEAR_GAP = 1.0
"""Times the letter size that must be free in half of the rows."""

ALIGNED_SHARE = 0.6
"""Of a column's cells: how many must share a left, middle or right edge."""

WRAPPED = 1.45
"""Times the letter size: the farthest that two lines of one cell stand apart."""

HALF_A_LINE = 0.9
"""Times the letter size: lines that stand closer are of cells that are centred in their row."""

CLOSER = 0.8
"""Times the distance of two rows: lines of one cell stand closer than that."""

_LABEL = regex.compile(
    r"^(?:[-–—•·‣▪◦*●○■□►✓✔]|\(?(?:\p{Nd}{1,3}|\p{L}|[ivxlcIVXLC]{1,5})[.)]|\p{Nd}{1,2}(?:\.\p{Nd}{1,2})+\.?)$"
)

Interval = tuple[float, float]
Visual = list[Segment]
"""The segments of one line of a page, from left to right."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a page that are one table: from row `first` up to, not including, row `end`."""

    first: int
    end: int
    columns: tuple[Interval, ...]
    rows: tuple[tuple[int, ...], ...]
    """The lines of each row of the table, as their numbers among the rows of the page."""


def tables_of(rows: Sequence[Visual], rules: Sequence[Rule]) -> Iterator[Table]:
    """Yield the tables among the lines of a column of a page, which are given from top to bottom."""
    number = 0
    while number < len(rows):
        end, columns = _run(rows, number)
        if columns and (table := _table(rows, number, end, columns, rules)):
            yield table
            number = table.end
        else:
            number += 1


def cells_of(line: Visual, columns: Sequence[Interval]) -> list[tuple[int, str]]:
    """Return the texts of a line by the column in which each begins; words are parted where columns are."""
    cells: dict[int, list[str]] = {}
    for segment in line:
        if not segment.words:
            cells.setdefault(_column_of(columns, segment.left, segment.right), []).append(segment.text)
            continue
        for word in segment.words:
            cells.setdefault(_column_of(columns, word.left, word.right), []).append(word.text)
    return [(column, " ".join(cells[column])) for column in sorted(cells)]


def _column_of(columns: Sequence[Interval], left: float, right: float) -> int:
    """Return the first column that a piece of a line reaches into, or the nearest one."""
    return min(range(len(columns)), key=lambda number: (_distance(columns[number], (left, right)), number))


def _distance(one: Interval, other: Interval) -> float:
    return max(0.0, one[0] - other[1], other[0] - one[1])


def _size(rows: Sequence[Visual]) -> float:
    return median(segment.size for row in rows for segment in row)


def _run(rows: Sequence[Visual], first: int) -> tuple[int, tuple[Interval, ...]]:
    """Return where the table ends that begins with row `first`, and its columns; none where no table begins."""
    if len(rows[first]) < 2:
        return first, ()
    columns: tuple[Interval, ...] = ()
    end = first + 1
    while end < min(len(rows), first + MOST_ROWS):
        size = _size(rows[end - 1 : end + 1])
        is_far = rows[end - 1][0].baseline - rows[end][0].baseline > FARTHEST_ROWS * size
        if is_far or (end - first > 1 and not _are_alike(rows[end - 1], rows[end])):
            break
        joined = _columns(rows[first : end + 1])
        if len(joined) < 2 or len(joined) < len(columns) or not _parts_all(rows[first : end + 1], joined):
            break
        columns = joined
        end += 1
    return end, columns


def _are_alike(above: Visual, below: Visual) -> bool:
    one, other = (median(segment.size for segment in row) for row in (above, below))
    return abs(one - other) <= ALIKE * max(one, other)


def _columns(rows: Sequence[Visual]) -> tuple[Interval, ...]:
    """Return where the columns of some rows begin and end."""
    size = _size(rows)
    pieces = sorted((word for row in rows for segment in row for word in _places(segment)), key=lambda piece: piece[0])
    merged: list[list[float]] = []
    for left, right in pieces:
        if merged and left - merged[-1][1] < NARROWEST_GAP * size:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    columns: list[list[float]] = []
    for interval in merged:
        if columns and not _is_clear(rows, (columns[-1][1] + interval[0]) / 2, size):
            columns[-1][1] = interval[1]
        else:
            columns.append(interval)
    return tuple((left, right) for left, right in columns)


def _places(segment: Segment) -> list[Interval]:
    return [(word.left, word.right) for word in segment.words] or [(segment.left, segment.right)]


def _is_clear(rows: Sequence[Visual], place: float, size: float) -> bool:
    """Return whether half of the rows that have words on both sides of a place have a wide gap there."""
    gaps: list[float] = []
    for row in rows:
        pieces = [piece for segment in row for piece in _places(segment)]
        before = [right for _, right in pieces if right <= place]
        after = [left for left, _ in pieces if left >= place]
        if before and after:
            gaps.append(min(after) - max(before))
    return bool(gaps) and 2 * sum(1 for gap in gaps if gap >= CLEAR_GAP * size) >= len(gaps)


def _parts_all(rows: Sequence[Visual], columns: Sequence[Interval]) -> bool:
    """Return whether pieces of a line that stand far apart are in different columns, in all rows."""
    for row in rows:
        for before, after in pairwise(row):
            if after.left - before.right >= WIDE_GAP * after.size and _column_of(
                columns, before.right, before.right
            ) == _column_of(columns, after.left, after.left):
                return False
    return True


def _table(
    rows: Sequence[Visual], first: int, end: int, columns: tuple[Interval, ...], rules: Sequence[Rule]
) -> Table | None:
    # A line below in the first column alone is a remark on the table.
    while end > first and len(cells_of(rows[end - 1], columns)) < 2 and not _wraps(rows, end - 1, columns):
        end -= 1
    lines = rows[first:end]
    if sum(1 for line in lines if len(line) > 1) < FEWEST_ROWS or not _are_cells(lines, columns):
        return None
    groups = _groups(lines, columns, rules)
    if len(groups) < FEWEST_ROWS:
        return None
    return Table(first, end, columns, tuple(tuple(first + number for number in group) for group in groups))


def _wraps(rows: Sequence[Visual], number: int, columns: Sequence[Interval]) -> bool:
    """Return whether a line stands so close below the one before that it may go on in its cell."""
    above, line = rows[number - 1], rows[number]
    distance = (above[0].baseline - line[0].baseline) / line[0].size
    return distance < HALF_A_LINE or (distance <= WRAPPED and _column_of(columns, line[0].left, line[0].left) > 0)


def _are_cells(lines: Sequence[Visual], columns: Sequence[Interval]) -> bool:
    """Return whether the columns are those of a table: aligned, and neither a list's labels nor running text."""
    size = _size(lines)
    by_column: list[list[Interval]] = [[] for _ in columns]
    texts: list[list[str]] = [[] for _ in columns]
    for line in lines:
        for number, text in cells_of(line, columns):
            texts[number].append(text)
            left, right = columns[number]
            inside = [piece for each in line for piece in _places(each) if left - 0.1 <= piece[0] <= right]
            by_column[number].append(
                (min(one for one, _ in inside), max(other for _, other in inside)) if inside else (left, right)
            )
    if not all(_is_aligned(cells, size) for cells in by_column):
        return False
    if len(columns) == 2:
        is_list = all(_LABEL.match(text) for text in texts[0])
        is_prose = all(median(len(text) for text in column) > 30 for column in texts)
        return not is_list and not is_prose
    return True


def _is_aligned(cells: Sequence[Interval], size: float) -> bool:
    if len(cells) < 2:
        return True
    edges = ([left for left, _ in cells], [right for _, right in cells], [(left + right) / 2 for left, right in cells])
    return any(
        max(sum(1 for other in places if abs(other - place) < 0.4 * size) for place in places)
        >= ALIGNED_SHARE * len(places)
        for places in edges
    )


def _groups(lines: Sequence[Visual], columns: Sequence[Interval], rules: Sequence[Rule]) -> list[list[int]]:
    """Return which lines are one row of the table."""
    if (ruled := _ruled_groups(lines, columns, rules)) is not None:
        return ruled
    size = _size(lines)
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
    is_centred = len(clusters) < len(lines)
    return _around(groups, anchored, heights, WRAPPED * size) if is_centred and any(anchored) else groups


def _is_rest(line: Visual, has_first: bool) -> bool:
    """Return whether a small letter shows that a line's only cell goes on from the line above."""
    return not has_first and len(line) == 1 and line[0].text[:1].islower()


def _clusters(heights: Sequence[float], close: float) -> list[list[int]]:
    """Return the lines that stand closer than lines of one cell do: cells that are centred in their row."""
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
    """Return groups of lines with those that have no first cell in the nearest one that has, if it is close."""
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
    """Return the rows as ruling lines part them; None where lines don't part each row from the next."""
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
    # Lines only under the head or above a sum part no rows: a row of several lines has cells of fewer.
    full = sum(1 for group in together for number in group if len(cells_of(lines[number], columns)) == len(columns))
    return groups if full <= len(together) and len(groups) >= FEWEST_ROWS else None


def joined_cell(pieces: Sequence[str]) -> str:
    """Return the lines of one cell as one text."""
    text = ""
    for piece in pieces:
        blank = "" if not text or (UNSPACED.match(text[-1]) and UNSPACED.match(piece)) else " "
        text += blank + piece
    return text
