r"""Read Attest's own suites, of one schema in YAML (and JSON, which is YAML too), JSONL, and CSV as a spreadsheet saves it.

JSONL: each line is a case; the first may be a header with `suite`, `defaults` and so on.
CSV: the columns are the keys of a case and of its expectations. ``|`` separates several values in a cell; a ``|`` that
is part of a value is written ``\|``. A regular expression is never split.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Self, TypeVar

import regex
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from assistant.types import Value
from evals.formats.problems import EXPECTATION_MODELS, at, json_object, translated
from evals.formats.table import table_rows
from evals.formats.yaml_lines import read_lined
from evals.types import Case, Expectation, Gold, Tag, Text, Turn, Words


def _golds(given: object) -> object:
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list | tuple):
        return dict.fromkeys(given, 1) if all(isinstance(name, str) for name in given) else given
    return given


Golds = Annotated[
    dict[Text, Annotated[int, Field(ge=0)]],
    BeforeValidator(_golds, json_schema_input_type=str | list[str] | dict[str, int]),
]
"""Relevant documents: a name, a list of names, or names with grades of relevance."""


class Entry(Value):
    """What the parts of a suite share: numbers may stand for texts, unknown keys may not stand at all."""

    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class TurnEntry(Entry):
    """One question of a conversation."""

    question: Text
    language: Tag | None = Field(default=None, description="The question's language (a BCP 47 tag).")
    expect: Expectation = Expectation()
    answers: Words = Field(default=(), description="Gold answers, any of which is right: measured, not checked.")
    documents: Golds = Field(default={}, description="Documents relevant to the question, for the ranking.")


class CaseEntry(Entry):
    """One case: either a `question`, or a conversation of several `turns`."""

    id: Text | None = Field(default=None, description="Unique in the suite; default: its place, as in `case-12`.")
    question: Text | None = None
    turns: tuple[TurnEntry, ...] = ()
    language: Tag | None = Field(default=None, description="The questions' language (a BCP 47 tag).")
    tags: Words = ()
    expect: Expectation = Field(default=Expectation(), description="Of a conversation: of its last turn.")
    answers: Words = Field(default=(), description="Gold answers, any of which is right: measured, not checked.")
    documents: Golds = Field(default={}, description="Documents relevant to the question, for the ranking.")
    cluster: str | None = Field(
        default=None, description="Cases that are not independent share one; default: the first document."
    )
    note: str | None = Field(default=None, description="For readers of the suite; not used.")
    draft: bool = Field(
        default=False,
        description="True: made by `attest eval make` and not looked through; not asked without --drafts.",
    )

    @model_validator(mode="after")
    def _asks_something(self) -> Self:
        if (self.question is None) == (not self.turns):
            raise ValueError("a case needs either `question` or `turns`, and not both")
        return self


class Defaults(Entry):
    """What every case has unless it says otherwise; `expect` is merged, `tags` are added."""

    language: Tag | None = None
    tags: Words = ()
    expect: Expectation = Expectation()


class SuiteHeader(Entry):
    """The optional first line of a JSONL suite: a suite without its cases."""

    suite: Text = Field(description="Its name, in reports and in the cases' keys.")
    description: str = ""
    library: str | None = Field(
        default=None,
        description="A folder of documents, relative to this file, to ask about; `samples` for those that "
        "come with the program. Default: the user's own library.",
    )
    thresholds: dict[str, float] = Field(
        default={}, description="Metric to value; the run fails where one isn't met, as with --threshold."
    )
    defaults: Defaults = Defaults()


class SuiteEntry(SuiteHeader):
    """A whole suite."""

    cases: tuple[CaseEntry, ...] = Field(min_length=1)


def case_of(entry: CaseEntry, header: SuiteHeader, path: Path, line: int | None, number: int) -> Case:
    """Return the case of an entry, the `number`-th of its file, with the suite's defaults.

    What both leave out isn't checked.
    """
    defaults = header.defaults
    turns = entry.turns or (TurnEntry(question=entry.question or ""),)
    made = [
        Turn(
            question=turn.question,
            language=turn.language or entry.language or defaults.language,
            expect=_merged(defaults.expect, entry.expect if last else Expectation(), turn.expect),
            answers=turn.answers or (entry.answers if last else ()),
            documents=_gold(turn.documents or (entry.documents if last else {})),
        )
        for turn, last in ((turn, number == len(turns)) for number, turn in enumerate(turns, 1))
    ]
    named = next((gold.name for turn in made for gold in turn.documents), None)
    cited = next((name for turn in made for name in turn.expect.cites_document), None)
    return Case(
        suite=header.suite,
        id=entry.id or f"case-{number}",
        turns=tuple(made),
        tags=tuple(dict.fromkeys((*defaults.tags, *entry.tags))),
        cluster=entry.cluster or named or cited,
        path=str(path),
        line=line,
        draft=entry.draft,
    )


def _merged(*layers: Expectation) -> Expectation:
    """Merge expectations key by key: later layers win, and a key that a layer doesn't set keeps its earlier value."""
    settled: dict[str, Any] = {}
    for layer in layers:
        settled |= {name: getattr(layer, name) for name in layer.model_fields_set}
    return Expectation(**settled)


def _gold(documents: dict[str, int]) -> tuple[Gold, ...]:
    return tuple(Gold(name=name, grade=grade) for name, grade in documents.items())


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

    Raises SuiteError with the line of the first invalid one.
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
    """Yield each object of a JSONL text with its line. Raises SuiteError with the line of anything else."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield number, json_object(line, path, number)


def read_csv(text: str, path: Path) -> tuple[SuiteHeader, tuple[Case, ...]]:
    """Return the header and cases of a CSV suite. Raises SuiteError with the line of the first invalid row."""
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
    """Return the meaning of each column's heading. Raises SuiteError for an unknown one."""
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
    """Return the nested value of a case from its flat cells; empty cells are ignored."""
    filled = {column: cell.strip() for column, cell in cells.items() if cell.strip()}
    # `language` is the question's, so that column can't also mean the expectation.
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


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a suite, and of one line of a JSONL suite as ``#/$defs/CaseEntry``."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "attest.suite/1",
        **SuiteEntry.model_json_schema(mode="validation"),
    }


def schema_text() -> str:
    """Return the schema as JSON text."""
    return json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n"
