"""Compress the states of a passage's tokens enough to store them, for late interaction with a question.

They are projected onto the directions in which tokens of one language differ most, and stored in four bits per number:
thirty-two bytes per token, instead of 1,536 for the model's own state (cf. the compression in ColBERTv2, Santhanam et
al. 2022, arXiv:2112.01488). Directions, steps and the languages' means ship with an embedding model's means of whole
passages, computed from the same translations of one text. A model without them has no late interaction.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.embedding.centering import SHIPPED, LanguageMeans
from store.types import Span

SIZE = 64
"""Numbers stored of a token's state. 96 and 128 find the answer's sentence .005 more often, and cost as much more."""
HIGHEST = 7
"""Codes range from minus this to this: four bits, with one value unused."""
_SPREAD = 2.5
"""Standard deviations from the mean that the highest code stands for."""
_GRAIN = 4096
"""Means of codes are rounded to this fraction, so that sums of them are exact in any order."""

Codes = NDArray[np.int8]


@dataclass(frozen=True, slots=True)
class TokenBasis:
    """How a model's token states become codes, and the average tokens of each language."""

    origin: FloatArray
    """``(dimensions,)``: subtracted from unit states before projection."""
    directions: FloatArray
    """``(dimensions, size)``"""
    steps: FloatArray
    """``(size,)``: the size of one step of a code."""
    means: LanguageMeans
    """Means of projected states, ``(languages, size)``."""

    @classmethod
    def fit(cls, means: LanguageMeans, states: Sequence[FloatArray], size: int = SIZE) -> TokenBasis:
        """Fit to unit states ``(tokens, dimensions)`` of each language, in the order of their `means` in full size."""
        origin = means.passages.mean(axis=0)
        apart = np.concatenate([some - mean for some, mean in zip(states, means.passages, strict=True)])
        apart /= np.maximum(np.linalg.norm(apart, axis=1, keepdims=True), 1e-6)
        _, vectors = np.linalg.eigh(apart.T @ apart)
        directions = np.ascontiguousarray(vectors[:, ::-1][:, :size], np.float32)
        spread = np.concatenate([(some - origin) @ directions for some in states]).std(axis=0)
        projected = LanguageMeans(
            means.languages, (means.passages - origin) @ directions, (means.queries - origin) @ directions
        )
        return cls(origin.astype(np.float32), directions, (_SPREAD * spread / HIGHEST).astype(np.float32), projected)

    @classmethod
    def load(cls, model_name: str, dimensions: int, folder: Path = SHIPPED) -> TokenBasis | None:
        """Return what ships for a model with this name and size, if anything."""
        path = folder / f"{model_name}.tokens.npz"
        if not path.is_file():
            return None
        with np.load(path) as data:
            means = LanguageMeans(
                tuple(str(tag) for tag in data["languages"]),
                data["passages"].astype(np.float32),
                data["queries"].astype(np.float32),
            )
            origin, directions, steps = (data[name].astype(np.float32) for name in ("origin", "directions", "steps"))
        return cls(origin, directions, steps, means) if len(origin) == dimensions else None

    def save(self, path: Path) -> None:
        """Write as float16."""
        np.savez_compressed(
            path,
            languages=np.array(self.means.languages),
            passages=self.means.passages.astype(np.float16),
            queries=self.means.queries.astype(np.float16),
            origin=self.origin.astype(np.float16),
            directions=self.directions.astype(np.float16),
            steps=self.steps.astype(np.float16),
        )

    @property
    def version(self) -> str:
        """Changes with everything that codes depend on."""
        digest = hashlib.sha256()
        for part in (self.origin, self.directions, self.steps):
            digest.update(part.tobytes())
        return digest.hexdigest()[:12]

    def project(self, states: FloatArray) -> FloatArray:
        """Project unit states ``(tokens, dimensions)`` to ``(tokens, size)``."""
        return np.asarray((states - self.origin) @ self.directions, np.float32)

    def encode(self, projected: FloatArray) -> Codes:
        """Return projected states as codes of the same shape."""
        with np.errstate(invalid="ignore"):  # for a state that isn't a number, the check of the passage's vector fails
            codes: Codes = np.clip(np.rint(projected / self.steps), -HIGHEST, HIGHEST).astype(np.int8)
        return codes

    def decode(self, codes: Codes) -> FloatArray:
        """Return approximately the projected states that the codes were made from."""
        return np.asarray(codes * self.steps, np.float32)


@dataclass(frozen=True, slots=True)
class PassageTokens:
    """A passage's tokens in order, and which of them are in each of its sentences."""

    codes: Codes
    """``(tokens, size)``"""
    sentences: NDArray[np.uint16]
    """``(sentences, 2)``: first token, and the one after the last."""

    @classmethod
    def of(cls, codes: Codes, offsets: NDArray[np.int64], spans: Sequence[Span]) -> PassageTokens:
        """Make it from the tokens' offsets ``(tokens, 2)`` in the passage; a token on a border is in both sentences."""
        bounds = [
            (
                int(np.searchsorted(offsets[:, 1], span.start, side="right")),
                int(np.searchsorted(offsets[:, 0], span.end, side="left")),
            )
            for span in spans
        ]
        return cls(codes, np.asarray(bounds, np.uint16).reshape(-1, 2))

    @classmethod
    def unpack(cls, blob: bytes) -> PassageTokens:
        """Return the inverse of `pack`."""
        sentences, size = (int(number) for number in np.frombuffer(blob, "<u2", count=2))
        bounds = np.frombuffer(blob, "<u2", offset=4, count=2 * sentences).reshape(-1, 2)
        pairs = np.frombuffer(blob, np.uint8, offset=4 + 4 * sentences).reshape(-1, size // 2)
        codes = np.empty((len(pairs), size), np.int8)
        codes[:, 0::2] = pairs >> 4
        codes[:, 1::2] = pairs & 15
        return cls(codes - np.int8(HIGHEST), bounds.astype(np.uint16))

    def pack(self) -> bytes:
        """Return little-endian bytes: counts of sentences and of numbers, the sentences' bounds, then two codes per byte."""
        shifted = (self.codes + HIGHEST).astype(np.uint8)
        header = np.asarray([len(self.sentences), self.codes.shape[1]], "<u2")
        return (
            header.tobytes()
            + self.sentences.astype("<u2").tobytes()
            + (shifted[:, 0::2] << 4 | shifted[:, 1::2]).tobytes()
        )

    def mean(self) -> NDArray[np.float64]:
        """Return the mean code, ``(size,)``; zeros for a passage without tokens."""
        if not len(self.codes):
            return np.zeros(self.codes.shape[1])
        rounded: NDArray[np.float64] = np.rint(self.codes.mean(axis=0, dtype=np.float64) * _GRAIN) / _GRAIN
        return rounded
