"""Put each value of all tables next to its column's header; a table may continue on the next page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from ingest.readers.pdf.paragraphs import Page
from ingest.readers.pdf.rows import Line
from ingest.readers.tables import Cell, rows_in_words

_Columns = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Head:
    """The header rows of the previous table, which a table below or on the next page may share."""

    rows: tuple[tuple[str, ...], ...]
    cells: tuple[list[Cell], ...]
    columns: _Columns
    fonts: frozenset[int]
    """The fonts of the header rows that no other row has."""


def with_headers(pages: Sequence[Page]) -> list[Page]:
    """Return `pages` with the rows of tables as lines that name their columns, and without the header rows."""
    named: list[Page] = []
    head: _Head | None = None
    is_apart = False
    for page in pages:
        lines: list[Line] = []
        for run in _runs(page.lines):
            if not run[0].cells:
                lines += run
                head, is_apart = (head if len(run) == 1 else None), True  # a title between two parts of one table
                continue
            if head is not None and is_apart and len(head.columns) != len(run[0].columns):
                head = None
            named_lines, head = _named(run, head, starts_page=not lines)
            is_apart = False
            lines += named_lines
        named.append(replace(page, lines=tuple(lines)))
    return named


def _runs(lines: Sequence[Line]) -> Iterator[list[Line]]:
    """Yield the rows of one table together, and the lines between tables together."""
    run: list[Line] = []
    for line in lines:
        if run and (line.columns, line.table) != (run[-1].columns, run[-1].table):
            yield run
            run = []
        run.append(line)
    if run:
        yield run


def _named(table: Sequence[Line], before: _Head | None, *, starts_page: bool) -> tuple[list[Line], _Head]:
    """Return the lines of a table with the headers of their columns, and its header rows."""
    styled = _styled_rows(table)
    marked = sum(1 for line in table if line.is_head)
    own = marked or max(styled, rows_in_words([_cells(line) for line in table])[0])
    if before is not None and not marked and (places := _same_columns(table[0].columns, before.columns)) is not None:
        repeated = sum(1 for row, line in zip(before.rows, table, strict=False) if _moved(line, places, before) == row)
        has_plain_top = before.fonts and not before.fonts & set(table[0].fonts)
        if repeated or not own or (starts_page and has_plain_top):
            is_alike = places == tuple(range(len(before.columns)))
            body = [
                _cells(line) if is_alike else [Cell(text) for text in _moved(line, places, before)]
                for line in table[repeated:]
            ]
            return _in_words(table[repeated:], [*before.cells, *body], len(before.rows)), before
    rows = [_cells(line) for line in table]
    return _in_words(table[own:], rows, own), _Head(
        tuple(line.cells for line in table[:own]),
        tuple(rows[:own]),
        table[0].columns,
        frozenset(table[0].fonts if styled else ()),
    )


def _cells(line: Line) -> list[Cell]:
    """Return the cells of a row, each once with the columns that it spans."""
    origins = line.origins or tuple(range(len(line.cells)))
    cells = []
    for _, places in groupby(range(len(line.cells)), key=lambda place: origins[place]):
        first, *rest = places
        cells.append(Cell(line.cells[first], columns=1 + len(rest)))
    return cells


def _styled_rows(table: Sequence[Line]) -> int:
    """Return how many rows at the top of a table have fonts that no other row has; 0 if there are none."""
    head = set(table[0].fonts)
    heads = next((number for number, line in enumerate(table) if not head & set(line.fonts)), 0)
    return heads if head and not any(head & set(line.fonts) for line in table[heads:]) else 0


def _in_words(lines: Sequence[Line], rows: Sequence[Sequence[Cell]], heads: int) -> list[Line]:
    _, texts = rows_in_words(rows, header_rows=heads)
    return [replace(line, text=text) for line, text in zip(lines, texts, strict=True) if text]


def _same_columns(columns: _Columns, before: _Columns) -> tuple[int, ...] | None:
    """Return for each column the column of the previous table above it; None if that is another table."""
    places = []
    for left, right in columns:
        shared = [min(right, other[1]) - max(left, other[0]) for other in before]
        best = max(range(len(before)), key=shared.__getitem__)
        if shared[best] <= 0:
            return None
        places.append(best)
    return tuple(places) if len(set(places)) == len(places) else None


def _moved(line: Line, places: tuple[int, ...], before: _Head) -> tuple[str, ...]:
    cells = [""] * len(before.columns)
    for place, text in zip(places, line.cells, strict=True):
        cells[place] = text
    return tuple(cells)
