"""Checks a claim against the quotes that it cites: the one place where verdicts are made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from typing import TYPE_CHECKING, Literal

import regex

from assistant.topics import language_of
from assistant.types import Evidence, Support
from assistant.verify.dates import DateMention, dates_in
from assistant.verify.names import unsupported_name
from assistant.verify.numbers import Quantity, numbers_in
from assistant.verify.polarity import contradiction
from assistant.verify.quotations import altered_quotation
from assistant.verify.support import Closeness, MeaningScorer, shared_words
from assistant.verify.text import MARKER, fold, strip_markers

if TYPE_CHECKING:
    from store.centring import Centring
    from store.embed import Embedder

Fault = Literal["number", "date", "name", "quotation", "contrary", "citation", "meaning", "language", "no_evidence"]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Cosines that a claim must reach, found on the tuning part of the labelled claims (see the benchmark)."""

    whole_within: float = 0.40
    whole_across: float = 0.22
    clause_within: float = 0.30
    clause_across: float = 0.20
    run_within: float = 0.86
    run_across: float = 0.72
    margin: float = 0.05
    """How much closer another quote may be than the one cited."""
    shared_words: float = 0.34
    """Without an embedding model: share of content words in a quote of the same language."""


CALIBRATED = {"multilingual-e5-small": Thresholds()}
"""By embedding model: cosines mean something else in each, so that of others only the words of a claim are checked.
``python -m evals.benchmarks.claims`` is what another model's thresholds would be found with."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one claim."""

    support: Support
    fault: Fault | None = None
    detail: str | None = None
    """The number, date, name, word or clause that the quotes don't carry."""
    citations: tuple[int, ...] = ()
    """The keys that it rests on: those cited that exist; found by the verifier where none was cited."""
    dropped: tuple[int, ...] = ()
    """Cited keys that don't exist."""
    better: tuple[int, ...] = ()
    """Keys that do carry the claim, where those cited don't."""

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
    "no_evidence": "there is no quote that it could rest on",
}


def _keys(keys: Sequence[int]) -> str:
    return " ".join(f"[{key}]" for key in keys)


def verify_claim(
    claim_text: str,
    citations: Sequence[int],
    evidence: Sequence[Evidence],
    *,
    embedder: Embedder | None = None,
    centring: Centring | None = None,
    language: str | None = None,
) -> Verdict:
    """Whether `evidence` carries one claim. For more than one claim over the same evidence, keep a `Verifier`.

    Args:
        claim_text: A sentence; markers such as [1] are ignored.
        citations: The keys that it cites. Where it cites none, the verifier looks for the quotes that carry it.
        evidence: All quotes of the answer.
        embedder: Compares meanings; without it only words are compared.
        centring: Language means to take off the vectors; those that ship for the model if None.
        language: The claim's language, if it is known.
    """
    return Verifier(evidence, embedder=embedder, centring=centring).verify(claim_text, citations, language=language)


@dataclass(frozen=True, slots=True)
class _Quote:
    """One piece of evidence, folded, with its numbers and dates."""

    key: int
    passage: str
    text: str
    language: str
    context: str
    numbers: tuple[Quantity, ...]
    dates: tuple[DateMention, ...]


class Verifier:
    """Checks claims against the evidence of one answer; quotes are read and embedded once."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        *,
        embedder: Embedder | None = None,
        centring: Centring | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._quotes = {each.key: _read(each) for each in evidence}
        self._thresholds = thresholds or CALIBRATED.get(embedder.name if embedder else "", Thresholds())
        known = thresholds is not None or (embedder is not None and embedder.name in CALIBRATED)
        self._scorer = MeaningScorer(evidence, embedder, centring) if embedder and evidence and known else None

    def verify(self, claim_text: str, citations: Sequence[int], *, language: str | None = None) -> Verdict:
        """The verdict on one claim; see `verify_claim`."""
        text = strip_markers(claim_text)
        claim = fold(text)
        known = tuple(dict.fromkeys(key for key in citations if key in self._quotes))
        dropped = tuple(dict.fromkeys(key for key in citations if key not in self._quotes))
        if not self._quotes:
            return Verdict("unsupported", "no_evidence", dropped=dropped)
        closeness = self._scorer.closeness(text, known or tuple(self._quotes), language) if self._scorer else None
        if known:
            verdict = self._judge(claim, text, known, closeness, language)
            if verdict.support == "unsupported" and (better := self._search(claim, text, closeness, language, known)):
                verdict = Verdict("unsupported", "citation", None, better=better)
            return replace(verdict, citations=known, dropped=dropped)
        if found := self._search(claim, text, closeness, language, ()):
            return replace(self._judge(claim, text, found, closeness, language), citations=found, dropped=dropped)
        verdict = self._judge(claim, text, tuple(self._quotes), closeness, language)
        if verdict.support != "unsupported":
            # Only all quotes together would carry it: no reader could check that.
            verdict = Verdict("unsupported", "meaning", text)
        return replace(verdict, dropped=dropped)

    def _search(
        self,
        claim: str,
        text: str,
        closeness: Closeness | None,
        language: str | None,
        without: tuple[int, ...],
    ) -> tuple[int, ...]:
        """The keys that carry a claim best: one quote, or two neighbors of one passage; empty if none do.

        Neighbors count together because one may say "it" where the other has the name.
        """
        order = sorted(self._quotes, key=lambda key: -(closeness.by_key.get(key, 0.0) if closeness else 0.0))
        choices: list[tuple[int, ...]] = [(key,) for key in order if key not in without]
        choices += [
            tuple(sorted(pair))
            for pair in combinations(order, 2)
            if self._quotes[pair[0]].passage == self._quotes[pair[1]].passage and set(pair) != set(without)
        ]
        for keys in choices:
            if closeness is None and not any(_comparable(claim, self._quotes[key]) for key in keys):
                continue
            if self._judge(claim, text, keys, closeness, language).support != "unsupported":
                return keys
        return ()

    def _judge(
        self, claim: str, text: str, keys: tuple[int, ...], closeness: Closeness | None, language: str | None
    ) -> Verdict:
        """The verdict with exactly `keys` cited."""
        quotes = [self._quotes[key] for key in keys]
        if any(_is_verbatim(claim, quote.text) for quote in quotes):
            return Verdict("quoted", citations=keys)
        if self._scorer is not None:
            closeness = self._scorer.closeness(text, keys, language)
        nearest = fold(closeness.nearest) if closeness and closeness.nearest else None
        found = (
            _unsupported_date(claim, quotes)
            or _unsupported_number(claim, quotes)
            or _fault("quotation", altered_quotation(claim, [quote.text for quote in quotes]))
            or _fault(
                "name",
                unsupported_name(
                    claim, [quote.text for quote in quotes], " ; ".join(quote.context for quote in quotes)
                ),
            )
            or _fault("contrary", contradiction(claim, [quote.text for quote in quotes], nearest))
            or self._too_far(claim, text, quotes, closeness)
        )
        return replace(found, citations=keys) if found else Verdict("supported", citations=keys)

    def _too_far(self, claim: str, text: str, quotes: Sequence[_Quote], closeness: Closeness | None) -> Verdict | None:
        """A verdict against a claim whose meaning no cited quote comes near, or that another comes nearer."""
        limits = self._thresholds
        if closeness is None:
            shares = [share for quote in quotes if (share := shared_words(claim, quote.text)) is not None]
            too_few = bool(shares) and len(shares) == len(quotes) and max(shares) < limits.shared_words
            return Verdict("unsupported", "meaning", text) if too_few else None
        same = any(quote.language.split("-")[0] == language_of(claim) for quote in quotes)
        cited = max(closeness.by_key[quote.key] for quote in quotes)
        best = max(closeness.by_key.values())
        if cited < (limits.whole_within if same else limits.whole_across) or best - cited > limits.margin:
            return Verdict("unsupported", "meaning", text)
        if closeness.weakest_clause < (limits.clause_within if same else limits.clause_across):
            return Verdict("unsupported", "meaning", text)
        if closeness.weakest_run < (limits.run_within if same else limits.run_across):
            return Verdict("unsupported", "meaning", closeness.run)
        return None


def _comparable(claim: str, quote: _Quote) -> bool:
    """Whether words alone can tell that a quote carries a claim: a shared language, or a number or date to share."""
    return shared_words(claim, quote.text) is not None or bool(numbers_in(claim) or dates_in(claim))


def _fault(fault: Fault, detail: str | None) -> Verdict | None:
    return Verdict("unsupported", fault, detail) if detail else None


def _read(evidence: Evidence) -> _Quote:
    text = fold(evidence.quote)
    source = evidence.document
    # A speaker such as "News desk, Hanoi" doesn't put Hanoi into what is quoted.
    speaker = regex.split(r"[,;(]", source.speaker or "")[0]
    context = fold(" ; ".join(filter(None, (source.title, speaker, source.published))))
    return _Quote(
        evidence.key,
        evidence.passage_id,
        text,
        evidence.language,
        context,
        (*numbers_in(text, strict=False), *numbers_in(context, strict=False)),
        (*dates_in(text), *dates_in(context)),
    )


def _is_verbatim(claim: str, quote: str) -> bool:
    """Whether a claim is nothing but words of a quote in their order, marks at its ends aside."""
    ends = " .,;:!?\"'()[]。"
    bare, quoted = claim.lower().strip(ends), quote.lower()
    at = quoted.find(bare)
    if at < 0 or not bare:
        return False
    # Cut in mid-clause, words can turn into their contrary: only whole sentences and clauses count.
    before, after = quoted[:at].strip(), quoted[at + len(bare) :].strip()
    return (not before or before[-1] in ".,;:!?\"'(-") and (not after or after[0] in ".,;:!?\"')-")


def _unsupported_date(claim: str, quotes: Sequence[_Quote]) -> Verdict | None:
    known = tuple(mention for quote in quotes for mention in quote.dates)
    values = {value for quote in quotes for number in quote.numbers for value in number.values}
    for mention in dates_in(claim):
        year_only = all(month is None and day is None for _, month, day in mention.alternatives)
        as_number = year_only and any(
            year is not None and (Decimal(year) in values or Decimal(year + 543) in values)
            for year, _, _ in mention.alternatives
        )
        if not as_number and not mention.within(known):
            return Verdict("unsupported", "date", mention.text)
    return None


def _unsupported_number(claim: str, quotes: Sequence[_Quote]) -> Verdict | None:
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


def citations_in(text: str) -> tuple[int, ...]:
    """The keys that a sentence cites by markers such as [1], [1][2] or [1, 2], in order."""
    keys = []
    for marker in regex.finditer(r"\[(\d{1,4}(?:\s*[,;]\s*\d{1,4})*)\]", text):
        keys += [int(key) for key in regex.findall(r"\d+", marker[1])]
    return tuple(dict.fromkeys(keys))


__all__ = ["MARKER", "Fault", "Thresholds", "Verdict", "Verifier", "citations_in", "verify_claim"]
