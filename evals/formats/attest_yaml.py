"""Attest suites in YAML, and in JSON, which is YAML too.

Scalars are taken as they are written: `language: no` is Norwegian, not false; 08.10 keeps its zeros.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ValidationError
from yaml.reader import ReaderError

from evals.formats.problems import EXPECTATION_MODELS, Path_, at, translated
from evals.formats.schema import CaseEntry, Defaults, SuiteEntry, SuiteHeader, TurnEntry, case_of
from evals.types import Case

_MODELS: dict[str, type[BaseModel]] = {
    "": SuiteEntry,
    "cases": CaseEntry,
    "turns": TurnEntry,
    "defaults": Defaults,
    **EXPECTATION_MODELS,
}
Plain = str | None | list["Plain"] | dict[str, "Plain"]
_HINT = "texts that hold : ? # , or brackets belong in quotation marks."
_NULLS = {"", "~", "null", "Null", "NULL"}


def read_yaml(text: str, path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """The header and cases of a YAML suite. Raises SuiteError with the line of each mistake."""
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise at(path, line, f"this is not YAML: {error.problem}; {_HINT}") from error
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise at(path, line, f"the character U+{ord(text[error.position]):04X} is not allowed in YAML.") from error
    if not isinstance(root, yaml.MappingNode):
        raise at(path, 1, "a suite is a mapping with `suite` and `cases`; see docs/evaluation.md.")
    lines: dict[Path_, int] = {}
    value = _plain(root, (), lines, path, frozenset())
    try:
        entry = SuiteEntry.model_validate(value)
    except ValidationError as error:
        raise translated(error, path, lambda place: _line(lines, place), _MODELS) from error
    header = SuiteHeader(**entry.model_dump(include=set(SuiteHeader.model_fields), exclude_unset=True))
    cases = tuple(
        case_of(case, header, path, _line(lines, ("cases", number))) for number, case in enumerate(entry.cases)
    )
    return header, cases


def _line(lines: dict[Path_, int], place: Path_) -> int | None:
    """The line of the deepest known part of `place`."""
    while place not in lines and place:
        place = place[:-1]
    return lines.get(place)


def _plain(node: yaml.Node, place: Path_, lines: dict[Path_, int], path: Path, above: frozenset[int]) -> Plain:
    """The value of a node with texts for scalars; fills `lines` with where each value stands."""
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in above:
        raise at(path, lines[place], "an alias refers to what it stands in.")
    above |= {id(node)}
    if isinstance(node, yaml.ScalarNode):
        return None if node.style is None and node.value in _NULLS else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*place, number), lines, path, above) for number, item in enumerate(node.value)]
    value: dict[str, Plain] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise at(path, line, "a key must be plain text.")
        if key.value in value:
            raise at(path, line, f"`{key.value}` stands twice in one mapping.")
        lines[(*place, key.value)] = line
        value[key.value] = _plain(item, (*place, key.value), lines, path, above)
    return value
