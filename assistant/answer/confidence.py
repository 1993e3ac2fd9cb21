"""How sure it is that the evidence holds the answer: a calibrated probability, from the scores of a search.

A logistic model over a few features that mean the same in every language. What differs is whether the best sentence is
in the question's own language, where keywords speak too, or in another, where meaning alone does: the features that
this changes have a second weight for it. Where tokens aren't kept, for an embedding model that no basis ships for, a model
without them is asked. The weights of both lie in `confidence.json`, fitted by `python -m evals.benchmarks.confidence`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import fmean
from typing import Any

from assistant.answer.evidence import Candidate
from store.types import SearchResult

WEIGHTS = Path(__file__).with_name("confidence.json")


def features(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
    """What the probability goes by; `ordered` are the sentences, best first. Needs at least one."""
    return _by_vectors(found, ordered) | (_by_tokens(found, ordered) if ordered[0].hit.late is not None else {})


def _by_vectors(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
    best = ordered[0]
    same = float(best.hit.passage.language == found.language)
    dense = sorted((hit.dense for hit in found.hits), reverse=True)
    return {
        "dense": dense[0],
        "dense_gap": dense[0] - fmean(dense[1:]) if len(dense) > 1 else 0.0,
        "sentence": max(each.sentence.dense for each in ordered),
        "keyword": max(each.sentence.keyword for each in ordered),
        "passage_keyword": max(hit.keyword for hit in found.hits),
        "best_dense": best.hit.dense,
        "best_sentence": best.sentence.dense,
        "best_keyword": best.sentence.keyword,
        "best_passage_keyword": best.hit.keyword,
        "same": same,
        "same_best_dense": same * best.hit.dense,
        "same_best_keyword": same * best.sentence.keyword,
        "same_best_passage_keyword": same * best.hit.keyword,
    }


def _by_tokens(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
    best = ordered[0]
    same = float(best.hit.passage.language == found.language)
    late = sorted((hit.late or 0.0 for hit in found.hits), reverse=True)
    return {
        "late": late[0],
        "late_gap": late[0] - fmean(late[1:]) if len(late) > 1 else 0.0,
        "sentence_late": max(each.sentence.late or 0.0 for each in ordered),
        "best_late": best.hit.late or 0.0,
        "best_sentence_late": best.sentence.late or 0.0,
        "same_best_late": same * (best.hit.late or 0.0),
    }


def confidence(found: SearchResult, ordered: Sequence[Candidate]) -> float:
    """Probability in [0, 1] that the library holds the answer, and the sentences with it."""
    if not ordered:
        return 0.0
    values = features(found, ordered)
    weights = _model()["with_tokens" if "late" in values else "without_tokens"]
    logit = weights["bias"] + sum(weights[name] * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def threshold() -> float:
    """The confidence below which a question counts as not answered."""
    return float(_model()["threshold"])


@cache
def _model() -> dict[str, Any]:
    content: dict[str, Any] = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return content
