"""Read the rows of a table: CSV as spreadsheets write it, and JSON in any form that tools use.

CSV may have commas, semicolons or tabs, a `sep=` line, and empty columns. JSON may be a list of objects; a list under a
key; objects inside `row`, as from the Hugging Face Hub's viewer; one list per column, as from `datasets`; or one
mapping of row numbers per column, as from pandas.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

from evals.formats.problems import Path_, at
from evals.formats.rows import kind_of_columns

SEPARATORS = ",;\t"
_NUMBERED = re.compile(r"Unnamed: [0-9.]+")
"""pandas' names for the columns of row numbers that it wrote without a heading before."""

Rows = list[tuple[Path_, Any]]
"""Each row with its place in the file."""

_KEYS = ("rows", "goldens", "test_cases", "samples", "data")
"""The keys under which data sets keep their rows."""


def table_rows(text: str, path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield each row of CSV as (its first line, cell by heading), without empty rows, columns without a heading, and
    pandas' row numbers in front.

    Raises SuiteError with the line: a repeated heading, a cell beyond the headings, broken quotation marks.
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
    # Some write a space after each comma.
    return csv.reader(StringIO(body), delimiter=separator, strict=True, skipinitialspace=True)


def _name(cell: str) -> str:
    """Return the name of a column; empty if it has none."""
    name = cell.strip()
    return "" if _NUMBERED.fullmatch(name) else name


def _beyond(row: list[str], headings: list[str]) -> list[str]:
    """Return the cells without a heading, except numbers before the first cell with one."""
    first = next(place for place, heading in enumerate(headings) if heading)
    unnamed = [
        cell
        for place, (heading, cell) in enumerate(zip(headings, row, strict=False))
        if not heading and not (place < first and cell.strip().isdecimal())
    ]
    return row[len(headings) :] + unnamed


def _separator(text: str) -> tuple[str, int, str]:
    """Return (separator, lines before the headings, the rest), from a first line `sep=;` or else from the headings."""
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


def json_rows(value: object) -> Rows | None:
    """Return the rows of a parsed file, with columns named in snake case; None if it has none."""
    if isinstance(value, list):
        return _rows(value, ())
    if not isinstance(value, dict):
        return None
    key = next((name for name in value if _snake_case(name) in _KEYS and isinstance(value[name], list)), None)
    if key is not None:
        return _rows(value[key], (key,))
    return _by_column(value)


def _rows(listed: list[Any], place: Path_) -> Rows | None:
    if not any(isinstance(row, dict) for row in listed):
        return None
    return [((*place, number), row_of(row)) for number, row in enumerate(listed)]


def row_of(row: object) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a row with its columns named in snake case; anything but an object stays unchanged."""
    if not isinstance(row, dict):
        return row
    inner = row["row"] if isinstance(row.get("row"), dict) else row
    return {_snake_case(str(name)): cell for name, cell in inner.items()}


def _by_column(value: dict[str, Any]) -> Rows | None:
    columns = list(value.values())
    if kind_of_columns(map(_snake_case, value)) is None or not columns:
        return None
    if all(isinstance(column, list) for column in columns):
        numbers: list[Any] = list(range(len(columns[0])))
        whole = all(len(column) == len(numbers) for column in columns)
    else:
        numbers = list(columns[0]) if isinstance(columns[0], dict) else []
        whole = bool(numbers) and all(isinstance(column, dict) and list(column) == numbers for column in columns)
    if not whole:
        return None
    return [((), row_of({name: column[number] for name, column in value.items()})) for number in numbers]


def _snake_case(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
