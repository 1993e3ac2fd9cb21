"""Reads a suite of any format, telling the formats apart by what is in them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from hashlib import file_digest
from pathlib import Path

import regex

from evals.formats import beir
from evals.formats.attest_lines import read_csv, read_jsonl
from evals.formats.attest_yaml import read_yaml
from evals.formats.problems import at
from evals.formats.schema import SuiteHeader
from evals.formats.squad import read_squad, squad_cases, squad_documents
from evals.formats.suite import Folder, Suite, Texts
from evals.types import Case
from store.errors import SuiteError

SAMPLES = Path(__file__).parents[2] / "ingest" / "samples"
SHIPPED = Path(__file__).parents[1] / "suites"
BEIR_DEPTH = 100
"""As its published figures need: recall@100."""

_SUFFIXES = (".yaml", ".yml", ".json", ".jsonl", ".csv", ".tsv")


def load_all(paths: Sequence[Path]) -> tuple[Suite, ...]:
    """The suites at `paths`, in order; a folder that isn't a BEIR data set stands for the files in it.

    Raises SuiteError: a suite that can't be read, two of one name, a case's id twice.
    """
    files = [file for path in paths for file in _files(path)]
    suites = tuple(load(file) for file in files)
    for number, suite in enumerate(suites):
        twin = next((other for other in suites[:number] if other.name == suite.name), None)
        if twin is not None:
            raise SuiteError(f"{suite.path}: its name `{suite.name}` is that of {twin.path} too; rename one.")
    return suites


def shipped() -> tuple[Suite, ...]:
    """The suites that come with the program, about the samples that come with it."""
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
    """The suite at `path`. Raises SuiteError, whose message names the file and the line."""
    try:
        suite = _load_beir(path) if path.is_dir() else _load_file(path)
    except RecursionError as error:  # of YAML's and JSON's parsers alike
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


def _load_beir(folder: Path) -> Suite:
    name = folder.resolve().name
    return Suite(
        name=name,
        path=folder,
        sha256="-".join(_sha256(file)[:16] for file in beir.beir_files(folder)),
        kind="beir",
        cases=beir.beir_cases(folder, name),
        documents=Texts(partial(beir.beir_documents, folder)),
        retrieval_depth=BEIR_DEPTH,
    )


def _load_file(path: Path) -> Suite:
    text = _text(path)
    kind = _kind(text)
    if kind == "squad":
        squad = read_squad(json.loads(text), path)
        return Suite(
            name=path.stem,
            path=path,
            sha256=_sha256(path),
            kind="squad",
            cases=squad_cases(squad, path.stem, path),
            documents=Texts(partial(squad_documents, squad)),
        )
    read = {"jsonl": read_jsonl, "csv": read_csv, "yaml": read_yaml}[kind]
    header, cases = read(text, path)
    return Suite(
        name=header.suite,
        path=path,
        sha256=_sha256(path),
        kind="attest",
        cases=cases,
        description=header.description,
        documents=_library(header, path),
        thresholds=header.thresholds,
    )


def _kind(text: str) -> str:
    """squad, jsonl, csv or yaml."""
    lines = [line for line in text.split("\n", 2000)[:2000] if line.strip()]
    if not lines:
        return "yaml"
    if lines[0].lstrip().startswith("{"):
        try:
            value = json.loads(text)
        except json.JSONDecodeError:
            several = all(line.lstrip().startswith("{") for line in lines[1:])
            return "jsonl" if several else "yaml"
        if "data" in value:
            return "squad"
        return "yaml" if "cases" in value else "jsonl"
    # A header of CSV is names between separators; a first line of YAML is a comment or `key: value`.
    header = regex.fullmatch(r"\s*\"?[\w ]+\"?(?:\s*[,;\t]\s*\"?[\w ]+\"?)+\s*", lines[0])
    return "csv" if header and "question" in lines[0] else "yaml"


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise at(path, line, "this is not UTF-8; save the file as UTF-8.") from error
    except OSError as error:
        raise at(path, None, f"it can't be read: {error.strerror}.") from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _library(header: SuiteHeader, path: Path) -> Folder | None:
    """The folder that the suite asks about; the shipped suites ask about the shipped samples."""
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
