"""Turn sentences into questions, by language: data, one file per language.

A rule is a regular expression over a sentence whose one span (a date, a number; for who and where the group ``answer``)
is written as ``¤``, and the question that the sentence then answers, with the expression's groups in braces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

import regex
import yaml

QuestionKind = Literal["who", "when", "where", "how_many"]
FOLDER = Path(__file__).with_name("templates")
SPAN = "¤"
"""Stands for the date or the number that the question asks for."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to make a question from a sentence."""

    kind: QuestionKind
    sentence: regex.Pattern[str]
    question: str


@dataclass(frozen=True, slots=True)
class Crossed:
    """How a language states a fact about a name, and how it asks for it."""

    kind: QuestionKind
    said: regex.Pattern[str]
    asked: str


@dataclass(frozen=True, slots=True)
class Templates:
    """The rules of one language."""

    language: str
    rules: tuple[Rule, ...]
    vague: regex.Pattern[str]
    """Matches a question that isn't clear by itself, because it refers to something before."""
    forms: Mapping[str, str]
    """A word's form in a question, such as the base form of a verb."""
    plurals: frozenset[str]
    """Verbs that show that their subject is plural."""
    crossed: Mapping[str, Crossed]
    """By fact: for questions in another language than the sentence."""


@cache
def languages() -> tuple[str, ...]:
    """Return the languages that questions can be in."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


@cache
def templates(language: str) -> Templates | None:
    """Return the rules of a language (BCP 47); None if it has none."""
    base = language.partition("-")[0]
    if base not in languages():
        return None
    entries = yaml.safe_load((FOLDER / f"{base}.yaml").read_text(encoding="utf-8"))
    rules = tuple(
        Rule(kind, regex.compile(_filled(pattern, entries["parts"])), question)
        for kind, pairs in entries["rules"].items()
        for pattern, question in pairs.items()
    )
    crossed = {
        name: Crossed(each["kind"], regex.compile(each["said"]), each["asked"])
        for name, each in entries["crossed"].items()
    }
    return Templates(
        base,
        rules,
        regex.compile(entries["vague"]),
        entries.get("forms", {}),
        frozenset(entries.get("plurals", ())),
        crossed,
    )


def _filled(pattern: str, parts: Mapping[str, str]) -> str:
    for name, part in parts.items():
        pattern = pattern.replace(f"%{name}%", part)
    return pattern
