"""Measure how often follow-ups are understood: ``python -m evals.benchmarks.followups``.

It uses ``evals/benchmarks/data/follow_ups.yaml``, labelled questions that follow another one, over the samples that
ship. The previous question is really asked, and the follow-up is answered as on the page: it has several readings, and
the one with the best answer is taken. A follow-up is right if one of the quotes shown contains words that answer it.

Every third case is in the part `report`, which was not used for any choice; the others are in the part `tune`.
"""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import yaml

from assistant.answer.pipeline import Assistant
from assistant.types import Answer, Message
from evals.text import fold
from ingest.pipeline import ingest_samples
from store.library import Library

DATA = Path(__file__).parent / "data" / "follow_ups.yaml"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A question after another one. A quote that answers it contains one of `holds`."""

    before: str
    language: str
    kind: str
    question: str
    holds: tuple[str, ...]
    part: str

    def is_right(self, answer: Answer) -> bool:
        """Return whether one of the quotes of `answer` answers the follow-up."""
        quotes = [fold(each.quote) for each in answer.evidence]
        return answer.answered and any(fold(words) in quote for words in self.holds for quote in quotes)


@dataclass(frozen=True, slots=True)
class Outcome:
    """A follow-up and its answer."""

    case: FollowUp
    answer: Answer

    @property
    def is_right(self) -> bool:
        """Whether it was understood."""
        return self.case.is_right(self.answer)


def load(path: Path = DATA) -> Iterator[FollowUp]:
    """Yield the labelled follow-ups in the order of their file."""
    number = 0
    for entry in yaml.safe_load(path.read_text(encoding="utf-8")):
        for language, kind, question, holds in entry["then"]:
            needed = (holds,) if isinstance(holds, str) else tuple(holds)
            part = "report" if number % 3 == 2 else "tune"
            yield FollowUp(entry["before"], language, kind, question, needed, part)
            number += 1


def ask(assistant: Assistant, cases: Sequence[FollowUp]) -> Iterator[Outcome]:
    """Yield the assistant's answers to each follow-up, after it answered the previous question."""
    answers: dict[str, str] = {}
    for case in cases:
        if case.before not in answers:
            answers[case.before] = assistant.answer(case.before).text
        history = (Message("user", case.before), Message("assistant", answers[case.before]))
        yield Outcome(case, assistant.answer(case.question, history))


def table(outcomes: Sequence[Outcome]) -> list[str]:
    """Return one line per part, language and kind: how many are right, out of how many."""
    right: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for outcome in outcomes:
        case = outcome.case
        for row in ("all", f"part {case.part}", f"language {case.language}", f"kind {case.kind}"):
            right[row] += outcome.is_right
            total[row] += 1
    return [f"{row:20} {right[row]:3} of {total[row]:3}  {right[row] / total[row]:.2f}" for row in sorted(total)]


@click.command()
@click.option("--part", type=click.Choice(["tune", "report"]), help="Only the cases of this part.")
@click.option("--wrong", is_flag=True, help="Also print the cases that went wrong.")
def main(part: str | None, wrong: bool) -> None:
    """Print how many follow-ups over the samples are understood."""
    cases = [case for case in load() if part in (None, case.part)]
    with tempfile.TemporaryDirectory() as home, Library.open(Path(home)) as library:
        ingest_samples(library)
        outcomes = list(ask(Assistant(library), cases))
    click.echo("\n".join(table(outcomes)))
    for outcome in outcomes if wrong else ():
        if not outcome.is_right:
            case, answer = outcome.case, outcome.answer
            quotes = " / ".join(each.quote[:80] for each in answer.evidence) or "nothing"
            click.echo(f"{case.kind}: {case.before} {case.question} -> {answer.standalone_question}: {quotes}")


if __name__ == "__main__":
    main()
