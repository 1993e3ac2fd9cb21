"""Measure how close a claim's meaning is to its quotes', by the embedding model, without each language's mean.

There are two cosines: the whole claim with each quote and its clauses; and each word of the claim with the words of the
quotes that it cites, in context (the recall side of BERTScore, Zhang et al. 2020, arXiv:1904.09675). The first finds
wrong citations, the second additions: an invented clause leaves a sequence of words without a counterpart in the
quotes. Without an embedding model, the share of the claim's content words in a quote of the same language is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from assistant.types import Evidence
from assistant.verify.language_rules import rules_of_text
from assistant.verify.text import content_spans, content_words
from store.types import Span

if TYPE_CHECKING:
    from store.embedding import FloatArray
    from store.embedding.centering import Centering
    from store.embedding.embedder import Embedder

MINIMUM_WORDS = 3
"""Content words that a clause needs to be compared separately."""

RUN = 3
"""Neighboring content words that are judged together: a single one may be a synonym that the model doesn't know."""


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of one claim with the quotes of an answer."""

    by_key: dict[int, float]
    """Of the claim with each quote, or with its closest clause."""
    weakest_run: float
    """The least average of `RUN` neighboring words, each with the closest word of the cited quotes."""
    run: str
    """The words with that average."""
    nearest: str
    """The clause of the cited quotes that is closest to the claim."""


@dataclass(frozen=True, slots=True)
class _Vectors:
    """One text: `clauses` has the whole and its clauses, centered; `words` its content words, in order."""

    texts: tuple[str, ...]
    clauses: FloatArray
    spans: tuple[Span, ...]
    words: FloatArray


def clauses_of(text: str) -> tuple[Span, ...]:
    """Return the clauses of a sentence that are long enough to compare separately, or the sentence if it has only one."""
    pattern = rules_of_text(text).pattern("cuts")
    cuts = [0, *(match.end() for match in pattern.finditer(text)), len(text)]
    spans: list[Span] = []
    start = 0
    for end in cuts[1:]:
        long_enough = len(content_words(text[start:end])) >= MINIMUM_WORDS
        rest_long_enough = end == len(text) or len(content_words(text[end:])) >= MINIMUM_WORDS
        if end > start and long_enough and rest_long_enough:
            spans.append(Span(start, end))
            start = end
    if start < len(text):
        spans = [*spans[:-1], Span(spans[-1].start, len(text))] if spans else [Span(0, len(text))]
    return tuple(spans)


class MeaningScorer:
    """Compares claims with the quotes of one answer; the quotes are embedded once."""

    def __init__(self, evidence: Sequence[Evidence], embedder: Embedder, centering: Centering | None = None) -> None:
        self._embedder = embedder
        self._centering = centering or _shipped_centering(embedder.name, embedder.dimensions)
        # A claim may take its subject from the title, so its words count, but not as a statement.
        texts = [(each.quote, each.language) for each in evidence]
        texts += [(each.document.title, each.document.language) for each in evidence]
        vectors = self._embed(texts)
        self._quotes = {each.key: quote for each, quote in zip(evidence, vectors, strict=False)}
        self._titles = {each.key: title for each, title in zip(evidence, vectors[len(evidence) :], strict=True)}
        self._claims: dict[str, _Vectors] = {}

    def _embed(self, texts: Sequence[tuple[str, str]]) -> list[_Vectors]:
        """Embed texts, each with its language, in one pass through the model."""
        from store.embedding.embedder import PassageText

        clauses = [each if len(each := clauses_of(text)) > 1 else () for text, _ in texts]
        words = [content_spans(text) for text, _ in texts]
        passages = [
            PassageText(text, (*some, *others)) for (text, _), some, others in zip(texts, clauses, words, strict=True)
        ]
        found = []
        for (text, language), some, others, result in zip(
            texts, clauses, words, self._embedder.embed_passages(passages), strict=True
        ):
            vectors = np.concatenate([result.passage[None, :], result.sentences[: len(some)]])
            centered = self._centering.center(vectors, [language] * len(vectors))
            parts = (text, *(span.of(text) for span in some))
            found.append(_Vectors(parts, centered, others, result.sentences[len(some) :]))
        return found

    def closeness(self, claim: str, cited: Sequence[int], language: str | None = None) -> Closeness:
        """Return how close `claim` is to every quote as a whole, and its parts to those `cited`."""
        if claim not in self._claims:
            (self._claims[claim],) = self._embed([(claim, language or rules_of_text(claim).language)])
        said = self._claims[claim]
        by_key = {key: float((quote.clauses @ said.clauses[0]).max()) for key, quote in self._quotes.items()}
        cited_words = [vectors[key].words for vectors in (self._quotes, self._titles) for key in cited]
        weakest, run = _weakest_run(said, np.concatenate(cited_words), claim)
        clauses = [(vector @ said.clauses[0], text) for key in cited for vector, text in self._clauses(key)]
        return Closeness(by_key, weakest, run, max(clauses, key=lambda each: each[0])[1])

    def _clauses(self, key: int) -> Iterator[tuple[FloatArray, str]]:
        return zip(self._quotes[key].clauses, self._quotes[key].texts, strict=True)


@cache
def _shipped_centering(model: str, dimensions: int) -> Centering:
    from store.embedding.centering import Centering, load_means

    return Centering(load_means(model, dimensions))


def _weakest_run(said: _Vectors, words: FloatArray, claim: str) -> tuple[float, str]:
    if not len(said.spans) or not len(words):
        return 1.0, ""
    best = (said.words @ words.T).max(axis=1)
    length = min(RUN, len(best))
    averages = np.convolve(best, np.full(length, 1 / length), mode="valid")
    at = int(averages.argmin())
    return float(averages[at]), claim[said.spans[at].start : said.spans[at + length - 1].end]


def shared_words(claim: str, quote: str) -> float | None:
    """Return the share of a folded claim's content words in a folded quote; None if the languages differ."""
    if rules_of_text(claim) is not rules_of_text(quote):
        return None
    words = set(content_words(claim))
    return len(words & set(content_words(quote))) / len(words) if words else None
