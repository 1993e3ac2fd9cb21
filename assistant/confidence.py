"""How sure it is that the evidence holds the answer: a calibrated probability, from the scores of a search.

A logistic model over a few features that mean the same in every language. What differs is whether the best sentence is
in the question's own language, where keywords speak too, or in another, where meaning alone does: the features that
this changes have a second weight for it. The weights lie in `confidence.json`, fitted by
`python -m evals.benchmarks.confidence`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from statistics import fmean

from assistant.evidence import Candidate
from store.types import SearchResult

WEIGHTS = Path(__file__).with_name("confidence.json")


def features(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
    """What the probability goes by; `ordered` are the sentences, best first. Needs at least one."""
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


def confidence(found: SearchResult, ordered: Sequence[Candidate]) -> float:
    """Probability in [0, 1] that the library holds the answer, and the sentences with it."""
    if not ordered:
        return 0.0
    weights, _ = _model()
    logit = weights["bias"] + sum(weights[name] * value for name, value in features(found, ordered).items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def threshold() -> float:
    """The confidence below which a question counts as not answered."""
    return _model()[1]


@cache
def _model() -> tuple[dict[str, float], float]:
    content = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return content["weights"], content["threshold"]
