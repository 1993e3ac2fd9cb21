"""Measure a ranking: ids of documents, best first, against the grades of the relevant ones.

`ranking` has each id once; `grades` maps ids to a relevance of 0 or more. All follow trec_eval's definitions and agree
with it except for rounding. Without a relevant document there is no score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import log2


def best_per_document(ranking: Iterable[str]) -> tuple[str, ...]:
    """Return the ids in order, each at its first occurrence, because a document ranks like its best passage."""
    return tuple(dict.fromkeys(ranking))


def hit(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float | None:
    """hit@k: 1 if a relevant document is among the first k, else 0."""
    relevant = _relevant(grades)
    return float(any(document in relevant for document in ranking[:k])) if relevant else None


def recall(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float | None:
    """recall@k = |relevant ∩ first k| / |relevant|."""
    relevant = _relevant(grades)
    return len(relevant.intersection(ranking[:k])) / len(relevant) if relevant else None


def reciprocal_rank(ranking: Sequence[str], grades: Mapping[str, int]) -> float | None:
    """1 / rank of the first relevant document, counted from 1; 0 if none was retrieved. Its mean is MRR."""
    relevant = _relevant(grades)
    if not relevant:
        return None
    return next((1 / rank for rank, document in enumerate(ranking, 1) if document in relevant), 0.0)


def average_precision(ranking: Sequence[str], grades: Mapping[str, int]) -> float | None:
    """AP = (1 / |relevant|) · Σ over ranks r of a relevant document of (relevant among first r) / r.

    Its mean is MAP. Relevant documents that were not retrieved count as precision 0.
    """
    relevant = _relevant(grades)
    if not relevant:
        return None
    found, total = 0, 0.0
    for rank, document in enumerate(ranking, 1):
        if document in relevant:
            found += 1
            total += found / rank
    return total / len(relevant)


def ndcg(ranking: Sequence[str], grades: Mapping[str, int], k: int) -> float | None:
    """nDCG@k = DCG / ideal DCG, with DCG = Σ over the first k ranks r of grade(r) / log2(r + 1).

    The gain is the grade itself, as in trec_eval and BEIR, not 2^grade - 1.
    """
    if not _relevant(grades):
        return None
    ideal = sorted(grades.values(), reverse=True)
    gained = (grades.get(document, 0) for document in ranking[:k])
    return _discounted(gained) / _discounted(ideal[:k])


def own_language_ahead(
    ranking: Sequence[str], languages: Sequence[str], grades: Mapping[str, int], question_language: str
) -> float | None:
    """Return the share of the question's own language among the documents before the first relevant one.

    For questions whose relevant documents are all in other languages. Compare it with the share of that language in the
    library: a larger value means that the ranking prefers the language to the subject. `languages` are those of
    `ranking`'s documents. No score if a relevant document comes first, or is in the question's language. If none was
    retrieved, everything retrieved counts.
    """
    relevant = _relevant(grades)
    if not relevant:
        return None
    first = next((at for at, document in enumerate(ranking) if document in relevant), len(ranking))
    ahead = languages[:first]
    return sum(language == question_language for language in ahead) / first if first else None


def _relevant(grades: Mapping[str, int]) -> set[str]:
    return {document for document, grade in grades.items() if grade > 0}


def _discounted(gains: Iterable[int]) -> float:
    return sum(gain / log2(rank + 1) for rank, gain in enumerate(gains, 1))
