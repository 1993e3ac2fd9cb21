"""Measure the result for users: the right quote first, the right words, a refusal if nothing answers.

    python -m evals.benchmarks.reading [--documents FOLDER] [--questions FILE]

It asks the whole assistant, with and without its reader, over a folder of documents and a YAML file of questions
(``{language, question, answers}``). Without options, it uses the small documents that ship, whose questions helped to
fit the limits; the corpus in ``../shared``, if it exists, whose questions were not used for fitting; and near misses
over the samples, pairs of questions of which one asks for a fact that isn't there.
"""

from __future__ import annotations

import json
import statistics
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from assistant.answer.pipeline import Assistant
from assistant.types import Answer
from evals.training.reader.asked import KINDS, LIBRARIES, Item, read_items
from evals.training.reader.decisions import plain, same_words, token_f1
from evals.training.reader.fitting import area
from ingest.pipeline import ingest_paths, ingest_samples
from store.embedding.embedder import Embedder
from store.library import Library

CORPUS = Path("../shared/corpus")
CORPUS_QUESTIONS = Path(__file__).parent / "data" / "reading.yaml"
NEAR_MISSES = Path(__file__).parent / "data" / "near_misses.jsonl"


@dataclass(frozen=True, slots=True)
class Given:
    """A question and the assistant's answer."""

    item: Item
    answer: Answer

    @property
    def right(self) -> list[bool]:
        """Whether each quote contains a gold answer, in order."""
        if not self.answer.answered:
            return []
        return [any(plain(gold) in plain(each.quote) for gold in self.item.answers) for each in self.answer.evidence]

    @property
    def short(self) -> str:
        """The short answer's words; empty if there is none."""
        short = self.answer.short_answer
        return " ".join(span.text for span in short.spans) if short else ""


def ask_all(documents: Path, items: Iterable[Item], embedder: Embedder, *, reading: bool) -> list[Given]:
    """Return the answers to all items over a new library of the documents."""
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home), embedder=embedder) as library:
        ingest_paths(library, [path for path in sorted(documents.iterdir()) if path.suffix in {".md", ".txt", ".html"}])
        assistant = Assistant(library, reading=reading)
        return [Given(item, assistant.answer(item.question)) for item in items]


def table(given: Sequence[Given], label: str) -> list[str]:
    """Return rows of figures: one per language of the questions, and one for all."""
    languages = sorted({each.item.language for each in given})
    parts = [(language, [each for each in given if each.item.language == language]) for language in languages]
    return [_row(f"{label}, {name}", some) for name, some in [*parts, ("all", list(given))]]


def _row(label: str, given: Sequence[Given]) -> str:
    answerable = [each for each in given if each.item.answers]
    others = [each for each in given if not each.item.answers]
    first = sum(each.right[:1] == [True] for each in answerable)
    three = sum(any(each.right[:3]) for each in answerable)
    lost = sum(not each.answer.answered for each in answerable)
    refused = sum(not each.answer.answered for each in others)
    quotes = [right for each in answerable for right in each.right]
    said = [each for each in answerable if each.short]
    exact = sum(max(same_words(each.short, gold) for gold in each.item.answers) for each in said)
    overlap = sum(max(token_f1(each.short, gold) for gold in each.item.answers) for each in said)
    times = [each.answer.timings_ms.get("read", 0.0) for each in given]
    count = len(answerable)
    return (
        f"| {label} | {first}/{count} | {three}/{count} | {lost}/{count} | {refused}/{len(others)} | "
        f"{len(said)} | {exact / count:.2f} | {overlap / count:.2f} | {1 - sum(quotes) / max(1, len(quotes)):.2f} | "
        f"{statistics.median(times):.0f} |"
    )


def near_misses(embedder: Embedder, *, reading: bool) -> list[str]:
    """Return rows of AUROC, and of answerable and other questions refused, by language."""
    asked: list[tuple[str, bool, Answer]] = []
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home), embedder=embedder) as library:
        ingest_samples(library)
        assistant = Assistant(library, reading=reading)
        for line in NEAR_MISSES.read_text(encoding="utf-8").splitlines():
            pair = json.loads(line)
            asked.append((pair["language"], True, assistant.answer(pair["answerable"])))
            asked.append((pair["language"], False, assistant.answer(pair["near_miss"])))
    rows = []
    for language in [*sorted({tag for tag, _, _ in asked}), "all"]:
        some = [(there, answer) for tag, there, answer in asked if language in {tag, "all"}]
        truth = np.array([float(there) for there, _ in some])
        sure = np.array([answer.confidence for _, answer in some])
        lost, refused = (
            np.mean([not answer.answered for there, answer in some if there == kind]) for kind in (True, False)
        )
        label = "with" if reading else "without"
        rows.append(f"| near-misses, {label}, {language} | {area(truth, sure):.3f} | {lost:.2f} | {refused:.2f} |")
    return rows


@click.command()
@click.option("--documents", type=click.Path(exists=True, path_type=Path))
@click.option("--questions", type=click.Path(exists=True, path_type=Path))
def main(documents: Path | None, questions: Path | None) -> None:
    """Ask everything with the reader and without it."""
    from store.embedding.weights import load_embedder

    embedder = load_embedder()
    ours = [(LIBRARIES / kind, LIBRARIES / kind / "questions.yaml") for kind in KINDS]
    pairs = [(documents, questions)] if documents and questions else ours
    if not documents and CORPUS.is_dir():
        pairs.append((CORPUS, CORPUS_QUESTIONS))
    click.echo(
        "| documents, reader, questions | first | in three | lost | refused | short answers | EM | F1 "
        "| other quotes | ms |\n| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    )
    for folder, file in pairs:
        for reading in (False, True):
            label = f"{folder.name}, {'with' if reading else 'without'}"
            click.echo("\n".join(table(ask_all(folder, read_items(file), embedder, reading=reading), label)))
    click.echo("\n| near-misses over the samples | AUROC | lost | refused |\n| --- | ---: | ---: | ---: |")
    for reading in (False, True):
        click.echo("\n".join(near_misses(embedder, reading=reading)))


if __name__ == "__main__":
    main()
