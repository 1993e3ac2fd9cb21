"""Export feedback as an evaluation suite: readers' ratings of answers become cases that a run can check.

The case format is that of `evals`, which this package may not import; a test reads the output with it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from assistant.types import Answer
from store.catalog.conversations import Conversations, Feedback
from store.errors import NotFoundError

QUOTE_LENGTH = 300


def suite_of_feedback(conversations: Conversations) -> str:
    """Return all feedback on answers, as an evaluation suite."""
    given = conversations.feedback()
    return feedback_suite(given, {turn: _before(conversations, turn) for turn in {item.turn for item in given}})


def _before(conversations: Conversations, turn_id: str) -> list[str]:
    """Return the questions before a turn in its conversation; none if the conversation was deleted."""
    try:
        turn = conversations.turn(turn_id)
    except NotFoundError:
        return []
    return [earlier.question for earlier in conversations.branch(turn.conversation, turn_id)[:-1]]


def feedback_suite(feedback: Iterable[Feedback], asked_before: Mapping[str, Sequence[str]]) -> str:
    """Return the suite as YAML, with one case for each answer that was rated.

    `asked_before` has, for each turn's id, the questions before it in its conversation, if that still exists.
    """
    import yaml

    by_turn: dict[str, list[Feedback]] = {}
    for given in feedback:
        by_turn.setdefault(given.turn, []).append(given)
    suite = {
        "suite": "feedback",
        "description": "What readers of the page said of its answers.",
        "cases": [_case(turn, given, asked_before.get(turn, ())) for turn, given in by_turn.items()],
    }
    return str(yaml.safe_dump(suite, allow_unicode=True, sort_keys=False, width=110))


def _case(turn: str, given: Sequence[Feedback], before: Sequence[str]) -> dict[str, Any]:
    answer = Answer.model_validate_json(given[-1].answer)
    case: dict[str, Any] = {"id": f"feedback-{turn}"}
    if before:
        case["turns"] = [*({"question": question} for question in before), {"question": answer.question}]
    else:
        case["question"] = answer.question
    comments = [item.comment for item in given if item.comment.strip()]
    case |= {"tags": sorted({item.verdict for item in given}), "expect": _expectation(answer, given)}
    if comments:
        case["note"] = " / ".join(comments)
    return case


def _expectation(answer: Answer, given: Sequence[Feedback]) -> dict[str, Any]:
    """Good: expect the same again. Bad: expect neither the same refusal nor the citations marked as wrong."""
    verdict = next((item.verdict for item in given if item.citation is None), None)
    wrong = {item.citation for item in given if item.citation is not None and item.verdict == "bad"}
    expected: dict[str, Any] = {"quotes_verbatim": True}
    if verdict == "good":
        expected["answerable"] = answer.answered
        kept = [item.quote[:QUOTE_LENGTH] for item in answer.evidence if item.key not in wrong]
        if kept:
            expected["quote_contains_any"] = kept
    elif verdict == "bad" and not answer.answered:
        expected["answerable"] = True
    refused = [item.quote[:QUOTE_LENGTH] for item in answer.evidence if item.key in wrong]
    if refused:
        expected["must_not_contain"] = refused
    return expected
