"""Measure an answer's citations: whether they exist, point at the right place, and quote correctly.

They count keys, documents, offsets and exact words, without partial credit. The overlap of words between a claim and
its source is not measured here, because overlap is not support.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import regex

from assistant.types import Answer, Claim, Evidence, Support
from evals.text import fold, words
from evals.types import GoldSpan, QuoteCheck

MARKER = regex.compile(r"\[(\d+(?:\s*[,;]\s*\d+)*)\]")
"""Citation markers such as [1] and [2, 3]."""
QUOTED = regex.compile(r"“([^“”]+)”|«([^«»]+)»|「([^「」]+)」|『([^『』]+)』|„([^„“”]+)[“”]|\"([^\"\n]+)\"")
"""Text in quotation marks, in any of its groups."""
QUOTATION_WORDS = 4
"""Text in quotation marks with fewer words may be a name or an emphasis, and doesn't count as a quote."""


def cited_keys(answer: Answer) -> tuple[int, ...]:
    """Return the keys cited by the claims and by the text's markers, each once, in order."""
    by_claims = [key for claim in answer.claims for key in claim.citations]
    in_text = [int(key) for found in MARKER.findall(answer.text) for key in regex.split(r"\D+", found)]
    return tuple(dict.fromkeys((*by_claims, *in_text)))


def cited_evidence(answer: Answer) -> tuple[Evidence, ...]:
    """Return the cited evidence, in the order of citation, without unknown keys."""
    by_key = {evidence.key: evidence for evidence in answer.evidence}
    return tuple(by_key[key] for key in cited_keys(answer) if key in by_key)


def validity(answer: Answer, checks: Sequence[QuoteCheck]) -> float | None:
    """Return the share of the cited keys whose evidence in this answer was retrieved and exists.

    Retrieved: it was among the evidence announced before the answer. Exists: the library has its document.
    """
    cited = cited_keys(answer)
    good = {check.key for check in checks if check.announced and check.words is not None}
    good &= {evidence.key for evidence in answer.evidence}
    return sum(key in good for key in cited) / len(cited) if cited else None


def document_precision(cited: Collection[str], relevant: Collection[str]) -> float | None:
    """|cited ∩ relevant| / |cited| over documents' ids, each once. No score if none is cited."""
    cited = set(cited)
    return len(cited.intersection(relevant)) / len(cited) if cited and relevant else None


def document_recall(cited: Collection[str], relevant: Collection[str]) -> float | None:
    """|cited ∩ relevant| / |relevant| over documents' ids, each once."""
    relevant = set(relevant)
    return len(relevant.intersection(cited)) / len(relevant) if relevant else None


def span_precision(cited: Sequence[Evidence], spans: Sequence[GoldSpan]) -> float | None:
    """Return the share of the cited quotes that cover a whole gold span. No score if none is cited."""
    if not cited or not spans:
        return None
    return sum(any(_covers(quote, span) for span in spans) for quote in cited) / len(cited)


def span_recall(cited: Sequence[Evidence], spans: Sequence[GoldSpan]) -> float | None:
    """Return 1 if a cited quote covers a whole gold span, else 0. The spans are alternatives, so one is enough."""
    if not spans:
        return None
    return float(any(_covers(quote, span) for quote in cited for span in spans))


def _covers(quote: Evidence, span: GoldSpan) -> bool:
    return quote.document.id == span.document and quote.start <= span.start and span.end <= quote.end


QuoteState = Literal["verbatim", "misplaced", "fabricated"]


@dataclass(frozen=True, slots=True)
class QuoteVerdict:
    """The result of comparing one quote with its document."""

    key: int | None
    """The evidence's key; None for words in quotation marks in the answer's text."""
    quote: str
    state: QuoteState
    """verbatim: the document's words at the offsets. misplaced: in the document, elsewhere.
    fabricated: nowhere in it, or there is no such document."""


def quote_verdicts(answer: Answer, checks: Sequence[QuoteCheck]) -> tuple[QuoteVerdict, ...]:
    """Return a verdict on each evidence quote, then on each fabricated quotation in the answer's text.

    Code point by code point, without normalization, because quotes must be exact.
    """
    by_key = {check.key: check for check in checks}
    # Another assistant may name a source without quoting it.
    quoted = [evidence for evidence in answer.evidence if evidence.quote or evidence.key in by_key]
    verdicts = [_verdict(evidence, by_key.get(evidence.key)) for evidence in quoted]
    verdicts += [QuoteVerdict(None, quotation, "fabricated") for quotation in invented_quotations(answer)]
    return tuple(verdicts)


def _verdict(evidence: Evidence, check: QuoteCheck | None) -> QuoteVerdict:
    state: QuoteState = "fabricated"
    if check is not None and evidence.quote == check.words and evidence.quote:
        state = "verbatim"
    elif check is not None and check.occurs and evidence.quote:
        state = "misplaced"
    return QuoteVerdict(evidence.key, evidence.quote, state)


def invented_quotations(answer: Answer) -> tuple[str, ...]:
    """Return text in quotation marks, of at least `QUOTATION_WORDS` words, that nothing supports.

    A quote, the title or speaker of a source, or the question supports a quotation. An abstention quotes nobody; it may
    name the titles of documents that don't answer.
    """
    if not answer.answered:
        return ()
    carriers = [fold(answer.question), fold(answer.standalone_question)]
    for evidence in answer.evidence:
        source = evidence.document
        carriers += [fold(text) for text in (evidence.quote, source.title, source.speaker) if text]
    invented = []
    for groups in QUOTED.findall(_without_evidence(answer)):
        quotation = "".join(groups)
        folded = fold(quotation).strip(" .,;:…")
        if len(words(quotation)) >= QUOTATION_WORDS and not any(folded in carrier for carrier in carriers):
            invented.append(quotation)
    return tuple(invented)


def _without_evidence(answer: Answer) -> str:
    """Return the text with each quote of the evidence blanked, because quotation marks inside quotes are the source's."""
    text = answer.text
    for evidence in sorted(answer.evidence, key=lambda evidence: -len(evidence.quote)):
        if evidence.quote:
            text = text.replace(evidence.quote, " ")
    return text


def verbatim_rate(verdicts: Sequence[QuoteVerdict]) -> float | None:
    """Return the share of the quotes that equal their documents at their offsets."""
    return sum(verdict.state == "verbatim" for verdict in verdicts) / len(verdicts) if verdicts else None


def fabricated(verdicts: Sequence[QuoteVerdict]) -> int:
    """Return how many quotes are nowhere in the documents that they name."""
    return sum(verdict.state == "fabricated" for verdict in verdicts)


def support_shares(claims: Sequence[Claim]) -> Mapping[Support, float]:
    """Return the share of each kind of support among the claims; empty without claims."""
    kinds: tuple[Support, ...] = ("quoted", "supported", "unsupported")
    return {kind: sum(claim.support == kind for claim in claims) / len(claims) for kind in kinds} if claims else {}


def cited_share(claims: Sequence[Claim]) -> float | None:
    """Return the share of the claims with citations."""
    return sum(bool(claim.citations) for claim in claims) / len(claims) if claims else None
