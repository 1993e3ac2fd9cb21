"""Split a question that asks for several things into separate questions.

"When and where was it held?" asks for two things with two words; "How many seats and books has it?" with one. A reader
that was trained on questions for one thing answers one of them and ignores the others.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from assistant.verify.language_rules import LanguageRules, rules_of_text

MOST = 4
"""Parts to look for: a question with more is a list of questions."""
_END = " \t\n?？؟.,;"


@dataclass(frozen=True, slots=True)
class QuestionParts:
    """The parts of a question, in its order."""

    questions: tuple[str, ...]
    amounts: bool
    """Whether one word asks for the amounts of several things; answers of other kinds mean that they are one thing."""


def parts_of(question: str) -> QuestionParts | None:
    """Return the parts of `question`; None if it asks for one thing, or its language has no data."""
    rules = rules_of_text(question)
    asking = rules.cues("interrogatives")
    text = " ".join(unicodedata.normalize("NFC", question).split()).strip(_END)
    words = [found[0] for found in asking.finditer(text)]
    around = asking.split(text)
    if len(words) == 1:
        return _of_things(around[0], words[0], around[1], rules)
    if 2 <= len(words) <= MOST and all(_without_join(each, rules, at_end=True) != each for each in around[1:-1]):
        return QuestionParts(tuple(_alone(number, words, around, rules) for number in range(len(words))), amounts=False)
    return None


def _of_things(before: str, word: str, after: str, rules: LanguageRules) -> QuestionParts | None:
    """Return the question once for each of the things joined after its question word, or before it."""
    join = rules.pattern("part_joins")
    things = join.split(after)
    questions = [f"{before}{word}{_spaced(thing, rules)}" for thing in things]
    if len(things) == 1:
        things = join.split(before)
        questions = [f"{thing.rstrip()}{_spaced(word, rules)}{after}" for thing in things]
    if not 2 <= len(things) <= MOST or not all(thing.strip() for thing in things):
        return None
    return QuestionParts(tuple(_asked(each) for each in questions), amounts=True)


def _alone(kept: int, words: Sequence[str], around: Sequence[str], rules: LanguageRules) -> str:
    """Return the question with only one of its question words, without what joined them."""
    rest = list(around)
    for number in range(len(words)):
        if number == kept:
            continue
        shorter = _without_join(rest[number], rules, at_end=True)
        if shorter == rest[number]:
            rest[number + 1] = _without_join(rest[number + 1], rules, at_end=False)
        elif any(each.strip(_END) for each in around[:number]) or shorter.strip(_END):
            # The words after it belong to it alone: ", and how many people took part".
            join = rules.pattern("part_joins").search(rest[number + 1])
            rest[number + 1] = rest[number + 1][join.start() :] if join else ""
        rest[number] = shorter
    return _asked("".join(rest[: kept + 1]) + words[kept] + "".join(rest[kept + 1 :]))


def _without_join(text: str, rules: LanguageRules, *, at_end: bool) -> str:
    join = f"(?:{rules.pattern('part_joins').pattern})"
    return regex.sub(f"{join}$" if at_end else f"^{join}", "", text, count=1, flags=regex.IGNORECASE)


def _spaced(words: str, rules: LanguageRules) -> str:
    return f" {words.strip()}" if rules.is_spaced else words.strip()


def _asked(text: str) -> str:
    return f"{' '.join(text.split()).strip(_END)}?"
