"""Tables -> lines that can be understood one by one: each value stands beside the header of its column.

``Station: Station 37 | July: 311``. Blank cells are left out and never shift a value. A merged cell holds for every
row and column that it spans. A cell over the whole width is a line of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from ingest.blocks import Block
from ingest.limits import MAX_CELLS
from store.errors import ReadError

DIVIDER = " | "
"""Stands between the cells of a row."""

_SPACE = regex.compile(r"\s+")
_NUMBER = regex.compile(r"^[^\p{L}]*\p{N}[^\p{L}]*(?:\p{L}{1,4})?$")
_YEAR = regex.compile(r"^(?:FY|Q|ปี|năm|พ\.ศ\.)?\s*\p{Nd}{4}(?:\s*[-–/]\s*\p{Nd}{2,4})?$", regex.I)
_MOST_LEVELS = 3
"""Of a header."""

_WIDEST = 1_000
_LONGEST_HEADER = 120


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table, with the rows and columns that it spans."""

    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool = False


def table_blocks(rows: Sequence[Sequence[Cell]], header_rows: int | None = None) -> Iterator[Block]:
    """Yield a table row by row. `header_rows` is how many rows are headers; None where the format doesn't say.

    Raises ReadError for a table of more cells than the limit.
    """
    _, texts = rows_in_words(rows, header_rows)
    yield from (Block(text, "paragraph") for text in texts if text)


def rows_in_words(rows: Sequence[Sequence[Cell]], header_rows: int | None = None) -> tuple[int, list[str]]:
    """Return how many rows are headers, and the text of each row below them; empty for a row without any.

    Raises ReadError for a table of more cells than the limit.
    """
    grid = _grid(rows)
    if not grid:
        return 0, []
    heads = _header_rows(rows, grid) if header_rows is None else min(header_rows, len(grid))
    if header_rows:  # A program may mark the first row of a header that has two.
        heads = max(heads, _spanning_rows(rows, grid))
    headers = [_header(grid, heads, column) for column in range(max(map(len, grid)))]
    if heads == len(grid):
        headers, heads = [""] * len(headers), 0
    is_named = _has_named_rows(rows, heads)
    return heads, [_row(row, headers, is_named) for row in grid[heads:]]


def _grid(rows: Sequence[Sequence[Cell]]) -> list[list[Cell | None]]:
    """Return the cells by row and column; a merged cell stands in every place that it spans."""
    grid: list[list[Cell | None]] = []
    below: dict[int, tuple[Cell, int]] = {}
    count = 0
    for row in rows:
        line: list[Cell | None] = []
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
    """Return the error of a file whose tables have more cells than the limit."""
    return ReadError(
        "This file has a table of more than {limit} cells, which is the limit.",
        code="table_large",
        limit=f"{MAX_CELLS:,}",
    )


def _header_rows(rows: Sequence[Sequence[Cell]], grid: list[list[Cell | None]]) -> int:
    """Return how many rows at the top are headers: marked ones, else a first row that names what others count."""
    marked = 0
    while marked < len(rows) and _is_marked(rows[marked]):
        marked += 1
    if marked or (marked := _spanning_rows(rows, grid)):
        return marked
    if len(grid) < 2 or len(grid[0]) < 2:
        return 0
    first = [_text(cell) for cell in grid[0]]
    if not _are_names(grid):
        return 0
    return 1 if any(is_number(_text(cell)) for row in grid[1:] for cell in row[1:]) or len(first) > 2 else 0


def _are_names(grid: list[list[Cell | None]]) -> bool:
    """Return whether the first row names the columns: by words that differ, or by years above values that are none."""
    first = [_text(cell) for cell in grid[0]]
    named = [text for text in first if text]
    if (
        len(named) < len(first) - 1
        or len(set(named)) < len(named)
        or any(len(text) > _LONGEST_HEADER for text in named)
    ):
        return False
    numbers = [column for column, text in enumerate(first) if is_number(text)]
    if len(numbers) == len(named) > 0 and first[0]:
        return False
    return all(is_year(first[column]) and not _holds_years(grid[1:], column) for column in numbers)


def _holds_years(rows: list[list[Cell | None]], column: int) -> bool:
    texts = [text for row in rows if column < len(row) and (text := _text(row[column]))]
    return bool(texts) and all(is_year(text) for text in texts)


def _is_marked(row: Sequence[Cell]) -> bool:
    """Return whether all cells of a row are marked as headers, but for a blank corner."""
    return any(cell.is_header for cell in row) and all(cell.is_header or not cell.text.strip() for cell in row)


def _spanning_rows(rows: Sequence[Sequence[Cell]], grid: list[list[Cell | None]]) -> int:
    """Return how many rows a header of several levels has: cells over several columns, and those below them."""
    width = max(map(len, grid))
    heads = 0
    while heads < min(_MOST_LEVELS, len(grid) - 1) and any(1 < cell.columns < width for cell in rows[heads]):
        heads += 1
    if not heads or any(is_number(_text(cell)) and not is_year(_text(cell)) for cell in rows[0]):
        return 0
    own = [text for cell in rows[heads] if (text := _text(cell))]
    has_values = any(is_number(text) and not is_year(text) for text in own)
    return heads if has_values or heads + 1 == len(grid) else heads + 1


def is_number(text: str) -> bool:
    """Return whether a cell holds a number, with a unit at most."""
    return _NUMBER.match(text) is not None


def is_year(text: str) -> bool:
    """Return whether a cell holds a year or a span of years, which may well be a header."""
    return _YEAR.match(text) is not None


def _header(grid: list[list[Cell | None]], heads: int, column: int) -> str:
    """Return the header of a column; where several rows are headers, all of their texts."""
    texts = [_text(row[column]) for row in grid[:heads] if column < len(row)]
    return ", ".join(dict.fromkeys(text for text in texts if text)).rstrip(":")


def _has_named_rows(rows: Sequence[Sequence[Cell]], heads: int) -> bool:
    """Return whether each row begins with a header of its own and one value, as in a fact sheet."""
    body = [row for row in rows[heads:] if row]
    return not heads and bool(body) and all(len(row) == 2 and row[0].is_header for row in body)


def _row(row: list[Cell | None], headers: list[str], is_named: bool) -> str:
    if len(row) > 1 and all(cell is row[0] for cell in row):
        return _text(row[0])
    pieces: list[str] = []
    for column, cell in enumerate(row):
        text = _text(cell)
        if not text or (column and cell is row[column - 1] and not _counts(headers, column)):
            continue
        header = headers[column]
        pieces.append(f"{header}: {text}" if header and header != text else text)
    return (": " if is_named else DIVIDER).join(pieces)


def _counts(headers: list[str], column: int) -> bool:
    """Return whether a value that spans several columns is said again: it is where their headers differ."""
    return bool(headers[column]) and headers[column] != headers[column - 1]


def _text(cell: Cell | None) -> str:
    return "" if cell is None else _SPACE.sub(" ", cell.text).strip(" |")


def sheet_blocks(rows: Sequence[Sequence[Cell]]) -> Iterator[Block]:
    """Yield the tables of a sheet: empty rows part them, and lines above a table that fill one cell are its title."""
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
    while width > 1 and rows and sum(1 for cell in rows[0] if cell.text.strip()) == 1:
        yield Block(next(cell.text for cell in rows[0] if cell.text.strip()), "paragraph")
        rows = rows[1:]
    yield from table_blocks(rows, header_rows=_sheet_header_rows(rows))


def _sheet_header_rows(rows: list[Sequence[Cell]]) -> int:
    """Return how many rows at the top of a sheet's table name its columns."""
    grid = _grid(rows)
    if len(grid) < 2 or len(grid[0]) < 2:
        return 0
    return _spanning_rows(rows, grid) or int(_are_names(grid))
