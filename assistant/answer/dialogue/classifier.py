"""Classify a turn by the labelled examples nearest to it.

Kernel ridge regression over the examples (Saunders, Gammerman & Vovk 1998) with the kernel

    k(x, y) = exp(cosine of embeddings + GRAMS * cosine of character n-grams - 1 - GRAMS)

so examples count more for their kind the closer they are; no word list of any language is involved. The mean of all
languages' questions is subtracted from embeddings (`store.embedding.centering`). A turn counts as a question unless
another kind is ahead of it by `MARGIN`. `python -m evals.benchmarks.turns` gives the figures.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml
from platformdirs import user_cache_path

from assistant.answer.dialogue.turn_kinds import FROM_DOCUMENTS, KINDS, TurnKind
from store.embedding import FloatArray
from store.embedding.centering import load_means
from store.text.fold import fold

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder

EXAMPLES = Path(__file__).with_name("examples")
FITTED = Path(__file__).with_name("fitted")
GRAMS = 0.6
"""The weight of n-grams relative to embeddings."""
GRAM_SIZES = (1, 2, 3, 4, 5)
GRAM_DIMENSIONS = 1024
RIDGE = 0.05
MARGIN = 0.1
"""How far another kind must be ahead of the best kind that is looked up in the documents."""

NEARLY = 0.35
"""How far a kind may be behind and still be likely; other parts of the turn then decide."""


@dataclass(frozen=True, slots=True)
class Example:
    """A turn with its kind and language."""

    kind: TurnKind
    text: str
    language: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The examples in the form that the classifier needs."""

    vectors: FloatArray
    """Centered, ``(examples, dimensions)``."""
    grams: FloatArray
    """``(examples, GRAM_DIMENSIONS)``"""
    weights: FloatArray
    """The weight of each example for each kind, ``(examples, kinds)``."""

    @classmethod
    def load(cls, path: Path) -> Fit:
        """Read what `save` wrote."""
        with np.load(path) as data:
            steps, scale, counts, weights = (
                data[name].astype(np.float32) for name in ("steps", "scale", "counts", "weights")
            )
        return cls(_unit(steps * scale), _unit(np.sqrt(counts)), weights)

    def save(self, path: Path) -> None:
        """Write vectors in 127 steps for each dimension, and n-grams as counts."""
        scale = np.abs(self.vectors).max(axis=0) / 63
        steps = np.round(self.vectors / np.maximum(scale, 1e-9)).astype(np.int8)
        least = np.where(self.grams > 0, self.grams, np.inf).min(axis=1, keepdims=True)
        counts = np.round(np.square(self.grams / least)).clip(0, 255).astype(np.uint8)
        np.savez_compressed(path, steps=steps, scale=scale, counts=counts, weights=self.weights.astype(np.float16))


class TurnClassifier:
    """Classifies turns with one embedding model. Safe to use from several threads."""

    def __init__(self, embedder: Embedder, fit: Fit | None = None) -> None:
        """Without `fit`, use the one shipped for the model, or else compute one and keep it in the user's cache."""
        self._embedder = embedder
        self._center = _center_of(embedder)
        self._fit = fit or _fit_for(embedder)

    def kind(self, text: str) -> TurnKind:
        """Return the kind of a turn."""
        return chosen(self._scores_of(text))[0]

    def likely(self, text: str) -> tuple[TurnKind, ...]:
        """Return the kinds that fit a turn nearly as well as the best, the best first."""
        scores = self._scores_of(text)
        near = [kind for kind, score in zip(KINDS, scores[0], strict=True) if score >= scores.max() - NEARLY]
        best = chosen(scores)[0]
        return (best, *(kind for kind in near if kind != best))

    def _scores_of(self, text: str) -> FloatArray:
        return self.scores([text], self._embedder.embed_question(text).vector[None, :])

    def kinds(self, texts: Sequence[str]) -> list[TurnKind]:
        """Return the kinds of many turns at once."""
        return chosen(self.scores(texts, self._embedder.embed_queries(texts)))

    def scores(self, texts: Sequence[str], vectors: FloatArray) -> FloatArray:
        """Return how well each kind fits, ``(turns, kinds)`` in the order of `KINDS`; the best is near 1."""
        vectors = _unit(vectors - self._center)
        scores: FloatArray = _kernel(vectors, grams_of(texts), self._fit) @ self._fit.weights
        return scores + np.float32(1 / len(KINDS))


def chosen(scores: FloatArray) -> list[TurnKind]:
    """Return the kind of each row of scores: the best, unless a question fits nearly as well."""
    safe = [place for place, kind in enumerate(KINDS) if kind in FROM_DOCUMENTS]
    best, fallback = scores.argmax(axis=1), scores[:, safe].argmax(axis=1)
    ahead = scores.max(axis=1) - scores[:, safe].max(axis=1) >= MARGIN
    return [KINDS[at] if sure else KINDS[safe[other]] for at, other, sure in zip(best, fallback, ahead, strict=True)]


def fit(embedder: Embedder) -> Fit:
    """Return the examples fitted for this embedding model; takes seconds."""
    examples = load_examples()
    texts = [each.text for each in examples]
    vectors, grams = _unit(embedder.embed_queries(texts) - _center_of(embedder)), grams_of(texts)
    kinds = np.eye(len(KINDS), dtype=np.float32)[[KINDS.index(each.kind) for each in examples]] - 1 / len(KINDS)
    empty = Fit(vectors, grams, np.zeros((len(texts), len(KINDS)), np.float32))
    kernel = _kernel(vectors, grams, empty)
    weights = np.linalg.solve(kernel + RIDGE * np.eye(len(texts), dtype=np.float32), kinds)
    return Fit(vectors, grams, weights.astype(np.float32))


@cache
def load_examples() -> tuple[Example, ...]:
    """Return all examples, language by language."""
    return tuple(
        Example(kind, text, path.stem)
        for path in sorted(EXAMPLES.glob("*.yaml"))
        for kind, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items()
        for text in texts
    )


def fitted_name(embedder: Embedder) -> str:
    """Return the file name for a model and the current examples; it changes with either."""
    digest = hashlib.sha256(embedder.fingerprint.encode())
    digest.update("\0".join(f"{each.kind} {each.text}" for each in load_examples()).encode())
    return f"{digest.hexdigest()[:16]}.npz"


def grams_of(texts: Sequence[str]) -> FloatArray:
    """Return hashed counts of each text's character n-grams as unit vectors; Latin letters lose their marks."""
    rows = np.zeros((len(texts), GRAM_DIMENSIONS), np.float32)
    for row, text in zip(rows, texts, strict=True):
        bare = f"^{_bare(text)}$"
        for size in GRAM_SIZES:
            for at in range(len(bare) - size + 1):
                row[zlib.crc32(bare[at : at + size].encode()) % GRAM_DIMENSIONS] += 1
    return _unit(np.sqrt(rows))


def _bare(text: str) -> str:
    letters = unicodedata.normalize("NFD", fold(text))
    kept = (each for each in letters if not ("\u0300" <= each <= "\u036f"))
    return " ".join("".join(kept).replace("đ", "d").split())


def _kernel(vectors: FloatArray, grams: FloatArray, fitted: Fit) -> FloatArray:
    near = vectors @ fitted.vectors.T + np.float32(GRAMS) * (grams @ fitted.grams.T)
    kernel: FloatArray = np.exp(near - np.float32(1 + GRAMS))
    return kernel


def _center_of(embedder: Embedder) -> FloatArray:
    queries = load_means(embedder.name, embedder.dimensions).queries
    return queries.mean(axis=0) if len(queries) else np.zeros(embedder.dimensions, np.float32)


def _fit_for(embedder: Embedder) -> Fit:
    name = fitted_name(embedder)
    kept = user_cache_path("attest", appauthor=False) / "turns" / name
    for path in (FITTED / name, kept):
        if path.is_file():
            return Fit.load(path)
    made = fit(embedder)
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        made.save(kept)
    except OSError:  # A cache that can't be written costs time, not an answer.
        kept.unlink(missing_ok=True)
    return made


def _unit(rows: FloatArray) -> FloatArray:
    norms = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: FloatArray = np.divide(rows, norms, out=np.zeros_like(rows), where=norms > 1e-6)
    return unit
