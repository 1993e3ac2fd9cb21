"""The rows of a JSON file, in whatever shape a tool keeps them.

A list of objects; a list under a key; each object once more under `row`, as the Hugging Face Hub's viewer has it; one list
for each column, as `datasets` writes it; one mapping of row numbers for each column, as pandas does.
"""

from __future__ import annotations

import re
from typing import Any

from evals.formats.problems import Path_
from evals.formats.rows import kind_of_columns

Rows = list[tuple[Path_, Any]]
"""Each row with its place in the file."""

_KEYS = ("rows", "goldens", "test_cases", "samples", "data")
"""Under which data sets keep their rows."""


def json_rows(value: object) -> Rows | None:
    """Return the rows of a parsed file, their columns named in snake case; None where it has none."""
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
    """Return a row with its columns named in snake case; what is no object as it is."""
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
