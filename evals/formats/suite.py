"""A suite as it was read: its cases, and the documents that it brings, if any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from evals.types import Case

RETRIEVAL_DEPTH = 20
"""How many passages are looked at to judge the ranking, unless the suite says otherwise."""


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
