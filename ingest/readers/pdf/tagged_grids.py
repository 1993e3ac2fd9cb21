"""Read tables from a PDF's tags: browsers, Word and others store which text is a cell, and what it spans.

Some programs leave blank cells out of the tags. If a row lacks cells, each of its cells belongs to the column above it.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any

from ingest.readers.pdf.cells import Interval
from ingest.readers.pdf.glyphs import Glyph
from ingest.readers.pdf.grids import MOST_COLUMNS, MOST_ROWS, Grid, GridCell, is_table, numbered

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

MOST_ELEMENTS = 50_000
"""Tags per page."""

DEEPEST = 60
MOST_WAYS = 5_000
"""Ways to put cells into columns; if there are more, a row is filled from the left."""

_Extents = dict[int, Interval]


@dataclass(frozen=True, slots=True)
class _Cell:
    contents: frozenset[int]
    rows: int
    columns: int
    is_header: bool


_Row = list[_Cell | None]


def tagged_grids(page: PdfPage, glyphs: list[Glyph]) -> tuple[list[Glyph], list[Grid]]:
    """Return `glyphs` with the numbers of the cells in the page's tags, and the tables of these cells."""
    extents: _Extents = {}
    for glyph in glyphs:
        if glyph.content >= 0 and glyph.angle == 0:
            left, right = extents.get(glyph.content, (glyph.left, glyph.right))
            extents[glyph.content] = min(left, glyph.left), max(right, glyph.right)
    grids: list[Grid] = []
    for rows in _tables(page):
        if (placed := _placed(rows, extents)) is None:
            continue
        cells = {content: cell for cell, source in placed.items() for content in source.contents}
        places = [cells.get(glyph.content) if glyph.content >= 0 and not glyph.cell else None for glyph in glyphs]
        letters: dict[GridCell, int] = {}
        for glyph, cell in zip(glyphs, places, strict=True):
            if cell is not None:
                letters[cell] = letters.get(cell, 0) + len(glyph.text.strip())
        if not is_table(placed, letters) or any(
            glyph.angle for glyph, cell in zip(glyphs, places, strict=True) if cell
        ):
            continue
        first = max((glyph.cell for glyph in glyphs), default=0) + 1
        marked = numbered(glyphs, places, first)
        used = {glyph.cell: cell for glyph, cell in zip(marked, places, strict=True) if cell is not None}
        glyphs = [new if cell else old for old, new, cell in zip(glyphs, marked, places, strict=True)]
        grids.append(Grid(used, _columns(placed, extents), is_as_seen=False))
    return glyphs, grids


def _placed(rows: Sequence[_Row], extents: _Extents) -> dict[GridCell, _Cell] | None:
    """Return the cells of a table at their rows and columns; None if the tags don't make a table."""
    width = _width(rows)
    if not 1 < width <= MOST_COLUMNS or not 1 < len(rows) <= MOST_ROWS:
        return None
    usual = _usual_columns(rows, width, extents)
    found: dict[GridCell, _Cell] = {}
    below = [0] * width
    """For each column, how many more rows a cell above extends down."""
    for number, row in enumerate(rows):
        free = [column for column in range(width) if not below[column]]
        below = [max(0, left - 1) for left in below]
        for cell, column in _in_columns(row, free, usual, extents):
            columns = min(cell.columns, width - column)
            for each in range(column, column + columns):
                below[each] = max(below[each], cell.rows - 1)
            found[GridCell(number, column, min(cell.rows, len(rows) - number), columns, cell.is_header)] = cell
    return found


def _width(rows: Sequence[_Row]) -> int:
    """Return the number of columns of the fullest row, including cells that extend into it from above."""
    below: list[list[int]] = []
    widest = 0
    for row in rows:
        count = sum(columns for columns, _ in below) + sum(cell.columns if cell else 1 for cell in row)
        widest = max(widest, count)
        below = [[columns, left - 1] for columns, left in below if left > 1]
        below += [[cell.columns, cell.rows - 1] for cell in row if cell and cell.rows > 1]
    return widest


def _usual_columns(rows: Sequence[_Row], width: int, extents: _Extents) -> list[Interval | None]:
    """Return where the texts of each column begin and end, by the rows that lack no cell."""
    found: list[Interval | None] = [None] * width
    below = [0] * width
    for row in rows:
        free = [column for column in range(width) if not below[column]]
        below = [max(0, left - 1) for left in below]
        if sum(cell.columns if cell else 1 for cell in row) != len(free):
            continue
        place = 0
        for cell in row:
            columns = free[place : place + (cell.columns if cell else 1)]
            place += len(columns)
            if cell is None or not columns:
                continue
            for column in columns:
                below[column] = max(below[column], cell.rows - 1)
            edges = _extent(cell, extents)
            if len(columns) == 1 and edges:
                old = found[columns[0]] or edges
                found[columns[0]] = min(old[0], edges[0]), max(old[1], edges[1])
    return found


def _in_columns(
    row: _Row, free: Sequence[int], usual: Sequence[Interval | None], extents: _Extents
) -> Iterator[tuple[_Cell, int]]:
    """Yield the cells of a row with the column in which each begins."""
    needed = sum(cell.columns if cell else 1 for cell in row)
    if needed >= len(free) or any(cell is None for cell in row):
        place = 0
        for cell in row:
            if cell is not None and place < len(free):
                yield cell, free[place]
            place += cell.columns if cell else 1
        return
    cells = [cell for cell in row if cell is not None]
    best: tuple[float, tuple[int, ...]] | None = None
    for tried, starts in enumerate(combinations(range(len(free)), len(cells))):
        if tried >= MOST_WAYS:
            break
        ends = [start + cell.columns for start, cell in zip(starts, cells, strict=True)]
        if ends[-1] > len(free) or any(end > start for end, start in zip(ends, starts[1:], strict=False)):
            continue
        cost = sum(
            _apart(_extent(cell, extents), [usual[free[column]] for column in range(start, end)])
            for cell, start, end in zip(cells, starts, ends, strict=True)
        )
        if best is None or cost < best[0] - 0.01:
            best = cost, starts
    if best is not None:
        yield from ((cell, free[start]) for cell, start in zip(cells, best[1], strict=True))


def _apart(one: Interval | None, columns: Sequence[Interval | None]) -> float:
    """Return the distance of a text from a column's texts: of its nearest edge, or its middle."""
    known = [column for column in columns if column]
    if one is None or not known:
        return 0.0
    left, right = min(column[0] for column in known), max(column[1] for column in known)
    middles = abs((one[0] + one[1]) / 2 - (left + right) / 2)
    return min(abs(one[0] - left), abs(one[1] - right), middles)


def _extent(cell: _Cell, extents: _Extents) -> Interval | None:
    edges = [extents[content] for content in cell.contents if content in extents]
    return (min(left for left, _ in edges), max(right for _, right in edges)) if edges else None


def _columns(placed: dict[GridCell, _Cell], extents: _Extents) -> tuple[Interval, ...]:
    """Return where the columns begin and end; one without text has no width."""
    columns: list[Interval] = []
    for number in range(max(cell.column + cell.columns for cell in placed)):
        edges = [
            edge
            for cell, source in placed.items()
            if cell.column == number and cell.columns == 1 and (edge := _extent(source, extents))
        ]
        end = columns[-1][1] if columns else 0.0
        columns.append((min(left for left, _ in edges), max(right for _, right in edges)) if edges else (end, end))
    return tuple(columns)


def _tables(page: PdfPage) -> Iterator[list[_Row]]:
    """Yield the rows of each table in the page's tags; a nested table belongs to its cell."""
    from pypdfium2 import raw

    tree = raw.FPDF_StructTree_GetForPage(page)
    if not tree:
        return
    try:
        left = [MOST_ELEMENTS]
        for number in range(raw.FPDF_StructTree_CountChildren(tree)):
            yield from _tables_in(raw.FPDF_StructTree_GetChildAtIndex(tree, number), left, 0)
    finally:
        raw.FPDF_StructTree_Close(tree)


def _tables_in(element: Any, left: list[int], depth: int) -> Iterator[list[_Row]]:  # noqa: ANN401 - a pointer of PDFium
    left[0] -= 1
    if not element or left[0] < 0 or depth > DEEPEST:
        return
    if _type(element) == "Table":
        yield [_row(row, left) for row in _rows(element)]
        return
    for child in _children(element):
        yield from _tables_in(child, left, depth + 1)


def _rows(table: Any) -> Iterator[Any]:  # noqa: ANN401 - a pointer of PDFium
    for child in _children(table):
        if child and _type(child) == "TR":
            yield child
        elif child and _type(child) in ("THead", "TBody", "TFoot"):
            yield from (row for row in _children(child) if row and _type(row) == "TR")


def _row(row: Any, left: list[int]) -> _Row:  # noqa: ANN401 - a pointer of PDFium
    cells: _Row = []
    for child in _children(row):
        if not child:
            cells.append(None)  # a cell without any content on this page
        elif _type(child) in ("TH", "TD"):
            said = _numbers(child)
            contents = frozenset(_contents(child, left, 0))
            cells.append(_Cell(contents, said.get("RowSpan", 1), said.get("ColSpan", 1), _type(child) == "TH"))
    return cells


def _contents(element: Any, left: list[int], depth: int) -> Iterator[int]:  # noqa: ANN401 - a pointer of PDFium
    from pypdfium2 import raw

    left[0] -= 1
    if left[0] < 0 or depth > DEEPEST:
        return
    for number in range(raw.FPDF_StructElement_CountChildren(element)):
        content = raw.FPDF_StructElement_GetChildMarkedContentID(element, number)
        child = raw.FPDF_StructElement_GetChildAtIndex(element, number)
        if content >= 0:
            yield content
        elif child:
            yield from _contents(child, left, depth + 1)


def _children(element: Any) -> Iterator[Any]:  # noqa: ANN401 - a pointer of PDFium
    """Yield the direct children of an element; None for one without content on this page."""
    from pypdfium2 import raw

    for number in range(raw.FPDF_StructElement_CountChildren(element)):
        if raw.FPDF_StructElement_GetChildMarkedContentID(element, number) < 0:
            yield raw.FPDF_StructElement_GetChildAtIndex(element, number) or None


def _type(element: Any) -> str:  # noqa: ANN401 - a pointer of PDFium
    from pypdfium2 import raw

    return _text(lambda buffer, size: raw.FPDF_StructElement_GetType(element, buffer, size))


def _text(get: Callable[[Any, int], int]) -> str:
    size = get(None, 0)
    if not 2 < size < 1_000:
        return ""
    buffer = ctypes.create_string_buffer(size)
    get(buffer, size)
    return buffer.raw[: size - 2].decode("utf-16-le", "replace")


def _numbers(element: Any) -> dict[str, int]:  # noqa: ANN401 - a pointer of PDFium
    """Return the numeric attributes of an element: a cell's spans."""
    from pypdfium2 import raw

    found = {}
    for number in range(raw.FPDF_StructElement_GetAttributeCount(element)):
        attribute = raw.FPDF_StructElement_GetAttributeAtIndex(element, number)
        for name in ("RowSpan", "ColSpan"):
            value = raw.FPDF_StructElement_Attr_GetValue(attribute, name.encode())
            amount = ctypes.c_float()
            if value and raw.FPDF_StructElement_Attr_GetNumberValue(value, ctypes.byref(amount)):
                found[name] = max(1, min(int(amount.value), MOST_ROWS))
    return found
