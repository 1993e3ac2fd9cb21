"""Remove the language from vectors, so that a passage is found from any language.

A multilingual model's vectors depend more on their language than on their subject: the mean vector of a language is the
largest part that all its texts share. Subtracting each language's mean, from passages and from questions, corrects most
of it (cf. "language-agnostic" embeddings, Libovický et al. 2020, arXiv:2004.05160).

The means have two sources: shipped values, one per language, computed from translations of one text; and the library's
own passages, which outweigh them as the library grows:

    mean(language) = (count * mean of the library's passages + PRIOR * shipped mean) / (count + PRIOR)

If the library's subject moves its passages away from the shipped means, it moves the questions in the same way. So the
average of these moves is also subtracted from questions, for which a library has no statistics. A language without a
shipped value uses the average of all languages, and its own passages as they are added.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray

SHIPPED = Path(__file__).parent / "fitted"
PRIOR = 10
"""Passages of its own that a library's mean needs to count as much as the shipped one; any value from 5 to 20 works as
well."""


class Statistics(Protocol):
    """Count and sum of a language's raw passage vectors."""

    @property
    def count(self) -> int:
        """Number of passages."""

    @property
    def sum(self) -> NDArray[np.float64]:
        """Sum of their unit vectors, (dimensions,)."""


@dataclass(frozen=True, slots=True)
class LanguageMeans:
    """Means of the unit vectors of each language's texts, as passages and as questions: (languages, dimensions)."""

    languages: tuple[str, ...]
    passages: FloatArray
    queries: FloatArray

    @classmethod
    def none(cls, dimensions: int) -> LanguageMeans:
        """For a model without computed means: only the library's own statistics are used."""
        return cls((), np.zeros((0, dimensions), np.float32), np.zeros((0, dimensions), np.float32))

    @classmethod
    def load(cls, path: Path) -> LanguageMeans:
        """Read the output of `save`."""
        with np.load(path) as data:
            return cls(
                tuple(str(tag) for tag in data["languages"]),
                data["passages"].astype(np.float32),
                data["queries"].astype(np.float32),
            )

    def save(self, path: Path) -> None:
        """Write as float16: its rounding is far below the precision of a mean of sixty texts."""
        np.savez_compressed(
            path,
            languages=np.array(self.languages),
            passages=self.passages.astype(np.float16),
            queries=self.queries.astype(np.float16),
        )

    @property
    def version(self) -> str:
        """Changes with the numbers."""
        digest = hashlib.sha256(",".join(self.languages).encode())
        digest.update(self.passages.tobytes() + self.queries.tobytes())
        return digest.hexdigest()[:12]


def load_means(model_name: str, dimensions: int, folder: Path = SHIPPED) -> LanguageMeans:
    """Return the means shipped for a model with this name, or none."""
    path = folder / f"{model_name}.npz"
    if path.is_file():
        means = LanguageMeans.load(path)
        if means.passages.shape[1] == dimensions:
            return means
    return LanguageMeans.none(dimensions)


class Centering:
    """The current means for one library."""

    def __init__(self, shipped: LanguageMeans, library: Mapping[str, Statistics] | None = None) -> None:
        library = library or {}
        dimensions = shipped.passages.shape[1]
        known = dict(zip(shipped.languages, shipped.passages, strict=True))
        average = shipped.passages.mean(axis=0) if known else np.zeros(dimensions, np.float32)
        question = (shipped.queries - shipped.passages).mean(axis=0) if known else np.zeros(dimensions, np.float32)
        refined = {
            language: (statistics.sum + PRIOR * known.get(language, average)) / (statistics.count + PRIOR)
            for language, statistics in library.items()
        }
        moves = {tag: refined[tag] - known[tag] for tag in refined if tag in known}
        # Weighted by certainty, not by size: a library's largest language says nothing about the others.
        sure = [library[tag].count / (library[tag].count + PRIOR) for tag in moves]
        shift = np.average(list(moves.values()), axis=0, weights=sure) if moves else np.zeros(dimensions)
        queries = dict(zip(shipped.languages, shipped.queries + shift, strict=True))
        queries |= {tag: mean + question for tag, mean in refined.items() if tag not in known}
        self._passages = {tag: np.asarray(mean, np.float32) for tag, mean in (known | refined).items()}
        self._queries = {tag: np.asarray(mean, np.float32) for tag, mean in queries.items()}
        self._passage_default = np.asarray(average, np.float32)
        self._query_default = np.asarray(average + question + shift, np.float32)
        self.shipped = shipped
        self.version = shipped.version

    def center(self, vectors: FloatArray, languages: Sequence[str]) -> FloatArray:
        """Return passage or sentence vectors (n, dimensions) without their languages' means, with unit length."""
        if not languages:
            return vectors
        rows = {language: row for row, language in enumerate(dict.fromkeys(languages))}
        means = self.passage_means(list(rows))
        return _unit(vectors - means[[rows[language] for language in languages]])

    def passage_means(self, languages: Sequence[str]) -> FloatArray:
        """Return what to subtract from the passages of these languages: (languages, dimensions)."""
        return np.stack([self._passages.get(language, self._passage_default) for language in languages])

    def center_query(self, vector: FloatArray, language: str) -> FloatArray:
        """Center a question's vector (dimensions,)."""
        return _unit(vector - self.query_mean(language))

    def query_mean(self, language: str) -> FloatArray:
        """Return what to subtract from questions in this language: (dimensions,)."""
        return self._queries.get(language, self._query_default)


def _unit(vectors: FloatArray) -> FloatArray:
    norms = np.linalg.norm(vectors, axis=-1, keepdims=True)
    # A vector equal to its language's mean has no direction, so it is similar to nothing.
    unit: FloatArray = np.divide(vectors, norms, out=np.zeros_like(vectors), where=norms > 1e-6)
    return unit
