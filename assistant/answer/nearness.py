"""Prefer sentences near the last quote, because most follow-ups ask about them.

People ask about what they have just read: the answer is most often in the same sentence, or right after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from assistant.answer.question import Place
from assistant.extractive_qa.candidates import Candidate, ReadPassages
from store.types import Span

BEHIND = 3
"""Sentences after a quote that are near it; before it there is one."""
NEAR = 0.6
"""Added to the score of the sentence right after a quote; less for those farther away."""


def nearer(read: ReadPassages, quoted: Sequence[Place]) -> ReadPassages:
    """Return sentences in their order, but with those near `quoted` preferred."""
    if not quoted:
        return read
    preferred = [replace(each, score=each.score + NEAR * nearness(each, quoted)) for each in read.ordered]
    return replace(read, ordered=tuple(sorted(preferred, key=lambda each: -each.score)))


def leaving_out(read: ReadPassages, said: Sequence[Place]) -> ReadPassages:
    """Return only the sentences that don't overlap the quotes `said`."""
    if not said:
        return read
    return replace(read, ordered=tuple(each for each in read.ordered if not _overlaps_any(each, said)))


def _overlaps_any(each: Candidate, quotes: Sequence[Place]) -> bool:
    return any(document == each.hit.document.id and each.sentence.span.overlaps(quote) for document, quote in quotes)


def nearness(each: Candidate, quoted: Sequence[Place]) -> float:
    """Return how near a sentence is to a quote of its passage, in [0, 1]; 1 for the one right after it."""
    return max((_to_one(each, span) for document, span in quoted if document == each.hit.document.id), default=0.0)


def _to_one(each: Candidate, quote: Span) -> float:
    spans = [sentence.span for sentence in each.hit.sentences]
    inside = [number for number, span in enumerate(spans) if span.overlaps(quote)]
    if not inside:
        return 0.0
    distance = spans.index(each.sentence.span) - inside[-1]
    if distance > 0:
        return max(0.0, 1 - (distance - 1) / BEHIND)
    return 0.5 if distance >= inside[0] - inside[-1] - 1 else 0.0
