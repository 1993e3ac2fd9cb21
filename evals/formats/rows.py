"""Read data sets with one question per row: ragas, DeepEval, OpenAI Evals, SQuAD on the Hugging Face Hub.

All are JSON, JSONL or CSV, and are recognized by their columns. Contexts of a row become the suite's documents. Columns
with another system's answers are left out, and listed.
"""

from __future__ import annotations

import ast
import io
import json
import math
import tokenize
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import regex

from evals.formats.problems import at
from evals.formats.suite import SourceText, Suite, Texts, question_languages
from evals.types import Case, Gold, GoldSpan, Turn

Kind = Literal["ragas", "deepeval", "huggingface", "openai-evals"]
Row = Mapping[str, Any]
_ARRAY = regex.compile(r"array\((\[[^][]*\])(?:,\s*dtype=[\w'<>]+)?\)")
"""A list in NumPy's notation inside a mapping."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a format, the newest name first."""

    question: tuple[str, ...]
    answers: tuple[str, ...]
    contexts: tuple[str, ...]
    id: tuple[str, ...] = ("id",)
    documents: tuple[str, ...] = ()
    title: tuple[str, ...] = ()

    @property
    def known(self) -> frozenset[str]:
        """All of them."""
        return frozenset(
            (*self.question, *self.answers, *self.contexts, *self.id, *self.documents, *self.title, "language")
        )


COLUMNS: dict[Kind, Columns] = {
    "ragas": Columns(
        ("user_input", "question"), ("reference", "ground_truth", "ground_truths"), ("reference_contexts",)
    ),
    "deepeval": Columns(("input",), ("expected_output",), ("context",), documents=("source_file",)),
    "openai-evals": Columns(("input",), ("ideal",), ()),
    "huggingface": Columns(("question",), ("answers",), ("context",), title=("title",)),
}


@dataclass(slots=True)
class _Contexts:
    """The suite's documents, in the order of appearance, each text once."""

    names: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def name(self, text: str, title: str) -> str:
        if text not in self.names:
            self.counts[title] = self.counts.get(title, 0) + 1
            self.names[text] = f"{title}/{self.counts[title]}"
            self.titles[text] = title.replace("_", " ")
        return self.names[text]

    def documents(self) -> Iterator[SourceText]:
        return (SourceText(id=name, title=self.titles[text], text=text) for text, name in self.names.items())


def kind_of_columns(columns: Iterable[str]) -> Kind | None:
    """Return which tool's data set has these columns; None for Attest's own, and for unknown ones."""
    have = set(columns)
    if {"user_input"} <= have or ("question" in have and have & {"ground_truth", "ground_truths", "contexts"}):
        return "ragas"
    if {"input", "ideal"} <= have:
        return "openai-evals"
    if "input" in have and have & {"expected_output", "actual_output", "context", "retrieval_context"}:
        return "deepeval"
    if {"question", "context", "answers"} <= have:
        return "huggingface"
    return None


def read_rows(rows: Sequence[tuple[int, Row]], kind: Kind, path: Path) -> Suite:
    """Return the suite of rows with their lines. Raises SuiteError with the line of the first invalid one."""
    columns = COLUMNS[kind]
    contexts = _Contexts()
    questions = [_questions(row, columns, path, line) for line, row in rows]
    languages = question_languages(text for asked in questions for text in asked)
    cases = tuple(
        _case(row, asked, languages, columns, contexts, path, line, number)
        for number, ((line, row), asked) in enumerate(zip(rows, questions, strict=True), 1)
    )
    return Suite(
        name=path.stem,
        path=path,
        sha256="",
        kind=kind,
        cases=cases,
        documents=Texts(contexts.documents) if contexts.names else None,
        notes=_notes(rows, columns, path),
    )


def _case(
    row: Row,
    questions: tuple[str, ...],
    languages: Mapping[str, str | None],
    columns: Columns,
    contexts: _Contexts,
    path: Path,
    line: int,
    number: int,
) -> Case:
    answers, starts = _answers(row, columns, path, line)
    texts = _texts(_first(row, columns.contexts))
    title = str(_first(row, columns.title) or "context")
    names = tuple(contexts.name(text, title) for text in texts if text.strip())
    impossible = "answers" in columns.answers and not answers and row.get("answers") is not None
    golds = () if impossible else (*names, *(_texts(_first(row, columns.documents)) if not names else ()))
    turns = [Turn(question=question, language=_language(row, languages, question)) for question in questions]
    turns[-1] = turns[-1].model_copy(
        update={
            "answers": answers,
            "documents": tuple(Gold(name=name) for name in dict.fromkeys(golds)),
            "spans": tuple(
                GoldSpan(document=names[0], start=start, end=start + len(words), words=words)
                for words, start in starts
                if names and texts[0][start : start + len(words)] == words
            ),
            "impossible": impossible,
        }
    )
    identity = str(_first(row, columns.id) or f"case-{number}")
    cluster = str(_first(row, columns.title) or (golds[0] if golds else identity))
    return Case(suite=path.stem, id=identity, turns=tuple(turns), cluster=cluster, path=str(path), line=line)


def _language(row: Row, languages: Mapping[str, str | None], question: str) -> str | None:
    given = row.get("language")
    return str(given) if given else languages[question]


def _questions(row: Row, columns: Columns, path: Path, line: int) -> tuple[str, ...]:
    """Return the questions of a row: one, or the human's in a conversation."""
    value = _parsed(_first(row, columns.question))
    if isinstance(value, list):
        asked = [
            str(each.get("content") or "")
            for each in value
            if isinstance(each, dict) and each.get("type", each.get("role")) in {"human", "user"}
        ]
    else:
        asked = [str(value or "")]
    asked = [text.strip() for text in asked if text.strip()]
    if not asked:
        raise at(path, line, f"`{columns.question[0]}` is missing.")
    return tuple(asked)


def _answers(row: Row, columns: Columns, path: Path, line: int) -> tuple[tuple[str, ...], list[tuple[str, int]]]:
    """Return the gold answers, and for SQuAD also their starts."""
    value = _first(row, columns.answers)
    if "answers" not in columns.answers:
        return tuple(dict.fromkeys(text for text in _texts(value) if text.strip())), []
    value = _parsed(value) if value else {}
    if not isinstance(value, dict) or not isinstance(value.get("text", []), list):
        raise at(path, line, "`answers` must hold `text` and `answer_start`, each a list.")
    texts = [str(text) for text in value.get("text", [])]
    starts = [start for start in value.get("answer_start") or [] if isinstance(start, int)]
    return tuple(dict.fromkeys(filter(None, texts))), list(dict.fromkeys(zip(texts, starts, strict=False)))


def _texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - a cell of any format
    """Return a cell's texts: a list, a list in Python's or JSON's notation, or texts separated by ``|``."""
    value = _parsed(value)
    if value is None or value == "":
        return ()
    if isinstance(value, list):
        return tuple(text for each in value if each is not None for text in _inner_texts(each))
    return tuple(part.strip() for part in str(value).split("|"))


def _inner_texts(value: Any) -> tuple[str, ...]:  # noqa: ANN401 - what stands in a list of a cell
    return tuple(map(str, value)) if isinstance(value, list) else (str(value),)


def _parsed(value: Any) -> Any:  # noqa: ANN401 - a cell of any format
    """Return the value of a CSV cell with a list or mapping in the notation of JSON, Python or NumPy.

    Other values are returned unchanged, and so is a text that only begins with a bracket.
    """
    if not isinstance(value, str) or value[:1] not in {"[", "{"}:
        return value
    try:
        return json.loads(value)
    except json.JSONDecodeError:
        pass
    try:
        return ast.literal_eval(_with_commas(_ARRAY.sub(r"\1", value)))
    except (ValueError, SyntaxError, tokenize.TokenError, RecursionError, MemoryError):
        return value


def _with_commas(text: str) -> str:
    """Return a list with commas between its texts, which NumPy leaves out and Python would then join."""
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    found = [token for token in tokens if token.type not in {tokenize.NL, tokenize.NEWLINE}]
    ends = [
        one.end
        for one, other in pairwise(found)
        if one.type == other.type == tokenize.STRING and one.end != other.start
    ]
    lines = text.splitlines(keepends=True)
    for line, column in reversed(ends):
        lines[line - 1] = lines[line - 1][:column] + "," + lines[line - 1][column:]
    return "".join(lines)


def _first(row: Row, names: Iterable[str]) -> Any:  # noqa: ANN401 - a cell of any format
    return next((row[name] for name in names if _says_something(row.get(name))), None)


def _says_something(value: object) -> bool:
    """Return whether a cell has a value; pandas writes missing ones as NaN."""
    return value not in (None, "", []) and not (isinstance(value, float) and math.isnan(value))


def _notes(rows: Sequence[tuple[int, Row]], columns: Columns, path: Path) -> tuple[str, ...]:
    unread = sorted({name for _, row in rows for name, value in row.items() if _says_something(value)} - columns.known)
    named = ", ".join(f"`{name}`" for name in unread)
    return (
        (f"{path}: {named} can't be expressed in a suite and {'is' if len(unread) == 1 else 'are'} left out.",)
        if unread
        else ()
    )
