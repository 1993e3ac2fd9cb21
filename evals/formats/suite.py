"""Hold a suite as read: its cases, the languages of their questions, and its documents, if any."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evals.types import Case
from store.text.language import UNKNOWN, detect_language

RETRIEVAL_DEPTH = 20
"""Passages considered to judge the ranking, unless the suite sets another number."""
LEAST_SHARE = 0.1
"""Share of the questions in a file that a language needs to count as one of the file's languages."""


@dataclass(frozen=True, slots=True)
class SourceText:
    """One document of a suite, to be searched and quoted."""

    id: str
    """The name that the suite's gold documents use."""
    title: str
    text: str
    language: str | None = None
    """None means that it is detected from the text."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A suite's documents, read again at each pass, because they may not fit into memory."""

    read: Callable[[], Iterator[SourceText]]


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder of files that the suite asks about, ingested like with `attest ingest`."""

    path: Path


@dataclass(frozen=True, slots=True)
class Suite:
    """The questions, the expectations, and the documents."""

    name: str
    path: Path
    sha256: str
    """Hash of the suite's file, or of all files of a folder."""
    kind: str
    """attest, beir, deepeval, huggingface, openai-evals, promptfoo, ragas or squad."""
    cases: tuple[Case, ...]
    description: str = ""
    documents: Texts | Folder | None = None
    """None if the suite asks about the user's own library."""
    thresholds: dict[str, float] = field(default_factory=dict)
    """By metric, like after ``--threshold``."""
    retrieval_depth: int = RETRIEVAL_DEPTH
    notes: tuple[str, ...] = ()
    """What was left out of the file or made up, in sentences for the user."""


def question_languages(questions: Iterable[str]) -> dict[str, str | None]:
    """Return the language of each question, by its words. Rare languages are assumed to be errors.

    A single short question may be only names; the questions of a whole file show its languages.
    """
    texts = dict.fromkeys(questions)
    detected = {text: detect_language(text) for text in texts}
    counts = Counter(language for language in detected.values() if language != UNKNOWN)
    if not counts:
        return dict.fromkeys(detected)
    main = counts.most_common(1)[0][0]
    real = {tag for tag, count in counts.items() if count >= LEAST_SHARE * len(detected)}
    return {text: language if language in real else main for text, language in detected.items()}
