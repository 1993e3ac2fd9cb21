"""Find tables in the rows of a page: columns by gaps that repeat from row to row, and which lines are one row.

A gap is a range where no row has a word. It separates two columns if it is wide in half of the rows that have words on
both sides; a row whose words are closer is still cut there. Wrapped lines of a cell are one row if they are closer than
rows are, or if ruling lines separate the rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

import regex

from ingest.readers.pdf.cells import Interval, Visual, cells_of, column_of, holds_value, pieces_of, usual_size
from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import WIDE_GAP, Segment, Word
from ingest.readers.pdf.table_rows import FEWEST_ROWS, HALF_A_LINE, WRAPPED, groups_of, labelled_rows
from ingest.readers.tables import is_number

MOST_ROWS = 150
"""Rows of one table on one page."""

FARTHEST_ROWS = 3.6
"""Multiple of the letter size between the baselines of two lines of one table."""

FARTHER = 1.5
"""Multiple of the largest distance of the rows above; a row farther below belongs to another table."""

TITLE_ABOVE = 1.25
"""Multiple of the usual distance of the rows above; a line of one piece farther below belongs to the text after it."""

ALIKE = 0.15
"""Share by which the letter sizes of a table's rows may differ, except the first."""

NARROWEST_GAP = 0.15
"""Multiple of the letter size that must be free in all rows between two columns."""

CLEAR_GAP = 0.75
"""Multiple of the letter size that must be free in half of the rows."""

NUMBERS_GAP = 0.42
"""Multiple of the letter size that must be free in half of the rows between two numbers."""

MOST_HEAD_LINES = 5

ALIGNED_SHARE = 0.6
"""Share of a column's cells that must have a common left, middle or right edge."""

_LABEL = regex.compile(
    r"^(?:[-–—•·‣▪◦*●○■□►✓✔]|\(?(?:\p{Nd}{1,3}|\p{L}|[ivxlcIVXLC]{1,5})[.)]|\p{Nd}{1,2}(?:\.\p{Nd}{1,2})+\.?)$"
)


_LEADERS = regex.compile(r"\.{5}|(?:\. ){4}|…{2}")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of a page that are one table: from row `first` up to, but not including, row `end`."""

    first: int
    end: int
    columns: tuple[Interval, ...]
    rows: tuple[tuple[int, ...], ...]
    """The lines of each row of the table, as their numbers among the rows of the page."""
    labels: dict[int, str] = field(default_factory=dict)
    """By the number of a table row: the label for it that is in the middle of several rows."""


def tables_of(rows: Sequence[Visual], rules: Sequence[Rule]) -> Iterator[Table]:
    """Yield the tables among the lines of a page's column, given from top to bottom."""
    number = 0
    while number < len(rows):
        end, columns = _run(rows, number)
        if columns and not _is_head_only(rows, number, end) and (table := _table(rows, number, end, columns, rules)):
            yield table
            number = table.end
        else:
            number = max(number + 1, end - 1)  # The last line may be the header of the next table.


def _is_head_only(rows: Sequence[Visual], first: int, end: int) -> bool:
    """Return whether a few rows are the header of a table below them, which has values and no fewer columns."""
    if end - first > MOST_HEAD_LINES or end == len(rows) or any(map(holds_value, rows[first:end])):
        return False
    fullest = max(len(pieces_of(row)) for row in rows[first:end])
    below = (_run(rows, number) for number in range(first + 1, end + 1))
    return any(
        other_end > end + 1
        and len(columns) >= fullest
        and 2 * sum(map(holds_value, rows[end:other_end])) >= other_end - end
        for other_end, columns in below
    )


def _run(rows: Sequence[Visual], first: int) -> tuple[int, tuple[Interval, ...]]:
    """Return where the table ends that begins with row `first`, and its columns; none if no table begins there."""
    if len(pieces_of(rows[first])) < 2:
        return first, ()
    columns: tuple[Interval, ...] = ()
    end = first + 1
    while end < min(len(rows), first + MOST_ROWS):
        size = usual_size(rows[end - 1 : end + 1])
        apart = [above[0].baseline - below[0].baseline for above, below in pairwise(rows[first : end + 1])]
        is_far = apart[-1] > FARTHEST_ROWS * size or (len(apart) > 2 and apart[-1] > FARTHER * max(apart[:-1]))
        is_title = len(rows[end]) == 1 and len(apart) > 2 and apart[-1] > TITLE_ABOVE * median(apart[:-1])
        is_list = end - first > 1 and _is_item(rows[end]) and not _is_item(rows[end - 1])
        if is_far or is_title or is_list or (end - first > 1 and not _are_alike(rows[end - 1], rows[end])):
            break
        joined = _columns(rows[first : end + 1])
        if len(joined) < 2 or len(joined) < len(columns) or not _parts_all(rows[first : end + 1], joined):
            break
        columns = joined
        end += 1
    return end, columns


def _is_item(line: Visual) -> bool:
    """Return whether a line begins with the label of a list."""
    return _LABEL.match(pieces_of(line, 0.0)[0].text) is not None


def _are_alike(above: Visual, below: Visual) -> bool:
    one, other = (median(segment.size for segment in row) for row in (above, below))
    return abs(one - other) <= ALIKE * max(one, other)


def _columns(rows: Sequence[Visual]) -> tuple[Interval, ...]:
    """Return where the columns of some rows begin and end."""
    size = usual_size(rows)
    pieces = sorted((word for row in rows for segment in row for word in _places(segment)), key=lambda piece: piece[0])
    merged: list[list[float]] = []
    for left, right in pieces:
        if merged and left - merged[-1][1] < NARROWEST_GAP * size:
            merged[-1][1] = max(merged[-1][1], right)
        else:
            merged.append([left, right])
    columns: list[list[float]] = []
    for interval in merged:
        if columns and not _is_clear(rows, columns[-1], interval, size):
            columns[-1][1] = interval[1]
        else:
            columns.append(interval)
    return tuple((left, right) for left, right in columns)


def _words(segment: Segment) -> Sequence[Word]:
    return segment.words or (Word(segment.text, segment.left, segment.right),)


def _places(segment: Segment) -> list[Interval]:
    return [(word.left, word.right) for word in _words(segment)]


def _is_clear(rows: Sequence[Visual], left: Sequence[float], right: Sequence[float], size: float) -> bool:
    """Return whether half of the rows with words in two neighboring intervals have a wide gap between them."""
    clear = count = 0
    for row in rows:
        words = [word for segment in row for word in _words(segment)]
        before = [word for word in words if left[0] <= word.left and word.right <= left[1]]
        after = [word for word in words if right[0] <= word.left and word.right <= right[1]]
        if before and after:
            last, first = max(before, key=lambda word: word.right), min(after, key=lambda word: word.left)
            are_numbers = is_number(last.text) and is_number(first.text)
            count += 1
            clear += first.left - last.right >= (NUMBERS_GAP if are_numbers else CLEAR_GAP) * size
    return 2 * clear >= count


def _parts_all(rows: Sequence[Visual], columns: Sequence[Interval]) -> bool:
    """Return whether pieces of a line that are far apart are in different columns, in all rows."""
    for row in rows:
        for before, after in pairwise(row):
            if after.left - before.right >= WIDE_GAP * after.size and column_of(
                columns, before.right, before.right
            ) == column_of(columns, after.left, after.left):
                return False
    return True


def _table(
    rows: Sequence[Visual], first: int, end: int, columns: tuple[Interval, ...], rules: Sequence[Rule]
) -> Table | None:
    # A line below in the first column alone is a remark on the table.
    while end > first and len(cells_of(rows[end - 1], columns)) < 2 and not _wraps(rows, end - 1, columns):
        end -= 1
    # Running text above or below it is not one of its rows either.
    while end > first and _is_cut(rows[first], columns):
        first += 1
    while end > first and _is_cut(rows[end - 1], columns):
        end -= 1
    lines = rows[first:end]
    apart = _columns(lines) if lines else ()  # without the content of those lines
    columns = _with_heads(lines, apart)
    if len(columns) < 2 or sum(map(_is_parted, lines)) < FEWEST_ROWS - 1:
        return None
    if not _are_cells(lines, apart):
        return None
    labels: dict[int, str] = {}
    if (labelled := labelled_rows(lines, columns)) is not None:
        groups, labels = labelled
    else:
        groups = groups_of(lines, columns, rules)
    if len(groups) < FEWEST_ROWS:
        return None
    return Table(first, end, columns, tuple(tuple(first + number for number in group) for group in groups), labels)


def _with_heads(lines: Sequence[Visual], columns: Sequence[Interval]) -> tuple[Interval, ...]:
    """Return columns extended by headers at the left of theirs, above values at its right."""
    rows: list[set[int]] = [set() for _ in columns]
    for number, line in enumerate(lines):
        for column, _ in cells_of(line, columns):
            rows[column].add(number)
    joined: list[tuple[Interval, set[int]]] = []
    for interval, own in zip(columns, rows, strict=True):
        if joined and own and joined[-1][1] and max(joined[-1][1]) < min(own):
            joined[-1] = ((joined[-1][0][0], interval[1]), joined[-1][1] | own)
        else:
            joined.append((interval, own))
    return tuple(interval for interval, _ in joined)


def _is_cut(line: Visual, columns: Sequence[Interval]) -> bool:
    """Return whether a line in one piece would be cut at columns where it has no wide gap."""
    return len(line) == 1 and len(pieces_of(line)) < len(cells_of(line, columns))


def _is_parted(line: Visual) -> bool:
    """Return whether a line has several cells: far apart, or nearer with a number among them."""
    return len(line) > 1 or (len(pieces_of(line)) > 1 and holds_value(line))


def _wraps(rows: Sequence[Visual], number: int, columns: Sequence[Interval]) -> bool:
    """Return whether a line is so close below the previous one that it may continue its cell."""
    above, line = rows[number - 1], rows[number]
    distance = (above[0].baseline - line[0].baseline) / line[0].size
    return distance < HALF_A_LINE or (distance <= WRAPPED and column_of(columns, line[0].left, line[0].left) > 0)


def _are_cells(lines: Sequence[Visual], columns: Sequence[Interval]) -> bool:
    """Return whether the columns are those of a table: aligned, and neither a list's labels nor running text."""
    if 2 * sum(1 for line in lines if any(_LEADERS.search(segment.text) for segment in line)) > len(lines):
        return False  # A table of contents.
    size = usual_size(lines)
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
