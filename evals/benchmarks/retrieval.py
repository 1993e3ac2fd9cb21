"""Compare Attest's retrieval with frameworks', within a language and across: ``make bench-retrieval``.

    python -m evals.benchmarks.retrieval [--data FOLDER] [--questions N] [--docs]

It asks the questions of XQuAD (development half; every `xquad.LANGUAGE.json` in the folder) over all its paragraphs:

- within: a library in the question's own language;
- mixed: each paragraph in one language only, in as many rotations as languages, so that every paragraph is there in
  every language once. The question's own language is then right for one paragraph in three;
- native: Thai questions that Thai people wrote on Thai articles (iapp-wiki-qa).

All systems use the same embedding model, see the same texts and give ten passages; only the first of each document
counts. Evidence means that one of the three sentences that Attest would show first contains a gold answer. Language
means come from other text. Confidence is measured by models fitted on other articles.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from assistant.extractive_qa.candidates import PASSAGES, candidates
from assistant.extractive_qa.decisions import Ranking
from evals.benchmarks.ablations import Variant, asking, variants
from evals.benchmarks.figures import machine, replace_section, save
from evals.benchmarks.questions import (
    Asked,
    Paragraph,
    Parallel,
    RememberingEmbedder,
    fill,
    read_thai_qa,
    read_xquad,
    rotated,
)
from store.library import Library
from store.types import SearchResult

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder

ATTEST = "Attest"
ABLATION_STEP = 3
"""Ablations ask every third question: all of them would take half an hour."""

SHOWN = 3
"""Sentences that are searched for the answer."""
BY_SEARCH = Ranking(retrieval=1.0, margin=0.0, heading=-0.2)
"""Sentences in the order of the search alone, because `evals.benchmarks.reading` measures the reader's part."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A question with the document and the words that answer it."""

    question: Asked
    uri: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Setting:
    """A library, and its questions."""

    name: str
    paragraphs: tuple[Paragraph, ...]
    asked: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One system's result for one question."""

    setting: str
    system: str
    language: str
    question: str
    paragraph: int
    rank: int | None
    """Rank of the document that answers, from 1 among the first ten; None if it isn't among them."""
    evidence: bool | None
    """Whether the sentences shown first contain the answer; None for systems that show none."""


def settings(data: Path, questions: int | None) -> Iterator[Setting]:
    """Yield all libraries with their questions; with `questions`, only about that many per language, evenly spread."""
    parallel = read_xquad(data / "xquad-dev")
    languages = list(parallel)
    for collection in parallel.values():
        yield _within("within", collection, questions)
    for rotation in range(len(languages) if len(languages) > 1 else 0):
        paragraphs = tuple(rotated(parallel, rotation))
        yield Setting(
            "mixed",
            paragraphs,
            tuple(
                _across(question, paragraphs[question.paragraph], parallel)
                for language in languages
                for question in _spread(parallel[language].questions, questions)
            ),
        )
    native = data / "thai-qa" / "valid.jsonl"
    if native.is_file():
        yield _within("native", read_thai_qa(native), questions)


def _within(name: str, collection: Parallel, questions: int | None) -> Setting:
    asked = tuple(
        Expected(question, collection.paragraphs[question.paragraph].uri, question.answers)
        for question in _spread(collection.questions, questions)
    )
    return Setting(name, collection.paragraphs, asked)


def _across(question: Asked, paragraph: Paragraph, parallel: Mapping[str, Parallel]) -> Expected:
    """Return the gold answers in the language of the paragraph here."""
    twins = parallel[paragraph.language].questions
    answers = next(twin.answers for twin in twins if twin.id == question.id)
    return Expected(question, paragraph.uri, answers)


def _spread(questions: Sequence[Asked], count: int | None) -> Sequence[Asked]:
    if count is None or count >= len(questions):
        return questions
    return [questions[number * len(questions) // count] for number in range(count)]


def measure(setting: Setting, number: int, embedder: Embedder, *, ablate: bool) -> Iterator[Outcome]:
    """Ask one library with every system. `number` identifies the setting, so that ablations ask each question once."""
    from evals.benchmarks.stock import stock_finders

    for system, find in stock_finders(setting.paragraphs, embedder).items():
        for each in _bar(setting, system, setting.asked):
            yield _outcome(setting, system, each, find(each.question.text), None)
    with tempfile.TemporaryDirectory() as folder, Library.open(Path(folder), embedder=embedder) as library:
        fill(library, setting.paragraphs)
        for each in _bar(setting, ATTEST, setting.asked):
            yield _judge(setting, ATTEST, each, library.search(each.question.text, PASSAGES))
        if not ablate or setting.name == "native":
            return
        some = setting.asked[number % ABLATION_STEP :: ABLATION_STEP]
        languages = sorted({each.question.language for each in setting.asked})
        for variant in variants(languages):
            with asking(library, variant, PASSAGES) as ask:
                for each in _bar(setting, variant.name, _concerned(variant, some)):
                    yield _judge(setting, variant.name, each, ask(each.question.text))


def _concerned(variant: Variant, asked: Sequence[Expected]) -> Sequence[Expected]:
    """Return the questions that a variant concerns; for a missing mean, those in its language."""
    return [each for each in asked if not variant.languages or each.question.language in variant.languages]


def _judge(setting: Setting, system: str, expected: Expected, found: SearchResult) -> Outcome:
    uris = list(dict.fromkeys(hit.document.uri for hit in found.hits))
    shown = candidates(found, BY_SEARCH)[:SHOWN]
    evidence = any(
        each.hit.document.uri == expected.uri and any(answer in each.words for answer in expected.answers)
        for each in shown
    )
    return _outcome(setting, system, expected, uris, evidence)


def _outcome(setting: Setting, system: str, expected: Expected, uris: Sequence[str], evidence: bool | None) -> Outcome:
    question = expected.question
    rank = uris.index(expected.uri) + 1 if expected.uri in uris else None
    return Outcome(setting.name, system, question.language, question.id, question.paragraph, rank, evidence)


def _bar(setting: Setting, system: str, asked: Sequence[Expected]) -> Iterator[Expected]:
    return iter(tqdm(asked, desc=f"{setting.name}: {system}", disable=None, leave=False))


@click.command()
@click.option("--data", type=click.Path(exists=True, path_type=Path), default=Path("../shared/data"), show_default=True)
@click.option("--questions", type=click.IntRange(min=1), help="About so many of each language, for a quick look.")
@click.option("--ablations/--no-ablations", default=True, help="Take parts of the ranking away one at a time.")
@click.option("--docs", is_flag=True, help="Write the tables into docs/figures.md.")
@click.option("--out", type=click.Path(file_okay=False, path_type=Path), default=Path("build"), show_default=True)
def main(data: Path, questions: int | None, ablations: bool, docs: bool, out: Path) -> None:
    """Measure Attest's retrieval beside LlamaIndex's, within a language and across."""
    from evals.benchmarks import retrieval_tables as tables
    from store.embedding.weights import load_embedder

    embedder = RememberingEmbedder(load_embedder())
    outcomes = [
        outcome
        for number, setting in enumerate(settings(data, questions))
        for outcome in measure(setting, number, embedder, ablate=ablations)
    ]
    parts = [machine(), tables.comparison(outcomes), tables.differences(outcomes), tables.evidence(outcomes)]
    if ablations:
        parts.append(tables.ablations(outcomes))
    saved: dict[str, object] = {"outcomes": [asdict(outcome) for outcome in outcomes]}
    report = "\n\n".join(parts)
    click.echo(report)
    click.echo(f"\nAll outcomes: {save('bench-retrieval', saved, out)}", err=True)
    if docs:
        replace_section("retrieval", report)


if __name__ == "__main__":
    main()
