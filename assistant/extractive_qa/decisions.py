"""Hold the numbers learned for one embedding model that decide order, confidence, and limits.

They are next to the adapter in ``models/NAME/decisions.json``; `evals.training.reader.decisions` writes them. A
model without its own file doesn't get another model's numbers, but those of ``models/any``, which use keywords alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

MODELS = Path(__file__).parent / "models"
FILE = "decisions.json"
ANY = "any"
"""Used for models without fitted numbers."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Weights of the formula in `assistant.extractive_qa.candidates`."""

    retrieval: float
    margin: float
    heading: float
    name: float = 0.0
    """For each name of the question that the passage lacks."""
    date: float = 0.0
    """For each date of the question that the passage lacks."""


@dataclass(frozen=True, slots=True)
class Confidence:
    """A logistic model over named features."""

    bias: float
    weights: Mapping[str, float]
    threshold: float
    """Below this, Attest refuses to answer."""

    def probability(self, features: Mapping[str, float]) -> float:
        """Return the probability in [0, 1] that the evidence answers."""
        logit = self.bias + sum(weight * features[name] for name, weight in self.weights.items())
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


@dataclass(frozen=True, slots=True)
class Decisions:
    """All numbers for one embedding model, with or without a reader."""

    ranking: Ranking
    confidence: Confidence
    further: Confidence
    """How likely a quote after the first answers too, from its `margin`, the `gap` to the first one's score, and the
    `certainty` of the first."""
    span_certainty: float
    """The least agreement (`assistant.extractive_qa.span_reader.SentenceReading`) for a short answer."""

    @classmethod
    def load(cls, model: str, *, reading: bool) -> Decisions:
        """Return the numbers for an embedding model by name, or those for any model."""
        content = _content(model if is_calibrated(model) else ANY)
        return cls.of(content["with reader" if reading else "without reader"])

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Decisions:
        """Return the numbers of one part of the file."""
        return cls(
            Ranking(**content["ranking"]),
            Confidence(**content["confidence"]),
            Confidence(**content["further"]),
            content["span_certainty"],
        )


def is_calibrated(model: str) -> bool:
    """Return whether confidence was fitted to this embedding model's vectors."""
    return (MODELS / model / FILE).is_file()


@cache
def _content(model: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((MODELS / model / FILE).read_text(encoding="utf-8"))
    return content
