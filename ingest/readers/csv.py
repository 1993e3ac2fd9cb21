"""Read CSV and TSV files: one line per row, each value next to its column's header."""

from __future__ import annotations

import csv
import io
from typing import Literal

import regex

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_CELLS, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.tables import Cell, sheet_blocks, too_many_cells

_DELIMITERS = ",;\t|"
_TOLD = regex.compile(r"\s*\"?sep=(.)\"?[ \t]*\r?\n", regex.I)
_SAMPLE = 20_000


def read_csv(data: bytes) -> RawDocument:
    """Return the rows of a CSV or TSV file. Raises ReadError for more cells than the limit."""
    delimiter, text = _told(decode(data).text)
    rows: list[list[Cell]] = []
    count = 0
    try:
        for row in _rows(text, delimiter or _delimiter(text)):
            count += len(row)
            if count > MAX_CELLS:
                raise too_many_cells()
            rows.append([Cell(value) for value in row])
    except csv.Error:
        return RawDocument((Block(text),), READER.media_types[0])
    return RawDocument(tuple(sheet_blocks(rows)), READER.media_types[0])


def _rows(text: str, delimiter: str) -> list[list[str]]:
    """Return the rows of a table; a quotation mark without a closing one is an ordinary character."""
    try:
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        quoting: Literal[0, 3] = csv.QUOTE_NONE if "end of data" in str(error) else csv.QUOTE_MINIMAL
        return list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, quoting=quoting))


def _told(text: str) -> tuple[str | None, str]:
    """Return the delimiter that the first line declares, as in Excel's files (``sep=;``), and the lines below it."""
    match = _TOLD.match(text)
    return (match[1], text[match.end() :]) if match else (None, text)


def _delimiter(text: str) -> str:
    """Return the delimiter that gives the same number of cells, more than one, in most of the first lines."""
    lines = [line for line in text[:_SAMPLE].splitlines() if line.strip()][:50]

    def worth(delimiter: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=delimiter) if row]
        usual = max(set(counts), key=counts.count, default=1)
        return (counts.count(usual) if usual > 1 else 0), usual

    try:
        return max(_DELIMITERS, key=worth)
    except csv.Error:
        return ","


READER = Reader(
    name="CSV table",
    suffixes=(".csv", ".tsv", ".tab"),
    media_types=("text/csv", "text/tab-separated-values"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_csv,
    is_certain=False,
)
