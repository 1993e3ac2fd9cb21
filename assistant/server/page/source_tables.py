"""Recognize the rows of tables in a document's text, ``Ward: Surgery | Beds: 24``, and put them under their headers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from store.types import Span

DIVIDER = " | "
"""Separates the cells of a row, as `ingest.readers.tables` writes it."""
LONGEST_HEADER = 120
FEWEST_ROWS = 2

_HEADER = re.compile(rf"(?=\S)([^|\n]{{1,{LONGEST_HEADER}}}?): (?=\S)")

Column = tuple[str, int]
"""A header, and how many columns to its left have the same one."""

_Order = dict[Column, frozenset[Column]]
"""Columns, each with those that come before it in some row."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a text that looks like a row of a table."""

    span: Span
    cells: dict[Column, Span]
    """The span of each column's value in the text; columns with a blank cell are missing."""


@dataclass(frozen=True, slots=True)
class Table:
    """Consecutive rows that have columns in common."""

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def tables_in(lines: Sequence[tuple[Span, str]]) -> Iterator[Table]:
    """Yield the tables among the lines of a text, given with their positions; a single row is no table."""
    for is_row, found in itertools.groupby((_row(span, line) for span, line in lines), key=lambda row: row is not None):
        if is_row:
            yield from (table for table in _tables([row for row in found if row]) if len(table.rows) >= FEWEST_ROWS)


def _tables(rows: Sequence[Row]) -> Iterator[Table]:
    """Group rows as long as they share columns, and one order of the columns fits all of them."""
    before: _Order = {}
    together: list[Row] = []
    for row in rows:
        joined = _joined(before, row) if before.keys() & row.cells.keys() else None
        if joined is None and together:
            yield Table(_in_order(before), tuple(together))
            together = []
        before = joined or _joined({}, row) or {}
        together.append(row)
    if together:
        yield Table(_in_order(before), tuple(together))


def _joined(before: _Order, row: Row) -> _Order | None:
    """Return `before` with the order of a row's columns added; None if the two contradict each other."""
    columns = list(row.cells)
    joined = before | {column: before.get(column, frozenset()) for column in columns}
    for left, right in itertools.pairwise(columns):
        joined[right] |= {left}
    try:
        _in_order(joined)
    except CycleError:
        return None
    return joined


def _in_order(before: _Order) -> tuple[Column, ...]:
    return tuple(TopologicalSorter(before).static_order())


def _row(span: Span, line: str) -> Row | None:
    """Return a line as a row: at least two cells, of which only the first may lack a header."""
    cells: dict[Column, Span] = {}
    at = span.start
    last: Column | None = None
    for number, piece in enumerate(line.split(DIVIDER)):
        named = _HEADER.match(piece)
        start, end = at + (named.end() if named else 0), at + len(piece)
        at = end + len(DIVIDER)
        if named or number == 0:
            header = named[1] if named else ""
            last = (header, sum(1 for known, _ in cells if known == header))
            cells[last] = Span(start, end)
        elif last is not None:  # the separator is part of a value
            cells[last] = Span(cells[last].start, end)
    return Row(span, cells) if len(cells) > 1 else None
