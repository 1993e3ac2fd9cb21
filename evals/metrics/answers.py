"""Measure how an answer agrees with gold answers, any of which is right: the best one counts.

Words and normalization are those of `evals.text`, so that Thai, Chinese and English are counted alike. A high value
means that the wording agrees, not that the answer is faithful to its sources.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache

from evals.text import contains, fold, normalize, words


def exact_match(answer: str, golds: Sequence[str], language: str | None = None) -> float | None:
    """1 if the normalized answer equals a normalized gold answer, else 0."""
    if not golds:
        return None
    return float(any(normalize(answer, language) == normalize(gold, language) for gold in golds))


def token_f1(answer: str, golds: Sequence[str], language: str | None = None) -> float | None:
    """F1 = 2PR / (P + R) with P and R the shares of the answer's and of the gold's words that are shared.

    Repeated words are counted each time. If either has no words, the value is 1 if both have none, otherwise 0: the
    rule of the published SQuAD 2 evaluation.
    """
    if not golds:
        return None
    given = words(answer, language)
    return max(_f1(given, words(gold, language)) for gold in golds)


def _f1(given: Sequence[str], gold: Sequence[str]) -> float:
    if not given or not gold:
        return float(given == gold)
    shared = (Counter(given) & Counter(gold)).total()
    if shared == 0:
        return 0.0
    precision, recall = shared / len(given), shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def gold_contained(answer: str, golds: Sequence[str], languages: Collection[str | None] = ()) -> float | None:
    """Return 1 if the answer contains a gold answer, both folded and with punctuation, else 0.

    Numbers are compared in the notation of `languages`.
    """
    if not golds:
        return None
    return float(any(contains(answer, gold, languages) for gold in golds))


CHRF_ORDER = 6
CHRF_BETA = 2.0


def chrf(answer: str, golds: Sequence[str]) -> float | None:
    """chrF2: F-score of character n-grams, n = 1..6, of the folded texts without white space, 0 to 1.

    With P and R the means over n of the precision and recall of n-grams (orders longer than one of the texts
    are left out), chrF = (1 + β²)PR / (β²P + R), β = 2: recall counts twice. Popović 2015; equal to
    sacrebleu's chrF2 / 100 on folded texts.
    """
    if not golds:
        return None
    given = _ngrams(_without_space(answer))
    return max(_chrf(given, _ngrams(_without_space(gold))) for gold in golds)


def _chrf(given: tuple[Counter[str], ...], gold: tuple[Counter[str], ...]) -> float:
    precisions, recalls = [], []
    for ours, theirs in zip(given, gold, strict=True):
        if not ours or not theirs:
            continue
        shared = (ours & theirs).total()
        precisions.append(shared / ours.total())
        recalls.append(shared / theirs.total())
    if not precisions:
        return 0.0
    precision, recall = sum(precisions) / len(precisions), sum(recalls) / len(recalls)
    weight = CHRF_BETA**2
    bottom = weight * precision + recall
    return (1 + weight) * precision * recall / bottom if bottom else 0.0


def _without_space(text: str) -> str:
    return "".join(fold(text).split())


@lru_cache(maxsize=1024)
def _ngrams(text: str) -> tuple[Counter[str], ...]:
    return tuple(
        Counter(text[start : start + order] for start in range(len(text) - order + 1))
        for order in range(1, CHRF_ORDER + 1)
    )
