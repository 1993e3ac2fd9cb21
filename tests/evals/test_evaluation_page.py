"""A newcomer can follow docs/evaluation.md word by word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from assistant.cli import attest
from evals.aggregate import HIDDEN
from evals.formats import load
from evals.registry import METRICS
from evals.score import Report
from evals.types import Expectation
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
SUITE = re.search(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
COMMANDS = [
    line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines() if line.strip()
]


@pytest.fixture
def new_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the samples beside it, the page's suite saved in it, and an empty library."""
    assert SUITE is not None
    (tmp_path / "forum.yaml").write_text(SUITE[1], encoding="utf-8")
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest/samples").symlink_to(ROOT / "ingest/samples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ATTEST_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path


def test_the_suite_of_the_page_has_ten_cases(new_user: Path) -> None:
    suite = load(new_user / "forum.yaml")
    assert len(suite.cases) == 10
    assert {turn.language for case in suite.cases for turn in case.turns} == {"en", "th", "vi"}


@pytest.mark.hard
def test_every_command_of_the_page_does_its_work(new_user: Path) -> None:
    assert len(COMMANDS) >= 6
    for command in COMMANDS:
        words = shlex.split(command)
        assert words[0] == "attest", command
        assert not attest.main(words[1:], standalone_mode=False), command
    report = Report.model_validate_json((new_user / "runs/first/report.json").read_text("utf-8"))
    assert report.asked == 10
    assert report.overall.metrics["verbatim_rate"].value == 1
    for name in ("forum.html", "forum.xml", "forum.md", "difference.html", "ci.xml"):
        assert (new_user / name).stat().st_size > 500, name


def test_the_page_names_every_expectation_and_metric() -> None:
    for name in Expectation.model_fields:
        assert f"`{name}" in PAGE, name
    for name in METRICS.keys() - HIDDEN:
        assert f"`{re.sub(r'@[0-9]+', '@k', name)}`" in PAGE or f"`{name}`" in PAGE, name
