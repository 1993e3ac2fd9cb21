"""How sure it is that the evidence holds the answer: a calibrated probability, from the scores of a search.

A logistic model over a few features that mean the same in every language. Its weights lie in `confidence.json`, fitted
by `python -m evals.benchmarks.confidence` on questions that no test uses.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from assistant.evidence import Candidate
from store.types import SearchResult

WEIGHTS = Path(__file__).with_name("confidence.json")


def features(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
    """What the probability goes by; `ordered` are the sentences, best first. Needs at least one hit."""
    best = ordered[0]
    same = float(best.hit.passage.language == found.language)
    dense = max(hit.dense for hit in found.hits)
    sentence = max(each.sentence.dense for each in ordered)
    keyword = max(each.sentence.keyword for each in ordered)
    passage_keyword = max(hit.keyword for hit in found.hits)
    scores = sorted((hit.score for hit in found.hits), reverse=True)
    return {
        "dense": dense,
        "sentence": sentence,
        "keyword": keyword,
        "keyword_same_language": keyword * same,
        "passage_keyword": passage_keyword,
        "agreement": min(best.hit.dense, best.sentence.dense),
        "margin": scores[0] - (scores[min(4, len(scores) - 1)]),
        "same_language": same,
    }


def confidence(found: SearchResult, ordered: Sequence[Candidate]) -> float:
    """Probability in [0, 1] that the best sentences hold the answer."""
    if not ordered:
        return 0.0
    weights, _ = _model()
    values = features(found, ordered)
    logit = weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in values.items())
    return 1 / (1 + math.exp(-max(-30.0, min(30.0, logit))))


def threshold() -> float:
    """The confidence below which a question counts as not answered."""
    return _model()[1]


@cache
def _model() -> tuple[dict[str, float], float]:
    content = json.loads(WEIGHTS.read_text(encoding="utf-8"))
    return content["weights"], content["threshold"]
