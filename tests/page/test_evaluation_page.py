"""On the page, users can run a suite, watch it, open its report, compare two runs, and review drafts."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from assistant.server.evaluation_runs import EvaluationRuns
from store.errors import NotFoundError, RequestError
from tests.page.conftest import Visit


def test_a_suite_is_run_watched_and_its_report_opened_and_two_runs_compared(visit: Visit) -> None:
    page = visit.page
    page.click("#open-evaluation")
    page.wait_for_selector("#suite")
    assert page.locator("#suite option").all_inner_texts() == ["broken", "smoke", "harbor", "feedback"]
    for _ in range(2):
        page.select_option("#suite", "smoke")
        page.click("[data-do='evaluation.run']")
        page.wait_for_selector("#runs [data-state='running'] progress[max='4']")
        page.wait_for_selector("#runs [data-state='running']", state="detached")
    assert page.locator("#runs [data-state='passed']").count() >= 2
    with page.expect_popup() as opened:
        page.locator("#runs a").first.click()
    assert "Report of" in opened.value.locator("h1").inner_text()
    opened.value.close()

    assert page.locator("#compare").is_disabled()
    for box in page.locator("#runs input").all()[:2]:
        box.check()
    with page.expect_popup() as opened:
        page.click("#compare")
    assert "Compared" in opened.value.locator("h1").inner_text()
    assert opened.value.evaluate("window.hacked") is None
    opened.value.close()


def test_drafts_are_reworded_accepted_and_dropped(visit: Visit, bench_parts: tuple[list[str], Path, Path]) -> None:
    page = visit.page
    page.click("#open-evaluation")
    page.select_option("#suite", "harbor")
    page.wait_for_selector("[data-draft='vi-1']")
    assert page.locator("#drafts li").count() == 2
    page.fill("[data-draft='vi-1'] input", "Cây cầu dài bao nhiêu mét?")
    page.click("[data-draft='vi-1'] [data-do='draft.accept']")
    page.wait_for_selector("[data-draft='vi-1']", state="detached")
    page.click("[data-draft='vi-2'] [data-do='draft.drop']")
    page.wait_for_selector("#drafts", state="hidden")
    left = (bench_parts[1].parent / "own" / "harbor.yaml").read_text(encoding="utf-8")
    assert "Cây cầu dài bao nhiêu mét?" in left
    assert "draft: true" not in left
    assert "vi-2" not in left
    page.select_option("#suite", "smoke")
    assert page.locator("#drafts").is_hidden()


def test_only_suites_of_one_s_own_are_looked_through(bench_parts: tuple[list[str], Path, Path], tmp_path: Path) -> None:
    command, suites, runs = bench_parts
    (tmp_path / "mine.yaml").write_text("suite: mine\ncases: none\n", encoding="utf-8")
    (tmp_path / "smoke.yaml").write_text("suite: x", encoding="utf-8")
    evaluation_runs = EvaluationRuns(command, suites, runs, tmp_path)
    assert evaluation_runs.suites() == ("broken", "smoke", "mine")
    assert evaluation_runs.drafts("smoke") == evaluation_runs.drafts("../mine") == []
    with pytest.raises(NotFoundError):
        evaluation_runs.settle("smoke", "a", keep=True)
    with pytest.raises(RequestError, match=r"mine\.yaml"):
        evaluation_runs.drafts("mine")


def test_a_suite_that_can_not_be_read_says_why(bench_parts: tuple[list[str], Path, Path], tmp_path: Path) -> None:
    command, suites, _ = bench_parts
    evaluation_runs = EvaluationRuns(command, suites, tmp_path)
    run = evaluation_runs.start("broken")
    with pytest.raises(RequestError, match="Another suite is running"):
        evaluation_runs.start("smoke")
    deadline = time.monotonic() + 1200
    while (last := evaluation_runs._run(run.name)).state == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (last.state, last.error) == ("stopped", "The suite can't be read: line 3.")


def test_a_run_can_be_stopped(bench_parts: tuple[list[str], Path, Path], tmp_path: Path) -> None:
    command, suites, _ = bench_parts
    evaluation_runs = EvaluationRuns(command, suites, tmp_path)
    run = evaluation_runs.start("smoke")
    evaluation_runs.stop()
    deadline = time.monotonic() + 1200
    while evaluation_runs._run(run.name).state == "running" and time.monotonic() < deadline:
        time.sleep(0.05)
    assert evaluation_runs._run(run.name).state == "stopped"


@pytest.mark.parametrize("name", ["../../etc/passwd", "..", "", "a/b", ".hidden", "a\\0b"])
def test_a_report_is_only_ever_one_of_a_run(tmp_path: Path, name: str) -> None:
    with pytest.raises(NotFoundError):
        EvaluationRuns([], tmp_path, tmp_path).report(name)


def test_only_a_suite_on_offer_is_run(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no suite named"):
        EvaluationRuns([], tmp_path, tmp_path).start("../../etc/passwd")
