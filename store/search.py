"""Query to hits: candidates by meaning and by keywords, ranked so that no language is second.

    score(passage) = (1 - S) * cosine(query, passage) + S * best cosine(query, sentence of it)
                     + K * (keyword(passage) - best keyword in its language)

Cosines are taken after centring. Keywords only reorder passages of one language: the usual fusion gives a passage in
another language than the query's nothing for keywords, and so loses it. Here the best passage by keywords of each
language loses nothing, and the others lose what they hold less.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from store.centring import Centring, LanguageMeans
from store.embed import Embedder, FloatArray
from store.fold import fold
from store.index import Nearest
from store.language import detect_language
from store.lexical import KeywordQuery, LexicalIndex
from store.snapshot import Snapshot, StoredPassage
from store.types import Filter, Hit, SearchResult, SentenceHit

CANDIDATES = 60
"""Passages fetched by meaning, and as many by keywords, before ranking."""
CANDIDATES_PER_LANGUAGE = 8
"""Passages fetched by keywords from each language that meaning found anything in."""
MAX_LANGUAGES = 12
"""Languages whose keywords are asked for separately."""
SENTENCE_WEIGHT = 0.6
KEYWORD_WEIGHT = 1.0
SENTENCE_KEYWORD_WEIGHT = 0.5
PHRASE_BONUS = 0.5
"""Added to the keyword share of a passage that holds a phrase that the query quotes."""
_QUOTED = re.compile('["“”„«»「『]([^"“”„«»「」『』]{2,200})["“”«»」』]')


@dataclass(frozen=True, slots=True)
class Sources:
    """What a search reads: the derived indexes, and the catalog that decides what exists."""

    embedder: Embedder
    vectors: Nearest
    keywords: LexicalIndex
    indexed: Centring
    """The centring by which the vectors were indexed."""
    means: LanguageMeans
    snapshot: Snapshot


def search(query: str, k: int, where: Filter, sources: Sources) -> SearchResult:
    """The `k` best passages for `query`, best first. Timings are given for embed, vectors, keywords and rank."""
    clock = _Clock()
    language = detect_language(query)
    vector = sources.embedder.embed_queries([query])[0]
    clock.lap("embed")
    near = sources.vectors.nearest(sources.indexed.centre_query(vector, language), max(CANDIDATES, k), where)
    clock.lap("vectors")
    parsed = sources.keywords.parse(query)
    by_keyword = sources.keywords.search(parsed, max(CANDIDATES, k), where)
    found = sources.snapshot.stored_passages(_unique(near, by_keyword), where)
    found |= _by_language(parsed, where, found, sources)
    shares = _keyword_shares(query, parsed, found, sources.keywords)
    clock.lap("keywords")
    centring = Centring(sources.means, sources.snapshot.language_statistics())
    ranked = _rank(centring.centre_query(vector, language), centring, found, shares, parsed, sources.keywords)
    hits = tuple(replace(hit, rank=rank) for rank, hit in enumerate(ranked[:k], start=1))
    clock.lap("rank")
    return SearchResult(query, language, hits, clock.laps)


def _by_language(
    parsed: KeywordQuery, where: Filter, found: Mapping[str, StoredPassage], sources: Sources
) -> dict[str, StoredPassage]:
    """The best passages by keywords in each language that has candidates: one language can't crowd others out."""
    languages = list(dict.fromkeys(stored.passage.language for stored in found.values()))[:MAX_LANGUAGES]
    if len(languages) < 2:
        return {}
    extra = [
        sources.keywords.search(parsed, CANDIDATES_PER_LANGUAGE, replace(where, languages=(language,)))
        for language in languages
    ]
    missing = [passage_id for passage_id in _unique(*extra) if passage_id not in found]
    return sources.snapshot.stored_passages(missing, where)


def _keyword_shares(
    query: str, parsed: KeywordQuery, found: Mapping[str, StoredPassage], keywords: LexicalIndex
) -> dict[str, float]:
    """Each candidate's BM25 as a share of the most that it could be, and more for a quoted phrase."""
    if not parsed.ceiling:
        return dict.fromkeys(found, 0.0)
    scores = dict(keywords.search(parsed, len(found), among=list(found)))
    phrases = [fold(phrase).strip() for phrase in _QUOTED.findall(query)]
    shares = {}
    for passage_id, stored in found.items():
        share = scores.get(passage_id, 0.0) / parsed.ceiling
        if phrases:
            text = fold(stored.text)
            share += PHRASE_BONUS * sum(phrase in text for phrase in phrases) / len(phrases)
        shares[passage_id] = min(share, 1.0)
    return shares


def _rank(
    query: FloatArray,
    centring: Centring,
    found: Mapping[str, StoredPassage],
    shares: Mapping[str, float],
    parsed: KeywordQuery,
    keywords: LexicalIndex,
) -> list[Hit]:
    """Hits in order of score, by the formula at the top of this module."""
    if not found:
        return []
    stored = list(found.values())
    cosines = _cosines(query, centring, stored)
    best_share = _best_by_language(stored, [shares[each.passage.id] for each in stored])
    scored = []
    for each, (dense, sentence_cosines) in zip(stored, cosines, strict=True):
        best_sentence = max(sentence_cosines, default=dense)
        lost = shares[each.passage.id] - best_share[each.passage.language]
        score = (1 - SENTENCE_WEIGHT) * dense + SENTENCE_WEIGHT * best_sentence + KEYWORD_WEIGHT * lost
        scored.append((score, dense, sentence_cosines, each))
    scored.sort(key=lambda item: (-item[0], item[3].passage.id))
    return [
        Hit(
            rank=0,
            passage=each.passage,
            document=each.document,
            text=each.text,
            score=score,
            dense=dense,
            keyword=shares[each.passage.id],
            sentences=_sentences(each, sentence_cosines, score, parsed, keywords),
        )
        for score, dense, sentence_cosines, each in scored
    ]


def _cosines(query: FloatArray, centring: Centring, stored: Sequence[StoredPassage]) -> list[tuple[float, list[float]]]:
    """For each passage, the query's cosine with it and with each of its sentences."""
    rows = np.concatenate([each.vectors for each in stored])
    languages = [each.passage.language for each in stored for _ in range(len(each.vectors))]
    cosines = centring.centre(rows, languages) @ query
    parts = np.split(cosines, np.cumsum([len(each.vectors) for each in stored])[:-1])
    return [(float(part[0]), [float(cosine) for cosine in part[1:]]) for part in parts]


def _best_by_language(stored: Sequence[StoredPassage], shares: Sequence[float]) -> dict[str, float]:
    best: dict[str, float] = defaultdict(float)
    for each, share in zip(stored, shares, strict=True):
        best[each.passage.language] = max(best[each.passage.language], share)
    return best


def _sentences(
    stored: StoredPassage,
    cosines: Sequence[float],
    passage_score: float,
    parsed: KeywordQuery,
    keywords: LexicalIndex,
) -> tuple[SentenceHit, ...]:
    total = sum(parsed.weights.values()) or 1.0
    hits = []
    for span, cosine in zip(stored.passage.sentences, cosines, strict=True):
        words = stored.text[span.start - stored.passage.start : span.end - stored.passage.start]
        share = sum(parsed.weights.get(term, 0.0) for term in set(keywords.terms(words))) / total
        hits.append(SentenceHit(span, cosine, share, passage_score + cosine + SENTENCE_KEYWORD_WEIGHT * share))
    return tuple(hits)


def _unique(*results: Sequence[tuple[str, float]]) -> list[str]:
    return list(dict.fromkeys(passage_id for result in results for passage_id, _ in result))


class _Clock:
    """Laps of a stopwatch, in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = (now - self._last) * 1000
        self._last = now
