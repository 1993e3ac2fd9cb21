"""Measure answers from tables: the right row quoted first, the cell as the short answer, a refusal if no cell answers.

    python -m evals.benchmarks.tables [--wrong]

The tables of ``data/tables.yaml`` and the samples are one library. Each question is asked twice: of its own table and the
samples, as in a small library, and of all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from assistant.answer.pipeline import Assistant
from assistant.types import Answer, AskOptions
from ingest.pipeline import ingest_paths, ingest_samples
from store.embedding.weights import load_embedder
from store.library import Library
from store.types import Filter

DATA = Path(__file__).parent / "data" / "tables.yaml"


@dataclass(frozen=True, slots=True)
class TableQuestion:
    """A question about a table."""

    file: str
    asks: str
    row: str | None
    """A value that only the row with the answer has; None if no cell answers."""

    def is_right(self, answer: Answer) -> bool:
        """Return whether the first quote is the right row, or whether the question was rightly refused."""
        if self.row is None or not answer.answered:
            return self.row is None and not answer.answered
        first = answer.evidence[0]
        return self.row in first.quote and (first.document.uri or "").endswith(self.file)


def write_tables(folder: Path) -> list[TableQuestion]:
    """Write the tables as files into `folder`; return their questions."""
    questions = []
    for table in yaml.safe_load(DATA.read_text(encoding="utf-8")):
        (folder / table["file"]).write_text(table["table"], encoding="utf-8")
        questions += [TableQuestion(table["file"], each["asks"], each.get("row")) for each in table["questions"]]
    return questions


def ask_all(folder: Path) -> Iterator[tuple[TableQuestion, Answer, Answer]]:
    """Yield each question with its answers: of its own table and the samples, and of all tables and the samples."""
    (folder / "tables").mkdir()
    questions = write_tables(folder / "tables")
    with Library.open(folder / "home", embedder=load_embedder()) as library:
        ingest_samples(library)
        samples = [each.id for each in library.documents().documents]
        ingest_paths(library, [folder / "tables"])
        tables = {Path(each.uri).name: each.id for each in library.documents().documents}
        assistant = Assistant(library)
        for question in questions:
            own = AskOptions(filter=Filter(documents=(*samples, tables[question.file])))
            yield question, assistant.answer(question.asks, options=own), assistant.answer(question.asks)


def report(name: str, results: Sequence[tuple[TableQuestion, Answer]]) -> str:
    """Return a row of the table of figures."""
    answerable = [(question, answer) for question, answer in results if question.row is not None]
    others = [(question, answer) for question, answer in results if question.row is None]
    right = [answer for question, answer in answerable if question.is_right(answer)]
    refused = sum(not answer.answered for _, answer in answerable)
    rightly = sum(not answer.answered for _, answer in others)
    short = sum(answer.short_answer is not None for answer in right)
    return f"| {name} | {len(right)} of {len(answerable)} | {short} | {refused} | {rightly} of {len(others)} |"


@click.command()
@click.option("--wrong", is_flag=True, help="Also print the questions with a wrong result.")
def main(wrong: bool) -> None:
    """Print how many questions have the right row first, and how many are rightly refused."""
    with tempfile.TemporaryDirectory() as folder:
        results = list(ask_all(Path(folder)))
    click.echo("| library | right row first | with a short answer | wrongly refused | rightly refused |")
    click.echo("| --- | ---: | ---: | ---: | ---: |")
    for name, answers in (
        ("one table and prose", [(question, own) for question, own, _ in results]),
        ("twelve tables and prose", [(question, whole) for question, _, whole in results]),
    ):
        click.echo(report(name, answers))
        for question, answer in answers if wrong else ():
            if not question.is_right(answer):
                first = answer.evidence[0].quote if answer.answered else "refused"
                click.echo(f"{question.file}: {question.asks} -> {first[:90]} ({answer.confidence:.2f})", err=True)


if __name__ == "__main__":
    main()
