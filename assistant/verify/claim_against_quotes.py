"""Compare numbers, dates and verbatim words of a claim with its quotes."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from decimal import Decimal

import regex

from assistant.types import Evidence
from assistant.verify.number_reading import Quantity, numbers_in
from assistant.verify.text import fold
from assistant.verify.verdict import Verdict
from store.text.dates import BUDDHIST_ERA, DateMention, dates_in

_QUOTED = regex.compile(r'"(?P<words>[^"]+)"')


@dataclass(frozen=True, slots=True)
class Quote:
    """One piece of evidence, folded, with its numbers and dates."""

    key: int
    passage: str
    text: str
    language: str
    context: str
    numbers: tuple[Quantity, ...]
    dates: tuple[DateMention, ...]


def read_quote(evidence: Evidence) -> Quote:
    """Return one piece of evidence folded, with its numbers and dates; it is read once for all claims."""
    text = fold(evidence.quote)
    source = evidence.document
    # A speaker such as "News desk, Hanoi" doesn't add Hanoi to the quote.
    speaker = regex.split(r"[,;(]", source.speaker or "")[0]
    context = fold(" ; ".join(filter(None, (source.title, speaker, source.published))))
    return Quote(
        evidence.key,
        evidence.passage_id,
        text,
        evidence.language,
        context,
        (*numbers_in(text, strict=False), *numbers_in(context, strict=False)),
        (*dates_in(text), *dates_in(context)),
    )


def is_verbatim(claim: str, quote: str) -> bool:
    """Return whether a claim consists only of words of a quote in their order, ignoring marks at its ends."""
    ends = " .,;:!?\"'()[]。"
    bare, quoted = claim.lower().strip(ends), quote.lower()
    at = quoted.find(bare)
    if at < 0 or not bare:
        return False
    # Cut inside a clause, words can mean the opposite, so only whole sentences and clauses count.
    before, after = quoted[:at].strip(), quoted[at + len(bare) :].strip()
    return (not before or before[-1] in ".,;:!?\"'(-") and (not after or after[0] in ".,;:!?\"')-")


def unsupported_date(claim: str, quotes: Sequence[Quote]) -> Verdict | None:
    """Return the verdict on the first date of a folded claim that no quote has; None if there is none."""
    known = tuple(mention for quote in quotes for mention in quote.dates)
    values = {value for quote in quotes for number in quote.numbers for value in number.values}
    for mention in dates_in(claim):
        if not is_date_borne(mention, known, values):
            return Verdict("unsupported", "date", mention.text)
    return None


def is_date_borne(mention: DateMention, known: tuple[DateMention, ...], values: Set[Decimal]) -> bool:
    """Return whether `known` dates contain a date, or, for a year alone, the numbers `values` of their text do."""
    year_only = all(month is None and day is None for _, month, day in mention.alternatives)
    as_number = year_only and any(
        year is not None and (Decimal(year) in values or Decimal(year + BUDDHIST_ERA) in values)
        for year, _, _ in mention.alternatives
    )
    return as_number or mention.within(known)


def unsupported_number(claim: str, quotes: Sequence[Quote]) -> Verdict | None:
    """Return the verdict on the first number that no quote has, or only with another hedge; None if there is none."""
    taken = tuple((mention.start, mention.end) for mention in dates_in(claim))
    known = [number for quote in quotes for number in quote.numbers]
    parts = {
        Decimal(part)
        for quote in quotes
        for mention in quote.dates
        for reading in mention.alternatives
        for part in reading
        if part is not None
    }
    for number in numbers_in(claim, strict=True, taken=taken):
        same = [other for other in known if number.agrees(other)]
        if not same and not number.values & parts:
            return Verdict("unsupported", "number", number.text)
        if same and number.bound in ("over", "under") and not any(_bounds_agree(number, other) for other in same):
            return Verdict("unsupported", "number", _with_bound(claim, number))
    return None


def _bounds_agree(number: Quantity, other: Quantity) -> bool:
    return other.bound in (number.bound, "about")


def _with_bound(claim: str, number: Quantity) -> str:
    before = regex.search(r"\S+\s?\S*\s?$", claim[: number.start])
    return (before.group() if before else "") + number.text


def quotations_in(text: str) -> list[str]:
    """Return the words in quotation marks in a folded text, if they are long enough for a quotation, not a scare quote."""
    found = []
    for match in _QUOTED.finditer(text):
        words = match["words"].strip()
        spaced = len(words.split())
        letters = len(regex.findall(r"\p{L}", words))
        if spaced >= 3 or (regex.search(r"[\p{Thai}\p{Han}\p{Lao}\p{Khmer}]", words) and letters >= 8):
            found.append(words)
    return found


def altered_quotation(claim: str, quotes: Sequence[str]) -> str | None:
    """Return the first quotation of a folded `claim` that none of the folded `quotes` has verbatim, or None.

    Letter case, spaces, inner quotation marks and a closing mark are ignored.
    """
    bare = [_bare(quote) for quote in quotes]
    return next((words for words in quotations_in(claim) if not any(_bare(words) in quote for quote in bare)), None)


def _bare(text: str) -> str:
    return regex.sub(r"[\s\"']+", "", text.lower()).rstrip(".,;:!?")
