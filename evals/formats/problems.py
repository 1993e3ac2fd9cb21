"""Describe a suite's problems, in sentences that name the file, the line and what to do."""

from __future__ import annotations

import json
from collections.abc import Callable
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from evals.types import Expectation, Reference
from store.errors import SuiteError

Path_ = tuple[int | str, ...]
Locate = Callable[[Path_], int | None]
"""The line of the value at a path into a suite, counted from 1."""

MOST_SHOWN = 10
_WANTED = {
    **dict.fromkeys(("bool_parsing", "bool_type"), "true or false"),
    **dict.fromkeys(("float_parsing", "float_type"), "a number such as 1500 or 0.5"),
}
"""What a value must be, by pydantic's name for the problem."""


def at(path: Path, line: int | None, message: str) -> SuiteError:
    """Return the error for one problem at one place."""
    where = str(path) if line is None else f"{path}, line {line}"
    return SuiteError(f"{where}: {message}")


def json_object(line: str, path: Path, number: int) -> dict[str, Any]:
    """Return the object in a line of JSONL. Raises SuiteError for anything else."""
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise at(path, number, f"this line is not JSON: {error.msg} at column {error.colno}.") from error
    if not isinstance(value, dict):
        raise at(path, number, "each line must be a JSON object.")
    return value


def translated(error: ValidationError, path: Path, locate: Locate, models: dict[str, type[BaseModel]]) -> SuiteError:
    """Return all problems that validation found, one sentence per line, worded for authors of suites.

    `models` maps the key of a mapping to its model, to suggest the intended keys.
    """
    lines = []
    problems = error.errors()
    for problem in problems:
        if problem["type"] == "too_short" and any(_is_inside(other["loc"], problem["loc"]) for other in problems):
            continue  # Invalid items aren't counted, so the list is not really too short.
        place = problem["loc"]
        line = locate(place)
        where = str(path) if line is None else f"{path}, line {line}"
        lines.append(f"{where}: {_sentence(problem, place, models)}")
    more = len(lines) - MOST_SHOWN
    shown = lines[:MOST_SHOWN] + ([f"... and {more} more problems."] if more > 0 else [])
    return SuiteError("\n".join(shown))


def _is_inside(place: Path_, other: Path_) -> bool:
    return len(place) > len(other) and place[: len(other)] == other


def _sentence(problem: ErrorDetails, place: Path_, models: dict[str, type[BaseModel]]) -> str:
    name = str(place[-1]) if place else "the suite"
    kind = problem["type"]
    if kind == "extra_forbidden":
        known = list(models[_parent(place, models)].model_fields)
        close = get_close_matches(name, known, n=1)
        hint = f"did you mean `{close[0]}`?" if close else f"known are {', '.join(known)}."
        noun = "expectation" if _parent(place, models) == "expect" else "key"
        return f"unknown {noun} `{name}`; {hint}"
    if kind == "missing":
        return f"`{name}` is missing."
    if kind == "value_error":
        text = str(problem["ctx"]["error"])
        return text if text.endswith(".") else f"{text}."
    if kind in _WANTED:
        return f"`{_named(place)}` must be {_WANTED[kind]}."
    if kind in {"string_pattern_mismatch", "string_too_short", "too_short"}:
        return f"`{_named(place)}` is empty."
    return f"`{_named(place)}` is wrong: {problem['msg'][:1].lower()}{problem['msg'][1:]}."


def _parent(place: Path_, models: dict[str, type[BaseModel]]) -> str:
    keys = [part for part in place[:-1] if isinstance(part, str) and part in models]
    return keys[-1] if keys else ""


def _named(place: Path_) -> str:
    return ".".join(str(part) for part in place if isinstance(part, str)) or "the suite"


EXPECTATION_MODELS: dict[str, type[BaseModel]] = {
    "expect": Expectation,
    "answer_f1_at_least": Reference,
    "answer_chrf_at_least": Reference,
}
