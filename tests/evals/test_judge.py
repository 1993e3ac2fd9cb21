from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from evals.gates import gates
from evals.judge import JUDGEMENTS, judge_run, read_verdict, saved_judgements
from evals.run_command import run_command
from evals.run_store import RESULTS, RunFolder
from evals.score import score
from evals.types import Judgement
from store.errors import RequestError
from store.settings import Settings
from tests.evals.small_system import SmallSystem, small_library

SUITE = Path(__file__).parent / "small_suite.yaml"


class Strict:
    """Holds an answer for right if a reference stands in it."""

    name = "strict (00000000)"

    def __init__(self) -> None:
        self.asked: list[str] = []

    def judge(self, question: str, reference: tuple[str, ...], answer: str) -> Judgement | None:
        self.asked.append(question)
        if question.startswith("Phiên"):
            return None
        return read_verdict(f"{'RIGHT' if reference[0] in answer else 'WRONG'}: because", self.name)


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    settings = Settings(home=tmp_path / "home")
    run_command(settings, [SUITE], build=lambda _: nullcontext(SmallSystem(small_library())), out=tmp_path / "run")
    return RunFolder.open(tmp_path / "run")


def test_a_judge_is_asked_once_and_shown_beside_the_other_metrics(folder: RunFolder) -> None:
    judge = Strict()
    graded = judge_run(folder, judge)
    assert len(judge.asked) == 6
    report = score(folder, judgements=graded)
    assert report.overall.metrics["judge"].count == 5
    again = Strict()
    assert judge_run(folder, again) == graded
    assert len(again.asked) == 1, "only what got no grade is asked for again"
    assert saved_judgements(folder) == graded
    assert (folder.path / JUDGEMENTS).read_text("utf-8").count("\n") == 5


def test_a_judge_gates_only_when_told_to(folder: RunFolder) -> None:
    report = score(folder, judgements=judge_run(folder, Strict()))
    assert "judge" not in {gate.metric for gate in report.gates}
    (gate,) = gates({"judge": 0.999}, {"all": report.overall.metrics})
    assert gate.met is (report.overall.metrics["judge"].value >= 0.999)


def test_the_model_under_test_is_no_judge_of_itself(folder: RunFolder) -> None:
    results = (folder.path / RESULTS).read_text("utf-8")
    (folder.path / RESULTS).write_text(results.replace('"mode":"quotes"', '"mode":"written","model":"strict"'), "utf-8")
    with pytest.raises(RequestError, match="strict wrote these answers and can't judge them"):
        judge_run(folder, Strict())


@pytest.mark.parametrize(
    ("reply", "score", "reason"),
    [
        ("RIGHT: it says 2023.", 1.0, "it says 2023."),
        ("**Wrong** - no date\nat all", 0.0, "no date at all"),
        ("The answer is RIGHT", None, ""),
        ("", None, ""),
        ("RIGHTEOUS: no", None, ""),
    ],
)
def test_a_grade_is_read_or_there_is_none(reply: str, score: float | None, reason: str) -> None:
    found = read_verdict(reply, "j")
    assert (found.score if found else None) == score
    assert (found.reason if found else "") == reason
