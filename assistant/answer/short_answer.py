"""The short answer: the fewest words of the evidence that answer, as a quotation with its place."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.extractive_qa.candidates import Candidate
from assistant.types import AnswerSpan, Evidence, ShortAnswer

WHOLE = 0.85
"""Share of a sentence from which on the words are no shorter answer than the sentence itself."""


def short_answer(ordered: Sequence[Candidate], evidence: Sequence[Evidence], certainty: float) -> ShortAnswer | None:
    """Return the words of the first evidence that answer; None where the reader isn't sure of any.

    `ordered` are the sentences that `evidence` was chosen from.
    """
    if not evidence:
        return None
    first = evidence[0]
    read = next(
        (
            each.reading
            for each in ordered
            if (each.hit.document.id, each.sentence.span.start) == (first.document.id, first.start)
        ),
        None,
    )
    if read is None or read.agreement < certainty or read.span.end - read.span.start < 1:
        return None
    if not first.start <= read.span.start < read.span.end <= first.end:
        return None
    if read.span.end - read.span.start > WHOLE * (first.end - first.start) and len(first.quote) > 40:
        return None
    spans = sorted((span for span in (read.span, read.second) if span is not None), key=lambda span: span.start)
    return ShortAnswer(
        spans=tuple(
            AnswerSpan(
                key=first.key,
                start=span.start,
                end=span.end,
                text=first.quote[span.start - first.start : span.end - first.start],
            )
            for span in spans
            if first.start <= span.start < span.end <= first.end
        ),
        confidence=min(1.0, read.agreement),
    )
