"""The labelled follow-ups: the rules keep what they were measured at."""

from __future__ import annotations

from assistant.answer.dialogue.followup_rules import standalone
from evals.benchmarks.rules import load_follow_ups, score


def test_the_set_is_large_and_mixed() -> None:
    cases = list(load_follow_ups())
    assert len(cases) >= 60
    assert {case.language for case in cases} == {"en", "th", "vi"}
    assert len({case.id for case in cases}) == len(cases)


def test_follow_ups_that_the_rules_never_saw_are_mostly_understood() -> None:
    table = score(list(load_follow_ups()), standalone)
    right, total = table["report"]
    assert right / total >= 0.88
    right, total = table["report switch"]
    assert right / total >= 0.9


def test_leaving_questions_as_they_are_would_fail() -> None:
    table = score(list(load_follow_ups()), lambda question, _: question)
    right, total = table["report"]
    assert right / total < 0.4
