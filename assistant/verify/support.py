"""How closely a claim's meaning comes to its quotes': cosines of the embedding model, each language's mean taken off.

Without an embedding model, how many of the claim's content words a quote in the same language has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import regex

from assistant.topics import language_of
from assistant.types import Evidence
from assistant.verify.polarity import content_words
from assistant.verify.text import has_thai
from store.types import Span

if TYPE_CHECKING:
    from store.centring import Centring
    from store.embed import Embedder, FloatArray

MINIMUM_WORDS = 3
"""Content words that a clause needs to be compared by itself."""

_LATIN_CLAUSE = regex.compile(
    r"[,;:]\s+|\s-\s+|\s(?=(?:and|but|while|whereas|which|who|because|although|và|nhưng|còn|trong khi|nên|vì|đồng thời)\s)"
)
_THAI_CLAUSE = regex.compile(r"\s+|(?=(?:และ|แต่|ซึ่ง|โดย|เพราะ|รวมทั้ง|พร้อมทั้ง)(?!\s*\p{N}))")


@dataclass(frozen=True, slots=True)
class Closeness:
    """Cosines of one claim: `by_key` with each whole quote or its closest clause; `weakest` of its clauses."""

    by_key: dict[int, float]
    weakest: float
    """Least cosine of any clause of the claim with its closest clause or quote among those cited."""
    weakest_clause: str
    nearest: str | None
    """The clause of the cited quotes that is closest to the claim."""


def clauses_of(text: str) -> tuple[Span, ...]:
    """The clauses of a sentence that say enough to be compared alone; the sentence itself where it has but one."""
    pattern = _THAI_CLAUSE if has_thai(text) else _LATIN_CLAUSE
    cuts = [0, *(match.end() for match in pattern.finditer(text)), len(text)]
    spans: list[Span] = []
    start = 0
    for end in cuts[1:]:
        if end <= start:
            continue
        piece = text[start:end]
        long_enough = len(content_words(piece)) >= MINIMUM_WORDS
        rest_long_enough = end == len(text) or len(content_words(text[end:])) >= MINIMUM_WORDS
        if long_enough and rest_long_enough:
            spans.append(Span(start, end))
            start = end
    if start < len(text):
        spans = [*spans[:-1], Span(spans[-1].start, len(text))] if spans else [Span(0, len(text))]
    return tuple(spans)


class MeaningScorer:
    """Compares claims with the quotes of one answer; the quotes are embedded once."""

    def __init__(self, evidence: Sequence[Evidence], embedder: Embedder, centring: Centring | None = None) -> None:
        self._embedder = embedder
        self._centring = centring
        self._keys: list[int] = []
        self._clauses: list[str] = []
        rows = []
        for quote in evidence:
            vectors, texts = self._embed(quote.quote, quote.language)
            rows.append(vectors)
            self._keys += [quote.key] * len(texts)
            self._clauses += texts
        self._vectors = np.concatenate(rows) if rows else np.zeros((0, embedder.dimensions), np.float32)

    def _embed(self, text: str, language: str) -> tuple[FloatArray, list[str]]:
        """Unit vectors of `text` as a whole and of its clauses in their context, with their texts."""
        from store.embed import PassageText

        spans = clauses_of(text)
        spans = spans if len(spans) > 1 else ()
        result = self._embedder.embed_passages([PassageText(text, spans)])[0]
        vectors = np.concatenate([result.passage[None, :], result.sentences]) if spans else result.passage[None, :]
        if self._centring is not None:
            vectors = self._centring.centre(vectors, [language] * len(vectors))
        return vectors, [text, *(span.of(text) for span in spans)]

    def closeness(self, claim: str, cited: Sequence[int], language: str | None = None) -> Closeness:
        """How close `claim` comes to every quote, and its clauses to those `cited`."""
        vectors, texts = self._embed(claim, language or language_of(claim))
        cosines = vectors @ self._vectors.T
        by_key = {
            key: float(max(cosines[0, at] for at, other in enumerate(self._keys) if other == key))
            for key in dict.fromkeys(self._keys)
        }
        columns = [at for at, key in enumerate(self._keys) if key in set(cited)]
        if not columns:
            return Closeness(by_key, 0.0, claim, None)
        among = cosines[:, columns]
        parts = among[1:] if len(texts) > 1 else among
        best = parts.max(axis=1)
        at = int(best.argmin())
        nearest = self._clauses[columns[int(among[0].argmax())]]
        return Closeness(by_key, float(best[at]), texts[at + 1] if len(texts) > 1 else texts[0], nearest)


def shared_words(claim: str, quote: str) -> float | None:
    """The share of a folded claim's content words that a folded quote has; None where the languages differ."""
    if language_of(claim) != language_of(quote):
        return None
    words = set(content_words(claim))
    return len(words & set(content_words(quote))) / len(words) if words else None
