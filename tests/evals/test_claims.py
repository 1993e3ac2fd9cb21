"""The verifier reaches its measured figures on the labelled claims, even without the embedding model."""

from __future__ import annotations

import pytest

from evals.benchmarks.claims import Judged, caught, judge, load, precision, withheld


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return judge(list(load()))


def of(judged: list[Judged], *kinds: str) -> list[Judged]:
    return [each for each in judged if each.case.kind in kinds]


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        ("number", 0.98),
        ("date", 0.98),
        ("missing_citation", 0.98),
        ("citation", 0.95),
        ("name", 0.9),
        ("negation", 0.8),
    ],
)
def test_words_alone_catch_what_was_swapped(judged: list[Judged], kind: str, least: float) -> None:
    share = caught(of(judged, kind))
    assert share is not None
    assert share >= least


def test_true_claims_are_seldom_withheld(judged: list[Judged]) -> None:
    share = withheld(judged)
    assert share is not None
    assert share <= 0.05
    exact = precision(of(judged, "true", "number", "date", "name"))
    assert exact is not None
    assert exact >= 0.98


@pytest.mark.hard
def test_with_the_embedding_model_the_targets_hold() -> None:
    from store.embedding.weights import load_embedder

    judged = judge([case for case in load() if case.part == "report"], load_embedder())
    targets = {"number": 0.98, "date": 0.98, "citation": 0.98, "missing_citation": 0.98, "name": 0.9, "negation": 0.8}
    for kind, least in targets.items():
        share = caught(of(judged, kind))
        assert share is not None
        assert share >= least, kind
    share = withheld(judged)
    assert share is not None
    assert share <= 0.08
