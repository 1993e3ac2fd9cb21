"""Read Excel workbooks (.xlsx): a heading per sheet and a line per row, without what is hidden or struck.

openpyxl reads the values row by row. In that mode it doesn't say which cells are merged and which rows and columns are
hidden, so these come from the sheet's XML.
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
from ingest.readers.number_formats import shown_duration, shown_number
from ingest.readers.tables import Cell, sheet_blocks, too_many_cells
from ingest.scripts import shifted
from store.errors import ReadError

if TYPE_CHECKING:
    from lxml.etree import _Element
    from openpyxl.workbook import Workbook

_S = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_RANGE = regex.compile(r"^([A-Z]{1,3})(\d{1,7}):([A-Z]{1,3})(\d{1,7})$")
_MISSING = (
    "{count} of its cells hold formulas without their results: open it in a spreadsheet program, save it, add it again."
)
_DEFAULT_NAME = regex.compile(r"^(?:sheet|tabelle|feuil|hoja|แผ่น|trang tính)\s*\d*$", regex.I)
_WIDEST = 1_000
_MOMENTS = (datetime.date, datetime.time, datetime.timedelta)
_ALL_SECTIONS = 3
"""Semicolons of a number format that also has a part for text."""


@dataclass(slots=True)
class _Layout:
    """A sheet's XML beyond its values; rows and columns are counted from 1."""

    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """First row and column of merged cells -> the rows and columns that they span."""
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    parts: dict[str, str] = field(default_factory=dict)
    """The text of cells with separate parts, because openpyxl doesn't say which of them are struck."""
    without_value: int = 0
    """The number of cells with a formula but no result."""


def read_xlsx(data: bytes) -> RawDocument:
    """Return the rows of all visible sheets. Raises ReadError for a damaged or encrypted workbook, or too many cells."""
    archive = opened_archive(data)
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with archive:
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True, rich_text=True)
            layouts = _layouts(workbook, archive)
            blocks = tuple(_blocks(layouts))
            properties = workbook.properties
    except ReadError:
        raise
    except (KeyError, TypeError, AttributeError, IndexError, SyntaxError, InvalidFileException, *BROKEN) as error:
        raise damaged_parts() from error
    missing = sum(layout.without_value for _, layout in layouts)
    return RawDocument(
        blocks,
        READER.media_types[0],
        title=properties.title or None,
        author=properties.creator or None,
        notices=(_MISSING.format(count=f"{missing:,}"),) if missing else (),
    )


def _layouts(workbook: Workbook, archive: zipfile.ZipFile) -> list[tuple[Any, _Layout]]:
    """Return the visible sheets, each with the data from its XML."""
    sheets = [sheet for sheet in workbook.worksheets if sheet.sheet_state == "visible"]
    return [(sheet, _layout(archive, vars(sheet)["_worksheet_path"])) for sheet in sheets]


def _blocks(sheets: list[tuple[Any, _Layout]]) -> Iterator[Block]:
    for sheet, layout in sheets:
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
                text = layout.parts[cell.coordinate] if layout.parts and _is_in_parts(cell, layout) else _shown(cell)
                cells.append(Cell(text, rows=rows, columns=columns))
        yield cells


def _is_in_parts(cell: Any, layout: _Layout) -> bool:  # noqa: ANN401 - openpyxl's cells have no common type
    return cell.value is not None and cell.coordinate in layout.parts


def _is_covered(layout: _Layout, row: int, column: int) -> bool:
    """Return whether a position belongs to a cell that is merged down from a row above."""
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
            elif element.tag == f"{_S}c":
                if runs := element.findall(f"{_S}is/{_S}r"):
                    layout.parts[element.get("r", "")] = "".join(map(_inline_run, runs))
                layout.without_value += _lacks_result(element)
            elif element.tag == f"{_S}row" and (element.get("hidden") in ("1", "true") or element.get("ht") == "0"):
                layout.hidden_rows.add(int(element.get("r", "0")))
            elif element.tag == f"{_S}col" and (element.get("hidden") in ("1", "true") or element.get("width") == "0"):
                last = min(int(element.get("max", "0")), _WIDEST)
                layout.hidden_columns.update(range(int(element.get("min", "1")), last + 1))
            if element.tag in (f"{_S}row", f"{_S}c"):
                element.clear()
    return layout


def _lacks_result(cell: _Element) -> bool:
    """Return whether a cell has a formula without a result, as from programs that don't calculate."""
    is_text = cell.get("t") == "str"  # An empty text is a result, too.
    return cell.find(f"{_S}f") is not None and not cell.findtext(f"{_S}v") and not is_text


def _inline_run(run: _Element) -> str:
    font = run.find(f"{_S}rPr")
    strike = None if font is None else font.find(f"{_S}strike")
    if strike is not None and strike.get("val") not in ("0", "false"):
        return ""
    shift = None if font is None else font.find(f"{_S}vertAlign")
    return shifted(run.findtext(f"{_S}t") or "", None if shift is None else shift.get("val"))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - 64
    return number


def _shown(cell: Any) -> str:  # noqa: ANN401 - openpyxl's cells have no common type
    """Return a cell's value as a person sees it; empty if it is struck out or hidden by its format."""
    value = cell.value
    if isinstance(value, list):
        return "".join(_run(piece, cell) for piece in value)
    if value is None or (cell.has_style and cell.font is not None and cell.font.strike):
        return ""
    if isinstance(value, _MOMENTS):
        return _moment(value)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return shown_number(value, cell.number_format or "")
    if (cell.number_format or "").count(";") == _ALL_SECTIONS and not (cell.number_format or "").strip("; "):
        return ""
    text = str(value).upper() if isinstance(value, bool) else str(value)
    return shifted(text, cell.font.vertAlign if cell.has_style and cell.font is not None else None)


def _moment(value: datetime.date | datetime.time | datetime.timedelta) -> str:
    if isinstance(value, datetime.timedelta):
        return shown_duration(value)
    if isinstance(value, datetime.time):
        return value.isoformat("seconds" if value.second else "minutes")
    if isinstance(value, datetime.datetime):
        has_time = (value.hour, value.minute, value.second) != (0, 0, 0)
        return value.isoformat(" ", "minutes") if has_time else value.date().isoformat()
    return value.isoformat()


def _run(piece: Any, cell: Any) -> str:  # noqa: ANN401 - openpyxl's text has no common type
    """Return a part of a cell that may be struck or raised separately."""
    font = getattr(piece, "font", None)
    if font is None:
        font = cell.font if cell.has_style else None
    if font is not None and font.strike:
        return ""
    return shifted(str(getattr(piece, "text", piece)), None if font is None else font.vertAlign)


READER = Reader(
    name="Excel workbook",
    suffixes=(".xlsx", ".xlsm"),
    media_types=("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",),
    max_bytes=MAX_FILE_BYTES,
    read=read_xlsx,
    recognizes=lambda data: names_part(data, b"xl/workbook.xml"),
)
