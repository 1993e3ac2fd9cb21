"""Query to hits: candidates by meaning and by keywords, ranked so that no language is second.

    score(passage) = (1 - S) * cosine(query, passage) + S * best cosine(query, sentence of it)
                     + K * (keyword(passage) - best keyword in its language)
                     + T * late(query, passage)
                     - (L + T * M) if the passage is in the query's language

    score(sentence) = cosine(query, sentence) + W * (keyword(sentence) - best keyword in its language)
                      + E * late(query, sentence) - (L + E * M) as above

Cosines are taken after centring. Keywords only reorder what is in one language: the usual fusion gives a passage in
another language than the query's nothing for keywords, and so loses it. Here the best by keywords of each language
loses nothing, and the others lose what they hold less; a passage or sentence also has what the title of its document
holds, which says once what all of it is about. `late` compares word by word (`store.search.late_interaction`), for the
passages that are best without it. What centring leaves of the languages is L, and M between words: within one
language both run higher than the same closeness across two.
"""

from __future__ import annotations

import re
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from store.catalog.rows import StoredPassage, StoredVectors
from store.catalog.snapshot import Snapshot
from store.embedding.arrays import FloatArray
from store.embedding.centering import Centring
from store.embedding.embedder import Embedder
from store.index.keyword_index import KeywordIndex, KeywordQuery
from store.search.late_interaction import LateInteraction, LateScores
from store.text.fold import fold
from store.text.language import detect_language
from store.types import Filter, Hit, SearchResult, SentenceHit

if TYPE_CHECKING:
    from store.index.index_set import IndexSet

CANDIDATES = 60
"""Passages fetched by meaning, and as many by keywords, before ranking."""
CANDIDATES_PER_LANGUAGE = 8
"""Passages fetched by keywords from each language that meaning found anything in."""
MAX_LANGUAGES = 12
"""Languages whose keywords are asked for separately."""
LATE = 30
"""Passages compared word by word, at least."""
_QUOTED = re.compile('["“”„«»「『]([^"“”„«»「」『』]{2,200})["“”«»」』]')


@dataclass(frozen=True, slots=True)
class Ranking:
    """The weights of the formula above; the defaults are what measured best (`evals.benchmarks.retrieval`)."""

    sentence: float = 0.6
    """S: how much the best sentence counts beside the whole passage, in [0, 1]."""
    keyword: float = 1.0
    """K: what all of the query's keyword weight is worth in cosine."""
    same_language: float = 0.04
    """L: by how much cosines within one language run higher."""
    sentence_keyword: float = 0.5
    """W: the same as K, where sentences are ordered."""
    late: float = 0.75
    """T: what late interaction is worth in cosine, where passages are ordered."""
    sentence_late: float = 0.9
    """E: the same where sentences are."""
    late_same_language: float = 0.15
    """M: by how much late interaction runs higher within one language."""
    title: float = 0.75
    """What keywords in the title count beside those of a passage, in [0, 1]."""
    phrase: float = 0.5
    """Added to the keyword share of a passage that holds the phrases that the query quotes."""
    relative: bool = True
    """Whether keywords count by what a passage lacks of the best in its language, not by what it has."""
    refined: bool = True
    """Whether the library's own statistics refine the shipped means."""


def search(
    query: str,
    k: int,
    where: Filter,
    *,
    embedder: Embedder,
    indexes: IndexSet,
    snapshot: Snapshot,
    ranking: Ranking = Ranking(),
) -> SearchResult:
    """The `k` best passages for `query`, best first. Timings are given for embed, vectors, keywords and rank."""
    clock = _Clock()
    language = detect_language(query)
    question = embedder.embed_question(query)
    clock.lap("embed")
    wanted = max(CANDIDATES, k)
    near = indexes.vectors.nearest(indexes.centering.centre_query(question.vector, language), wanted, where)
    clock.lap("vectors")
    parsed = indexes.keywords.parse(query)
    by_keyword = indexes.keywords.search(parsed, wanted, where)
    found = snapshot.stored_vectors(_unique(near, by_keyword), where)
    if len(by_keyword) == wanted:  # Else they are all that there are.
        found |= snapshot.stored_vectors(_by_language(parsed, where, found, by_keyword, indexes.keywords), where)
    shares = _keyword_shares(query, parsed, found, indexes.keywords, snapshot, ranking)
    clock.lap("keywords")
    # The library may have grown since it was indexed: candidates are ranked by the means as they are now.
    statistics = snapshot.language_statistics() if ranking.refined else {}
    centring = Centring(indexes.centering.shipped, statistics)
    cosines = _cosines(centring.centre_query(question.vector, language), centring, list(found.values()))
    titles = _title_shares(parsed, found, indexes.keywords, snapshot)
    ranked = _rank(list(found.values()), cosines, shares, titles, language, ranking)[: max(k, LATE)]
    if question.tokens is not None and len(question.tokens) and embedder.token_basis is not None:
        interaction = LateInteraction(embedder.token_basis, question.tokens, language, statistics)
        ranked = _rank_late(ranked, interaction, snapshot, language, ranking)
    ranked = ranked[: max(k, 0)]
    stored = snapshot.stored_passages([each.passage_id for each in ranked])
    sentences = _rank_sentences(ranked, stored, titles, parsed, indexes.keywords, language, ranking)
    hits = tuple(
        Hit(
            rank,
            shown.passage,
            shown.document,
            shown.text,
            each.score,
            each.dense,
            each.share,
            parts,
            each.late.passage if each.late else None,
        )
        for rank, (each, shown, parts) in enumerate(
            ((each, stored[each.passage_id], parts) for each, parts in zip(ranked, sentences, strict=True)), start=1
        )
    )
    clock.lap("rank")
    return SearchResult(query, language, hits, clock.laps)


def _by_language(
    parsed: KeywordQuery,
    where: Filter,
    found: Mapping[str, StoredVectors],
    by_keyword: Sequence[tuple[str, float]],
    keywords: KeywordIndex,
) -> list[str]:
    """More passages by keywords, from each language that has candidates: one language can't crowd others out."""
    languages = list(dict.fromkeys(stored.language for stored in found.values()))[:MAX_LANGUAGES]
    if len(languages) < 2:
        return []
    known = Counter(found[passage_id].language for passage_id, _ in by_keyword if passage_id in found)
    best = [
        keywords.search(parsed, CANDIDATES_PER_LANGUAGE, replace(where, languages=(language,)))
        for language in languages
        if known[language] < CANDIDATES_PER_LANGUAGE
    ]
    return [passage_id for passage_id in _unique(*best) if passage_id not in found]


def _keyword_shares(
    query: str,
    parsed: KeywordQuery,
    found: Mapping[str, StoredVectors],
    keywords: KeywordIndex,
    snapshot: Snapshot,
    ranking: Ranking,
) -> dict[str, float]:
    """Each candidate's BM25 as a share of the most that it could be, and more for a quoted phrase."""
    if not parsed.ceiling:
        return dict.fromkeys(found, 0.0)
    scores = dict(keywords.search(parsed, len(found), among=list(found)))
    shares = {passage_id: scores.get(passage_id, 0.0) / parsed.ceiling for passage_id in found}
    if phrases := [folded for phrase in _QUOTED.findall(query) if (folded := _one_line(phrase))]:
        for passage_id, stored in snapshot.stored_passages(list(found)).items():
            text = _one_line(stored.text)
            shares[passage_id] += ranking.phrase * sum(phrase in text for phrase in phrases) / len(phrases)
    return {passage_id: min(share, 1.0) for passage_id, share in shares.items()}


def _title_shares(
    parsed: KeywordQuery, found: Mapping[str, StoredVectors], keywords: KeywordIndex, snapshot: Snapshot
) -> dict[str, float]:
    """For each candidate, the share of the query's keywords that its document's title holds.

    A document says once what it is about and then goes on about it: a sentence that answers has other words.
    """
    if not parsed.ceiling:
        return dict.fromkeys(found, 0.0)
    documents = {passage_id: passage_id.partition(".")[0] for passage_id in found}
    known = snapshot.documents_by_id(list(set(documents.values())))
    shares = {key: keywords.share(parsed, document.title) for key, document in known.items()}
    return {passage_id: shares.get(document, 0.0) for passage_id, document in documents.items()}


@dataclass(frozen=True, slots=True)
class _Ranked:
    passage_id: str
    language: str
    score: float
    dense: float
    sentences: list[float]
    """Each sentence's cosine with the query."""
    share: float
    late: LateScores | None = None


def _rank(
    stored: Sequence[StoredVectors],
    cosines: Sequence[tuple[float, list[float]]],
    shares: Mapping[str, float],
    titles: Mapping[str, float],
    language: str,
    ranking: Ranking,
) -> list[_Ranked]:
    """The candidates in order of score, by the first formula at the top of this module."""
    held = {each: max(share, ranking.title * titles[each]) for each, share in shares.items()}
    best = _best_by_language(ranking, ((each.language, held[each.passage_id]) for each in stored))
    ranked = []
    for each, (dense, sentences) in zip(stored, cosines, strict=True):
        share = shares[each.passage_id]
        score = (1 - ranking.sentence) * dense + ranking.sentence * max(sentences, default=dense)
        score += ranking.keyword * (held[each.passage_id] - best[each.language])
        score -= ranking.same_language * (each.language == language)
        ranked.append(_Ranked(each.passage_id, each.language, score, dense, sentences, share))
    return sorted(ranked, key=lambda each: (-each.score, each.passage_id))


def _rank_late(
    ranked: Sequence[_Ranked], interaction: LateInteraction, snapshot: Snapshot, language: str, ranking: Ranking
) -> list[_Ranked]:
    """The passages in order of score with late interaction, for those whose tokens are kept."""
    tokens = snapshot.stored_tokens([each.passage_id for each in ranked])
    scored = []
    for each in ranked:
        if each.passage_id not in tokens:
            scored.append(each)
            continue
        late = interaction.score(tokens[each.passage_id], each.language)
        more = late.passage - ranking.late_same_language * (each.language == language)
        scored.append(replace(each, score=each.score + ranking.late * more, late=late))
    return sorted(scored, key=lambda each: (-each.score, each.passage_id))


def _rank_sentences(
    ranked: Sequence[_Ranked],
    stored: Mapping[str, StoredPassage],
    titles: Mapping[str, float],
    parsed: KeywordQuery,
    keywords: KeywordIndex,
    language: str,
    ranking: Ranking,
) -> list[tuple[SentenceHit, ...]]:
    """For each passage its sentences with their scores, by the second formula at the top of this module."""
    shares: list[list[float]] = []
    for each in ranked:
        passage, text = stored[each.passage_id].passage, stored[each.passage_id].text
        words = [text[span.start - passage.start : span.end - passage.start] for span in passage.sentences]
        shares.append([keywords.share(parsed, part) for part in words])
    best = _best_by_language(
        ranking,
        ((each.language, max([*part, titles[each.passage_id]])) for each, part in zip(ranked, shares, strict=True)),
    )
    found = []
    for each, part in zip(ranked, shares, strict=True):
        spans = stored[each.passage_id].passage.sentences
        lates = each.late.sentences if each.late else [None] * len(spans)
        same = each.language == language
        scored = []
        for span, cosine, share, late in zip(spans, each.sentences, part, lates, strict=True):
            lacking = best[each.language] - max(share, titles[each.passage_id])
            score = cosine - ranking.sentence_keyword * lacking - ranking.same_language * same
            if late is not None:
                score += ranking.sentence_late * (late - ranking.late_same_language * same)
            scored.append(SentenceHit(span, cosine, share, score, late))
        found.append(tuple(scored))
    return found


def _cosines(query: FloatArray, centring: Centring, stored: Sequence[StoredVectors]) -> list[tuple[float, list[float]]]:
    """For each passage, the query's cosine with it and with each of its sentences."""
    if not stored:
        return []
    rows = np.concatenate([each.vectors for each in stored])
    languages = [each.language for each in stored for _ in range(len(each.vectors))]
    cosines: list[float] = (centring.centre(rows, languages) @ query).tolist()
    ends = list(accumulate(len(each.vectors) for each in stored))
    return [(cosines[start], cosines[start + 1 : end]) for start, end in zip([0, *ends], ends, strict=False)]


def _best_by_language(ranking: Ranking, shares: Iterable[tuple[str, float]]) -> dict[str, float]:
    best: dict[str, float] = defaultdict(float)
    for language, share in shares if ranking.relative else ():
        best[language] = max(best[language], share)
    return best


def _one_line(text: str) -> str:
    """The folded text with single blanks: a phrase may be broken over lines where it stands."""
    return " ".join(fold(text).split())


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
