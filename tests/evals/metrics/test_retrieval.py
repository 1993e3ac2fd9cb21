from __future__ import annotations

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from evals.metrics.retrieval import (
    average_precision,
    best_per_document,
    hit,
    ndcg,
    own_language_ahead,
    recall,
    reciprocal_rank,
)

DOCUMENTS = [f"d{number}" for number in range(12)]
RANKINGS = st.lists(st.sampled_from(DOCUMENTS), unique=True, max_size=12)
GRADES = st.dictionaries(st.sampled_from(DOCUMENTS), st.integers(0, 3), min_size=1, max_size=8)


@given(st.lists(st.tuples(RANKINGS.filter(bool), GRADES), min_size=1, max_size=5))
def test_every_measure_agrees_with_trec_eval(queries: list[tuple[list[str], dict[str, int]]]) -> None:
    measures = {"success_1", "success_5", "recall_5", "recip_rank", "map", "ndcg_cut_10", "ndcg_cut_5"}
    judged = {f"q{number}": grades for number, (_, grades) in enumerate(queries)}
    runs = {
        f"q{number}": {document: 1 / rank for rank, document in enumerate(ranking, 1)}
        for number, (ranking, _) in enumerate(queries)
    }
    oracle = pytrec_eval.RelevanceEvaluator(judged, measures).evaluate(runs)
    for number, (ranking, grades) in enumerate(queries):
        ours = {
            "success_1": hit(ranking, grades, 1),
            "success_5": hit(ranking, grades, 5),
            "recall_5": recall(ranking, grades, 5),
            "recip_rank": reciprocal_rank(ranking, grades),
            "map": average_precision(ranking, grades),
            "ndcg_cut_5": ndcg(ranking, grades, 5),
            "ndcg_cut_10": ndcg(ranking, grades, 10),
        }
        if not any(grades.values()):
            assert set(ours.values()) == {None}
            continue
        for name, value in ours.items():
            assert value == pytest.approx(oracle[f"q{number}"][name], abs=1e-9), name


def test_nothing_retrieved_is_zero_but_nothing_relevant_is_no_score() -> None:
    assert hit([], {"a": 1}, 5) == recall([], {"a": 1}, 5) == reciprocal_rank([], {"a": 1}) == 0
    assert average_precision([], {"a": 1}) == ndcg([], {"a": 1}, 10) == 0
    assert hit(["a"], {}, 5) is None
    assert ndcg(["a"], {"a": 0}, 5) is None


def test_a_document_ranks_as_its_best_passage() -> None:
    assert best_per_document(["a", "b", "a", "c", "b"]) == ("a", "b", "c")


@pytest.mark.parametrize(
    ("ranking", "languages", "expected"),
    [
        (["x", "y", "gold"], ["th", "en", "en"], 0.5),
        (["gold", "x"], ["en", "th"], None),
        (["x", "y"], ["th", "th"], 1.0),
        (["y", "gold"], ["en", "en"], 0.0),
        ([], [], None),
    ],
)
def test_preferring_the_own_language_is_seen(ranking: list[str], languages: list[str], expected: float | None) -> None:
    assert own_language_ahead(ranking, languages, {"gold": 1}, "th") == expected
