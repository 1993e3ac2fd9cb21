from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.metrics.abstention import auroc, expected_calibration_error, reliability, risk_coverage

SCORED = st.lists(st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), st.booleans()), min_size=1, max_size=40)


@given(SCORED)
def test_auroc_is_the_share_of_pairs_in_the_right_order(scored: list[tuple[float, bool]]) -> None:
    scores = np.asarray([score for score, _ in scored])
    labels = np.asarray([label for _, label in scored])
    found = auroc(scores, labels)
    if labels.all() or not labels.any():
        assert found is None
        return
    statistic = stats.mannwhitneyu(scores[labels], scores[~labels]).statistic
    assert found == pytest.approx(statistic / (labels.sum() * (~labels).sum()))


def test_confidence_that_means_what_it_says_has_no_calibration_error() -> None:
    confidences = [0.25] * 4 + [0.75] * 4
    labels = [1, 0, 0, 0, 1, 1, 1, 0]
    assert expected_calibration_error(confidences, labels) == pytest.approx(0)
    assert expected_calibration_error([1.0, 1.0], [0, 0]) == 1
    assert expected_calibration_error([], []) is None


def test_the_bins_hold_every_question_once() -> None:
    bins = reliability([0.0, 0.05, 0.1, 0.95, 1.0], [0, 1, 1, 1, 1])
    assert sum(one.count for one in bins) == 5
    assert [(one.low, one.count) for one in bins] == [(0.0, 2), (0.1, 1), (0.9, 2)]
    assert bins[0].accuracy == 0.5


def test_answering_the_surest_first_lowers_the_risk() -> None:
    curve = risk_coverage([0.9, 0.8, 0.2, 0.1], [1, 1, 0, 0])
    assert curve is not None
    assert curve.coverage == (0.25, 0.5, 0.75, 1.0)
    assert curve.risk == pytest.approx((0, 0, 1 / 3, 0.5))
    assert curve.area == pytest.approx((0 + 0 + 1 / 3 + 1 / 2) / 4)


@given(SCORED)
def test_the_order_of_equally_sure_answers_does_not_matter(scored: list[tuple[float, bool]]) -> None:
    one = risk_coverage([score for score, _ in scored], [label for _, label in scored])
    other = risk_coverage([score for score, _ in scored[::-1]], [label for _, label in scored[::-1]])
    assert one is not None
    assert other is not None
    assert one.risk == pytest.approx(other.risk)
    assert one.risk[-1] == pytest.approx(1 - np.mean([label for _, label in scored]))
