"""Turn tables into lines that make sense on their own: each value next to its column's header.

``Station: Station 37 | July: 311``. Blank cells are left out and never shift a value. A merged cell applies to every
row and column that it spans. A cell over the whole width is a separate line; if it is a header, it names the rows below
it. `ingest.readers.table_headers` decides which rows are headers.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

from ingest.blocks import CELL_DIVIDER, Block
from ingest.limits import MAX_CELLS
from ingest.readers.table_headers import (
    Cell,
    Role,
    Row,
    cell_text,
    is_number,
    is_one_cell,
    is_sideways,
    is_year,
    row_roles,
    sheet_header_rows,
)
from store.errors import ReadError

__all__ = [
    "Cell",
    "is_number",
    "is_year",
    "rows_in_words",
    "sheet_blocks",
    "table_blocks",
    "too_many_cells",
]

_WIDEST = 1_000


def table_blocks(
    rows: Sequence[Sequence[Cell]], header_rows: int | None = None, groups: Collection[int] = ()
) -> Iterator[Block]:
    """Yield a table row by row. `header_rows` is the number of header rows; None if the format doesn't say.

    `groups` are the numbers of the rows that begin a group; headers inside a group end with it.
    Raises ReadError for a table of more cells than the limit.
    """
    _, texts = rows_in_words(rows, header_rows, groups)
    yield from (Block(text, "paragraph") for text in texts if text)


def rows_in_words(
    rows: Sequence[Sequence[Cell]], header_rows: int | None = None, groups: Collection[int] = ()
) -> tuple[int, list[str]]:
    """Return the number of header rows at the top, and the text of each row below them; empty for a row without any.

    Raises ReadError for a table of more cells than the limit.
    """
    grid = _grid(rows)
    if header_rows is None and is_sideways(grid):
        grid, header_rows, rows = [list(column) for column in zip(*grid, strict=True)], 1, ()
    roles = row_roles(rows, grid, header_rows)
    naming = _Naming()
    texts: list[str] = []
    for number, (row, role) in enumerate(zip(grid, roles, strict=True)):
        if number in groups:
            naming.begin_group()
        if role == "body":
            texts.append(naming.row_in_words(row))
        else:
            naming.add(row, role)
            texts.append("")
    heads = next((number for number, role in enumerate(roles) if role != "header"), 0)
    return heads, texts[heads:]


@dataclass
class _Naming:
    """The names for the values of the next row: the headers of their columns, and the section of the row."""

    headers: list[Row] = field(default_factory=list)
    sections: list[str] = field(default_factory=list)
    above: Role = "body"
    """The role of the row above."""
    is_section_used: bool = False

    def begin_group(self) -> None:
        """Begin a group of rows: a section inside the previous group ends."""
        if self.is_section_used:
            self.sections, self.is_section_used = [], False

    def add(self, row: Row, role: Role) -> None:
        """Add a row that names those below it; after a row of values it replaces the earlier names."""
        if role == "header":
            self.headers = [row] if self.above == "body" else [*self.headers, row]
        else:
            self.sections = [*([] if self.above == "body" else self.sections), cell_text(row[0])]
            self.is_section_used = False
        self.above = role

    def row_in_words(self, row: Row) -> str:
        """Return a row of values, each after its names."""
        self.above = "body"
        if is_one_cell(row):
            return cell_text(row[0])
        headers = [self._header(column) for column in range(len(row))]
        pieces: list[str] = []
        label: list[str] = []
        for column, cell in enumerate(row):
            text, header = cell_text(cell), headers[column]
            if not text or (column and cell is row[column - 1] and header in ("", headers[column - 1])):
                continue
            if header:
                pieces += [*_joined(label), text if header == text else f"{header}: {text}"]
            elif cell is not None and (cell.is_header or text.endswith((":", "："))):
                label.append(text.rstrip(":：").rstrip())
                continue
            else:
                pieces.append(": ".join((*_joined(label), text)))
            label = []
        pieces += _joined(label)
        self.is_section_used = bool(pieces)
        return CELL_DIVIDER.join((*_joined(self.sections), *pieces)) if pieces else ""

    def _header(self, column: int) -> str:
        """Return the header of a column; with several header rows, all of their texts."""
        texts = [cell_text(row[column]) for row in self.headers if column < len(row)]
        return ", ".join(dict.fromkeys(text for text in texts if text)).rstrip(":")


def _joined(texts: list[str]) -> tuple[str, ...]:
    return (", ".join(texts),) if texts else ()


def _grid(rows: Sequence[Sequence[Cell]]) -> list[Row]:
    """Return the cells by row and column; a merged cell is at every position that it spans."""
    grid: list[Row] = []
    below: dict[int, tuple[Cell, int]] = {}
    count = 0
    for row in rows:
        line: Row = []
        cells = iter(row)
        spanning = dict(below)
        below = {column: (cell, left - 1) for column, (cell, left) in spanning.items() if left > 1}
        while True:
            while len(line) in spanning:
                line.append(spanning.pop(len(line))[0])
            cell = next(cells, None)
            if cell is None:
                break
            for _ in range(max(1, min(cell.columns, _WIDEST - len(line)))):
                if cell.rows > 1:
                    below[len(line)] = (cell, cell.rows - 1)
                spanning.pop(len(line), None)
                line.append(cell)
        for column in sorted(spanning):
            line += [None] * (column - len(line)) + [spanning[column][0]]
        count += len(line)
        if count > MAX_CELLS:
            raise too_many_cells()
        grid.append(line)
    return grid


def too_many_cells() -> ReadError:
    """Return the error for a file whose tables have more cells than the limit."""
    return ReadError(
        "This file has a table of more than {limit} cells, which is the limit.",
        code="table_large",
        limit=f"{MAX_CELLS:,}",
    )


def sheet_blocks(rows: Sequence[Sequence[Cell]]) -> Iterator[Block]:
    """Yield the tables of a sheet: empty rows separate them, and lines above a table with one cell are its title."""
    table: list[Sequence[Cell]] = []
    for row in [*rows, ()]:
        if any(cell.text.strip() for cell in row):
            table.append(row)
        elif table:
            yield from _sheet_table(table)
            table = []


def _sheet_table(rows: list[Sequence[Cell]]) -> Iterator[Block]:
    first = min(next(number for number, cell in enumerate(row) if cell.text.strip()) for row in rows)
    rows = [row[first:] for row in rows]
    width = max(sum(1 for cell in row if cell.text.strip()) for row in rows)
    while width > 1 and rows and _is_title(rows, width):
        yield Block(", ".join(cell.text for cell in rows[0] if cell.text.strip()), "paragraph")
        rows = rows[1:]
    yield from table_blocks(rows, header_rows=sheet_header_rows(rows, _grid(rows)))


def _is_title(rows: Sequence[Sequence[Cell]], width: int) -> bool:
    """Return whether the first row isn't part of the table: one text, or a shorter row above one that names all columns."""
    filled = sum(1 for cell in rows[0] if cell.text.strip())
    if filled == 1:
        return True
    is_short = len(rows[0]) < width and len(rows) > 2 and all(cell.text.strip() for cell in rows[1])
    return is_short and len(rows[1]) == width and sheet_header_rows(rows[1:], _grid(rows[1:])) == 1
