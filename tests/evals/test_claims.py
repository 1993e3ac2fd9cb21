"""The labelled claims: the verifier keeps what it was measured at, even without the embedding model."""

from __future__ import annotations

import pytest

from assistant.verify import Verdict
from evals.benchmarks.claims import Judged, LabelledClaim, caught, judge, load, precision, withheld


@pytest.fixture(scope="module")
def judged() -> list[Judged]:
    return judge(list(load()))


def of(judged: list[Judged], *kinds: str) -> list[Judged]:
    return [each for each in judged if each.case.kind in kinds]


def test_the_set_is_large_and_mixed() -> None:
    cases = list(load())
    assert len(cases) >= 200
    assert len({case.id for case in cases}) == len(cases)
    assert {case.language for case in cases} == {"en", "th", "vi"}
    assert sum(case.is_across for case in cases) >= 100
    assert sum(case.kind == "model" for case in cases) >= 30


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


def test_the_measures_tell_a_verifier_that_lets_everything_pass() -> None:
    def blind(case: LabelledClaim) -> Judged:
        return Judged(case, Verdict("supported", citations=case.citations))

    everything = [blind(case) for case in load()]
    assert caught(everything) == 0
    assert withheld(everything) == 0
    assert precision(everything) is None


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
