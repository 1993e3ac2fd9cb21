"""Read BEIR folders: ``corpus.jsonl``, ``queries.jsonl`` and ``qrels/*.tsv`` or ``.csv``.

Only queries with judgements are asked. The corpus is streamed and may be larger than memory.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from evals.formats.problems import at, json_object
from evals.formats.suite import SourceText
from evals.types import Case, Gold, Turn
from store.text.language import UNKNOWN, detect_language

CORPUS, QUERIES, QRELS = "corpus.jsonl", "queries.jsonl", "qrels"


def is_beir(folder: Path) -> bool:
    """Return whether `folder` has the parts of a BEIR data set."""
    return (folder / CORPUS).is_file() and (folder / QUERIES).is_file() and (folder / QRELS).is_dir()


def beir_files(folder: Path) -> tuple[Path, ...]:
    """Return the files of the data set, with the judgements of the test split if there are several."""
    return folder / CORPUS, folder / QUERIES, _qrels_file(folder)


def beir_documents(folder: Path) -> Iterator[SourceText]:
    """Yield the corpus, one document per line, without those that have neither title nor text.

    Raises SuiteError with the line of an invalid one.
    """
    path = folder / CORPUS
    for number, value in _objects(path):
        identity = _id(value, path, number)
        text, title = _text(value, "text", path, number), _text(value, "title", path, number)
        whole = f"{title}\n\n{text}".strip() if title and not text.startswith(title) else text
        if whole:
            yield SourceText(id=identity, title=title or identity, text=whole, language=_language(value))


def beir_cases(folder: Path, suite: str) -> tuple[tuple[Case, ...], tuple[str, ...]]:
    """Return a case for each judged query, in the order of the queries, and sentences about what was left out.

    Raises SuiteError.
    """
    judged = _judgements(_qrels_file(folder))
    path = folder / QUERIES
    cases = []
    empty = []
    lines: dict[str, int] = {}
    for number, value in _objects(path):
        identity = _id(value, path, number)
        if identity in lines:
            raise at(path, number, f"the id `{identity}` is that of line {lines[identity]} too. Ids must differ.")
        lines[identity] = number
        if identity in judged and (question := _text(value, "text", path, number)):
            cases.append(_case(identity, question, _language(value), judged[identity], suite, path, number))
        elif identity in judged:
            empty.append(identity)
    if not cases:
        raise at(path, None, f"none of the queries that {_qrels_file(folder).name} judges stands here with a text.")
    missing = judged.keys() - lines.keys()
    notes = (
        _left_out("judged queries are not in queries.jsonl", sorted(missing)),
        _left_out("judged queries have no text", empty),
    )
    return tuple(cases), tuple(f"{path}: {note}" for note in notes if note)


def _left_out(why: str, names: Sequence[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} {why} ({shown}) and are left out." if names else ""


def _case(
    identity: str, question: str, language: str | None, judged: dict[str, int], suite: str, path: Path, line: int
) -> Case:
    detected = detect_language(question)
    golds = tuple(Gold(name=name, grade=grade) for name, grade in judged.items())
    turn = Turn(question=question, language=language or (None if detected == UNKNOWN else detected), documents=golds)
    return Case(
        suite=suite,
        id=identity,
        turns=(turn,),
        cluster=next((gold.name for gold in golds if gold.grade > 0), None),
        path=str(path),
        line=line,
    )


def _qrels_file(folder: Path) -> Path:
    files = sorted(
        file for file in (folder / QRELS).iterdir() if file.suffix in {".tsv", ".csv", ".txt", ".qrels", ".trec"}
    )
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
    for number, line in _lines(path):
        cells = _cells(line, is_csv=path.suffix == ".csv")
        grade = _number(cells[-1])
        if grade is None and number == 1:
            continue  # the headings
        if grade is None or not grade.is_integer() or len(cells) not in {3, 4}:
            raise at(
                path,
                number,
                "a judgement is a query's id, a document's id and a whole number, divided by tabs, or commas in a .csv "
                "file; or TREC's four columns.",
            )
        # Some data sets mark misleading documents with negative grades; no measure here uses those.
        judged.setdefault(cells[0], {})[cells[-2]] = max(0, int(grade))
    if not judged:
        raise at(path, None, "it holds no judgement.")
    return judged


def _cells(line: str, *, is_csv: bool) -> list[str]:
    if is_csv:
        return [cell.strip() for cell in next(csv.reader([line.strip()]))]
    # Ids may contain spaces if tabs separate the columns.
    return [cell.strip() for cell in (line.rstrip().split("\t") if "\t" in line.strip() else line.split())]


def _number(cell: str) -> float | None:
    try:
        return float(cell)
    except ValueError:
        return None


def _objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    yield from ((number, json_object(line, path, number)) for number, line in _lines(path))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield each nonempty line, with its number. Raises SuiteError for one that is not UTF-8."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            try:
                text = line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise at(path, number, "this is not UTF-8; save the file as UTF-8.") from error
            if text.strip():
                yield number, text


def _id(value: dict[str, Any], path: Path, line: int) -> str:
    found = value.get("_id", value.get("id"))
    if found is None or found == "":
        raise at(path, line, "`_id` is missing.")
    if not isinstance(found, str | int) or isinstance(found, bool) or not str(found).strip():
        raise at(
            path, line, f"`_id` must be a text or a whole number, not {json.dumps(found, ensure_ascii=False)[:40]}."
        )
    return str(found)


def _text(value: dict[str, Any], key: str, path: Path, line: int) -> str:
    """Return a text of the line, stripped; empty if it has none. Raises SuiteError for anything but text."""
    found = value.get(key)
    if not isinstance(found, str | int | float | None):
        raise at(path, line, f"`{key}` must be a text.")
    return "" if found is None else str(found).strip()


def _language(value: dict[str, Any]) -> str | None:
    """Return the language that the line itself states, next to its text or in its metadata."""
    metadata = value.get("metadata")
    named = value.get("language") or (metadata.get("language") if isinstance(metadata, dict) else None)
    return str(named) if named else None
