"""Measure how many quotes shown are irrelevant to the question: ``python -m evals.benchmarks.shown_quotes``.

It uses ``evals/benchmarks/data/shown_quotes.yaml``: questions over the samples that ship, each with the sentences worth
showing, labelled by hand. It prints, by language, answers and refusals, and the share of irrelevant quotes among those
shown at once and among those folded, with its 95 % interval (Wilson).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from assistant.answer.pipeline import Assistant
from assistant.answer_layout import layout_of
from assistant.types import Answer
from evals.metrics.statistics import wilson
from evals.text import fold
from ingest.pipeline import ingest_samples
from store.library import Library

DATA = Path(__file__).parent / "data" / "shown_quotes.yaml"


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, and words of each sentence worth showing for it."""

    language: str
    question: str
    relevant: tuple[str, ...]

    def is_relevant(self, quote: str) -> bool:
        """Return whether a quote is one of the sentences worth showing."""
        folded = fold(quote)
        return any(fold(words) in folded for words in self.relevant)


@dataclass(frozen=True, slots=True)
class Shown:
    """A labelled question and its answer."""

    label: Labelled
    answer: Answer

    @property
    def at_once(self) -> tuple[str, ...]:
        """The quotes shown unfolded, without a refusal's nearest sentence."""
        parts = layout_of(self.answer).parts if self.answer.answered else ()
        return tuple(each.quote for part in parts for each in part.evidence)

    @property
    def folded(self) -> tuple[str, ...]:
        """The quotes shown on demand."""
        return tuple(each.quote for each in layout_of(self.answer).more) if self.answer.answered else ()

    def irrelevant(self, quotes: Sequence[str]) -> tuple[str, ...]:
        """Return the quotes that aren't worth showing."""
        return tuple(quote for quote in quotes if not self.label.is_relevant(quote))


def load(path: Path = DATA) -> Iterator[Labelled]:
    """Yield the labelled questions in the order of their file."""
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        yield Labelled(entry["language"], entry["question"], tuple(entry["relevant"]))


def row(name: str, shown: Sequence[Shown]) -> str:
    """Return a line of figures."""
    answered = [each for each in shown if each.answer.answered]
    counts = f"{name:4} {len(answered):3} answered, {len(shown) - len(answered)} refused"
    at_once = _share([(len(each.at_once), len(each.irrelevant(each.at_once))) for each in answered])
    folded = _share([(len(each.folded), len(each.irrelevant(each.folded))) for each in answered])
    return f"{counts}; shown at once {at_once}; folded {folded}"


def _share(counts: Sequence[tuple[int, int]]) -> str:
    quotes, irrelevant = (sum(column) for column in zip(*counts, strict=True)) if counts else (0, 0)
    if not quotes:
        return "none"
    interval = wilson(irrelevant, quotes)
    return f"{irrelevant} of {quotes} irrelevant ({irrelevant / quotes:.2f} [{interval.low:.2f}, {interval.high:.2f}])"


@click.command()
@click.option("--irrelevant", "listed", is_flag=True, help="Also print the irrelevant quotes that are shown at once.")
def main(listed: bool) -> None:
    """Print the share of irrelevant quotes over the samples."""
    labels = list(load())
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home)) as library:
        ingest_samples(library)
        assistant = Assistant(library)
        shown = [Shown(label, assistant.answer(label.question)) for label in labels]
    for language in sorted({label.language for label in labels}):
        click.echo(row(language, [each for each in shown if each.label.language == language]))
    click.echo(row("all", shown))
    for each in shown if listed else ():
        for quote in each.irrelevant(each.at_once):
            click.echo(f"{each.label.question}: {quote}")


if __name__ == "__main__":
    main()
