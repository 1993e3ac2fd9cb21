"""Measure how well kinds of turns are distinguished: ``python -m evals.benchmarks.turns``.

It uses ``evals/benchmarks/data/turns.yaml``: labelled turns in the languages of the classifier's examples, and in five
other languages. None of the turns is an example. It prints macro F1, the share of questions that are classified as
questions (or as follow-ups or somebody's position, which are looked up like questions), and the share that is looked up
in the documents under any name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from assistant.answer.dialogue.classifier import TurnClassifier
from assistant.answer.dialogue.turn_kinds import FROM_DOCUMENTS, TurnKind
from store.embedding.weights import load_embedder

DATA = Path(__file__).parent / "data" / "turns.yaml"
OF_EXAMPLES = ("en", "vi", "th")
_OVERVIEWS: frozenset[TurnKind] = frozenset({"list", "comparison", "overview"})
LOOKED_UP = FROM_DOCUMENTS | _OVERVIEWS


@dataclass(frozen=True, slots=True)
class LabelledTurn:
    """A turn with its language and kind."""

    language: str
    kind: TurnKind
    text: str


def load(path: Path = DATA) -> Iterator[LabelledTurn]:
    """Yield the labelled turns in the order of their file."""
    for language, kinds in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        for kind, texts in kinds.items():
            yield from (LabelledTurn(language, kind, text) for text in texts)


def f1_by_kind(labels: Sequence[TurnKind], guesses: Sequence[TurnKind]) -> dict[TurnKind, float]:
    """Return F1 of each kind in `labels`."""
    right = Counter(label for label, guess in zip(labels, guesses, strict=True) if label == guess)
    labelled, guessed = Counter(labels), Counter(guesses)
    return {kind: 2 * right[kind] / (labelled[kind] + guessed[kind]) for kind in sorted(labelled)}


def recall_of_questions(labels: Sequence[TurnKind], guesses: Sequence[TurnKind], kinds: frozenset[TurnKind]) -> float:
    """Return the share of questions whose predicted kind is among `kinds`."""
    found = [guess in kinds for label, guess in zip(labels, guesses, strict=True) if label == "question"]
    return sum(found) / len(found)


@click.command()
@click.option("--wrong", is_flag=True, help="Also print the turns that were taken for another kind.")
def main(wrong: bool) -> None:
    """Print how well turns are told apart."""
    turns = list(load())
    guesses = TurnClassifier(load_embedder()).kinds([turn.text for turn in turns])
    for name, among in (("languages of the examples", True), ("other languages", False)):
        chosen = [
            (turn.kind, guess)
            for turn, guess in zip(turns, guesses, strict=True)
            if (turn.language in OF_EXAMPLES) == among
        ]
        labels, guessed = [label for label, _ in chosen], [guess for _, guess in chosen]
        each = f1_by_kind(labels, guessed)
        click.echo(f"{name}: {len(labels)} turns, macro F1 {sum(each.values()) / len(each):.3f}")
        click.echo("  " + ", ".join(f"{kind} {value:.2f}" for kind, value in each.items()))
        as_questions = recall_of_questions(labels, guessed, FROM_DOCUMENTS)
        looked_up = recall_of_questions(labels, guessed, LOOKED_UP)
        click.echo(f"  questions: {as_questions:.3f} taken for questions, {looked_up:.3f} looked up")
    for turn, guess in zip(turns, guesses, strict=True):
        if wrong and guess != turn.kind:
            click.echo(f"{turn.language} {turn.kind} -> {guess}: {turn.text}")


if __name__ == "__main__":
    main()
