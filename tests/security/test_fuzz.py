"""Inputs that once caused failures pass, and so do some thousands of new mutated inputs."""

from __future__ import annotations

import pytest

from tests.security.fuzz import attempt, corpus, fuzz
from tests.security.fuzzed import TARGETS

SLOW = {"pdf", "backup"}
"""A process or a disk for each input."""

FEW, MANY = 12, 300


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "api"])
def test_mutated_input_gets_a_value_or_one_sentence(name: str) -> None:
    with TARGETS[name]() as target:
        for data in corpus(name):
            _, failure, _ = attempt(target, data)
            assert failure is None, failure
        tally = fuzz(target, seed=7, limit=FEW if name in SLOW else MANY)
        assert [failure for _, failure in tally.failures] == []
        assert len(tally.outcomes) > 1, "the target sees nothing of its input"


@pytest.mark.hard
def test_mutated_requests_get_an_answer_with_a_policy_and_no_traceback() -> None:
    with TARGETS["api"]() as target:
        tally = fuzz(target, seed=7, limit=1_000)
        assert [failure for _, failure in tally.failures] == []
