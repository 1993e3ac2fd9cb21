"""Make examples for training the reader: a question, a window of text, and the position of the answer.

Question-answering sets give the answerable ones. Unanswerable ones are made like those that the assistant meets:
another window of the same text, the closest of the neighboring paragraphs without the answer, a question with one fact
changed (a number, a year, a name), a question for another thing about the same subject, a missing article or table row,
and those that people wrote.
"""

from __future__ import annotations

import gzip
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from evals.training.reader.questions_changed import OtherThings, typed_carelessly

DENSE_LANGUAGES = frozenset({"th", "zh", "ja", "ko", "lo", "km", "my"})
"""Written without blanks or with few letters per word: a window of half the length says as much."""
WINDOW = 400
"""Code points of a window on average; half as many in dense scripts."""
CARELESS = 0.15
"""Share of answerable questions that are typed carelessly."""
NEIGHBOURS = 8
"""Paragraphs before and after in which a hard negative is looked for."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a paragraph; `answer` is its span in code points, None if the paragraph doesn't answer."""

    text: str
    language: str
    answer: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph with the questions that people asked of it."""

    language: str
    text: str
    questions: tuple[Question, ...]


@dataclass(frozen=True, slots=True)
class Example:
    """A training example: `answer` is a span of `text`, None if `text` doesn't answer `question`."""

    question: str
    text: str
    answer: tuple[int, int] | None
    kind: str


def read_lines(path: Path) -> list[Paragraph]:
    """Return the paragraphs of a gzipped JSON-lines file: ``{lang, context, qas: [{q, lang, answer}]}``."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [_paragraph(json.loads(line)) for line in lines]


def _paragraph(row: dict[str, Any]) -> Paragraph:
    questions = tuple(Question(each["q"].strip(), each["lang"], _span(each["answer"])) for each in row["qas"])
    return Paragraph(row["lang"], row["context"], questions)


def _span(answer: Sequence[int] | None) -> tuple[int, int] | None:
    return None if answer is None else (answer[0], answer[1])


def read_parallel(folder: Path, languages: Sequence[str], *, held_out: bool) -> list[Paragraph]:
    """Return paragraphs of the parallel set, each with the question in every language.

    Every fourth article is held out: figures come from those, training sees only the others.
    """
    sets = {tag: json.loads((folder / f"xquad.{tag}.json").read_text(encoding="utf-8"))["data"] for tag in languages}
    paragraphs = []
    for number in range(len(sets[languages[0]])):
        if (number % 4 == 3) != held_out:
            continue
        for position in range(len(sets[languages[0]][number]["paragraphs"])):
            versions = {tag: sets[tag][number]["paragraphs"][position] for tag in languages}
            asked = {qa["id"]: [] for qa in versions[languages[0]]["qas"]}  # type: dict[str, list[tuple[str, str]]]
            for tag, version in versions.items():
                for qa in version["qas"]:
                    asked[qa["id"]].append((tag, qa["question"]))
            for tag, version in versions.items():
                questions = []
                for qa in version["qas"]:
                    start = qa["answers"][0]["answer_start"]
                    span = (start, start + len(qa["answers"][0]["text"]))
                    questions += [Question(text.strip(), language, span) for language, text in asked[qa["id"]]]
                paragraphs.append(Paragraph(tag, version["context"], tuple(questions)))
    return paragraphs


def window_around(paragraph: Paragraph, answer: tuple[int, int], chance: random.Random) -> tuple[str, tuple[int, int]]:
    """Return a window of the paragraph that contains the whole answer, and the answer's span in it."""
    start, end = answer
    room = max(0, _length(paragraph, chance) - (end - start))
    first = max(0, start - chance.randint(0, room))
    last = min(len(paragraph.text), first + (end - start) + room)
    first, last = _at_boundary(paragraph.text, first, start, forward=True), max(end, last)
    last = _at_boundary(paragraph.text, last, end, forward=False)
    return paragraph.text[first:last], (start - first, end - first)


def window_without(paragraph: Paragraph, answer: tuple[int, int], chance: random.Random) -> str | None:
    """Return a window next to the answer that doesn't contain its words; None if there is no room for one."""
    words = paragraph.text[answer[0] : answer[1]]
    sides = [(0, answer[0]), (answer[1], len(paragraph.text))]
    wide = [side for side in sides if side[1] - side[0] >= _scale(paragraph) // 3]
    if not wide:
        return None
    low, high = chance.choice(wide)
    length = min(high - low, _length(paragraph, chance))
    first = chance.randint(low, high - length)
    text = paragraph.text[_at_boundary(paragraph.text, first, first + length // 2, forward=True) : first + length]
    return None if words.lower() in text.lower() else text


def _scale(paragraph: Paragraph) -> int:
    return WINDOW // 2 if paragraph.language in DENSE_LANGUAGES else WINDOW


def _length(paragraph: Paragraph, chance: random.Random) -> int:
    return int(_scale(paragraph) * chance.uniform(0.35, 1.35))


def _at_boundary(text: str, place: int, limit: int, *, forward: bool) -> int:
    """Return a position near `place`, not past `limit`, where a word ends, because windows don't cut words."""
    if place in {0, len(text)}:
        return place
    step = 1 if forward else -1
    for at in range(place, min(limit, place + 40) if forward else max(limit, place - 40), step):
        if text[at - 1].isspace() or text[at - 1] in "。.":
            return at
    return place


NUMBER = re.compile(r"\d+")
NAME = re.compile(r"(?<=[\w,] )[A-ZĐÀ-Ỹ][\w'’-]+(?: [A-ZĐÀ-Ỹ][\w'’-]+)*")


def change_fact(question: str, text: str, names: Sequence[str], chance: random.Random) -> str | None:
    """Return the question with one fact changed so that `text` no longer answers it; None if it has none.

    Only what the text itself says counts as a fact: if a number or a name that the text doesn't contain is changed, the
    text may still answer the question.
    """
    numbers = [match for match in NUMBER.finditer(question) if match[0] in text]
    if numbers:
        match = chance.choice(numbers)
        other = _other_number(match[0], chance)
        if other not in text:
            return question[: match.start()] + other + question[match.end() :]
    named = [match for match in NAME.finditer(question) if match[0] in text]
    if named and names:
        match = chance.choice(named)
        other = chance.choice(names)
        if other.lower() not in text.lower() and other.lower() not in question.lower():
            return question[: match.start()] + other + question[match.end() :]
    return None


def _other_number(digits: str, chance: random.Random) -> str:
    value = int(digits)
    # Close to the true one, as in common mistakes: an adjacent year or article, two digits swapped.
    other = value + chance.choice([-20, -10, -3, -2, -1, 1, 2, 3, 10, 20])
    if len(digits) >= 3 and chance.random() < 0.3:
        place = chance.randrange(len(digits) - 1)
        swapped = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
        other = int(swapped) if swapped != digits else other
    return str(other if other > 0 and other != value else value + 7)


class Negatives:
    """Hard negatives of one set: neighboring paragraphs that share words with a question and lack its answer."""

    def __init__(self, paragraphs: Sequence[Paragraph]) -> None:
        self._paragraphs = paragraphs
        self._grams = [_grams(paragraph.text) for paragraph in paragraphs]
        self.things = OtherThings([(q.language, q.text) for each in paragraphs for q in each.questions])
        self.names = sorted(
            {match[0] for each in paragraphs for q in each.questions for match in NAME.finditer(q.text)}
        )

    def nearest(
        self, number: int, question: Question, span: tuple[int, int], chance: random.Random
    ) -> Paragraph | None:
        """Return one of the three neighbors that share most with the question's paragraph and lack the answer."""
        answer = self._paragraphs[number].text[span[0] : span[1]].lower()
        asked = _grams(question.text) | set(list(self._grams[number])[:50])
        near = [
            at
            for at in range(max(0, number - NEIGHBOURS), min(len(self._paragraphs), number + NEIGHBOURS + 1))
            if self._paragraphs[at].text != self._paragraphs[number].text
            and answer not in self._paragraphs[at].text.lower()
        ]
        best = sorted(near, key=lambda at: -len(asked & self._grams[at]) / (20 + len(self._grams[at])))[:3]
        return self._paragraphs[chance.choice(best)] if best else None


def _grams(text: str) -> set[str]:
    """Return character 5-grams: a cheap similarity that needs no words and so works in any script."""
    folded = text.lower()
    size = 3 if any(ord(char) > 0x0E00 for char in folded[:50]) else 5
    return {folded[at : at + size] for at in range(len(folded) - size + 1)}


def examples_of(paragraphs: Sequence[Paragraph], kind: str, seed: int) -> Iterator[Example]:
    """Yield two examples for each question: one that its window answers, and one that it doesn't."""
    chance = random.Random(f"{kind}/{seed}")  # noqa: S311 - a repeatable draw, no secret
    negatives = Negatives(paragraphs)
    for number, paragraph in enumerate(paragraphs):
        for question in paragraph.questions:
            if question.answer is None:
                yield _human_negative(paragraph, question, kind, chance)
                continue
            text, answer = window_around(paragraph, question.answer, chance)
            careless = chance.random() < CARELESS
            asked = typed_carelessly(question.language, question.text, chance) if careless else question.text
            yield Example(asked, text, answer, kind)
            negative = _negative(negatives, (number, paragraph), question, question.answer, text, chance)
            if negative is not None:
                yield replace(negative, kind=f"{kind}/{negative.kind}")


def _human_negative(paragraph: Paragraph, question: Question, kind: str, chance: random.Random) -> Example:
    length = min(len(paragraph.text), _length(paragraph, chance))
    first = chance.randint(0, len(paragraph.text) - length)
    first = _at_boundary(paragraph.text, first, first + length // 2, forward=True)
    return Example(question.text, paragraph.text[first : first + length], None, f"{kind}/people")


def _negative(
    negatives: Negatives,
    place: tuple[int, Paragraph],
    question: Question,
    span: tuple[int, int],
    text: str,
    chance: random.Random,
) -> Example | None:
    number, paragraph = place
    draw = chance.random()
    if draw < 0.3:
        changed = change_fact(question.text, text, negatives.names, chance)
        if changed is not None:
            return Example(changed, text, None, "fact")
    if draw < 0.5:
        changed = negatives.things.ask_another(question.language, question.text, [paragraph.text], chance)
        if changed is not None:
            return Example(changed, text, None, "thing")
    if draw < 0.75:
        other = window_without(paragraph, span, chance)
        if other is not None:
            return Example(question.text, other, None, "window")
    near = negatives.nearest(number, question, span, chance)
    if near is None or not near.text:
        return None
    first = chance.randint(0, max(0, len(near.text) - _scale(near)))
    first = _at_boundary(near.text, first, first + 20, forward=True)
    return Example(question.text, near.text[first : first + _length(near, chance)], None, "near")
