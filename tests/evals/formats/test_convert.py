"""Suites are written as other tools' data sets, and read back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.cli import evaluate
from evals.formats import Suite, load
from evals.formats.convert import converted
from store.errors import RequestError

SUITE = """\
suite: fees
cases:
  - id: a
    question: "ค่าปรับสูงสุดเท่าไร"
    language: th
    tags: [smoke]
    answers: [350 บาท]
    documents: fees.txt
    expect:
      {answerable: true, answer_contains: ["350", บาท], answer_regex: ['\\d+'], must_not_contain: ฟรี,
       latency_ms_at_most: 2000, answer_equals: 350 บาท}
  - id: b
    question: Phí là bao nhiêu?
    language: vi
    expect: {answer_contains_any: [900, 1.500], quote_contains: "900"}
  - id: talk
    turns: [{question: "Where?"}, {question: "And when?"}]
"""


@pytest.fixture
def suite(tmp_path: Path) -> Suite:
    path = tmp_path / "fees.yaml"
    path.write_text(SUITE, "utf-8")
    return load(path)


def again(tmp_path: Path, text: str, suffix: str) -> Suite:
    path = tmp_path / f"again{suffix}"
    path.write_text(text, "utf-8")
    return load(path)


def test_promptfoo_comes_back_as_it_was_but_for_what_is_named(tmp_path: Path, suite: Suite) -> None:
    text, notes = converted(suite, "promptfoo", ".yaml")
    first, second = again(tmp_path, text, ".yaml").cases
    ours = suite.cases[0]
    assert (first.id, first.tags) == (ours.id, ours.tags)
    assert first.turns[0] == ours.turns[0]
    assert second.turns[0].expect.answer_contains_any == ("900", "1.500")
    assert [note.split(": ", 1)[1] for note in notes] == [
        "`b` leaves out `quote_contains`.",
        "`talk` is a conversation, which a test case can't express.",
    ]


@pytest.mark.parametrize("suffix", [".json", ".jsonl", ".csv"])
@pytest.mark.parametrize("kind", ["ragas", "deepeval"])
def test_rows_come_back_with_questions_and_gold_answers(tmp_path: Path, suite: Suite, kind: str, suffix: str) -> None:
    text, notes = converted(suite, kind, suffix)
    read = again(tmp_path, text, suffix)
    assert read.kind == kind
    assert [case.turns[0].question for case in read.cases] == [case.turns[0].question for case in suite.cases[:2]]
    assert read.cases[0].turns[0].answers == ("350 บาท",)
    assert any("`a` leaves out `answerable`, `answer_contains`" in note for note in notes)


@pytest.mark.parametrize("suffix", [".json", ".csv"])
def test_squad_comes_back_from_the_hubs_shape(tmp_path: Path, suffix: str) -> None:
    context = "ค่าปรับสูงสุดคือ ๓๕๐ บาท"
    qas = [
        {"id": "q", "question": "เท่าไร", "answers": [{"text": "๓๕๐ บาท", "answer_start": context.index("๓")}]},
        {"id": "r", "question": "ใครอนุมัติ", "answers": [], "is_impossible": True},
    ]
    path = tmp_path / "squad.json"
    path.write_text(
        json.dumps({"data": [{"title": "Fees", "paragraphs": [{"context": context, "qas": qas}]}]}), "utf-8"
    )
    read = again(tmp_path, converted(load(path), "huggingface", suffix)[0], suffix)
    assert read.kind == "huggingface"
    assert [turn for case in read.cases for turn in case.turns] == [
        turn for case in load(path).cases for turn in case.turns
    ]


def test_attests_own_yaml_says_the_same(tmp_path: Path, suite: Suite) -> None:
    text, _ = converted(suite, "attest", ".yaml")
    ours = [case.model_dump(exclude={"path", "line"}) for case in suite.cases]
    assert [case.model_dump(exclude={"path", "line"}) for case in again(tmp_path, text, ".yaml").cases] == ours


def test_the_command_names_what_is_left_out(tmp_path: Path, suite: Suite) -> None:
    target = tmp_path / "tests.yaml"
    result = CliRunner().invoke(evaluate, ["convert", str(suite.path), str(target), "--to", "promptfoo"])
    assert result.exit_code == 0
    assert "`b` leaves out `quote_contains`." in result.stderr
    assert load(target).kind == "promptfoo"
    with pytest.raises(RequestError, match=r"ragas is written as \.json or \.jsonl or \.csv"):
        converted(suite, "ragas", ".yaml")


def test_openai_evals_keeps_questions_and_gold_answers(tmp_path: Path, suite: Suite) -> None:
    text, notes = converted(suite, "openai-evals", ".jsonl")
    first = json.loads(text.splitlines()[0])
    assert first["input"] == [{"role": "user", "content": "ค่าปรับสูงสุดเท่าไร"}]
    assert first["ideal"] == ["350 บาท"]
    assert any("`talk` is a conversation" in note for note in notes)
    read = again(tmp_path, text, ".jsonl")
    assert read.kind == "openai-evals"
    assert [case.id for case in read.cases] == ["a", "b"]
    assert read.cases[0].turns[0].answers == ("350 บาท",)


def test_openai_evals_is_written_line_by_line_only(suite: Suite) -> None:
    with pytest.raises(RequestError, match=r"\.jsonl"):
        converted(suite, "openai-evals", ".csv")
