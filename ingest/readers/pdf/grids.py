"""Read tables whose cells are known, by drawn lines or by tags: their glyphs cell by cell, and their rows as lines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from ingest.readers.pdf.cells import Interval
from ingest.readers.pdf.glyphs import Glyph

MOST_COLUMNS = 60
MOST_ROWS = 300
LONGEST_CELL = 1_500
"""Letters. If a cell has more, the table is a page layout."""


@dataclass(frozen=True, slots=True)
class GridCell:
    """A cell of a table and the rows and columns that it spans, counted from 0."""

    row: int
    column: int
    rows: int = 1
    columns: int = 1
    is_header: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A table: its cells by the numbers of their glyphs, and where its columns begin and end."""

    cells: dict[int, GridCell]
    columns: tuple[Interval, ...]
    is_as_seen: bool
    """Whether columns are counted from the left; otherwise in reading order."""

    @property
    def row_count(self) -> int:
        """The number of its rows."""
        return max(cell.row + cell.rows for cell in self.cells.values())

    @property
    def header_rows(self) -> int:
        """The number of rows at the top that are marked as headers of columns."""
        headers = {cell.row for cell in self.cells.values() if cell.is_header}
        others = {row for cell in self.cells.values() if not cell.is_header for row in (cell.row,)}
        count = 0
        while count in headers - others:
            count += 1
        return count if count < self.row_count else 0


def numbered(glyphs: Sequence[Glyph], places: Sequence[GridCell | None], first: int) -> list[Glyph]:
    """Return `glyphs` with the numbers of their cells, which begin at `first` in the order of the cells."""
    numbers: dict[GridCell, int] = {}
    found = []
    for glyph, cell in zip(glyphs, places, strict=True):
        if cell is None:
            found.append(glyph)
        else:
            found.append(replace(glyph, cell=numbers.setdefault(cell, first + len(numbers))))
    return found


def is_table(cells: Iterable[GridCell], letters: dict[GridCell, int]) -> bool:
    """Return whether cells with these numbers of letters are a table: two rows and columns with text, no page-size cell."""
    full = [cell for cell in cells if letters.get(cell)]
    rows, columns = {cell.row for cell in full}, {cell.column for cell in full}
    return len(full) > 2 and len(rows) > 1 and len(columns) > 1 and max(letters.values()) <= LONGEST_CELL
