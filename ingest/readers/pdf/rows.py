"""Group segments into the rows of a page or column, and into lines."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from ingest.readers.pdf.direction import RIGHT_TO_LEFT
from ingest.readers.pdf.segments import ROOM_FOR_BLANK, Segment

SAME_ROW = 0.35
"""Share of the letter size by which the baselines of one row may differ."""


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
    """Number of its column, in reading order."""
    region_left: int
    """Left edge of that column, rounded."""
    cells: tuple[str, ...] = ()
    """For a table row: its text in each column, empty for a blank cell."""
    fonts: tuple[int, ...] = ()
    """For a table row: the names of its fonts."""
    columns: tuple[tuple[float, float], ...] = ()
    """For a table row: where its columns begin and end."""
    table: int = 0
    """For a table row with known cells: the number of the table on its page."""
    origins: tuple[int, ...] = ()
    """For a table row with merged cells: for each column, the one in which its cell begins."""
    is_head: bool | None = None
    """For a table row: whether it is a header; None if the file doesn't say."""

    def to_json(self) -> dict[str, Any]:
        """Return the fields as JSON values."""
        return asdict(self)


def rows_of(segments: list[Segment]) -> list[list[Segment]]:
    """Return segments by their baselines from top to bottom, each row from left to right."""
    rows: list[list[Segment]] = []
    for segment in sorted(segments, key=lambda segment: -segment.baseline):
        if rows and rows[-1][0].baseline - segment.baseline < SAME_ROW * min(rows[-1][0].size, segment.size):
            rows[-1].append(segment)
        else:
            rows.append([segment])
    return [_in_order(row) for row in rows]


def _in_order(row: list[Segment]) -> list[Segment]:
    """Return the segments of a row in reading order: from the right if most of them are in such a script."""
    row = sorted(row, key=lambda segment: segment.left)
    return row[::-1] if is_right_to_left(row) else row


def is_right_to_left(segments: list[Segment]) -> bool:
    """Return whether most of some segments are in a script written from the right."""
    return 2 * sum(1 for segment in segments if RIGHT_TO_LEFT.search(segment.text)) > len(segments)


def line_of(row: list[Segment], region: int, region_left: int) -> Line:
    """Return one line of a column from its segments in reading order."""
    return Line(
        text=row_text(row),
        left=min(segment.left for segment in row),
        right=max(segment.right for segment in row),
        baseline=median(segment.baseline for segment in row),
        size=max(row, key=lambda segment: len(segment.text)).size,
        first_word=row[0].first_word,
        is_bold=all(segment.is_bold for segment in row),
        region=region,
        region_left=region_left,
    )


def row_text(row: list[Segment]) -> str:
    """Return the text of segments of one line, in reading order."""
    pieces = [row[0].text]
    for before, after in pairwise(row):
        room = max(after.left - before.right, before.left - after.right)
        pieces += (" " * (room > ROOM_FOR_BLANK * after.size), after.text)
    return "".join(pieces)
