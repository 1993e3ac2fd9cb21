"""BEIR folders: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``.

Only queries with judgements are asked. The corpus is streamed and may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.formats.problems import at
from evals.formats.suite import SourceText
from evals.types import Case, Gold, Turn
from store.text.language import UNKNOWN, detect_language

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"


def is_beir(folder: Path) -> bool:
    """Whether `folder` has the parts of a BEIR data set."""
    return (folder / CORPUS).is_file() and (folder / QUERIES).is_file() and (folder / QRELS).is_dir()


def beir_files(folder: Path) -> tuple[Path, ...]:
    """The files of the data set, with the judgements of the test split where there are several."""
    return folder / CORPUS, folder / QUERIES, _qrels_file(folder)


def beir_documents(folder: Path) -> Iterator[SourceText]:
    """Yield the corpus, a document a line, without those that have neither title nor text.

    Raises SuiteError with the line of a bad one.
    """
    path = folder / CORPUS
    for number, value in _objects(path):
        identity, text, title = _id(value, path, number), _text(value, "text"), _text(value, "title")
        whole = f"{title}\n\n{text}".strip() if title and not text.startswith(title) else text
        if whole:
            yield SourceText(id=identity, title=title or identity, text=whole, language=_language(value))


def beir_cases(folder: Path, suite: str) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Return a case for each query that was judged, in the order of the queries, and what was left out, in sentences.

    Raises SuiteError.
    """
    judged = _judgements(_qrels_file(folder))
    path = folder / QUERIES
    cases = []
    empty = []
    for number, value in _objects(path):
        identity = _id(value, path, number)
        if identity in judged and _text(value, "text"):
            cases.append(_case(value, number, judged[identity], suite, path))
        elif identity in judged:
            empty.append(identity)
    missing = judged.keys() - {case.id for case in cases} - set(empty)
    notes = (
        _left_out("judged queries are not in queries.jsonl", sorted(missing)),
        _left_out("judged queries have no text", empty),
    )
    return tuple(cases), tuple(f"{path}: {note}" for note in notes if note)


def _left_out(why: str, names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {why} ({shown}) and are left out." if names else ""


def _case(value: dict[str, Any], line: int, judged: dict[str, int], suite: str, path: Path) -> Case:
    question = _text(value, "text")
    detected = detect_language(question)
    language = _language(value) or (None if detected == UNKNOWN else detected)
    golds = tuple(Gold(name=name, grade=grade) for name, grade in judged.items())
    turn = Turn(question=question, language=language, documents=golds)
    return Case(
        suite=suite,
        id=_id(value, path, line),
        turns=(turn,),
        cluster=next((gold.name for gold in golds if gold.grade > 0), None),
        path=str(path),
        line=line,
    )


def _qrels_file(folder: Path) -> Path:
    files = sorted(file for file in (folder / QRELS).iterdir() if file.suffix in {".tsv", ".txt", ".qrels", ".trec"})
    if not files:
        raise at(folder / QRELS, None, "there are no judgements here: a file such as test.tsv is missing.")
    tests = [file for file in files if file.stem == "test"]
    if len(files) > 1 and len(tests) != 1:
        names = ", ".join(file.name for file in files)
        raise at(folder / QRELS, None, f"there are {names} but no test.tsv: leave only the one to use.")
    return tests[0] if len(tests) == 1 else files[0]


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    """Return grades by query and document, from BEIR's three columns or TREC's four."""
    judged: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            # Ids may hold spaces where tabs divide the columns.
            cells = [cell.strip() for cell in (line.split("\t") if "\t" in line else line.split())]
            grade = _grade(cells[-1])
            if grade is None and number == 1:
                continue  # the headings
            if grade is None or len(cells) not in {3, 4}:
                raise at(
                    path,
                    number,
                    "a judgement is a query's id, a document's id and a whole number, or TREC's four columns.",
                )
            # Some data sets mark the misleading with negative grades; no measure here uses those.
            judged.setdefault(cells[0], {})[cells[-2]] = max(0, grade)
    return judged


def _grade(cell: str) -> int | None:
    """Return a grade such as 1 or 1.0; None for what is no whole number."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return int(value) if value.is_integer() else None


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                value = json.loads(line)
            except json.JSONDecodeError as error:
                raise at(path, number, f"this line is not JSON: {error.msg} at column {error.colno}.") from error
            if not isinstance(value, dict):
                raise at(path, number, "each line must be a JSON object.")
            yield number, value


def _id(value: dict[str, Any], path: Path, line: int) -> str:
    found = value.get("_id", value.get("id"))
    if not isinstance(found, str | int) or not str(found).strip():
        raise at(path, line, "`_id` is missing.")
    return str(found)


def _text(value: dict[str, Any], key: str) -> str:
    """Return a text of the line, stripped; empty where it has none."""
    found = value.get(key)
    return str(found).strip() if isinstance(found, str | int | float) else ""


def _language(value: dict[str, Any]) -> str | None:
    """The language that the line itself names, beside its text or in its metadata."""
    metadata = value.get("metadata")
    named = value.get("language") or (metadata.get("language") if isinstance(metadata, dict) else None)
    return str(named) if named else None
