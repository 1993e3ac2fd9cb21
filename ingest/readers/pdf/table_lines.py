"""Turn the rows of a column of a page into lines, where each row of a table is one line of cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import regex

from ingest.blocks import CELL_DIVIDER
from ingest.readers.pdf.cells import cells_of, joined_cell
from ingest.readers.pdf.columns import Table, tables_of
from ingest.readers.pdf.grids import Grid
from ingest.readers.pdf.head_lines import HeadCell, head_of
from ingest.readers.pdf.rows import Line, is_right_to_left, line_of, row_text, rows_of
from ingest.readers.pdf.ruled_lines import Rule
from ingest.readers.pdf.segments import Segment

_LETTER = regex.compile(r"\p{L}")

_GridSegments = tuple[Grid, list[Segment]]


def with_tables_apart(segments: list[Segment], grids: Sequence[Grid]) -> tuple[list[Segment], list[_GridSegments]]:
    """Return `segments` with one segment for each table of `grids`, and the tables with their own segments."""
    tables: list[_GridSegments] = []
    apart: list[Segment] = []
    numbers: set[int] = set()
    for grid in grids:
        own = [segment for segment in segments if segment.cell in grid.cells]
        if not own:
            continue
        tables.append((grid, own))
        numbers |= grid.cells.keys()
        top = max(own, key=lambda segment: segment.baseline)
        apart.append(
            replace(
                top,
                left=min(segment.left for segment in own),
                right=max(segment.right for segment in own),
                words=(),
                grid=len(tables),
            )
        )
    return [segment for segment in segments if segment.cell not in numbers] + apart, tables


def lines_with_tables(
    rows: list[list[Segment]], rules: Sequence[Rule], tables: Sequence[_GridSegments], region: int, left: int
) -> Iterator[Line]:
    """Yield the lines of a column of the page; each row of a table is one."""
    waiting: list[list[Segment]] = []
    for row in rows:
        grids = [segment for segment in row if segment.grid]
        if grids:
            yield from _lines(waiting, rules, region, left)
            waiting = []
            for segment in grids:
                lines = _grid_lines(*tables[segment.grid - 1], region, left)
                yield from (replace(line, table=segment.grid) for line in lines)
        if rest := [segment for segment in row if not segment.grid]:
            waiting.append(rest)
    yield from _lines(waiting, rules, region, left)


def _lines(rows: list[list[Segment]], rules: Sequence[Rule], region: int, left: int) -> Iterator[Line]:
    sorted_rows = [sorted(row, key=lambda segment: segment.left) for row in rows]
    done = 0
    for table in tables_of(sorted_rows, rules):
        head = head_of(sorted_rows, table, rules, done)
        first = table.first if head is None else min(table.first, head.first)
        yield from (line_of(row, region, left) for row in rows[done:first])
        is_backward = _is_backward([segment for row in rows[table.first : table.end] for segment in row])
        order = range(len(table.columns))[:: -1 if is_backward else 1]
        if head is not None:
            top = line_of(rows[first], region, left)
            yield from (replace(top, **_head_cells(level, table, order)) for level in head.levels)
        for place, numbers in enumerate(table.rows):
            if head is not None and place < head.rows:
                continue
            pieces: list[list[str]] = [[] for _ in table.columns]
            for number in numbers:
                for column, text in cells_of(sorted_rows[number], table.columns):
                    pieces[column].append(text)
            cells = [joined_cell(column) for column in pieces]
            cells[0] = table.labels.get(place, cells[0])
            whole = line_of([segment for number in numbers for segment in rows[number]], region, left)
            yield replace(
                whole,
                text=CELL_DIVIDER.join(cells[number] for number in order if cells[number]),
                cells=tuple(cells[number] for number in order),
                fonts=_fonts([segment for number in numbers for segment in rows[number]]),
                columns=tuple(table.columns[number] for number in order),
                is_head=None if head is None else False,
            )
        done = table.end
    yield from (line_of(row, region, left) for row in rows[done:])


def _head_cells(level: Sequence[HeadCell], table: Table, order: Sequence[int]) -> dict[str, Any]:
    """Return the fields of the line for one level of a header."""
    texts, origins = [""] * len(table.columns), list(range(len(table.columns)))
    for cell in level:
        for column in range(cell.first, cell.last + 1):
            texts[column], origins[column] = cell.text, cell.first
    return {
        "text": CELL_DIVIDER.join(cell.text for cell in level),
        "cells": tuple(texts[column] for column in order),
        "columns": tuple(table.columns[column] for column in order),
        "origins": tuple(origins[column] for column in order),
        "is_head": True,
    }


def _grid_lines(grid: Grid, segments: list[Segment], region: int, left: int) -> Iterator[Line]:
    """Yield the rows of a table with known cells; a merged cell is in each row that it spans."""
    by_cell: dict[int, list[Segment]] = {}
    for segment in segments:
        by_cell.setdefault(segment.cell, []).append(segment)
    width = len(grid.columns)
    is_backward = grid.is_as_seen and _is_backward(segments)
    order = range(width)[:: -1 if is_backward else 1]
    heads = grid.header_rows
    for number in range(grid.row_count):
        texts, origins = [""] * width, list(range(width))
        own: list[Segment] = []
        for name, cell in grid.cells.items():
            if name not in by_cell or not cell.row <= number < cell.row + cell.rows:
                continue
            own += by_cell[name] if cell.row == number else []
            text = joined_cell([row_text(row) for row in rows_of(by_cell[name])])
            for column in range(cell.column, min(cell.column + cell.columns, width)):
                texts[column], origins[column] = text, cell.column
        if not any(texts):
            continue
        yield replace(
            line_of(sorted(own, key=lambda segment: segment.left) or segments, region, left),
            text=CELL_DIVIDER.join(texts[column] for column in order if texts[column]),
            cells=tuple(texts[column] for column in order),
            fonts=_fonts(own),
            columns=tuple(grid.columns[column] for column in order),
            origins=tuple(origins[column] for column in order),
            is_head=number < heads if heads else None,
        )


def _fonts(segments: Sequence[Segment]) -> tuple[int, ...]:
    return tuple({font for segment in segments for font in segment.fonts})


def _is_backward(segments: Sequence[Segment]) -> bool:
    return is_right_to_left([segment for segment in segments if _LETTER.search(segment.text)])
