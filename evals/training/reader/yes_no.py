"""Make yes-or-no questions from sets for natural-language inference.

A premise that entails or contradicts a statement answers the question whether the statement holds, and the whole
premise is the answer. A neutral premise is about the same thing and doesn't answer.
"""

from __future__ import annotations

import gzip
import json
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import yaml

from evals.training.reader.examples import Example, Paragraph
from evals.training.reader.synthetic import sentences_of

FRAMES = Path(__file__).parent / "data" / "yes_no.yaml"
LONGEST = 220
"""Code points of a premise; longer ones are transcripts of speech."""


@cache
def frames() -> dict[str, list[str]]:
    """Return the frames of each language."""
    content: dict[str, list[str]] = yaml.safe_load(FRAMES.read_text(encoding="utf-8"))
    return content


def yes_no(files: Sequence[Path], paragraphs: Sequence[Paragraph], count: int, seed: int) -> Iterator[Example]:
    """Yield `count` examples from inference sets, and a third as many over the sentences of `paragraphs`."""
    chance = random.Random(f"yes no/{seed}")  # noqa: S311 - a repeatable draw, no secret
    rows = [row for path in files for row in _rows(path)]
    premises: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        premises[row["lang"]].append(row["premise"])
    for row in chance.sample(rows, min(count, len(rows))):
        others = chance.sample(premises[row["lang"]], chance.randint(0, 2))
        yield _example(row["lang"], row["hypothesis"], row["premise"], others, row["label"][0] != "n", chance)
    said = sentences_of(paragraphs)
    languages = [language for language in ("en", "th", "vi", "id", "zh") if language in said]
    for _ in range(count // 3):
        language = chance.choice(languages)
        place = chance.randrange(1, len(said[language]) - 3)
        window = said[language][place : place + 3]
        there = chance.random() < 0.5
        statement = chance.choice(window) if there else said[language][place - 1]
        yield _example(
            language,
            statement,
            statement if there else window[0],
            [each for each in window if each != statement],
            there,
            chance,
        )


def _rows(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row for row in rows if row["lang"] in frames() and 20 < len(row["premise"]) < LONGEST]


def _example(
    language: str, statement: str, premise: str, others: Sequence[str], there: bool, chance: random.Random
) -> Example:
    plain = statement.strip().rstrip(".!?。 ")
    frame = chance.choice(frames()[language])
    if frame.startswith("{0}"):
        question = frame.format(plain)
    else:
        question = frame.format(plain[:1].lower() + plain[1:] if plain[1:2].islower() else plain)
    pieces = [premise, *(each for each in others if each != premise)]
    chance.shuffle(pieces)
    text = " ".join(pieces)
    at = text.index(premise)
    return Example(question, text, (at, at + len(premise)) if there else None, "yes no")
