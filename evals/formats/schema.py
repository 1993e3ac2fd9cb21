"""The shape of Attest's own suites: one schema for YAML, JSONL and CSV; ``attest eval schema`` prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BeforeValidator, ConfigDict, Field, model_validator

from assistant.types import Value
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

    What both leave out stays unchecked.
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
    """Merge expectations key by key: later layers win, and a key that a layer doesn't set is left to the earlier ones."""
    settled: dict[str, Any] = {}
    for layer in layers:
        settled |= {name: getattr(layer, name) for name in layer.model_fields_set}
    return Expectation(**settled)


def _gold(documents: dict[str, int]) -> tuple[Gold, ...]:
    return tuple(Gold(name=name, grade=grade) for name, grade in documents.items())


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
