"""Excel workbooks (.xlsx) -> a heading for each sheet and a line for each row, without what is hidden or struck.

openpyxl reads the values row by row. Which cells are merged and which rows and columns are hidden it doesn't say in that
mode: they are taken from the sheet's XML.
"""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import regex

from ingest.blocks import Block, RawDocument
from ingest.limits import MAX_CELLS, MAX_FILE_BYTES
from ingest.readers.archive import BROKEN, damaged_parts, names_part, opened_archive
from ingest.readers.base import Reader
from ingest.readers.tables import Cell, sheet_blocks, too_many_cells
from store.errors import ReadError

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RANGE = regex.compile(r"^([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})$")
_DECIMALS = regex.compile(r"\.(0+)%")
_DEFAULT_NAME = regex.compile(r"^(?:sheet|tabelle|feuil|hoja|แผ่น|trang tính)\s*\d*$", regex.I)
_WIDEST = 1_000


@dataclass(slots=True)
class _Layout:
    """What a sheet's XML says beyond its values; rows and columns are counted from 1."""

    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """First row and column of merged cells -> the rows and columns that they span."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)


def read_xlsx(data: bytes) -> RawDocument:
    """Return the rows of all visible sheets. Raises ReadError for a damaged or encrypted workbook, or too many cells."""
    archive = opened_archive(data)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with archive:
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            blocks = tuple(_blocks(workbook, archive))
            properties = workbook.properties
    except ReadError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, SyntaxError, InvalidFileException, *BROKEN) as error:
        raise damaged_parts() from error
    return RawDocument(blocks, READER.media_types[0], title=properties.title or None, author=properties.creator or None)


def _blocks(workbook: Workbook, archive: zipfile.ZipFile) -> Iterator[Block]:
    sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    for sheet in sheets:
        layout = _layout(archive, vars(sheet)["_worksheet_path"])
        blocks = list(sheet_blocks(list(_rows(sheet, layout))))
        if blocks and (len(sheets) > 1 or not _DEFAULT_NAME.match(sheet.title)):
            yield Block(sheet.title, "heading")
        yield from blocks


def _rows(sheet: Any, layout: _Layout) -> Iterator[list[Cell]]:  # noqa: ANN401 - openpyxl's read-only sheet
    sheet.reset_dimensions()
    count = 0
    for number, row in enumerate(sheet.iter_rows(), start=1):
        count += len(row)
        if count > MAX_CELLS:
            raise too_many_cells()
        if number in layout.hidden_rows:
            continue
        cells: list[Cell] = []
        covered = 0
        for column, cell in enumerate(row[:_WIDEST], start=1):
            if column <= covered:
                continue
            rows, columns = layout.merged.get((number, column), (1, 1))
            covered = column + columns - 1
            if column not in layout.hidden_columns and not _is_covered(layout, number, column):
                cells.append(Cell(_shown(cell), rows=rows, columns=columns))
        yield cells


def _is_covered(layout: _Layout, row: int, column: int) -> bool:
    """Return whether a place belongs to a cell that is merged down from a row above."""
    return any(
        first_row < row < first_row + rows and first <= column < first + columns
        for (first_row, first), (rows, columns) in layout.merged.items()
        if rows > 1
    )


def _layout(archive: zipfile.ZipFile, path: str) -> _Layout:
    from lxml import etree

    layout = _Layout()
    with archive.open(path.lstrip("/")) as part:
        for _, element in etree.iterparse(part, resolve_entities=False, no_network=True, huge_tree=False):
            if element.tag == f"{_S}mergeCell" and (match := _RANGE.match(element.get("ref", ""))):
                left, top, right, bottom = _column(match[1]), int(match[2]), _column(match[3]), int(match[4])
                if len(layout.merged) < 20_000:
                    layout.merged[top, left] = (min(bottom - top + 1, 1_000), min(right - left + 1, _WIDEST))
            elif element.tag == f"{_S}row" and element.get("hidden") in ("1", "true"):
                layout.hidden_rows.add(int(element.get("r", "0")))
            elif element.tag == f"{_S}col" and element.get("hidden") in ("1", "true"):
                last = min(int(element.get("max", "0")), _WIDEST)
                layout.hidden_columns.update(range(int(element.get("min", "1")), last + 1))
            if element.tag in (f"{_S}row", f"{_S}c"):
                element.clear()
    return layout


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _shown(cell: Any) -> str:  # noqa: ANN401 - openpyxl's cells have no common type
    """Return a cell's value as a person reads it; empty where it is struck out."""
    value = cell.value
    if value is None or (cell.has_style and cell.font is not None and cell.font.strike):
        return ""
    if isinstance(value, datetime.datetime):
        has_time = (value.hour, value.minute, value.second) != (0, 0, 0)
        return value.isoformat(" ", "minutes") if has_time else value.date().isoformat()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(value, cell.number_format or "")
    return str(value).upper() if isinstance(value, bool) else str(value)


def _number(value: float, number_format: str) -> str:
    if "%" in number_format:
        decimals = _DECIMALS.search(number_format)
        return f"{value * 100:.{len(decimals[1]) if decimals else 0}f}%"
    if isinstance(value, int):
        return f"{value:,}" if "#,##0" in number_format else str(value)
    fixed = regex.search(r"0\.(0+)", number_format)
    if fixed:
        return f"{value:{',' if '#,##0' in number_format else ''}.{len(fixed[1])}f}"
    return f"{value:.15g}"


READER = Reader(
    name="Excel workbook",
    suffixes=(".xlsx", ".xlsm"),
    media_types=("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    max_bytes=MAX_FILE_BYTES,
    read=read_xlsx,
    recognizes=lambda data: names_part(data, b"xl/workbook.xml"),
)
