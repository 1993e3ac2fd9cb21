"""Score passages and sentences, so that no language has an advantage.

    score(passage) = (1 - S) * cosine(query, passage) + S * best cosine(query, sentence of it)
                     + K * (keyword(passage) - best keyword in its language)
                     + T * late(query, passage)
                     - (L + T * M) if the passage is in the query's language

    score(sentence) = cosine(query, sentence) + W * (keyword(sentence) - best keyword in its language)
                      + E * late(query, sentence) - (L + E * M) as above

Cosines are taken after centering. Keywords only reorder passages within one language: with the usual fusion, a passage
in another language than the query's gets nothing for keywords, and so loses. Here the best by keywords in each language
loses nothing, and the others lose the difference. A passage or sentence also counts the keywords in the title of its
document, which names the subject of all its text. `late` compares word by word (`store.search.late_interaction`), for
the passages that are best without it. L, and M for words, is the language bias that centering leaves: within one
language, both scores are higher than for the same closeness across two. `store.search.ranking` has the weights.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

import numpy as np

from store.catalog.rows import StoredPassage, StoredVectors
from store.catalog.snapshot import Snapshot
from store.embedding import FloatArray
from store.embedding.centering import Centering
from store.index.keyword_index import KeywordIndex, KeywordQuery
from store.search.late_interaction import LateInteraction, LateScores
from store.search.ranking import Ranking
from store.types import SentenceHit


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score and the parts of the score."""

    passage_id: str
    language: str
    score: float
    dense: float
    sentences: list[float]
    """Each sentence's cosine with the query."""
    share: float
    late: LateScores | None = None


def rank(
    stored: Sequence[StoredVectors],
    cosines: Sequence[tuple[float, list[float]]],
    shares: Mapping[str, float],
    titles: Mapping[str, float],
    language: str,
    ranking: Ranking,
) -> list[Ranked]:
    """Return the candidates in order of score, by the first formula at the top of this module."""
    held = {each: max(share, ranking.title * titles[each]) for each, share in shares.items()}
    best = _best_by_language(ranking, ((each.language, held[each.passage_id]) for each in stored))
    ranked = []
    for each, (dense, sentences) in zip(stored, cosines, strict=True):
        share = shares[each.passage_id]
        score = (1 - ranking.sentence) * dense + ranking.sentence * max(sentences, default=dense)
        score += ranking.keyword * (held[each.passage_id] - best[each.language])
        score -= ranking.same_language * (each.language == language)
        ranked.append(Ranked(each.passage_id, each.language, score, dense, sentences, share))
    return sorted(ranked, key=lambda each: (-each.score, each.passage_id))


def rank_with_tokens(
    ranked: Sequence[Ranked], interaction: LateInteraction, snapshot: Snapshot, language: str, ranking: Ranking
) -> list[Ranked]:
    """Return the passages in order of score with late interaction, for those whose tokens are stored."""
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


def rank_sentences(
    ranked: Sequence[Ranked],
    stored: Mapping[str, StoredPassage],
    titles: Mapping[str, float],
    parsed: KeywordQuery,
    keywords: KeywordIndex,
    language: str,
    ranking: Ranking,
) -> list[tuple[SentenceHit, ...]]:
    """Return each passage's sentences with their scores, by the second formula at the top of this module."""
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


def cosines(
    query: FloatArray, centering: Centering, stored: Sequence[StoredVectors]
) -> list[tuple[float, list[float]]]:
    """Return the query's cosine with each passage and with each of its sentences."""
    if not stored:
        return []
    rows = np.concatenate([each.vectors for each in stored])
    languages = [each.language for each in stored for _ in range(len(each.vectors))]
    flat: list[float] = (centering.center(rows, languages) @ query).tolist()
    ends = list(accumulate(len(each.vectors) for each in stored))
    return [(flat[start], flat[start + 1 : end]) for start, end in zip([0, *ends], ends, strict=False)]


def _best_by_language(ranking: Ranking, shares: Iterable[tuple[str, float]]) -> dict[str, float]:
    best: dict[str, float] = defaultdict(float)
    for language, share in shares if ranking.relative else ():
        best[language] = max(best[language], share)
    return best
