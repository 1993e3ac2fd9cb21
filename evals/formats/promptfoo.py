"""Read promptfoo's YAML test cases as far as a suite can express them, and list the rest.

promptfoo compares texts letter by letter. An Attest suite compares them as readers do, ignoring case, Unicode form and
the script of digits. So `contains` and `icontains` are the same here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import regex
from pydantic import ValidationError

from evals.formats.attest import CaseEntry, SuiteHeader, case_of
from evals.formats.problems import EXPECTATION_MODELS, at, translated
from evals.formats.suite import Suite, question_languages
from evals.formats.table import table_rows
from evals.formats.yaml_lines import Lined, read_lined
from evals.types import Case

_EXPRESSED = frozenset({"description", "vars", "assert", "metadata"})
"""The parts of a test case that a suite can express."""
_VARIABLE = regex.compile(r"\{\{\s*(\w+)\s*\}\}")
QUESTION_VARIABLES = ("question", "query", "input", "prompt", "user_input", "q", "message", "topic")
LISTED = {
    "contains": "answer_contains", "icontains": "answer_contains", "contains-all": "answer_contains",
    "icontains-all": "answer_contains", "contains-any": "answer_contains_any",
    "icontains-any": "answer_contains_any", "equals": "answer_equals", "regex": "answer_regex",
    "not-contains": "must_not_contain", "not-icontains": "must_not_contain",
    "not-contains-any": "must_not_contain", "not-icontains-any": "must_not_contain",
}  # fmt: skip
"""Assertions whose value means the same as one of our expectations."""
GOLD = frozenset({"factuality", "similar", "model-graded-factuality"})
"""Assertions whose value is a gold answer, which is measured here, not checked."""


def looks_like_promptfoo(value: object) -> bool:
    """Return whether a parsed file is a promptfoo configuration or a list of its test cases."""
    if isinstance(value, list):
        return bool(value) and all(isinstance(each, dict) and {"vars", "assert"} & each.keys() for each in value)
    return isinstance(value, dict) and "tests" in value and "cases" not in value


def read_promptfoo(text: str, path: Path) -> Suite:
    """Return the suite of a promptfoo file. Raises SuiteError with the line of the problem."""
    lined = read_lined(text, path)
    whole = lined.value if isinstance(lined.value, dict) else {}
    default, notes = _defaults(whole, lined, path)
    tests = enumerate(_tests(lined, path), 1)
    cases = [case for number, test in tests for case in test.cases(number, default, path, notes)]
    languages = question_languages(case.turns[0].question for case in cases)
    cases = [
        case.model_copy(
            update={
                "turns": tuple(
                    turn.model_copy(update={"language": turn.language or languages[turn.question]})
                    for turn in case.turns
                )
            }
        )
        for case in cases
    ]
    description = whole.get("description")
    return Suite(
        name=path.stem,
        path=path,
        sha256="",
        kind="promptfoo",
        cases=tuple(cases),
        description=description if isinstance(description, str) else "",
        notes=tuple(dict.fromkeys(notes)),
    )


class _Test:
    """One test case of the file, with its line."""

    def __init__(self, value: dict[str, Any], line: int | None, lines: Sequence[int | None]) -> None:
        self.value, self.line, self.lines = value, line, lines

    def cases(self, place: int, default: Mapping[str, Any], path: Path, notes: list[str]) -> Iterator[Case]:
        """Yield one case, or one for each value if a variable lists several."""
        variables = _mapping(default.get("vars")) | _mapping(self.value.get("vars"))
        name = next((each for each in QUESTION_VARIABLES if variables.get(each)), None)
        if name is None and len(variables) == 1:
            name = next(iter(variables))
        if name is None:
            raise at(path, self.line, "none of `vars` is the question: name it `question`.")
        asked = variables[name] if isinstance(variables[name], list) else [variables[name]]
        if any(str(each).startswith("file://") for each in asked):
            raise at(path, self.line, f"`{name}` is in a file of its own, which isn't read: write the question here.")
        unsaid = [*(self.value.keys() - _EXPRESSED), *(f"vars.{other}" for other in variables if other != name)]
        notes += [_left_out(path, self.line, f"`{each}`") for each in sorted(unsaid)]
        expect, answers = self._expected(default, variables, path, notes)
        metadata = _mapping(default.get("metadata")) | _mapping(self.value.get("metadata"))
        for number, question in enumerate(asked, 1):
            identity = str(metadata.get("id") or f"case-{place}")
            given = {
                "id": identity if len(asked) == 1 else f"{identity}-{number}",
                "question": str(question),
                "expect": expect,
                "answers": metadata.get("answers") or answers,
                **{name: metadata[name] for name in ("language", "tags", "documents") if metadata.get(name)},
            }
            try:
                entry = CaseEntry.model_validate(given)
            except ValidationError as error:
                raise translated(error, path, lambda _: self.line, {"": CaseEntry, **EXPECTATION_MODELS}) from error
            yield case_of(entry, SuiteHeader(suite=path.stem), path, self.line, place)

    def _expected(
        self, default: Mapping[str, Any], variables: Mapping[str, Any], path: Path, notes: list[str]
    ) -> tuple[dict[str, Any], tuple[str, ...]]:
        expect: dict[str, Any] = {}
        answers: list[str] = []
        own = self.value.get("assert") or []
        if not isinstance(own, list):
            raise at(path, self.line, "`assert` must be a list of assertions, each with a `type`.")
        given = [*((each, self.line) for each in default.get("assert") or []), *zip(own, self.lines, strict=False)]
        for assertion, line in given:
            if not isinstance(assertion, dict) or not isinstance(kind := assertion.get("type"), str):
                raise at(path, line, "an assertion is a mapping with a `type`.")
            filled = {name: _filled(value, variables) for name, value in assertion.items()}
            found = _expectation(kind, filled) if _holds_as_written(filled) else None
            if found is None:
                notes.append(_left_out(path, line, f"the assertion `{kind}`"))
            elif found[0] == "answers":
                answers += found[1]
            else:
                name, value = found
                expect[name] = [*expect.get(name, []), *value] if isinstance(value, list) else value
        return expect, tuple(answers)


def _defaults(whole: Mapping[str, Any], lined: Lined, path: Path) -> tuple[dict[str, Any], list[str]]:
    """Return the defaults for all tests, and notes about parts of the configuration that a suite can't express."""
    default, notes = whole.get("defaultTest"), list[str]()
    if default is not None and not isinstance(default, dict):
        notes.append(_left_out(path, lined.line(("defaultTest",)), "a `defaultTest` in a file of its own"))
    if not isinstance(_mapping(default).get("assert") or [], list):
        line = lined.line(("defaultTest", "assert"))
        raise at(path, line, "`assert` must be a list of assertions, each with a `type`.")
    unsaid: list[tuple[str, ...]] = [("defaultTest", name) for name in sorted(_mapping(default).keys() - _EXPRESSED)]
    unsaid += [("scenarios",)] if "scenarios" in whole else []
    notes += [_left_out(path, lined.line(place), f"`{'.'.join(place)}`") for place in unsaid]
    return _mapping(default), notes


def _left_out(path: Path, line: int | None, what: str) -> str:
    return f"{path}, line {line}: {what} can't be expressed and is left out."


def _filled(value: Any, variables: Mapping[str, Any]) -> Any:  # noqa: ANN401 - YAML of any shape
    """Return a value with the variables in double braces filled in."""
    if isinstance(value, list):
        return [_filled(each, variables) for each in value]
    if not isinstance(value, str):
        return value
    return _VARIABLE.sub(lambda match: _as_text(variables.get(match[1]), match[0]), value)


def _as_text(value: object, otherwise: str) -> str:
    return value if isinstance(value, str) else otherwise


def _holds_as_written(assertion: Mapping[str, Any]) -> bool:
    """Return whether an assertion counts, is about the answer itself, and needs nothing else."""
    value = str(assertion.get("value"))
    return (
        str(assertion.get("weight")) != "0"
        and "transform" not in assertion
        and not value.startswith("file://")
        and not regex.search(r"\{\{|\{%", value)
    )


def _expectation(kind: str, assertion: Mapping[str, Any]) -> tuple[str, Any] | None:
    """Return one of our expectations, or gold answers as `answers`; None if we have no equivalent."""
    value = assertion.get("value")
    if kind in GOLD and value:
        return "answers", [str(value)]
    if kind in LISTED and isinstance(value, str | list):
        values = value if isinstance(value, list) else [value]
        if kind.endswith(("-all", "-any")) and not isinstance(value, list):
            values = [part.strip() for part in str(value).split(",")]
        return LISTED[kind], [str(each) for each in values]
    if kind == "starts-with" and value:
        return "answer_regex", [rf"\A\s*{regex.escape(str(value))}"]
    if kind in {"is-refusal", "not-is-refusal"}:
        return "answerable", kind == "not-is-refusal"
    if kind == "latency" and regex.fullmatch(r"\d+(\.\d+)?", str(assertion.get("threshold"))):
        return "latency_ms_at_most", float(assertion["threshold"])
    return None


def _tests(lined: Lined, path: Path) -> Iterator[_Test]:
    place: tuple[int | str, ...] = () if isinstance(lined.value, list) else ("tests",)
    listed = lined.value["tests"] if isinstance(lined.value, dict) else lined.value
    if listed is None:
        raise at(path, lined.line(place), "`tests` is empty.")
    for number, value in enumerate(listed if isinstance(listed, list) else [listed]):
        line = lined.line((*place, number) if isinstance(listed, list) else place)
        if isinstance(value, str):
            yield from _tests_in(value.removeprefix("file://"), path, line)
        elif isinstance(value, dict):
            asserts = value.get("assert")
            count = len(asserts) if isinstance(asserts, list) else 0
            yield _Test(value, line, [lined.line((*place, number, "assert", each)) for each in range(count)])
        else:
            raise at(path, line, "a test is a mapping with `vars` and `assert`.")


def _tests_in(name: str, path: Path, line: int | None) -> Iterator[_Test]:
    """Yield the tests of a referenced file, or of all files that match a pattern such as ``tests/*.yaml``."""
    files = sorted(path.parent.glob(name)) if "*" in name and not Path(name).is_absolute() else [path.parent / name]
    if not files:
        raise at(path, line, f"`tests` names {name}, but there is no such file beside this one.")
    for file in files:
        if file.suffix not in {".yaml", ".yml", ".json", ".csv"} or not file.is_file():
            raise at(path, line, f"`tests` names {file.name}, which is no YAML, JSON or CSV file beside this one.")
        text = file.read_text(encoding="utf-8-sig")
        if file.suffix == ".csv":
            yield from (_test_of_row(row, number) for number, row in table_rows(text, file))
            continue
        lined = read_lined(text, file)
        if not isinstance(lined.value, list):
            raise at(file, 1, "a file of tests is a list of them.")
        yield from _tests(lined, file)


def _test_of_row(row: Mapping[str, str], line: int) -> _Test:
    """Return the test of a row: columns are variables, except those that begin with two underscores."""
    value: dict[str, Any] = {"vars": {}, "assert": [], "metadata": {}}
    for name, cell in row.items():
        kind, _, of = name.removeprefix("__").partition(":")
        if not name.startswith("__"):
            value["vars"][name] = cell
        elif kind.startswith("expected") and cell.strip():
            value["assert"].append(_assertion_of_cell(cell.strip()))
        elif kind == "metadata":
            value["metadata"][of] = cell
        elif cell.strip():
            value[kind] = cell
    return _Test(value, line, [line] * len(value["assert"]))


def _assertion_of_cell(cell: str) -> dict[str, str]:
    """Return the assertion of a cell such as ``contains: Vienna``; words alone mean equality."""
    if cell in {"is-refusal", "not-is-refusal"}:
        return {"type": cell}
    typed = regex.fullmatch(r"(?s)([a-z][a-z-]*)(?:\([^)]*\))?:\s*(.*)", cell)
    return {"type": typed[1], "value": typed[2]} if typed else {"type": "equals", "value": cell}


def _mapping(value: object) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {}
