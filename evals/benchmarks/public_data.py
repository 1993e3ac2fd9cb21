"""Reads public retrieval collections as they are downloaded, each in a folder of its own.

- MIRACL: ``*topics*.tsv`` or ``*queries*.tsv`` (id, tab, question), ``*qrels*.tsv`` (TREC's four columns), and the corpus
  in ``*.jsonl`` or ``*.jsonl.gz``, there or in a folder ``corpus`` (``docid``, ``title``, ``text``). Zhang et al. 2023,
  doi:10.1162/tacl_a_00595
- NoMIRACL: the same twice, with ``relevant`` and ``non_relevant`` in the names. Thakur et al. 2024, arXiv:2312.11361
- XQuAD-R: SQuAD's JSON, a file a language (``xquad.th.json`` or ``th.json``), parallel. Roy et al. 2020,
  arXiv:2004.05484
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import click

from evals.formats.suite import SourceText

Protocol = Literal["miracl", "nomiracl", "xquad-r"]
NON_RELEVANT, RELEVANT = "non_relevant", "relevant"


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its judgements: grades by document id."""

    id: str
    text: str
    grades: dict[str, int]


@dataclass(frozen=True, slots=True)
class ParallelParagraph:
    """A paragraph in one language, with its questions: their id, text, and where the answer begins."""

    language: str
    number: int
    """Number paragraphs alike in every language."""
    text: str
    asked: tuple[tuple[str, str, int], ...]

    @property
    def uri(self) -> str:
        """Its name in a library."""
        return f"{self.language}:{self.number}"


def protocol_of(folder: Path) -> Protocol | None:
    """Return which collection a folder looks like, None if none."""
    if any(NON_RELEVANT in path.name for path in folder.glob("*qrels*.tsv")):
        return "nomiracl"
    if any(folder.glob("*qrels*.tsv")):
        return "miracl"
    return "xquad-r" if any(folder.glob("*.json")) else None


def queries(folder: Path, subset: str = "") -> list[Query]:
    """Return the judged questions of a MIRACL folder; of NoMIRACL's, those of the `subset`. Raises ClickException."""
    judged: dict[str, dict[str, int]] = {}
    for path, number, line in _lines(_one(folder, ("*qrels*.tsv",), subset)):
        cells = line.split()
        if len(cells) != 4 or not cells[3].lstrip("-").isdigit():
            raise click.ClickException(f"{path}, line {number}: a judgement has TREC's four columns.")
        judged.setdefault(cells[0], {})[cells[2]] = max(0, int(cells[3]))
    found = []
    for path, number, line in _lines(_one(folder, ("*topics*.tsv", "*queries*.tsv"), subset)):
        identity, tab, text = line.partition("\t")
        if not tab or not text.strip():
            raise click.ClickException(f"{path}, line {number}: a query is its id, a tab, and its text.")
        if identity in judged:
            found.append(Query(identity, text.strip(), judged[identity]))
    return found


def corpus(folder: Path) -> Iterator[SourceText]:
    """Yield the corpus of a MIRACL or NoMIRACL folder, one passage at a time. Raises ClickException."""
    place = folder / "corpus" if (folder / "corpus").is_dir() else folder
    files = sorted([*place.glob("*.jsonl"), *place.glob("*.jsonl.gz")])
    if not files:
        raise click.ClickException(f"{folder} has no corpus: files *.jsonl or *.jsonl.gz, there or in corpus/.")
    for file in files:
        with gzip.open(file, "rt", encoding="utf-8") if file.suffix == ".gz" else file.open(encoding="utf-8") as lines:
            for line in lines:
                value: dict[str, Any] = json.loads(line)
                identity = str(value.get("docid") or value["_id"])
                title = str(value.get("title") or "")
                yield SourceText(identity, title or identity, f"{title}\n\n{value['text']}".strip())


def parallel(folder: Path) -> Iterator[ParallelParagraph]:
    """Yield the paragraphs of all languages of an XQuAD-R folder."""
    for path in sorted(folder.glob("*.json")):
        language = path.stem.rpartition(".")[2]
        numbered = enumerate(
            paragraph
            for article in json.loads(path.read_text(encoding="utf-8"))["data"]
            for paragraph in article["paragraphs"]
        )
        for number, paragraph in numbered:
            asked = tuple(
                (each["id"], each["question"], each["answers"][0]["answer_start"]) for each in paragraph["qas"]
            )
            yield ParallelParagraph(language, number, paragraph["context"], asked)


def _one(folder: Path, patterns: tuple[str, ...], subset: str) -> Path:
    """Return the one file of a kind. The name of the other subset ends in that of this one."""
    files = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if subset:
        files = [path for path in files if (NON_RELEVANT in path.name) == (subset == NON_RELEVANT)]
    if len(files) != 1:
        kind = f" for {subset}" if subset else ""
        raise click.ClickException(f"{folder} has {len(files)} files {' or '.join(patterns)}{kind}; there must be one.")
    return files[0]


def _lines(path: Path) -> Iterator[tuple[Path, int, str]]:
    for number, line in enumerate(path.read_text(encoding="utf-8-sig").splitlines(), 1):
        if line.strip():
            yield path, number, line
