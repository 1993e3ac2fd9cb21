"""The short answer: the fewest words of the evidence that answer, as a quotation with its place."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from assistant.extractive_qa.candidates import Candidate
from assistant.types import AnswerSpan, Evidence, ShortAnswer
from assistant.verify.language_rules import rules_of
from assistant.verify.numbers import numbers_in
from assistant.verify.text import fold
from store.text.dates import dates_in
from store.types import Span

WHOLE = 0.85
"""Share of a sentence from which on the words are no shorter answer than the sentence itself."""

LONGEST_EXCEPTION = 80
"""Code points of what is left out, as in "every day except on public holidays"."""


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
    found = (qualified(span, first) for span in (read.span, read.second) if span is not None)
    spans = sorted(found, key=lambda span: span.start)
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


def qualified(span: Span, quote: Evidence) -> Span:
    """Return a span of the document with what bounds, negates or limits its words, where that stands beside them.

    A reader learns from data in which "300 people" is right for "more than 300 people"; alone, it says something else.
    """
    known = rules_of(quote.language)
    if known is None or not quote.start <= span.start < span.end <= quote.end:
        return span
    start, end = span.start - quote.start, span.end - quote.start
    is_amount = _is_amount(quote.quote[start:end])
    before = known.cues("bounds" if is_amount else "negators").pattern
    if found := regex.search(rf"{before}\s?$", quote.quote[:start], regex.IGNORECASE):
        start = found.start()
    if is_amount and (
        found := regex.match(rf"\s?{known.cues('bounds_after').pattern}", quote.quote[end:], regex.IGNORECASE)
    ):
        end += found.end()
    exception = rf",?\s?\(?{known.cues('exceptions').pattern}[^.;:!?。()]{{1,{LONGEST_EXCEPTION}}}\)?"
    if found := regex.match(exception, quote.quote[end:], regex.IGNORECASE):
        end += found.end()
    return Span(start + quote.start, end + quote.start)


def _is_amount(words: str) -> bool:
    """Return whether words begin with a number or a date."""
    folded = fold(words)
    return 0 in (*(each.start for each in numbers_in(folded)), *(each.start for each in dates_in(folded)))
