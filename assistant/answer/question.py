"""Check a question, and hold it in the form that is searched and answered."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from assistant.types import AskOptions
from store.errors import QuestionError
from store.types import Span

LONGEST_QUESTION = 20_000
"""Code points, about ten pages. Add a longer text as a document instead."""

Place = tuple[str, Span]
"""A document's id, and a quote's place in its text."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Question:
    """A question in the form that is searched and answered."""

    asked: str
    """As received."""
    alone: str
    """In standalone form, completed from earlier turns."""
    language: str
    """The answer's language, as a BCP 47 tag."""
    options: AskOptions
    started: float
    """When work on it began, by `time.perf_counter`."""
    meant: str | None = None
    """The corrected question, if it was mistyped."""
    near: tuple[Place, ...] = ()
    """The quotes just before a follow-up; its answer is likely near them."""
    said: tuple[Place, ...] = ()
    """Quotes that don't answer it, because they answered another question."""


def clean_question(question: str, limit: int = LONGEST_QUESTION) -> str:
    """Return `question` in NFC without control characters and without blanks around it.

    Raises QuestionError for one that is blank or has more than `limit` code points.
    """
    cleaned = unicodedata.normalize("NFC", _CONTROLS.sub("", question[: limit + 1])).strip()
    if len(question) > limit:
        raise QuestionError(
            "The question has {length} characters and {limit} is the most: ask a shorter one, or add the text as a document.",
            code="question_long",
            length=f"{len(question):,}",
            limit=f"{limit:,}",
        )
    if not any(unicodedata.category(character)[0] in "LNSM" for character in cleaned):
        raise QuestionError("The question is empty: write what you want to know.", code="question_empty")
    return cleaned
