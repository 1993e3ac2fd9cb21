"""Find the names and dates of a question that a passage doesn't mention.

Sentences about another country, person or year look alike to any comparison of meaning. Names are compared across
scripts and languages like those of claims (`assistant.verify.names`): a name counts as missing only if it is certainly
a name and certainly absent. A passage without it is not excluded, because the name may be elsewhere in its
document; how much score it loses is learned (`assistant.extractive_qa.decisions.Ranking`).
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.verify.claim_against_quotes import is_date_borne
from assistant.verify.names import Name, is_borne, names_in
from assistant.verify.number_reading import numbers_in
from assistant.verify.text import fold
from store.text.dates import DateMention, dates_in
from store.types import Hit


@dataclass(frozen=True, slots=True)
class Subject:
    """The names and dates of a question."""

    names: tuple[Name, ...]
    dates: tuple[DateMention, ...]


@dataclass(frozen=True, slots=True)
class Lacking:
    """The number of names and dates of a question that a passage lacks."""

    names: int = 0
    dates: int = 0


NOTHING = Lacking()


def subject_of(question: str) -> Subject:
    """Return the names and dates of a question in any language."""
    folded = fold(question)
    return Subject(names_in(folded), dates_in(folded))


def lacking(subject: Subject, hit: Hit, heading: str = "") -> Lacking:
    """Return what of `subject` is missing in a passage, its `heading`, and its document's title, speaker and date."""
    if not (subject.names or subject.dates):
        return NOTHING
    text = fold(hit.text)
    document = hit.document
    context = fold(" ; ".join(filter(None, (document.title, document.speaker, document.published, heading))))
    absent = sum(not is_borne(name, [text], context) for name in subject.names)
    if not subject.dates:
        return Lacking(absent)
    dates = (*dates_in(text), *dates_in(context))
    values = {value for part in (text, context) for number in numbers_in(part, strict=False) for value in number.values}
    return Lacking(absent, sum(not is_date_borne(date, dates, values) for date in subject.dates))
