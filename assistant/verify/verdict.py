"""Define the verdict on a claim, and the limits that decide it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.types import Support

Fault = Literal[
    "number", "date", "name", "quotation", "contrary", "citation", "meaning", "language", "question", "no_evidence"
]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosines that a claim must reach, found on the tuning part of the labelled claims (see the benchmark)."""

    whole_within: float = 0.40
    whole_across: float = 0.22
    run_within: float = 0.86
    run_across: float = 0.72
    margin: float = 0.05
    """How much closer another quote may be than the one cited."""
    shared_words: float = 0.34
    """Without an embedding model: share of content words in a quote of the same language."""


CALIBRATED = {"multilingual-e5-small": Thresholds()}
"""By embedding model. Cosines mean something else in each, so for other models only a claim's words are checked.
``python -m evals.benchmarks.claims`` finds another model's thresholds."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result for one claim."""

    support: Support
    fault: Fault | None = None
    detail: str | None = None
    """The number, date, name, word or clause that the quotes don't support."""
    citations: tuple[int, ...] = ()
    """The keys that support it: those cited that exist, or those that the verifier found if none was cited."""
    dropped: tuple[int, ...] = ()
    """Cited keys that don't exist."""
    better: tuple[int, ...] = ()
    """Keys that support the claim, if the cited ones don't."""

    @property
    def reason(self) -> str | None:
        """Why it is unsupported, as a short phrase in English; None if it is supported."""
        return _REASONS[self.fault].format(detail=self.detail or "", keys=_keys(self.better)) if self.fault else None


_REASONS: dict[Fault, str] = {
    "number": "the number {detail} is not in the quotes cited",
    "date": "the date {detail} is not in the quotes cited",
    "name": "the name {detail} is not in the quotes cited",
    "quotation": "the words in quotation marks are not verbatim: {detail}",
    "contrary": "the quotes cited say otherwise: {detail}",
    "citation": "the quotes cited don't say this, {keys} does",
    "meaning": "the quotes cited don't say this: {detail}",
    "language": "it is not in the language that was asked for",
    "question": "it {detail}",
    "no_evidence": "there is no quote that it could rest on",
}


def _keys(keys: Sequence[int]) -> str:
    return " ".join(f"[{key}]" for key in keys)
