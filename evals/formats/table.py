"""CSV as spreadsheets write it: commas, semicolons or tabs, a `sep=` line, columns that hold nothing."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from evals.formats.problems import at

SEPARATORS = ",;\t"
_NUMBERED = re.compile(r"Unnamed: [0-9.]+")
"""What pandas calls the columns of row numbers that it wrote without a heading before."""


def table_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row as (its first line, cell by heading), without empty rows, columns without a heading, and the row
    numbers that pandas puts first.

    Raises SuiteError with the line: a heading that stands twice, a cell beyond the headings, broken quotation marks.
    """
    separator, skipped, body = _separator(text)
    reader = _reader(body, separator)
    headings: list[str] = []
    last = skipped
    try:
        for row in reader:
            line, last = last + 1, skipped + reader.line_num
            if not any(cell.strip() for cell in row):
                continue
            if not headings:
                headings = _headings(row, path, line)
                continue
            if any(cell.strip() for cell in _beyond(row, headings)):
                named = len([heading for heading in headings if heading])
                raise at(path, line, f"{_filled(row)} cells, but line {skipped + 1} names {named} columns.")
            yield line, {heading: cell for heading, cell in zip(headings, row, strict=False) if heading}
    except csv.Error as error:
        raise at(path, skipped + reader.line_num, f"this row can't be read: {error}.") from error


def headings_of(text: str) -> tuple[str, ...]:
    """Return the headings of a table, stripped and in lower case; empty if its first line can't be read."""
    separator, _, body = _separator(text)
    try:
        first: list[str] = next(_reader(body.lstrip("\n"), separator), [])
    except csv.Error:
        return ()
    return tuple(_name(cell).lower() for cell in first)


def _reader(body: str, separator: str) -> Any:  # noqa: ANN401 - the csv module's reader has no name
    # Some write a space behind each comma.
    return csv.reader(StringIO(body), delimiter=separator, strict=True, skipinitialspace=True)


def _name(cell: str) -> str:
    """Return the name of a column; empty where it has none."""
    name = cell.strip()
    return "" if _NUMBERED.fullmatch(name) else name


def _beyond(row: list[str], headings: list[str]) -> list[str]:
    """Return the cells that no heading names, without the numbers before the first that one does."""
    first = next(place for place, heading in enumerate(headings) if heading)
    unnamed = [
        cell
        for place, (heading, cell) in enumerate(zip(headings, row, strict=False))
        if not heading and not (place < first and cell.strip().isdecimal())
    ]
    return row[len(headings) :] + unnamed


def _separator(text: str) -> tuple[str, int, str]:
    """Return (separator, lines before the headings, the rest): as a first line `sep=;` says, else as the headings do."""
    first, _, rest = text.partition("\n")
    named = first.strip().strip('"').lower()
    if named.startswith("sep=") and len(named) in {4, 5}:
        return ("\t" if len(named) == 4 else named[4]), 1, rest
    heading = text.lstrip("\n").split("\n", 1)[0]
    return max(SEPARATORS, key=heading.count), 0, text


def _headings(row: list[str], path: Path, line: int) -> list[str]:
    headings = [_name(cell) for cell in row]
    named = [heading for heading in headings if heading]
    if len(set(named)) < len(named):
        raise at(path, line, "a column stands twice.")
    return headings


def _filled(row: list[str]) -> int:
    """Return how many cells a row has, without empty ones at its end."""
    return max(number for number, cell in enumerate(row, 1) if cell.strip())
