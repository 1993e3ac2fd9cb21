"""How well follow-up questions are made to stand alone: ``python -m evals.benchmarks.standalone``.

Over ``evals/benchmarks/data/standalone.jsonl``. A question is right when it holds every word that it needs from the
turns before (or stayed as it was, where it stands alone) and none that would drag an old subject along. The
rules were written looking at the cases of the part ``tune``; ``report`` is what counts.
"""

from __future__ import annotations

import json
import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from assistant.answer.dialogue.followup_rules import standalone
from assistant.types import Message

SUITE = Path(__file__).parent / "data" / "standalone.jsonl"


@dataclass(frozen=True, slots=True)
class FollowUp:
    """One question after some turns, and what its standalone form must and must not hold."""

    id: str
    part: str
    language: str
    kind: str
    history: tuple[Message, ...]
    question: str
    stands_alone: bool
    contains: tuple[tuple[str, ...], ...]
    excludes: tuple[str, ...]

    def accepts(self, text: str) -> bool:
        """Return whether `text` is a right standalone form, letter case and a leading "and" aside."""
        folded = _fold(text)
        if self.stands_alone and not self.contains:
            return _fold(self.question).endswith(folded)
        needed = all(any(_fold(word) in folded for word in words) for words in self.contains)
        return needed and not any(_fold(word) in folded for word in self.excludes)


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold().strip(" ?")


def load(path: Path = SUITE) -> Iterator[FollowUp]:
    """Yield the labelled cases in the order of their file."""
    for line in path.read_text(encoding="utf-8").splitlines():
        case = json.loads(line)
        history = tuple(Message(turn["role"], turn["text"]) for turn in case.pop("history"))
        contains = tuple(tuple(words) for words in case.pop("contains"))
        yield FollowUp(history=history, contains=contains, excludes=tuple(case.pop("excludes")), **case)


def score(
    cases: list[FollowUp], rewrite: Callable[[str, tuple[Message, ...]], str]
) -> tuple[dict[str, tuple[int, int]], list[tuple[FollowUp, str]]]:
    """Right and all by part, by part and language, and by part and kind; and the cases that went wrong."""
    table: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    wrong = []
    for case in cases:
        text = rewrite(case.question, case.history)
        right = case.accepts(text)
        if not right:
            wrong.append((case, text))
        for row in (case.part, f"{case.part} {case.language}", f"{case.part} {case.kind}"):
            table[row][0] += right
            table[row][1] += 1
    return {row: (right, total) for row, (right, total) in sorted(table.items())}, wrong


@click.command()
@click.option("--part", default=None, help="Only the cases of this part: tune or report.")
@click.option("--wrong", is_flag=True, help="Also print the cases that went wrong.")
def main(part: str | None, wrong: bool) -> None:
    """Print how many follow-ups were made to stand alone."""
    cases = [case for case in load() if part in (None, case.part)]
    table, failures = score(cases, standalone)
    for row, (right, total) in table.items():
        click.echo(f"{row:18} {right:3} of {total:3}  {right / total:.3f}")
    if wrong:
        for case, text in failures:
            click.echo(f"{case.id}: {case.question!r} after {case.history[-2].text!r} -> {text!r}")


if __name__ == "__main__":
    main()
