"""Turn a query into hits: fetch candidates by meaning and by keywords, then rank them (`store.search.scoring`)."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from store.catalog.rows import StoredPassage, StoredVectors
from store.catalog.snapshot import Snapshot
from store.embedding.centering import Centering
from store.embedding.embedder import Embedder
from store.index.keyword_index import KeywordIndex, KeywordQuery
from store.search.late_interaction import LateInteraction
from store.search.nearest import nearest_passing
from store.search.ranking import Ranking
from store.search.scoring import Ranked, cosines, rank, rank_sentences, rank_with_tokens
from store.text.fold import fold
from store.text.language import detect_language
from store.types import Filter, Hit, SearchResult, SentenceHit

if TYPE_CHECKING:
    from store.index.index_set import IndexSet

CANDIDATES = 60
"""Passages fetched by meaning, and the same number by keywords, before ranking."""
CANDIDATES_PER_LANGUAGE = 8
"""Passages fetched by keywords from each language found by meaning."""
MAX_LANGUAGES = 12
"""Languages whose keywords are searched separately."""
LATE = 30
"""Passages compared word by word, at least."""
_QUOTED = re.compile('["“”„«»「『]([^"“”„«»「」『』]{2,200})["“”«»」』]')


def search(
    query: str,
    k: int,
    where: Filter,
    *,
    embedder: Embedder,
    indexes: IndexSet,
    snapshot: Snapshot,
    ranking: Ranking,
) -> SearchResult:
    """Return the `k` best passages for `query`, best first, with the time of embed, vectors, keywords and rank."""
    clock = _Clock()
    language = detect_language(query)
    question = embedder.embed_question(query)
    clock.lap("embed")
    wanted = max(CANDIDATES, k)
    near = nearest_passing(
        indexes.centering.center_query(question.vector, language),
        wanted,
        where,
        vectors=indexes.vectors,
        centering=indexes.centering,
        snapshot=snapshot,
    )
    clock.lap("vectors")
    with indexes.keywords.at_one_moment() as keywords:
        parsed = keywords.parse(query)
        by_keyword = keywords.search(parsed, wanted, where)
        found = snapshot.stored_vectors(list(dict.fromkeys([*near, *_unique(by_keyword)])), where)
        if len(by_keyword) == wanted:  # otherwise there are no more
            found |= snapshot.stored_vectors(_by_language(parsed, where, found, by_keyword, keywords), where)
        shares = _keyword_shares(query, parsed, found, keywords, snapshot, ranking)
    clock.lap("keywords")
    # The library may have grown since it was indexed, so candidates are ranked by the current means.
    statistics = snapshot.language_statistics() if ranking.refined else {}
    centering = Centering(indexes.centering.shipped, statistics)
    candidates = list(found.values())
    dense = cosines(centering.center_query(question.vector, language), centering, candidates)
    titles = _title_shares(parsed, found, indexes.keywords)
    ranked = rank(candidates, dense, shares, titles, language, ranking)[: max(k, LATE)]
    if question.tokens is not None and len(question.tokens) and embedder.token_basis is not None:
        interaction = LateInteraction(embedder.token_basis, question.tokens, language, statistics)
        ranked = rank_with_tokens(ranked, interaction, snapshot, language, ranking)
    ranked = ranked[: max(k, 0)]
    stored = snapshot.stored_passages([each.passage_id for each in ranked])
    sentences = rank_sentences(ranked, stored, titles, parsed, indexes.keywords, language, ranking)
    hits = tuple(
        _hit(place, each, stored[each.passage_id], parts)
        for place, (each, parts) in enumerate(zip(ranked, sentences, strict=True), start=1)
    )
    clock.lap("rank")
    return SearchResult(query, language, hits, clock.laps)


def _hit(place: int, ranked: Ranked, stored: StoredPassage, sentences: tuple[SentenceHit, ...]) -> Hit:
    return Hit(
        rank=place,
        passage=stored.passage,
        document=stored.document,
        text=stored.text,
        score=ranked.score,
        dense=ranked.dense,
        keyword=ranked.share,
        sentences=sentences,
        late=ranked.late.passage if ranked.late else None,
    )


def _by_language(
    parsed: KeywordQuery,
    where: Filter,
    found: Mapping[str, StoredVectors],
    by_keyword: Sequence[tuple[str, float]],
    keywords: KeywordIndex,
) -> list[str]:
    """Return more passages by keywords, from each language with candidates, so that none crowds out others."""
    languages = list(dict.fromkeys(stored.language for stored in found.values()))[:MAX_LANGUAGES]
    if len(languages) < 2:
        return []
    known = Counter(found[passage_id].language for passage_id, _ in by_keyword if passage_id in found)
    few = [language for language in languages if known[language] < CANDIDATES_PER_LANGUAGE]
    best = keywords.search_languages(parsed, CANDIDATES_PER_LANGUAGE, where, few)
    return [passage_id for passage_id in _unique(*best) if passage_id not in found]


def _keyword_shares(
    query: str,
    parsed: KeywordQuery,
    found: Mapping[str, StoredVectors],
    keywords: KeywordIndex,
    snapshot: Snapshot,
    ranking: Ranking,
) -> dict[str, float]:
    """Return each candidate's BM25 as a share of the possible maximum, plus an addition for a quoted phrase."""
    if not parsed.ceiling:
        return dict.fromkeys(found, 0.0)
    scores = dict(keywords.search(parsed, len(found), among=list(found)))
    shares = {passage_id: scores.get(passage_id, 0.0) / parsed.ceiling for passage_id in found}
    if phrases := [folded for phrase in _QUOTED.findall(query) if (folded := _one_line(phrase))]:
        for passage_id, stored in snapshot.stored_passages(list(found)).items():
            text = _one_line(stored.text)
            shares[passage_id] += ranking.phrase * sum(phrase in text for phrase in phrases) / len(phrases)
    return {passage_id: min(share, 1.0) for passage_id, share in shares.items()}


def _title_shares(parsed: KeywordQuery, found: Mapping[str, StoredVectors], keywords: KeywordIndex) -> dict[str, float]:
    """Return for each candidate the share of the query's keywords in its document's title.

    A document names its subject once, often in the title; a sentence that answers has other words.
    """
    if not parsed.ceiling:
        return dict.fromkeys(found, 0.0)
    shares = {title: keywords.share(parsed, title) for title in {stored.title for stored in found.values()}}
    return {passage_id: shares[stored.title] for passage_id, stored in found.items()}


def _one_line(text: str) -> str:
    """Return the folded text with single blanks, because a phrase may be broken over lines."""
    return " ".join(fold(text).split())


def _unique(*results: Sequence[tuple[str, float]]) -> list[str]:
    return list(dict.fromkeys(passage_id for result in results for passage_id, _ in result))


class _Clock:
    """Measures consecutive times, in milliseconds."""

    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self._last = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = (now - self._last) * 1000
        self._last = now
