"""Check a claim against the quotes it cites: the only place that makes verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

from assistant.types import Evidence
from assistant.verify.claim_against_quotes import (
    Quote,
    altered_quotation,
    is_verbatim,
    read_quote,
    unsupported_date,
    unsupported_number,
)
from assistant.verify.language_rules import rules_of_text
from assistant.verify.names import unsupported_name
from assistant.verify.number_reading import numbers_in
from assistant.verify.polarity import contradiction
from assistant.verify.support import Closeness, MeaningScorer, shared_words
from assistant.verify.text import fold, strip_markers
from assistant.verify.verdict import CALIBRATED, Fault, Thresholds, Verdict
from store.text.dates import dates_in

if TYPE_CHECKING:
    from store.embedding.centering import Centering
    from store.embedding.embedder import Embedder


def verify_claim(
    claim_text: str,
    citations: Sequence[int],
    evidence: Sequence[Evidence],
    *,
    embedder: Embedder | None = None,
    centering: Centering | None = None,
    language: str | None = None,
) -> Verdict:
    """Return whether `evidence` supports one claim. For several claims over the same evidence, keep a `Verifier`.

    Args:
        claim_text: A sentence; markers such as [1] are ignored.
        citations: The keys that it cites. If it cites none, the verifier looks for the quotes that support it.
        evidence: All quotes of the answer.
        embedder: Compares meanings; without it only words are compared.
        centering: Language means to subtract from the vectors; None means those shipped for the model.
        language: The claim's language, if it is known.
    """
    return Verifier(evidence, embedder=embedder, centering=centering).verify(claim_text, citations, language=language)


class Verifier:
    """Checks claims against the evidence of one answer; quotes are read and embedded once."""

    def __init__(
        self,
        evidence: Sequence[Evidence],
        *,
        embedder: Embedder | None = None,
        centering: Centering | None = None,
        thresholds: Thresholds | None = None,
    ) -> None:
        self._quotes = {each.key: read_quote(each) for each in evidence}
        self._thresholds = thresholds or CALIBRATED.get(embedder.name if embedder else "", Thresholds())
        known = thresholds is not None or (embedder is not None and embedder.name in CALIBRATED)
        self._scorer = MeaningScorer(evidence, embedder, centering) if embedder and evidence and known else None

    def verify(self, claim_text: str, citations: Sequence[int], *, language: str | None = None) -> Verdict:
        """Return the verdict on one claim; see `verify_claim`."""
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
            # Only all quotes together would support it, which no reader could check.
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
        """Return the keys that support a claim best: one quote, or two adjacent ones of one passage; empty if none do.

        Adjacent ones count together because one may say "it" where the other has the name.
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
        """Return the verdict with exactly `keys` cited."""
        quotes = [self._quotes[key] for key in keys]
        if any(is_verbatim(claim, quote.text) for quote in quotes):
            return Verdict("quoted", citations=keys)
        if self._scorer is not None:
            closeness = self._scorer.closeness(text, keys, language)
        nearest = fold(closeness.nearest) if closeness else None
        found = (
            unsupported_date(claim, quotes)
            or unsupported_number(claim, quotes)
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

    def _too_far(self, claim: str, text: str, quotes: Sequence[Quote], closeness: Closeness | None) -> Verdict | None:
        """Return a verdict against a claim if no cited quote is close to it in meaning, or another one is closer."""
        limits = self._thresholds
        if closeness is None:
            shares = [share for quote in quotes if (share := shared_words(claim, quote.text)) is not None]
            too_few = bool(shares) and len(shares) == len(quotes) and max(shares) < limits.shared_words
            return Verdict("unsupported", "meaning", text) if too_few else None
        same = any(quote.language.split("-")[0] == rules_of_text(claim).language for quote in quotes)
        cited = max(closeness.by_key[quote.key] for quote in quotes)
        best = max(closeness.by_key.values())
        if cited < (limits.whole_within if same else limits.whole_across) or best - cited > limits.margin:
            return Verdict("unsupported", "meaning", text)
        if closeness.weakest_run < (limits.run_within if same else limits.run_across):
            return Verdict("unsupported", "meaning", closeness.run)
        return None


def _comparable(claim: str, quote: Quote) -> bool:
    """Return whether words alone can show that a quote supports a claim: in its language, or with a number or date."""
    return shared_words(claim, quote.text) is not None or bool(numbers_in(claim) or dates_in(claim))


def _fault(fault: Fault, detail: str | None) -> Verdict | None:
    return Verdict("unsupported", fault, detail) if detail else None
