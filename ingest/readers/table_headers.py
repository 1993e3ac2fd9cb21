"""Decide which rows of a table are headers: as the format marks them, or else by their content.

A row of headers names the columns below it, up to the next one. A header over the whole width names the rows
below it. A header at the beginning of a row of values names that row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import regex

Role = Literal["header", "section", "body"]

_SPACE = regex.compile(r"\s+")
_NUMBER = regex.compile(r"^[^\p{L}]*\p{N}[^\p{L}]*(?:\p{L}{1,4})?$")
_YEAR = regex.compile(r"^(?:FY|Q|ปี|năm|พ\.ศ\.)?\s*\p{Nd}{4}(?:\s*[-–/]\s*\p{Nd}{2,4})?$", regex.I)
_OF_OUR_TIME = regex.compile(r"^[12\u0661\u0662\u06f1\u06f2\u0e51\u0e52]\d{3}(?:\s?[-–/]\s?\d{2,4})?$")
_FIGURES = regex.compile(r"[\p{Nd}.,\s]+")
_LONGEST_HEADER = 120
_MOST_LEVELS = 3
"""Levels of a header."""


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with the rows and columns that it spans."""

    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool = False
    names_row: bool = False
    """Whether the format marks it as the header of its row, not of its column."""


Row = list[Cell | None]
"""A row of the grid: a merged cell is at every position that it spans; None means no cell."""


def cell_text(cell: Cell | None) -> str:
    """Return the text of a cell on one line."""
    return "" if cell is None else _SPACE.sub(" ", cell.text).strip(" |")


def is_one_cell(row: Row) -> bool:
    """Return whether a cell with a text spans a whole row of several columns."""
    return len(row) > 1 and bool(cell_text(row[0])) and all(cell is row[0] for cell in row)


def is_number(text: str) -> bool:
    """Return whether a cell has a number, with at most a unit."""
    return _NUMBER.match(text) is not None


def is_year(text: str) -> bool:
    """Return whether a cell has a year or a range of years, which may be a header."""
    return _YEAR.match(text) is not None


def row_roles(rows: Sequence[Sequence[Cell]], grid: Sequence[Row], header_rows: int | None) -> list[Role]:
    """Return the role of each row of a grid; `rows` are its cells, each once.

    `header_rows` is the number of headers at the top, None if the format doesn't say.
    """
    if header_rows is None and any(cell and cell.is_header for row in grid for cell in row):
        roles = _marked_roles(grid)
    else:
        # A program may mark only the first row of a header that has two.
        spanning = _spanning_rows(rows, grid) if header_rows != 0 else 0
        count = max(spanning, header_rows or 0) or (_guessed_header_rows(grid) if header_rows is None else 0)
        roles = ["header" if number < count else "body" for number in range(len(grid))]
    named = next((number for number in range(len(roles), 0, -1) if roles[number - 1] == "body"), 0)
    for number in range(
        named, len(roles)
    ):  # A header with nothing below it to name is read as a row of values, unless it is a repetition.
        if not any(
            role == "header" and _is_same(grid[number], row) for role, row in zip(roles[:named], grid, strict=False)
        ):
            roles[number] = "body"
    return roles


def _is_same(row: Row, other: Row) -> bool:
    return [cell_text(cell) for cell in row] == [cell_text(cell) for cell in other]


def is_sideways(grid: Sequence[Row]) -> bool:
    """Return whether a table's columns are its records: every row begins with its header, the first names the records."""
    if len(grid) < 2 or len(grid[0]) < 3:
        return False
    for row in grid:
        if len(row) != len(grid[0]) or any(cell is None or (cell.rows, cell.columns) != (1, 1) for cell in row):
            return False
        if [number for number, cell in enumerate(row) if cell and cell.is_header] != [0] or not cell_text(row[0]):
            return False
    names = [cell_text(cell) for cell in grid[0]]
    return all(names) and len(set(names)) == len(names)


def _marked_roles(grid: Sequence[Row]) -> list[Role]:
    width = max(map(len, grid))
    roles: list[Role] = []
    for row in grid:
        roles.append(_marked_role(row, width, is_first="body" not in roles))
    if "header" not in roles:
        _mark_unmarked_first(grid, roles)
    return roles


def _marked_role(row: Row, width: int, *, is_first: bool) -> Role:
    filled = [cell for cell in row if cell is not None and cell_text(cell)]
    if not filled:
        return "body"
    if width > 1 and filled[0].is_header and (is_one_cell(row) or len(row) == 1):
        return "section"
    if width == 1:
        return "header" if filled[0].is_header and is_first else "body"
    if all(cell is not None and cell.is_header and not cell.names_row for cell in row):
        heads = filled
    else:  # The corner may be no header, and the first cell alone names its row.
        heads = [cell for cell in filled if cell.is_header and not cell.names_row and cell is not row[0]]
        if not heads or any(not cell.is_header for cell in filled if cell is not row[0]) or filled[0].names_row:
            return "body"
    # Totals, too, are often marked as headers.
    return "header" if is_first or not any(is_number(cell_text(cell)) for cell in heads) else "body"


def _mark_unmarked_first(grid: Sequence[Row], roles: list[Role]) -> None:
    """Mark the first row of values as headers if it is the only one without a header at its beginning."""
    bodies = [number for number, role in enumerate(roles) if role == "body" and not is_one_cell(grid[number])]
    if len(bodies) < 2:
        return
    first, *others = (grid[number] for number in bodies)
    if any(cell and cell.is_header for cell in first):
        return
    if len(first) > 1 and all(row and row[0] is not None and row[0].is_header for row in others):
        roles[bodies[0]] = "header"


def _spanning_rows(rows: Sequence[Sequence[Cell]], grid: Sequence[Row]) -> int:
    """Return the number of rows in a header of several levels: cells over several columns, and those below them."""
    width = max(map(len, grid), default=0)
    heads = 0
    while heads < min(_MOST_LEVELS, len(rows) - 1) and any(1 < cell.columns < width for cell in rows[heads]):
        heads += 1
    if not heads or any(is_number(cell_text(cell)) and not is_year(cell_text(cell)) for cell in rows[0]):
        return 0
    own = [text for cell in rows[heads] if (text := cell_text(cell))]
    has_values = any(is_number(text) and not is_year(text) for text in own)
    return heads if has_values or heads + 1 == len(grid) else heads + 1


def _guessed_header_rows(grid: Sequence[Row]) -> int:
    """Return 1 if the first row of an unmarked table names what the others count, otherwise 0."""
    if len(grid) < 2 or len(grid[0]) < 2 or not _names_columns(grid):
        return 0
    if len(grid[0]) > 2:
        return 1
    # Of two columns, the second must have values of one kind; otherwise it is a list of names and values.
    values = [cell_text(row[1]) for row in grid[1:] if len(row) > 1 and cell_text(row[1])]
    kinds = {_FIGURES.sub("0", value) for value in values}
    are_figures = bool(values) and all(map(is_number, values))
    return int(are_figures and len(kinds) == 1 and not any(_OF_OUR_TIME.match(value) for value in values[:1]))


def sheet_header_rows(rows: Sequence[Sequence[Cell]], grid: Sequence[Row]) -> int:
    """Return how many rows at the top of a sheet's table name its columns."""
    if len(grid) < 2 or len(grid[0]) < 2:
        return 0
    columns = ([cell_text(cell) for cell in column] for column in zip(*grid, strict=False))
    recur = any(column[0] and column[0] in column[1:] for column in columns)
    return _spanning_rows(rows, grid) or int(not recur and _names_columns(grid, may_repeat=True))


def _names_columns(grid: Sequence[Row], *, may_repeat: bool = False) -> bool:
    """Return whether the texts of the first row can be names of columns: short, distinct, no values."""
    first = [cell_text(cell) for cell in grid[0]]
    named = [text for text in first if text]
    if len(named) < len(first) - 1 or any(len(text) > _LONGEST_HEADER for text in named):
        return False
    if len(set(named)) < (2 if may_repeat else len(named)):
        return False
    figures = [column for column, text in enumerate(first) if is_number(text)]
    return not figures or _are_years_above_values(grid, first, figures)


def _are_years_above_values(grid: Sequence[Row], first: list[str], figures: list[int]) -> bool:
    """Return whether the numbers in the first row are years, above values that aren't."""
    if 0 in figures or not all(is_year(first[column]) for column in figures):
        return False
    below = [cell_text(row[column]) for row in grid[1:] for column in figures if column < len(row)]
    return any(below) and not all(is_year(text) for text in below if text)
