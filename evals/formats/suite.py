"""Hold a suite as read: its cases, the languages of their questions, and its documents, if any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evals.types import Case
from store.text.language import UNKNOWN, detect_language

RETRIEVAL_DEPTH = 20
"""How many passages are looked at to judge the ranking, unless the suite says otherwise."""
LEAST_SHARE = 0.1
"""Of the questions in a file, for a language to count as one that the file is in."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """One document that a suite brings: its text is searched and quoted."""

    id: str
    """As the suite's gold documents name it."""
    title: str
    text: str
    language: str | None = None
    """None: to be told from the text."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The documents that a suite brings, read again at each pass: they may not fit into memory."""

    read: Callable[[], Iterator[SourceText]]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of files that the suite asks about, ingested as `attest ingest` does."""

    path: Path


@dataclass(frozen=True, slots=True)
class Suite:
    """What to ask, what to expect, and of which documents."""

    name: str
    path: Path
    sha256: str
    """Of the suite's file; of all its files for a folder."""
    kind: str
    """attest, beir, deepeval, huggingface, openai-evals, promptfoo, ragas or squad."""
    cases: tuple[Case, ...]
    description: str = ""
    documents: Texts | Folder | None = None
    """None: the suite asks about the user's own library."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """By metric, as after ``--threshold``."""
    retrieval_depth: int = RETRIEVAL_DEPTH
    notes: tuple[str, ...] = ()
    """What was left out of the file or made up, in sentences for the user."""


def question_languages(questions: Iterable[str]) -> dict[str, str | None]:
    """Return the language of each question, by its words. What few questions seem to be in is a mistake.

    A single short question may be all names; a file of one language says what they are in.
    """
    texts = dict.fromkeys(questions)
    detected = {text: detect_language(text) for text in texts}
    counts = Counter(language for language in detected.values() if language != UNKNOWN)
    if not counts:
        return dict.fromkeys(detected)
    main = counts.most_common(1)[0][0]
    real = {tag for tag, count in counts.items() if count >= LEAST_SHARE * len(detected)}
    return {text: language if language in real else main for text, language in detected.items()}
