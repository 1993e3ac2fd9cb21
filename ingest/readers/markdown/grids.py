"""Read Pandoc's tables drawn with characters: grid tables, and simple ones whose columns are below dashes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from ingest.lines import column_count

if TYPE_CHECKING:
    from markdown_it.rules_block import StateBlock

_RULE = regex.compile(r"\+(?:[-=:]+\+)+")
_GROUPS = regex.compile(r" *-{2,}(?: +-{2,})+ *")
_FULL = regex.compile(r" {0,3}-{10,} *")
_DASHES = frozenset("-=:+")
_MOST_LINES = 5_000
_MOST_HEADER_LINES = 5

_Chars = list[str]
"""A line, column by column: a zero-width character is with the one before it."""


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    rows: int = 1
    columns: int = 1
    is_header: bool = False


def grid_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table drawn with ``+``, ``-`` and ``|``, whose cells may span rows and columns."""
    if not _RULE.fullmatch(_line(state, start).strip()):
        return False
    last = start
    while last + 1 < min(end, start + _MOST_LINES) and _line(state, last + 1).strip()[:1] in ("+", "|"):
        last += 1
    lines = [_line(state, number).strip() for number in range(start, last + 1)]
    rows = _grid_rows([_by_columns(line) for line in lines]) or _grid_rows(_aligned(lines))
    if not rows:
        return False
    if not silent:
        _push_table(state, rows, start, last + 1)
    return True


def simple_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """Parse a table whose columns are below groups of dashes."""
    end = min(end, start + _MOST_LINES)
    groups = start if _GROUPS.fullmatch(_line(state, start)) else start + 1
    if _FULL.fullmatch(_line(state, start)):
        span = range(start + 1, min(end, start + 2 + _MOST_HEADER_LINES))
        groups = next((number for number in span if _GROUPS.fullmatch(_line(state, number))), end)
    if groups >= end or not _GROUPS.fullmatch(_line(state, groups)):
        return False
    is_multiline = bool(_FULL.fullmatch(_line(state, start)))
    last, is_closed = _end_of_table(state, groups + 1, end, has_blanks=is_multiline)
    if last == groups + 1 or (not is_closed and (is_multiline or groups == start)):
        return False
    starts = [match.start() for match in regex.finditer(r"-+", _line(state, groups))]
    header = [_line(state, number) for number in range(start + is_multiline, groups)]
    body = [_line(state, number) for number in range(groups + 1, last)]
    rows = [[_Cell(text, is_header=True) for text in _cut([header], starts)[0]]] if header else []
    parts = (
        _between_blanks(body) if is_multiline and any(not line.strip() for line in body) else [[line] for line in body]
    )
    rows += [[_Cell(text) for text in texts] for texts in _cut(parts, starts)]
    if not silent:
        _push_table(state, rows, start, last + is_closed)
    return True


def _end_of_table(state: StateBlock, first: int, end: int, *, has_blanks: bool) -> tuple[int, bool]:
    """Return the line at which a table ends, and whether that is one of dashes."""
    for number in range(first, end):
        line = _line(state, number)
        if _is_dashes(line):
            return number, True
        if not line.strip() and not has_blanks:
            return number, False
    return end, False


def _line(state: StateBlock, number: int) -> str:
    return state.src[state.bMarks[number] : state.eMarks[number]]


def _is_dashes(line: str) -> bool:
    return bool(_FULL.fullmatch(line) or _GROUPS.fullmatch(line))


def _between_blanks(lines: Sequence[str]) -> list[list[str]]:
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip():
            parts[-1].append(line)
        elif parts[-1]:
            parts.append([])
    return [part for part in parts if part]


def _cut(rows: Iterable[Sequence[str]], starts: Sequence[int]) -> list[list[str]]:
    """Return the texts of each row by column; a column extends to the beginning of the next one."""
    edges = [0, *starts[1:], None]
    cut: list[list[str]] = []
    for lines in rows:
        by_columns = [_by_columns(line) for line in lines]
        cut.append(
            [
                " ".join("".join(line[left:right]).strip() for line in by_columns).strip()
                for left, right in pairwise(edges)
            ]
        )
    return cut


def _by_columns(line: str) -> _Chars:
    """Return a line by visual columns: a combining mark is with its letter, a Chinese character fills two columns."""
    columns: _Chars = []
    for character in line:
        width = column_count(character)
        if width == 0 and columns:
            columns[-1] += character
        else:
            columns += [character, *[""] * (width - 1)]
    return columns


def _aligned(lines: Sequence[str]) -> list[_Chars]:
    """Return the lines of a grid whose cells have other widths than drawn, for example because of a misleading font."""
    parts = [line.strip("+|").split("+" if _RULE.fullmatch(line) else "|") for line in lines]
    if len({len(part) for part in parts}) > 1:
        return [_by_columns(line) for line in lines]
    widths = [max(column_count(text) for text in column) for column in zip(*parts, strict=True)]
    aligned: list[_Chars] = []
    for line, texts in zip(lines, parts, strict=True):
        edge, filling = ("+", texts[0][:1]) if _RULE.fullmatch(line) else ("|", " ")
        cells = (text + filling * (width - column_count(text)) for text, width in zip(texts, widths, strict=True))
        aligned.append(_by_columns(f"{edge}{edge.join(cells)}{edge}"))
    return aligned


def _grid_rows(grid: list[_Chars]) -> list[list[_Cell]]:
    """Return the cells of a grid row by row; nothing if its lines don't meet."""
    width = len(grid[0])
    if any(len(line) != width or line[-1] not in "+|" for line in grid) or any(c not in _DASHES for c in grid[-1]):
        return []
    lefts = sorted({x for line in grid for x, mark in enumerate(line) if mark == "+" and _is_corner(line, x)})
    tops = [y for y, line in enumerate(grid) if any(_is_rule(line, left, right) for left, right in pairwise(lefts))]
    if len(tops) < 2:
        return []
    head_end = next((y for y in tops[1:-1] if "=" in grid[y]), 0)
    covered: set[tuple[int, int]] = set()
    rows: list[list[_Cell]] = []
    for row in range(len(tops) - 1):
        cells: list[_Cell] = []
        for column in range(len(lefts) - 1):
            if (row, column) in covered:
                continue
            columns, down = _span(grid, tops, lefts, row, column)
            covered |= {(row + y, column + x) for y in range(down) for x in range(columns)}
            region = (
                line[lefts[column] + 1 : lefts[column + columns]] for line in grid[tops[row] + 1 : tops[row + down]]
            )
            text = "\n".join(part for line in region if (part := "".join(line).strip()))
            cells.append(_Cell(text, down, columns, is_header=tops[row] < head_end))
        rows.append(cells)
    return rows


def _is_corner(line: _Chars, x: int) -> bool:
    return (x > 0 and line[x - 1] in "-=:") or (x + 1 < len(line) and line[x + 1] in ("-", "=", ":"))


def _is_rule(line: _Chars, left: int, right: int) -> bool:
    return right - left > 1 and all(mark in _DASHES for mark in line[left + 1 : right])


def _span(grid: list[_Chars], tops: list[int], lefts: list[int], row: int, column: int) -> tuple[int, int]:
    """Return how many columns and rows a cell spans: until a line ends it."""
    columns = down = 1
    while column + columns < len(lefts) - 1:
        edge = lefts[column + columns]
        if all(line[edge] in "|+" for line in grid[tops[row] + 1 : tops[row + 1]]):
            break
        columns += 1
    while row + down < len(tops) - 1 and not _is_rule(grid[tops[row + down]], lefts[column], lefts[column + 1]):
        down += 1
    return columns, down


def _push_table(state: StateBlock, rows: Sequence[Sequence[_Cell]], start: int, end: int) -> None:
    state.push("table_open", "table", 1).map = [start, end]
    for row in rows:
        state.push("tr_open", "tr", 1)
        for cell in row:
            tag = "th" if cell.is_header else "td"
            opening = state.push(f"{tag}_open", tag, 1)
            opening.attrs = {"rowspan": cell.rows, "colspan": cell.columns}
            inline = state.push("inline", "", 0)
            inline.content, inline.children, inline.map = cell.text, [], [start, end]
            state.push(f"{tag}_close", tag, -1)
        state.push("tr_close", "tr", -1)
    state.push("table_close", "table", -1)
    state.line = end
