from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from evals.metrics.statistics import (
    cluster_bootstrap,
    cluster_bootstrap_mean,
    holm,
    mcnemar,
    paired_bootstrap,
    paired_bootstrap_of,
    paired_rate_interval,
    wilson,
)


@given(st.integers(1, 400).flatmap(lambda count: st.tuples(st.integers(0, count), st.just(count))))
def test_the_interval_of_a_rate_is_wilsons(case: tuple[int, int]) -> None:
    successes, count = case
    oracle = stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
    assert wilson(successes, count) == pytest.approx((oracle.low, oracle.high), abs=1e-9)


def test_a_rate_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="count > 0"):
        wilson(0, 0)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_is_the_exact_binomial_test(first: int, second: int) -> None:
    oracle = stats.binomtest(first, first + second, 0.5).pvalue if first + second else 1.0
    assert mcnemar(first, second) == pytest.approx(oracle, abs=1e-9)


def test_the_bootstrap_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(1)
    covered = 0
    for trial in range(200):
        effects = generator.normal(0, 1, 40)
        values = np.repeat(effects, 5) + generator.normal(0, 0.5, 200)
        interval = cluster_bootstrap_mean(values, np.repeat(np.arange(40), 5).tolist(), 400, seed=trial)
        assert interval is not None
        covered += interval.low <= 0 <= interval.high
    assert 0.88 <= covered / 200 <= 0.99


def test_questions_on_one_document_do_not_count_as_so_many_independent_ones() -> None:
    values = np.repeat([0.0, 1.0] * 10, 20)
    clustered = cluster_bootstrap_mean(values, np.repeat(np.arange(20), 20).tolist())
    naive = cluster_bootstrap_mean(values, list(range(400)))
    assert clustered is not None
    assert naive is not None
    assert clustered.high - clustered.low > 3 * (naive.high - naive.low)


def test_one_cluster_tells_nothing_of_variation() -> None:
    assert cluster_bootstrap_mean([1.0, 0.0], ["a", "a"]) is None


def test_few_documents_prove_no_difference() -> None:
    five, six = list("abcde"), list("abcdef")
    assert paired_bootstrap([1.0] * 5, [0.0] * 5, five).p is None
    assert paired_bootstrap([1.0] * 6, [0.0] * 6, six).p is not None
    few = paired_bootstrap_of(lambda rows, run: float(run), five)
    assert few is not None
    assert few.p is None


@given(st.integers(0, 30), st.integers(0, 30), st.integers(0, 200))
def test_the_interval_of_a_paired_difference_agrees_with_mcnemar(lost: int, won: int, same: int) -> None:
    interval = paired_rate_interval(lost, won, lost + won + same + 1)
    assert -1 <= interval.low <= interval.high <= 1
    p = mcnemar(lost, won)
    if interval.low > 0 or interval.high < 0:
        assert p < 0.13, "an interval without zero goes with a small p"
    if p < 0.02:
        assert interval.low > 0 or interval.high < 0


def test_the_interval_of_a_paired_difference_is_the_published_one() -> None:
    # Agresti and Min 2005, section 3: Wald's interval after adding 1/2 to each of the four cells.
    lost, won, count = 3.5, 9.5, 42
    difference = (won - lost) / count
    spread = 1.959963984540054 * ((lost + won) - (won - lost) ** 2 / count) ** 0.5 / count
    assert paired_rate_interval(3, 9, 40) == pytest.approx((difference - spread, difference + spread))


def test_the_general_bootstrap_agrees_with_the_fast_one() -> None:
    values = np.random.default_rng(3).random(300)
    clusters = [number // 3 for number in range(300)]
    fast = cluster_bootstrap_mean(values, clusters)
    general = cluster_bootstrap(lambda rows: float(values[rows].mean()), clusters)
    assert fast is not None
    assert general is not None
    assert general == pytest.approx(fast, abs=0.01)


def test_a_real_difference_is_shown_and_none_is_not() -> None:
    generator = np.random.default_rng(5)
    first = generator.random(200)
    clusters = list(range(200))
    better = paired_bootstrap(first, first + 0.1 + generator.normal(0, 0.2, 200), clusters)
    same = paired_bootstrap(first, first + generator.normal(0, 0.2, 200), clusters)
    assert better.p is not None
    assert better.p < 0.01
    assert better.interval is not None
    assert better.interval.low > 0
    assert same.p is not None
    assert same.p > 0.05


def test_false_alarms_are_as_rare_as_the_level_says() -> None:
    generator = np.random.default_rng(7)
    alarms = 0
    for trial in range(200):
        first, second = generator.random(60), generator.random(60)
        difference = paired_bootstrap(first, second, list(range(60)), 300, seed=trial)
        assert difference.p is not None
        alarms += difference.p < 0.05
    assert alarms / 200 < 0.11


def test_any_statistic_can_be_compared_in_pairs() -> None:
    runs = np.stack([np.linspace(0, 1, 100), np.linspace(0, 1, 100) + 0.3])
    found = paired_bootstrap_of(lambda rows, run: float(np.median(runs[run][rows])), list(range(100)), resamples=200)
    assert found is not None
    assert found.value == pytest.approx(0.3)
    assert found.p == pytest.approx(1 / 201, abs=0.01)


def test_holm_adjusts_as_published() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx((0.03, 0.06, 0.06))
    assert holm([]) == ()


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_never_makes_a_finding_stronger(p_values: list[float]) -> None:
    assert all(after >= before for before, after in zip(p_values, holm(p_values), strict=True))


def test_the_same_seed_gives_the_same_interval() -> None:
    values, clusters = [0.1, 0.5, 0.9, 0.3], ["a", "b", "c", "d"]
    assert cluster_bootstrap_mean(values, clusters) == cluster_bootstrap_mean(values, clusters)
