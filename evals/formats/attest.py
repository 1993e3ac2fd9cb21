r"""Attest's own suites: YAML (and JSON, which is YAML too), JSONL, and CSV as a spreadsheet saves it.

JSONL: each line is a case; the first may be a header with `suite`, `defaults` and so on.
CSV: the columns are the keys of a case and of its expectations. A cell of several values divides them
by ``|``; a ``|`` that belongs to a value is written ``\|``. A regular expression is never divided.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

import regex
from pydantic import BaseModel, ValidationError

from evals.formats.problems import EXPECTATION_MODELS, at, json_object, translated
from evals.formats.schema import CaseEntry, Defaults, SuiteEntry, SuiteHeader, TurnEntry, case_of
from evals.formats.table import table_rows
from evals.formats.yaml_lines import read_lined
from evals.types import Case, Expectation

_MODELS: dict[str, type[BaseModel]] = {"turns": TurnEntry, **EXPECTATION_MODELS}
_OF_CASE = tuple(name for name in CaseEntry.model_fields if name not in {"turns", "expect"})
_OF_EXPECTATION = tuple(Expectation.model_fields)
_WHOLE = {"id", "question", "language", "cluster", "note", "answerable", "quotes_verbatim", "answer_regex"}
_WHOLE |= {"answer_f1_at_least", "answer_chrf_at_least", "latency_ms_at_most"}

M = TypeVar("M", bound=BaseModel)


def read_yaml(text: str, path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """Return the header and cases of a YAML suite. Raises SuiteError with the line of each mistake."""
    lined = read_lined(text, path)
    if not isinstance(lined.value, dict):
        raise at(path, 1, "a suite is a mapping with `suite` and `cases`; see docs/evaluation.md.")
    try:
        entry = SuiteEntry.model_validate(lined.value)
    except ValidationError as error:
        models: dict[str, type[BaseModel]] = {**_MODELS, "": SuiteEntry, "cases": CaseEntry, "defaults": Defaults}
        raise translated(error, path, lined.line, models) from error
    header = SuiteHeader(**entry.model_dump(include=set(SuiteHeader.model_fields), exclude_unset=True))
    cases = tuple(
        case_of(case, header, path, lined.line(("cases", number)), number + 1)
        for number, case in enumerate(entry.cases)
    )
    return header, cases


def read_cases(rows: Iterable[tuple[int, dict[str, Any]]], path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """Return the header and cases of a suite of objects with their lines.

    Raises SuiteError with the line of the first bad one.
    """
    header = SuiteHeader(suite=path.stem)
    cases: list[Case] = []
    for number, value in rows:
        if not cases and "suite" in value and "question" not in value:
            header = _validated(SuiteHeader, value, path, number)
        else:
            cases.append(case_of(_validated(CaseEntry, value, path, number), header, path, number, len(cases) + 1))
    return header, tuple(cases)


def json_lines(text: str, path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield each object of a JSONL text with its line. Raises SuiteError with the line of what is none."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, json_object(line, path, number)


def read_csv(text: str, path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """Return the header and cases of a CSV suite. Raises SuiteError with the line of the first bad row."""
    header = SuiteHeader(suite=path.stem)
    cases: list[Case] = []
    columns: dict[str, str] = {}
    for line, row in table_rows(text, path):
        columns = columns or _columns(row, path, line)
        value = _case_value({columns[name]: cell for name, cell in row.items()})
        if "question" not in value:
            raise at(path, line, "`question` is empty.")
        cases.append(case_of(_validated(CaseEntry, value, path, line), header, path, line, len(cases) + 1))
    return header, tuple(cases)


def _columns(row: dict[str, str], path: Path, line: int) -> dict[str, str]:
    """Return what each column's heading means, by heading. Raises SuiteError for one that means nothing."""
    columns = {heading: heading.strip().lower().replace(" ", "_").replace("-", "_") for heading in row}
    for heading, column in columns.items():
        if column not in (*_OF_CASE, *_OF_EXPECTATION):
            close = get_close_matches(column, (*_OF_CASE, *_OF_EXPECTATION), n=1)
            hint = f"did you mean `{close[0]}`?" if close else "see docs/evaluation.md for those that there are."
            raise at(path, 1, f"unknown column `{heading}`; {hint}")
    if len(set(columns.values())) < len(columns):
        raise at(path, 1, "a column stands twice.")
    if "question" not in columns.values():
        raise at(path, 1, "the column `question` is missing.")
    return columns


def _case_value(cells: dict[str, str]) -> dict[str, Any]:
    """Return the nested value of a case from its flat cells; empty cells say nothing."""
    filled = {column: cell.strip() for column, cell in cells.items() if cell.strip()}
    # `language` is the question's: the column of that name can't mean the expectation as well.
    expect = {name: _cell(name, cell) for name, cell in filled.items() if name not in _OF_CASE}
    return {name: _cell(name, cell) for name, cell in filled.items() if name in _OF_CASE} | {"expect": expect}


def _cell(column: str, cell: str) -> str | list[str]:
    if column in _WHOLE:
        return cell
    return [part.replace("\\|", "|").strip() for part in regex.split(r"(?<!\\)\|", cell)]


def _validated(model: type[M], value: dict[str, Any], path: Path, line: int) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise translated(error, path, lambda _: line, {**_MODELS, "": model}) from error
