"""Attest suites in YAML, and in JSON, which is YAML too."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ValidationError

from evals.formats.problems import EXPECTATION_MODELS, at, translated
from evals.formats.schema import CaseEntry, Defaults, SuiteEntry, SuiteHeader, TurnEntry, case_of
from evals.formats.yaml_lines import read_lined
from evals.types import Case

_MODELS: dict[str, type[BaseModel]] = {
    "": SuiteEntry,
    "cases": CaseEntry,
    "turns": TurnEntry,
    "defaults": Defaults,
    **EXPECTATION_MODELS,
}


def read_yaml(text: str, path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """Return the header and cases of a YAML suite. Raises SuiteError with the line of each mistake."""
    lined = read_lined(text, path)
    if not isinstance(lined.value, dict):
        raise at(path, 1, "a suite is a mapping with `suite` and `cases`; see docs/evaluation.md.")
    try:
        entry = SuiteEntry.model_validate(lined.value)
    except ValidationError as error:
        raise translated(error, path, lined.line, _MODELS) from error
    header = SuiteHeader(**entry.model_dump(include=set(SuiteHeader.model_fields), exclude_unset=True))
    cases = tuple(
        case_of(case, header, path, lined.line(("cases", number)), number + 1)
        for number, case in enumerate(entry.cases)
    )
    return header, cases
