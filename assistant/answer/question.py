"""A question as it comes, checked, and as it is searched and answered."""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.answer.followups import standalone
from assistant.types import AskOptions, Message
from store.errors import QuestionError
from store.text.language import UNKNOWN, detect_language

LONGEST_QUESTION = 20_000
"""Code points: ten pages. Longer text is a document to add."""
DEFAULT_LANGUAGE = "en"
"""Of answers to questions that don't tell theirs, such as a name alone."""

_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Question:
    """A question as it is searched and answered."""

    asked: str
    """As it came."""
    alone: str
    """With what it takes from earlier turns said in it."""
    language: str
    """Of the answer, as a BCP 47 tag."""
    options: AskOptions
    started: float
    """When work on it began, by `time.perf_counter`."""


def understand(question: str, history: Sequence[Message], options: AskOptions) -> Question:
    """Return `question`, asked after `history` (oldest first), checked and ready to be searched.

    Raises QuestionError for what `clean_question` refuses.
    """
    started = time.perf_counter()
    cleaned = clean_question(question)
    language = options.answer_language or _language(cleaned, history)
    return Question(question, standalone(cleaned, history), language, options, started)


def clean_question(question: str, limit: int = LONGEST_QUESTION) -> str:
    """Return `question` in NFC without control characters and the blanks around it.

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


def _language(cleaned: str, history: Sequence[Message]) -> str:
    """Return the question's own language, else that of the latest earlier question that tells its own."""
    spoken = [cleaned, *(message.text for message in reversed(history) if message.role == "user")]
    detected = (language for text in spoken if (language := detect_language(text)) != UNKNOWN)
    return next(detected, DEFAULT_LANGUAGE)
