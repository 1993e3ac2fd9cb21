"""Find documents that answer one question with different numbers or dates, by the words that the reader marks as the answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assistant.extractive_qa.candidates import Candidate
from assistant.verify.number_reading import Quantity, numbers_in
from assistant.verify.text import fold
from store.text.dates import DateMention, dates_in

SURE = 0.5
"""The least certainty of the reader at which its words count as what a document says."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two documents' statements, each in the words that answer."""

    one: Candidate
    other: Candidate


def conflict_among(chosen: Sequence[Candidate]) -> Conflict | None:
    """Return the first of `chosen` together with one from another document that contradicts it, or None."""
    sure = [each for each in chosen if each.reading is not None and each.reading.certainty >= SURE]
    if not sure or sure[0] is not chosen[0]:
        return None
    others = (each for each in sure[1:] if each.hit.document.id != sure[0].hit.document.id)
    return next((Conflict(sure[0], other) for other in others if differ(sure[0].answer, other.answer)), None)


def differ(one: str, other: str) -> bool:
    """Return whether two answers are amounts, or dates, that don't agree."""
    (dates, numbers), (other_dates, other_numbers) = _values(one), _values(other)
    if dates and other_dates:
        return not any(mine.within(other_dates) or its.within(dates) for mine in dates for its in other_dates)
    if dates or other_dates or not numbers or not other_numbers:
        return False
    return not any(mine.agrees(its) for mine in numbers for its in other_numbers)


def _values(words: str) -> tuple[tuple[DateMention, ...], tuple[Quantity, ...]]:
    folded = fold(words)
    dates = dates_in(folded)
    return dates, numbers_in(folded, taken=tuple((each.start, each.end) for each in dates))
