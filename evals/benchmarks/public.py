"""Run public retrieval benchmarks with their own protocols: ``make bench-public DATA=FOLDER``.

    python -m evals.benchmarks.public FOLDER [--questions N] [--docs]

FOLDER has one folder for each collection, as downloaded:

- MIRACL: ``*topics*.tsv`` or ``*queries*.tsv`` (id, tab, question), ``*qrels*.tsv`` (TREC's four columns), and the corpus
  in ``*.jsonl`` or ``*.jsonl.gz``, there or in a folder ``corpus`` (``docid``, ``title``, ``text``). Documents are ranked
  for each question, a hundred deep. Zhang et al. 2023, doi:10.1162/tacl_a_00595
- NoMIRACL: the same twice, with ``relevant`` and ``non_relevant`` in the names. Each question is asked of its judged
  passages only. Hallucination rate: among questions that none of them answers, the share that is answered. Error
  rate: among the others, the share that is refused. Thakur et al. 2024, arXiv:2312.11361
- XQuAD-R: SQuAD's JSON, one file per language (``xquad.th.json`` or ``th.json``), parallel. The task is to find the
  sentences with the answer, one in each language, among those of all languages. Roy et al. 2020, arXiv:2004.05484
"""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any, Literal, TypeVar

import click
from tqdm import tqdm

from assistant.answer.pipeline import Assistant
from assistant.extractive_qa.candidates import candidates
from assistant.extractive_qa.decisions import Ranking
from assistant.types import AskOptions
from evals.benchmarks.figures import machine, replace_section, save, share, table
from evals.benchmarks.questions import fill, read_xquad
from evals.formats.suite import SourceText
from evals.libraries import parsed_documents
from evals.metrics.retrieval import average_precision, best_per_document, ndcg, recall, reciprocal_rank
from store.ids import document_id
from store.library import Library
from store.types import Filter

DEPTH = 100
PASSAGE_TOKENS = 400
"""Per passage: enough for nearly every document of MIRACL, which is a paragraph."""
_Item = TypeVar("_Item")
BY_SEARCH = Ranking(retrieval=1.0, margin=0.0, heading=0.0)
Protocol = Literal["miracl", "nomiracl", "xquad-r"]
NON_RELEVANT, RELEVANT = "non_relevant", "relevant"


@dataclass(frozen=True, slots=True)
class Ranked:
    """The result for one question, best first, and the expected one."""

    ranking: tuple[str, ...]
    grades: dict[str, int]
    language: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """Whether a question was answered, and whether it could be."""

    answerable: bool
    answered: bool


def miracl(folder: Path, most: int | None) -> Iterator[Ranked]:
    """Yield the ranking of documents for each judged question."""
    asked = _some(queries(folder), most)
    with _library() as library:
        _add(library, folder)
        for query in tqdm(asked, desc=folder.name, disable=None, leave=False):
            found = library.search(query.text, DEPTH)
            yield Ranked(best_per_document(hit.document.uri for hit in found.hits), query.grades)


def nomiracl(folder: Path, most: int | None) -> Iterator[Asked]:
    """Yield whether each question was answered from its judged passages."""
    with _library() as library:
        _add(library, folder)
        assistant = Assistant(library)
        for subset in (RELEVANT, NON_RELEVANT):
            for query in tqdm(_some(queries(folder, subset), most), desc=folder.name, disable=None, leave=False):
                judged = Filter(documents=tuple(document_id(name) for name in query.grades))
                answer = assistant.answer(query.text, options=AskOptions(filter=judged))
                yield Asked(subset == RELEVANT, answer.answered)


def xquad_r(folder: Path, most: int | None) -> Iterator[Ranked]:
    """Yield the ranking of sentences of all languages for each question."""
    parallel = read_xquad(folder)
    with _library() as library:
        fill(library, (paragraph for part in parallel.values() for paragraph in part.paragraphs))
        grades: dict[str, dict[str, int]] = {}
        for part in parallel.values():
            for asked in part.questions:
                document = document_id(part.paragraphs[asked.paragraph].uri)
                sentences = [span for passage in library.passages(document) for span in passage.sentences]
                holding = (span for span in sentences if span.start <= asked.start < span.end)
                grades.setdefault(asked.id, {}).update({f"{document} {span.start}": 1 for span in holding})
        for language, part in parallel.items():
            some = _some(part.questions, most)
            for asked in tqdm(some, desc=f"{folder.name} {language}", disable=None, leave=False):
                ordered = candidates(library.search(asked.text, DEPTH), BY_SEARCH)
                ranking = tuple(f"{one.hit.document.id} {one.sentence.span.start}" for one in ordered)
                yield Ranked(ranking, grades[asked.id], language)


def ranking_rows(name: str, found: Sequence[Ranked]) -> list[tuple[str, ...]]:
    """Return one row per language and one for all: the number of questions and the means of the measures."""
    languages = sorted({each.language for each in found})
    parts = [(f"{name} {language}", [one for one in found if one.language == language]) for language in languages]
    return [
        (
            label.strip(),
            str(len(some)),
            _mean(ndcg(one.ranking, one.grades, 10) for one in some),
            _mean(recall(one.ranking, one.grades, DEPTH) for one in some),
            _mean(reciprocal_rank(one.ranking, one.grades) for one in some),
            _mean(average_precision(one.ranking, one.grades) for one in some),
        )
        for label, some in (*parts, *([(name, list(found))] if len(parts) > 1 else []))
    ]


def refusal_row(name: str, found: Sequence[Asked]) -> tuple[str, ...]:
    """Return a row: hallucination rate and error rate, each with its number of questions."""
    others = [one.answered for one in found if not one.answerable]
    answerable = [not one.answered for one in found if one.answerable]
    return (name, str(len(others)), _mean(others), str(len(answerable)), _mean(answerable))


@contextmanager
def _library() -> Iterator[Library]:
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder)) as library:
        yield library


def _add(library: Library, folder: Path) -> None:
    parsed = parsed_documents(corpus(folder), library.embedder, PASSAGE_TOKENS)
    for _ in tqdm(library.add_many(parsed), desc=f"{folder.name}: corpus", disable=None, leave=False):
        pass


def _some(items: Sequence[_Item], most: int | None) -> Sequence[_Item]:
    return items if most is None else [items[place * len(items) // most] for place in range(min(most, len(items)))]


def _mean(values: Iterable[float | bool | None]) -> str:
    known = [float(value) for value in values if value is not None]
    return share(fmean(known) if known else None)


@dataclass(frozen=True, slots=True)
class Query:
    """A question with its judgements: grades by document id."""

    id: str
    text: str
    grades: dict[str, int]


def protocol_of(folder: Path) -> Protocol | None:
    """Return which collection a folder looks like; None for an unknown one."""
    if any(NON_RELEVANT in path.name for path in folder.glob("*qrels*.tsv")):
        return "nomiracl"
    if any(folder.glob("*qrels*.tsv")):
        return "miracl"
    return "xquad-r" if any(folder.glob("*.json")) else None


def queries(folder: Path, subset: str = "") -> list[Query]:
    """Return the judged questions of a MIRACL folder, or a NoMIRACL folder's `subset`. Raises ClickException."""
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


def _one(folder: Path, patterns: tuple[str, ...], subset: str) -> Path:
    """Return the only file of a kind. The other subset's name ends in this one's name."""
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


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--questions", type=click.IntRange(min=1), help="At most so many of each collection and language.")
@click.option("--docs", is_flag=True, help="Write the tables into docs/figures.md.")
def main(folder: Path, questions: int | None, docs: bool) -> None:
    """Measure Attest on the public collections in FOLDER."""
    rankings: list[tuple[str, ...]] = []
    refusals: list[tuple[str, ...]] = []
    for place in sorted(path for path in (folder, *folder.iterdir()) if path.is_dir()):
        kind = protocol_of(place)
        if kind == "nomiracl":
            refusals.append(refusal_row(place.name, list(nomiracl(place, questions))))
        elif kind is not None:
            run = miracl if kind == "miracl" else xquad_r
            rankings += ranking_rows(place.name, list(run(place, questions)))
    if not rankings and not refusals:
        raise click.ClickException(f"{folder} holds no collection: see evals/benchmarks/public.py for the files.")
    parts = [machine()]
    if rankings:
        parts.append(table(("collection", "n", "nDCG@10", "Recall@100", "MRR", "MAP"), rankings))
    if refusals:
        header = ("collection", "none relevant", "hallucination rate", "some relevant", "error rate")
        parts.append(table(header, refusals))
    report = "\n\n".join(parts)
    click.echo(report)
    saved = save("bench-public", {"rankings": rankings, "refusals": refusals})
    click.echo(f"\nAll figures: {saved}", err=True)
    if docs:
        replace_section("public", report)


if __name__ == "__main__":
    main()
