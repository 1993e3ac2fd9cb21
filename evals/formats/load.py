"""Read a suite of any format, and recognize the format by its content."""

from __future__ import annotations

import json
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from hashlib import file_digest
from pathlib import Path
from typing import Any

import regex

from evals.formats import beir
from evals.formats.attest import SuiteHeader, json_lines, read_cases, read_csv, read_yaml
from evals.formats.problems import at
from evals.formats.promptfoo import looks_like_promptfoo, read_promptfoo
from evals.formats.rows import Kind, kind_of_columns, read_rows
from evals.formats.squad import read_squad, squad_cases, squad_documents
from evals.formats.suite import Folder, Suite, Texts
from evals.formats.table import Rows, headings_of, json_rows, row_of, table_rows
from evals.formats.yaml_lines import read_lined
from evals.types import Case
from store.errors import SuiteError

SAMPLES = Path(__file__).parents[2] / "ingest" / "samples"
SHIPPED = Path(__file__).parents[1] / "suites"
BEIR_DEPTH = 100
"""Needed for its published figures: recall@100."""

_SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv")


def load_all(paths: Sequence[Path]) -> tuple[Suite, ...]:
    """Return the suites at `paths`, in order; a folder that isn't a BEIR data set stands for its files.

    Raises SuiteError: an unreadable suite, two with the same name, a repeated case id.
    """
    files = [file for path in paths for file in _files(path)]
    suites = tuple(load(file) for file in files)
    for number, suite in enumerate(suites):
        twin = next((other for other in suites[:number] if other.name == suite.name), None)
        if twin is not None:
            raise SuiteError(f"{suite.path}: its name `{suite.name}` is that of {twin.path} too; rename one.")
    return suites


def shipped() -> tuple[Suite, ...]:
    """Return the suites shipped with Attest, about the shipped samples."""
    return load_all(sorted(SHIPPED.glob("*.yaml")))


def _files(path: Path) -> list[Path]:
    if not path.exists():
        raise SuiteError(f"There is no suite at {path}.")
    if path.is_file() or beir.is_beir(path):
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise SuiteError(
            f"{path} holds no suite: neither YAML, JSONL, CSV or JSON files nor the corpus.jsonl, queries.jsonl "
            "and qrels folder of a BEIR data set."
        )
    return files


def load(path: Path) -> Suite:
    """Return the suite at `path`. Raises SuiteError with the file and the line in its message."""
    try:
        suite = _load_beir(path) if path.is_dir() else _load_file(path)
    except RecursionError as error:  # from YAML's and JSON's parsers alike
        raise at(path, None, "it nests lists or mappings too deeply to be a suite.") from error
    if not suite.cases:
        raise at(path, None, "it has no cases.")
    seen: dict[str, Case] = {}
    for case in suite.cases:
        if case.id in seen:
            first = seen[case.id]
            also = f"; it is that of line {first.line} too" if first.line is not None else ""
            raise at(path, case.line, f"the id `{case.id}` stands twice{also}. Ids must differ.")
        seen[case.id] = case
    return suite


def without_drafts(suite: Suite) -> Suite:
    """Return the suite without unreviewed cases, and a note with their number.

    Raises SuiteError if there are no others.
    """
    drafts = [case for case in suite.cases if case.draft]
    if not drafts:
        return suite
    if len(drafts) == len(suite.cases):
        raise at(
            suite.path,
            None,
            "all of its cases are drafts: look through them and take out `draft: true`, or ask them with --drafts.",
        )
    note = f"{suite.path}: {len(drafts)} drafts are left out; --drafts asks them too."
    return replace(suite, cases=tuple(case for case in suite.cases if not case.draft), notes=(*suite.notes, note))


def _load_beir(folder: Path) -> Suite:
    name = folder.resolve().name
    cases, notes = beir.beir_cases(folder, name)
    return Suite(
        name=name,
        path=folder,
        sha256="-".join(_sha256(file)[:16] for file in beir.beir_files(folder)),
        kind="beir",
        cases=cases,
        documents=Texts(partial(beir.beir_documents, folder)),
        retrieval_depth=BEIR_DEPTH,
        notes=notes,
    )


def _load_file(path: Path) -> Suite:
    return replace(_parse(_text(path), path), sha256=_sha256(path))


def _parse(text: str, path: Path) -> Suite:
    """Return the suite in a file's text, with the format recognized by content."""
    if not text.strip():
        raise at(path, None, "it is empty.")
    start = text.lstrip()[:1]
    if start in {"{", "["}:
        try:
            return _parse_json(json.loads(text), text, path)
        except json.JSONDecodeError:
            lines = [line for line in text.split("\n") if line.strip()]
            if start == "{" and all(line.lstrip().startswith("{") for line in lines[:2000]):
                return _parse_lines(text, path)
    elif path.suffix.lower() in {".csv", ".tsv"} or _is_table(text):
        kind = kind_of_columns(headings_of(text))
        if kind is None:
            return _attest(read_csv(text, path), path)
        rows = [(line, {name.lower(): cell for name, cell in row.items()}) for line, row in table_rows(text, path)]
        return read_rows(rows, kind, path)
    elif regex.search(r"^(?:tests|-\s+(?:vars|assert|description)):", text, regex.MULTILINE) and looks_like_promptfoo(
        read_lined(text, path).value
    ):
        return read_promptfoo(text, path)
    return _attest(read_yaml(text, path), path)


def _parse_json(value: Any, text: str, path: Path) -> Suite:  # noqa: ANN401 - JSON of any shape
    if looks_like_promptfoo(value):
        return read_promptfoo(text, path)
    rows = json_rows(value)
    if rows is not None and (_row_kind(rows) is not None or isinstance(value, list)):
        lined = read_lined(text, path)
        return _parse_rows([(lined.line(place) or 1, row) for place, row in rows], path)
    if isinstance(value, dict) and "data" in value:
        squad = read_squad(value, path)
        cases, notes = squad_cases(squad, path.stem, path)
        documents = Texts(partial(squad_documents, squad))
        return Suite(path.stem, path, sha256="", kind="squad", cases=cases, documents=documents, notes=notes)
    if isinstance(value, dict) and "cases" not in value:
        return _parse_lines(text, path)
    return _attest(read_yaml(text, path), path)


def _row_kind(rows: Rows) -> Kind | None:
    """Return the tool whose rows these are."""
    return kind_of_columns({name for _, row in rows if isinstance(row, dict) for name in row})


def _parse_lines(text: str, path: Path) -> Suite:
    return _parse_rows([(line, row_of(row)) for line, row in json_lines(text, path)], path)


def _parse_rows(rows: Sequence[tuple[int, Any]], path: Path) -> Suite:
    """Return the suite of rows with their lines: another tool's, or Attest's own cases."""
    wrong = next((line for line, row in rows if not isinstance(row, dict)), None)
    if wrong is not None:
        raise at(path, wrong, "each row must be a JSON object.")
    kind = kind_of_columns({name for _, row in rows for name in row})
    return _attest(read_cases(rows, path), path) if kind is None else read_rows(rows, kind, path)


def _attest(read: tuple[SuiteHeader, tuple[Case, ...]], path: Path) -> Suite:
    header, cases = read
    return Suite(
        name=header.suite,
        path=path,
        sha256="",
        kind="attest",
        cases=cases,
        description=header.description,
        documents=_library(header, path),
        thresholds=header.thresholds,
    )


def _is_table(text: str) -> bool:
    """Return whether a text is CSV: its first line names columns. YAML begins with a comment or `key: value`."""
    headings = [heading for heading in headings_of(text) if heading]
    named = all(regex.fullmatch(r"[\w \-./]+", heading) for heading in headings)
    asked = any(heading in {"question", "user_input", "input"} for heading in headings)
    return named and (asked or len(headings) > 1)


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
        wide = content.startswith((BOM_UTF16_LE, BOM_UTF16_BE))  # a spreadsheet's "Unicode text"
        text = content.decode("utf-16" if wide else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise at(path, line, "this is not UTF-8; save the file as UTF-8.") from error
    except OSError as error:
        raise at(path, None, f"it can't be read: {error.strerror}.") from error
    if "\0" in text:
        line = text[: text.index("\0")].count("\n") + 1
        raise at(path, line, "it holds the character U+0000; save the file as UTF-8.")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _library(header: SuiteHeader, path: Path) -> Folder | None:
    """Return the folder that the suite asks about; the shipped suites ask about the shipped samples."""
    if header.library == "samples" or (header.library is None and path.resolve().parent == SHIPPED):
        return Folder(SAMPLES)
    if header.library is None:
        return None
    folder = (path.parent / header.library).resolve()
    if not folder.is_dir():
        raise at(path, None, f"`library` names {folder}, which is no folder.")
    return Folder(folder)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
