"""Drafts are accepted, reworded and dropped one by one, and nothing else of the suite's file changes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evals.cli import evaluate
from evals.formats import load
from evals.review import accept, drafts_of, drop
from store.errors import NotFoundError, RequestError, SuiteError

SUITE = """\
# Kept: what a person wrote.
suite: harbor
cases:
  - id: a  # the first
    draft: true
    question: "ท่าเรือเปิดเมื่อใด"
    language: th
    answers: ["2475"]
    expect: {answerable: true}
    note: From bridge.th.txt.
  - id: b
    question: Cầu dài bao nhiêu?
    language: vi
    expect: {answerable: true}
  - {id: c, draft: true, question: "Who chaired it?", expect: {answerable: false}}
thresholds: {pass_rate: 0.5}
"""


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    path = tmp_path / "harbor.yaml"
    path.write_text(SUITE, encoding="utf-8")
    return path


def test_drafts_are_listed_with_what_they_ask_and_where_they_come_from(suite: Path) -> None:
    first, last = drafts_of(suite)
    assert (first.id, first.answers, first.note) == ("a", ("2475",), "From bridge.th.txt.")
    assert (last.id, last.answerable) == ("c", False)


def test_accepting_takes_out_one_line_and_keeps_every_other(suite: Path) -> None:
    accept(suite, "a")
    assert suite.read_text(encoding="utf-8") == SUITE.replace("    draft: true\n", "", 1)
    assert [draft.id for draft in drafts_of(suite)] == ["c"]


@pytest.mark.parametrize("identity", ["a", "c"])
def test_a_reworded_draft_asks_the_new_question_and_counts(suite: Path, identity: str) -> None:
    accept(suite, identity, "  สะพานเปิดเมื่อใด: วันไหน?  ")
    cases = {case.id: case for case in load(suite).cases}
    assert cases[identity].turns[0].question == "สะพานเปิดเมื่อใด: วันไหน?"
    assert not cases[identity].draft
    assert list(cases) == ["a", "b", "c"]
    text = suite.read_text(encoding="utf-8")
    assert text.startswith("# Kept: what a person wrote.\n")
    assert text.endswith("thresholds: {pass_rate: 0.5}\n")


def test_a_draft_in_one_line_is_accepted_too(suite: Path) -> None:
    accept(suite, "c")
    assert [draft.id for draft in drafts_of(suite)] == ["a"]


def test_dropping_takes_out_the_whole_case(suite: Path) -> None:
    drop(suite, "c")
    drop(suite, "a")
    assert [case.id for case in load(suite).cases] == ["b"]


@pytest.mark.parametrize("identity", ["b", "nothing", ""])
def test_only_drafts_are_accepted_or_dropped(suite: Path, identity: str) -> None:
    for change in (accept, drop):
        with pytest.raises(NotFoundError):
            change(suite, identity)
    assert suite.read_text(encoding="utf-8") == SUITE


def test_a_blank_question_and_a_file_without_lines_for_its_cases_are_refused(suite: Path, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match="empty"):
        accept(suite, "a", "  ")
    flow = tmp_path / "flow.yaml"
    flow.write_text("suite: x\ncases: [{id: a, draft: true, question: Who}]\n", encoding="utf-8")
    with pytest.raises(SuiteError, match="a line of its own"):
        drafts_of(flow)


def test_the_last_case_is_not_dropped(tmp_path: Path) -> None:
    path = tmp_path / "one.yaml"
    path.write_text("suite: x\ncases:\n- id: a\n  draft: true\n  question: Who?\n", encoding="utf-8")
    with pytest.raises(RequestError, match="last case"):
        drop(path, "a")


def test_the_command_changes_drafts_and_prints_what_is_left(suite: Path) -> None:
    result = CliRunner().invoke(evaluate, ["review", str(suite), "--accept", "a", "--json"])
    assert result.exit_code == 0, result.output
    assert [draft["id"] for draft in json.loads(result.stdout)] == ["c"]
    printed = CliRunner().invoke(evaluate, ["review", str(suite)])
    assert "1 drafts are left." in printed.stdout
