from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from evals.cli import evaluate
from evals.compare import Comparison, compare
from evals.run_command import run_command
from evals.run_store import RunFolder
from store.errors import RequestError
from store.settings import Settings
from tests.evals.small_system import BrokenRetriever, Fabricator, SmallLibrary, SmallSystem, document

WORDS = "harbor lantern meadow orchard pebble quarry ribbon saddle timber velvet window yonder zephyr anchor bridge"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


def library(kind: type[SmallLibrary] = SmallLibrary) -> SmallLibrary:
    papers = [
        document(f"{word}.txt", f"The {word} opened long ago. Nobody closed the gates.") for word in WORDS.split()
    ]
    return kind(papers)


def suite(folder: Path) -> Path:
    lines = [
        {
            "id": word,
            "question": f"When was the {word} opened?",
            "language": "en",
            "documents": f"{word}.txt",
            "tags": [word[0]],
            "expect": {"quote_contains": word, "quotes_verbatim": True},
        }
        for word in WORDS.split()
    ]
    path = folder / "words.jsonl"
    path.write_text("\n".join(json.dumps(line) for line in lines), "utf-8")
    return path


def ran(settings: Settings, system: SmallSystem, folder: Path, name: str, **options: object) -> RunFolder:
    out = folder / name
    run_command(settings, [suite(folder)], build=lambda _: nullcontext(system), out=out, **options)  # type: ignore[arg-type]
    return RunFolder.open(out)


@pytest.fixture
def good(settings: Settings, tmp_path: Path) -> RunFolder:
    return ran(settings, SmallSystem(library()), tmp_path, "good")


def test_the_same_system_shows_no_difference(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    again = ran(settings, SmallSystem(library()), tmp_path, "again")
    comparison = compare(good, again, ["latency_p50"])
    shares = [one for one in comparison.compared if "latency" not in one.metric and "first" not in one.metric]
    assert {one.outcome for one in shares} == {"no difference shown"}
    assert {one.difference for one in shares} == {0.0}
    assert comparison.flips == ()
    assert comparison.common == 15


def test_a_real_regression_blocks_and_names_the_cases(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    bad = ran(settings, SmallSystem(library(BrokenRetriever)), tmp_path, "bad")
    comparison = compare(good, bad)
    assert comparison.blocks
    by_name = {gate.name: gate for gate in comparison.gates}
    assert by_name["pass_rate"].blocks
    hits = next(one for one in comparison.compared if (one.metric, one.slice) == ("hit@1", "all"))
    assert (hits.test, hits.outcome, hits.first) == ("McNemar", "worse", 1.0)
    assert hits.p is not None
    assert hits.p < 0.001
    assert hits.low is not None
    assert hits.high is not None
    assert hits.low <= hits.difference <= hits.high < 0
    assert all(not flip.now_passes and flip.reasons for flip in comparison.flips)
    assert len(comparison.flips) >= 12
    back = compare(bad, good)
    assert not back.blocks
    assert all(flip.now_passes for flip in back.flips)


def test_fabricated_quotes_block(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    comparison = compare(good, ran(settings, Fabricator(library()), tmp_path, "bad"), ["fabricated_quotes"])
    (gate,) = comparison.gates
    assert gate.blocks
    assert gate.compared is not None
    assert gate.compared.outcome == "worse"
    assert gate.compared.difference == 1.0


class OneWorse(SmallSystem):
    """Has lost a single answer: nothing that chance would not do."""

    def ask(self, question, history=(), options=None):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
        return super().ask("Nothing?" if "harbor" in question else question, history, options)


def test_one_lost_case_is_shown_but_does_not_block(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    comparison = compare(good, ran(settings, OneWorse(library()), tmp_path, "one"))
    assert not comparison.blocks
    assert [flip.key for flip in comparison.flips] == ["words/harbor"]
    passes = next(one for one in comparison.compared if (one.metric, one.slice) == ("pass_rate", "all"))
    assert passes.outcome == "no difference shown"
    assert passes.p == 1.0


def test_only_what_both_runs_were_asked_is_compared(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    part = ran(settings, SmallSystem(library()), tmp_path, "part", limit=5)
    comparison = compare(part, good)
    assert comparison.common == 5
    assert len(comparison.only_second) == 10
    text = (good.path / "cases.jsonl").read_text("utf-8")
    (good.path / "cases.jsonl").write_text(text.replace("When was the harbor", "Who saw the harbor"), "utf-8")
    assert compare(part, good).reworded == ("words/harbor",)


def test_runs_of_other_suites_can_not_be_compared(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    other = tmp_path / "other"
    path = tmp_path / "x.jsonl"
    path.write_text('{"id": "a", "question": "When was the harbor opened?"}', "utf-8")
    run_command(settings, [path], build=lambda _: nullcontext(SmallSystem(library())), out=other)
    with pytest.raises(RequestError, match="have no case in common"):
        compare(good, RunFolder.open(other))
    with pytest.raises(RequestError, match="There is no metric `hits`"):
        compare(good, good, ["hits"])


def test_the_command_tells_and_exits_by_the_gates(settings: Settings, tmp_path: Path, good: RunFolder) -> None:
    bad = ran(settings, SmallSystem(library(BrokenRetriever)), tmp_path, "bad")
    page, markdown = tmp_path / "c.html", tmp_path / "c.md"
    arguments = ["compare", str(good.path), str(bad.path), "--html", str(page), "--markdown", str(markdown)]
    result = CliRunner().invoke(evaluate, arguments, obj=settings, standalone_mode=False)
    assert result.return_value == 1
    assert "SIGNIFICANTLY WORSE  pass_rate" in result.stdout
    assert "now FAILS   words/" in result.stdout
    assert max(cell_len(line) for line in result.stdout.splitlines()) <= 100
    assert "<svg" in page.read_text("utf-8")
    assert "significantly worse" in page.read_text("utf-8")
    assert "❌ `pass_rate`: worse" in markdown.read_text("utf-8")
    same = CliRunner().invoke(
        evaluate, ["compare", str(good.path), str(good.path), "--json"], obj=settings, standalone_mode=False
    )
    assert same.return_value == 0
    assert Comparison.model_validate_json(same.stdout).common == 15
