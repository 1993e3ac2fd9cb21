"""The labelled follow-ups: the rules keep what they were measured at."""

from __future__ import annotations

from assistant.answer.dialogue.followup_rules import standalone
from evals.benchmarks.rules import load_follow_ups, score


def test_follow_ups_that_the_rules_never_saw_are_mostly_understood() -> None:
    table = score(list(load_follow_ups()), standalone)
    right, total = table["report"]
    assert right / total >= 0.88
    right, total = table["report switch"]
    assert right / total >= 0.9
