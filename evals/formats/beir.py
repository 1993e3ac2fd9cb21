"""BEIR folders: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv``.

Only queries with judgements are asked. The corpus is streamed and may be larger than memory.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
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
    """The corpus, one document a line. Raises SuiteError with the line of a bad one."""
    path = folder / CORPUS
    for number, value in _objects(path):
        identity, text = _text(value, "_id", path, number), _text(value, "text", path, number)
        title = str(value.get("title") or "")
        whole = f"{title}\n\n{text}" if title and not text.startswith(title) else text
        yield SourceText(id=identity, title=title or identity, text=whole, language=_language(value))


def beir_cases(folder: Path, suite: str) -> tuple[Case, ...]:
    """A case for each query that was judged, in the order of the queries. Raises SuiteError."""
    judged = _judgements(_qrels_file(folder))
    path = folder / QUERIES
    cases = [
        _case(value, number, judged, suite, path)
        for number, value in _objects(path)
        if _text(value, "_id", path, number) in judged
    ]
    unasked = judged.keys() - {case.id for case in cases}
    if unasked:
        raise at(path, None, f"the judged query `{min(unasked)}` is missing, and {len(unasked) - 1} others.")
    return tuple(cases)


def _case(value: dict[str, Any], line: int, judged: dict[str, dict[str, int]], suite: str, path: Path) -> Case:
    question = _text(value, "text", path, line)
    detected = detect_language(question)
    language = _language(value) or (None if detected == UNKNOWN else detected)
    identity = str(value["_id"])
    golds = tuple(Gold(name=name, grade=grade) for name, grade in judged[identity].items())
    turn = Turn(question=question, language=language, documents=golds)
    return Case(
        suite=suite,
        id=identity,
        turns=(turn,),
        cluster=next((gold.name for gold in golds if gold.grade > 0), None),
        path=str(path),
        line=line,
    )


def _qrels_file(folder: Path) -> Path:
    files = sorted((folder / QRELS).glob("*.tsv"))
    if not files:
        raise at(folder / QRELS, None, "there are no judgements here: a file such as test.tsv is missing.")
    test = folder / QRELS / "test.tsv"
    if len(files) > 1 and test not in files:
        names = ", ".join(file.name for file in files)
        raise at(folder / QRELS, None, f"there are {names} but no test.tsv: leave only the one to use.")
    return test if test in files else files[0]


def _judgements(path: Path) -> dict[str, dict[str, int]]:
    """Grades by query and document."""
    judged: dict[str, dict[str, int]] = {}
    with path.open(encoding="utf-8-sig") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\r\n").split("\t")
            if not line.strip() or (number == 1 and not cells[-1].strip().lstrip("-").isdigit()):
                continue
            if len(cells) != 3 or not cells[2].strip().lstrip("-").isdigit():
                raise at(path, number, "a judgement is a query's id, a document's id and a whole number, by tabs.")
            # Some data sets mark the misleading with negative grades; no measure here uses those.
            judged.setdefault(cells[0], {})[cells[1]] = max(0, int(cells[2]))
    return judged


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


def _text(value: dict[str, Any], key: str, path: Path, line: int) -> str:
    found = value.get(key)
    if not isinstance(found, str | int) or not str(found).strip():
        raise at(path, line, f"`{key}` is missing.")
    return str(found)


def _language(value: dict[str, Any]) -> str | None:
    """The language that the line itself names, beside its text or in its metadata."""
    metadata = value.get("metadata")
    named = value.get("language") or (metadata.get("language") if isinstance(metadata, dict) else None)
    return str(named) if named else None
