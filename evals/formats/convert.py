"""Write suites as other tools' data sets, and list case by case what they can't express.

`promptfoo` test cases contain checks. ragas, DeepEval and SQuAD's form only have questions, gold answers and contexts,
and OpenAI Evals doesn't have contexts either.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from io import StringIO
from typing import Any

import yaml

from evals.formats.suite import Suite, Texts
from evals.types import Case, Expectation, Turn
from store.errors import RequestError, SuiteError

Row = dict[str, Any]
NOTATIONS = {
    "attest": (".yaml", ".yml"),
    "promptfoo": (".yaml", ".yml"),
    "ragas": (".json", ".jsonl", ".csv"),
    "deepeval": (".json", ".jsonl", ".csv"),
    "huggingface": (".json", ".jsonl", ".csv"),
    "openai-evals": (".jsonl",),
}

_PROMPTFOO = {
    "answer_contains": "icontains-all",
    "answer_contains_any": "icontains-any",
    "must_not_contain": "not-icontains-any",
}
"""Expectations with promptfoo's equivalent assertions."""


def converted(suite: Suite, kind: str, suffix: str) -> tuple[str, tuple[str, ...]]:
    """Return the suite as the text of a file with this `suffix`, and sentences about what that can't express.

    Raises RequestError if the format doesn't use that notation.
    """
    if suffix not in NOTATIONS[kind]:
        raise RequestError(f"{kind} is written as {' or '.join(NOTATIONS[kind])}: name such a file.")
    if kind == "promptfoo":
        return _promptfoo_text(suite)
    if kind == "attest":
        return _attest_text(suite)
    notes: list[str] = []
    contexts = _contexts(suite)
    rows = [row for case in suite.cases for row in _rows(case, _SHAPES[kind], contexts, notes)]
    return _written(rows, suffix), tuple(notes)


def _contexts(suite: Suite) -> dict[str, str]:
    """Return the texts of the documents that cases name, by name; empty if the suite has none."""
    wanted = {gold.name for case in suite.cases for turn in case.turns for gold in turn.documents if gold.grade > 0}
    brought = suite.documents.read() if isinstance(suite.documents, Texts) else ()
    return {source.id: source.text for source in brought if source.id in wanted}


def _rows(
    case: Case, shape: Callable[[Case, list[str]], Row], contexts: Mapping[str, str], notes: list[str]
) -> Iterator[Row]:
    if len(case.turns) > 1:
        notes.append(f"{case.where}: `{case.id}` is a conversation, which a row can't express.")
        return
    (turn,) = case.turns
    unsaid = [name for name in Expectation.model_fields if getattr(turn.expect, name) not in (None, ())]
    if unsaid:
        notes.append(f"{case.where}: `{case.id}` leaves out {', '.join(f'`{name}`' for name in unsaid)}.")
    yield shape(case, [contexts[gold.name] for gold in turn.documents if gold.name in contexts])


def _ragas(case: Case, contexts: list[str]) -> Row:
    (turn,) = case.turns
    return {"user_input": turn.question, "reference": _reference(turn), "reference_contexts": contexts}


def _deepeval(case: Case, contexts: list[str]) -> Row:
    (turn,) = case.turns
    named = turn.documents[0].name if turn.documents and not contexts else None
    return {
        "input": turn.question,
        "expected_output": _reference(turn) or None,
        "context": contexts or None,
        "source_file": named,
    }


def _openai_evals(case: Case, _: list[str]) -> Row:
    (turn,) = case.turns
    return {"id": case.id, "input": [{"role": "user", "content": turn.question}], "ideal": list(turn.answers)}


def _huggingface(case: Case, contexts: list[str]) -> Row:
    (turn,) = case.turns
    context = contexts[0] if contexts else ""
    starts = {span.words: span.start for span in turn.spans}
    answers = [(text, starts.get(text, context.find(text))) for text in turn.answers]
    return {
        "id": case.id,
        "title": case.cluster or "",
        "context": context,
        "question": turn.question,
        "answers": {"text": [text for text, _ in answers], "answer_start": [start for _, start in answers]},
    }


_SHAPES: dict[str, Callable[[Case, list[str]], Row]] = {
    "ragas": _ragas,
    "deepeval": _deepeval,
    "huggingface": _huggingface,
    "openai-evals": _openai_evals,
}


def _reference(turn: Turn) -> str:
    """Return the gold answer, because these formats have room for only one."""
    return turn.answers[0] if turn.answers else ""


def _written(rows: list[Row], suffix: str) -> str:
    if suffix == ".json":
        return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"
    if suffix == ".jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    out = StringIO()
    writer = csv.DictWriter(out, list(rows[0]) if rows else ["question"])
    writer.writeheader()
    for row in rows:
        writer.writerow(
            {
                name: json.dumps(value, ensure_ascii=False) if isinstance(value, list | dict) else value
                for name, value in row.items()
            }
        )
    return out.getvalue()


def _attest_text(suite: Suite) -> tuple[str, tuple[str, ...]]:
    """Return the suite in Attest's own YAML, without its documents."""
    notes: tuple[str, ...] = ()
    if isinstance(suite.documents, Texts):
        notes = (f"{suite.path}: the documents that it brings are not written; `library` can name a folder of them.",)
    entry: Row = {"suite": suite.name}
    if suite.description:
        entry["description"] = suite.description
    entry["cases"] = [_case(case) for case in suite.cases]
    return yaml.safe_dump(entry, allow_unicode=True, sort_keys=False, width=110), notes


def _case(case: Case) -> Row:
    turns = [_turn(turn) for turn in case.turns]
    asked = turns[0] if len(turns) == 1 else {"turns": turns}
    tags = {"tags": list(case.tags)} if case.tags else {}
    draft = {"draft": True} if case.draft else {}
    return {"id": case.id, **draft, **asked, **tags}


def _turn(turn: Turn) -> Row:
    expect = turn.expect.model_dump(mode="json", exclude_defaults=True)
    if turn.impossible:
        expect["answerable"] = False
    row = {
        "question": turn.question,
        "language": turn.language,
        "answers": list(turn.answers),
        "documents": {gold.name: gold.grade for gold in turn.documents},
        "expect": expect,
    }
    return {name: value for name, value in row.items() if value}


def _promptfoo_text(suite: Suite) -> tuple[str, tuple[str, ...]]:
    """Return the suite as promptfoo's YAML, and sentences about what that can't express."""
    tests, notes = [], []
    for case in suite.cases:
        if len(case.turns) > 1:
            notes.append(f"{case.where}: `{case.id}` is a conversation, which a test case can't express.")
            continue
        asserts, unsaid = _promptfoo_assertions(case.turns[0].expect)
        if unsaid:
            notes.append(f"{case.where}: `{case.id}` leaves out {', '.join(f'`{name}`' for name in unsaid)}.")
        turn = case.turns[0]
        metadata = {
            "id": case.id,
            "language": turn.language,
            "tags": list(case.tags),
            "answers": list(turn.answers),
            "documents": [gold.name for gold in turn.documents],
        }
        tests.append(
            {
                "description": case.id,
                "vars": {"question": turn.question},
                "assert": asserts,
                "metadata": {name: value for name, value in metadata.items() if value},
            }
        )
    if not tests:
        raise SuiteError(f"{suite.path}: none of its cases can be written as promptfoo's test cases.")
    whole = {"description": suite.description or suite.name, "prompts": ["{{question}}"], "tests": tests}
    return yaml.safe_dump(whole, allow_unicode=True, sort_keys=False, width=110), tuple(notes)


def _promptfoo_assertions(expect: Expectation) -> tuple[list[dict[str, Any]], list[str]]:
    found: list[dict[str, Any]] = []
    unsaid = []
    for name in Expectation.model_fields:
        value = getattr(expect, name)
        if value in (None, ()):
            continue
        if name in _PROMPTFOO:
            found.append({"type": _PROMPTFOO[name], "value": list(value)})
        elif name == "answer_regex":
            found += [{"type": "regex", "value": pattern} for pattern in value]
        elif name == "answer_equals" and len(value) == 1:
            found.append({"type": "equals", "value": value[0]})
        elif name == "answerable":
            found.append({"type": "not-is-refusal" if value else "is-refusal"})
        elif name == "latency_ms_at_most":
            found.append({"type": "latency", "threshold": value})
        else:
            unsaid.append(name)
    return found, unsaid
