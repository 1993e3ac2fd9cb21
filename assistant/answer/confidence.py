"""Estimate whether the evidence contains the answer: a calibrated probability, from a search and its reading.

It is a logistic model over a few features that mean the same in every language. If the best sentence is in the
question's own language, keywords count too; in another language, only meaning counts. Features that depend on this have
a second weight for it. The weights belong to one embedding model and its reader (`assistant.extractive_qa.decisions`),
and are fitted by ``python -m evals.training.reader.decisions``.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean

from assistant.extractive_qa.candidates import Candidate, ReadPassages
from assistant.extractive_qa.decisions import Confidence
from store.types import SearchResult


def features(found: SearchResult, read: ReadPassages) -> dict[str, float]:
    """Return the features of the probability. Needs at least one sentence."""
    ordered = read.ordered
    bound = {"bound": float(read.bound)}
    return bound | _of_vectors(found, ordered) | _of_tokens(found, ordered) | _of_reading(ordered)


def confidence(found: SearchResult, read: ReadPassages, model: Confidence) -> float:
    """Return the probability, in [0, 1], that the library and these sentences contain the answer."""
    if not read.ordered or read.missing:
        return 0.0
    if read.named_alone:
        return 1.0
    return model.probability(features(found, read))


def _of_vectors(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
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


def _of_tokens(found: SearchResult, ordered: Sequence[Candidate]) -> dict[str, float]:
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


def _of_reading(ordered: Sequence[Candidate]) -> dict[str, float]:
    margins = sorted((each.margin for each in ordered), reverse=True)
    best = ordered[0]
    return {
        "margin": margins[0],
        "margin_gap": margins[0] - margins[1] if len(margins) > 1 else 0.0,
        "best_margin": best.margin,
        "best_certainty": best.reading.certainty if best.reading else 0.0,
    }
