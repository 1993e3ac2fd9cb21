from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import pytrec_eval
from click.testing import CliRunner
from rich.cells import cell_len

from assistant.types import AskOptions, Event, Message
from evals.ask import PATIENCE
from evals.cli import evaluate
from evals.run_command import run_command
from evals.run_store import RunFolder
from evals.score import Report, score
from evals.session import runs_folder
from evals.systems.registry import Build
from store.errors import AttestError, NotFoundError, RequestError, SuiteError
from store.settings import Settings
from tests.evals.small_system import (
    BrokenRetriever,
    Crashing,
    Fabricator,
    OutOfReach,
    SmallLibrary,
    SmallSystem,
    WrongLanguage,
    document,
    small_library,
)

SUITE = Path(__file__).parent / "small_suite.yaml"
Run = Callable[..., int]


def builder(system: SmallSystem) -> Build:
    return lambda settings: nullcontext(system)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def run(settings: Settings, tmp_path: Path) -> Run:
    """The command on the small system, or on another one."""

    def run(*suites: Path, system: SmallSystem | None = None, **options: Any) -> int:
        made = system or SmallSystem(small_library())
        return run_command(settings, suites or [SUITE], cache=tmp_path / "cache", build=builder(made), **options)

    return run


GATES = ("pass_rate=0.99", "hit@1=0.9", "fabricated_quotes=0", "language_match=1", "latency_p95[language:th]=60000")


def test_a_healthy_system_meets_its_thresholds(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(thresholds=GATES) == 0
    shown = capsys.readouterr().out
    assert "met      hit@1 must be at least 0.9 and is 1" in shown
    assert "met      fabricated_quotes must be at most 0 and is 0" in shown


@pytest.mark.parametrize(
    ("system", "threshold", "sentence"),
    [
        (SmallSystem(small_library(BrokenRetriever)), "hit@1=0.9", "hit@1 must be at least 0.9 and is"),
        (Fabricator(small_library()), "fabricated_quotes=0", "fabricated_quotes must be at most 0 and is"),
        (WrongLanguage(small_library()), "language_match=1", "language_match must be at least 1 and is"),
        (Crashing(small_library()), "error_rate[language:xx]=0", "but no case measured it"),
    ],
    ids=["a broken retriever", "a fabricated quote", "a wrong language", "nothing measured"],
)
def test_a_broken_system_fails_the_run(
    run: Run, capsys: pytest.CaptureFixture[str], system: SmallSystem, threshold: str, sentence: str
) -> None:
    assert run(system=system, thresholds=[threshold]) == 1
    assert sentence in capsys.readouterr().out
    if "xx" not in threshold:
        capsys.readouterr()
        assert run(system=system, thresholds=["pass_rate=0.99"]) == 1


def test_a_run_of_errors_is_no_success_unless_they_are_allowed(run: Run, tmp_path: Path) -> None:
    suite = tmp_path / "suite.jsonl"
    suite.write_text('{"id": "a", "question": "crash"}\n{"id": "b", "question": "Where did the forum open?"}', "utf-8")
    assert run(suite, system=Crashing(small_library())) == 1
    assert run(suite, system=Crashing(small_library()), thresholds=["error_rate=0.5"]) == 0


def test_a_suite_may_bring_its_own_thresholds(run: Run, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.read_text("utf-8") + "thresholds: {pass_rate: 0.99, 'hit@1[language:th]': 1}\n", "utf-8")
    assert run(suite) == 0
    assert run(suite, system=Fabricator(small_library())) == 1
    assert run(suite, system=Fabricator(small_library()), limit=2) == 0


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"filters": ["tag=nothing"]}, "None of the 7 cases matches tag=nothing"),
        ({"filters": ["colour=red"]}, "`colour=red` is no filter: write suite=..., language=..."),
        ({"thresholds": ["pass_rat=1"]}, "There is no metric `pass_rat`; did you mean `pass_rate`?"),
        ({"thresholds": ["pass_rate"]}, "`pass_rate` is no threshold: write METRIC=VALUE"),
        ({"thresholds": ["pass_rate=high"]}, "`pass_rate=high` is no threshold"),
        ({"thresholds": ["pass_rate=nan"]}, "is no threshold"),
        ({"resume": "yesterday"}, "--resume goes on with a run as it was begun"),
    ],
)
def test_a_wrong_request_is_refused_before_anything_is_asked(run: Run, options: dict[str, Any], expected: str) -> None:
    system = SmallSystem(small_library())
    with pytest.raises(AttestError) as error:
        run(system=system, **options)
    assert expected in str(error.value)
    assert error.value.exit_code == 2
    assert system.asked == []


def test_a_document_that_is_not_there_is_a_mistake_of_the_suite(run: Run, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text("suite: x\ncases:\n  - {id: a, question: q, documents: nowhere.txt}\n", "utf-8")
    with pytest.raises(SuiteError, match=r"suite\.yaml, line 3: case `a` names `nowhere\.txt`, which the library"):
        run(suite, out=tmp_path / "run")
    assert not (tmp_path / "run").exists(), "a mistake leaves no run behind"
    with pytest.raises(SuiteError, match="it is empty: `attest ingest` adds documents"):
        run(suite, system=SmallSystem(SmallLibrary([])))


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (["tag=place"], ["en-opening", "th-meeting", "vi-session"]),
        (["language=th", "language=vi"], ["th-meeting", "vi-session", "th-none"]),
        (["language=th", "tag=place"], ["th-meeting"]),
        (["id=en-*"], ["en-opening", "en-vote", "en-none"]),
        (["small/talk"], ["talk"]),
    ],
)
def test_filters_choose_cases(run: Run, settings: Settings, filters: list[str], expected: list[str]) -> None:
    run(filters=filters, out=settings.home / "run")
    assert [case.id for case in RunFolder.open(settings.home / "run").cases()] == expected


def test_a_system_out_of_reach_says_how_to_go_on(
    run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    system = OutOfReach(small_library())
    with pytest.raises(AttestError) as error:
        run(system=system, out=settings.home / "run")
    assert error.value.exit_code == 3
    assert len(RunFolder.open(settings.home / "run").results()) == PATIENCE
    assert f"0 of 7 are saved. Go on with:  attest eval run --resume {settings.home / 'run'}" in capsys.readouterr().err
    system.back.set()
    assert (
        run_command(settings, resume=str(settings.home / "run"), build=builder(system), thresholds=["pass_rate=1"]) == 0
    )


def test_two_cases_out_of_reach_are_no_successful_run(run: Run) -> None:
    with pytest.raises(AttestError, match="could not be reached for any") as error:
        run(system=OutOfReach(small_library()), limit=2)
    assert error.value.exit_code == 3


class Stopped(SmallSystem):
    """Ctrl-C arrives in the fourth question, once."""

    stopped = False

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        yield from super().ask(question, history, options)
        if len(self.asked) == 4 and not self.stopped:
            import os
            import signal

            self.stopped = True
            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_and_says_how_to_go_on(run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    system = Stopped(small_library())
    assert run(system=system, out=settings.home / "run") == 130
    assert "of 7 are saved. Go on with:  attest eval run --resume" in capsys.readouterr().err
    asked = len(system.asked)
    assert run_command(settings, resume=str(settings.home / "run"), build=builder(system)) == 0
    assert len(system.asked) - asked <= 8 - 4
    assert "7 of 7 cases asked, 7 of 7 passed" in capsys.readouterr().out


def test_a_changed_suite_setting_or_library_can_not_be_resumed(run: Run, settings: Settings, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    suite.write_text(SUITE.read_text("utf-8"), "utf-8")
    folder = settings.home / "run"
    run(suite, out=folder)
    results = (folder / "results.jsonl").read_bytes().splitlines(keepends=True)
    (folder / "results.jsonl").write_bytes(b"".join(results[:2]))
    changed = small_library()
    extra, text = document("new.txt", "Something new.")
    changed.texts[extra.id], changed.known[extra.id] = text, extra
    with pytest.raises(RequestError, match="The library of small has changed since this run began"):
        run_command(settings, resume=str(folder), build=builder(SmallSystem(changed)))
    other = settings.model_copy(update={"max_quotes": 2})
    with pytest.raises(RequestError, match="begun with max_quotes 5, and now it is 2"):
        run_command(other, resume=str(folder), build=builder(SmallSystem(small_library())))
    suite.write_text(suite.read_text("utf-8") + "# edited\n", "utf-8")
    with pytest.raises(RequestError, match="has changed since this run began"):
        run_command(settings, resume=str(folder), build=builder(SmallSystem(small_library())))


def test_runs_are_found_by_name_and_the_latest(run: Run, settings: Settings) -> None:
    run()
    run(limit=1)
    names = sorted(path.name for path in runs_folder(settings).iterdir())
    assert len(names) == 2
    runner = CliRunner()
    for named in (names[1], "latest", str(runs_folder(settings) / names[1])):
        result = runner.invoke(evaluate, ["score", named, "--json"], obj=settings)
        assert json.loads(result.stdout)["planned"] == 1
    missing = runner.invoke(evaluate, ["score", "nothing"], obj=settings)
    assert isinstance(missing.exception, NotFoundError)


def test_a_saved_run_is_scored_again_by_changed_expectations(run: Run, settings: Settings, tmp_path: Path) -> None:
    system = SmallSystem(small_library())
    folder = settings.home / "run"
    run(system=system, out=folder)
    asked = len(system.asked)
    stricter = tmp_path / "stricter.yaml"
    stricter.write_text(
        SUITE.read_text("utf-8").replace("answer_contains: Beijing", "answer_contains: Shanghai"), "utf-8"
    )
    result = CliRunner().invoke(
        evaluate, ["score", str(folder), str(stricter), "--json", "--html", str(tmp_path / "r.html")], obj=settings
    )
    failed = [case["id"] for case in json.loads(result.stdout)["cases"] if case["passed"] is False]
    assert failed == ["en-opening", "talk"]
    assert len(system.asked) == asked
    assert "Shanghai" in (tmp_path / "r.html").read_text("utf-8")
    other = tmp_path / "other.yaml"
    other.write_text(SUITE.read_text("utf-8").replace("How many members", "How many people"), "utf-8")
    result = CliRunner().invoke(evaluate, ["score", str(folder), str(other)], obj=settings)
    assert isinstance(result.exception, RequestError)
    assert "case `en-vote` asks something else now" in str(result.exception)


def test_the_json_is_the_whole_report(run: Run, settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    run(as_json=True, out=settings.home / "run", thresholds=GATES)
    report = Report.model_validate_json(capsys.readouterr().out)
    assert report == score(RunFolder.open(settings.home / "run"))
    facts = report.run.suites[0].library
    assert facts["documents"] == 5
    assert facts["fingerprint"]
    assert facts["normalization"]
    assert facts["prompts"]
    assert report.run.environment["python"]
    assert "newmm" in report.segmenter


def test_the_terminal_table_fits_a_hundred_columns(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(system=Fabricator(small_library()), thresholds=GATES)
    out = capsys.readouterr().out
    assert max(cell_len(line) for line in out.splitlines()) <= 100
    for expected in ("pass_rate", "0.286", "language:th", "Failed (5)", "NOT MET", "การประชุม"):
        assert expected in out


def test_failures_are_told_as_they_come(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    run(system=Crashing(small_library()))
    assert capsys.readouterr().err == ""
    run(system=Fabricator(small_library()))
    assert "failed small/talk (turn 1): 2 quotes are not verbatim" in capsys.readouterr().err


def test_junit_shows_each_case_and_threshold(run: Run, tmp_path: Path) -> None:
    cases = [
        {"id": "good", "question": "Where did the forum open in June?", "expect": {"answerable": True}},
        {"id": 'bad <&> "', "question": "Where did the forum open in June?", "expect": {"answer_contains": '"<&>\a'}},
        {"id": "crashed", "question": "crash"},
        {"id": "silent", "question": "Where did the forum open in June?"},
    ]
    suite = tmp_path / "suite.jsonl"
    suite.write_text("\n".join(json.dumps(case) for case in cases), "utf-8")
    run(suite, system=Crashing(small_library()), junit=tmp_path / "j.xml", thresholds=["pass_rate=0.9"])
    root = ET.parse(tmp_path / "j.xml").getroot()  # noqa: S314 - our own file
    assert {name: root.get(name) for name in ("tests", "failures", "errors", "skipped")} == {
        "tests": "6", "failures": "3", "errors": "1", "skipped": "1",
    }  # fmt: skip
    tests = {test.get("name"): test for test in root.iter("testcase")}
    failure = tests['bad <&> "'].find("failure")
    assert failure is not None
    assert "The answer does not contain" in (failure.get("message") or "")
    assert tests["crashed"].find("error") is not None
    assert tests["pass_rate"].find("failure") is not None
    assert list(tests["good"]) == []


def test_the_page_needs_nothing_and_runs_nothing(run: Run, tmp_path: Path) -> None:
    suite = tmp_path / "suite.yaml"
    hostile = "<script>alert(1)</script><img src=https://example.org/x onerror=alert(2)>"
    suite.write_text(
        f"suite: x\ncases:\n  - id: a\n    question: '{hostile} Where did the forum open in June 2023?'\n"
        "    tags: ['<b>']\n    expect: {answer_contains: '<i>no</i>'}\n",
        "utf-8",
    )
    run(suite, SUITE, html=tmp_path / "r.html", thresholds=["pass_rate=0.9"])
    page = (tmp_path / "r.html").read_text("utf-8")
    lowered = page.lower()
    assert "<script" not in lowered
    assert "<img" not in lowered
    assert " onerror=" not in lowered.replace("&gt;", "").split("<body>")[0]
    assert "&lt;script&gt;alert(1)" in page
    assert 'src="' not in page
    assert "href=" not in page
    assert "default-src 'none'" in page
    assert page.count("<svg") >= 4
    assert "<mark>The forum opened in Beijing on 14 June 2023.</mark>" in page
    assert "not met" in page
    assert '<blockquote class="verbatim"' in page


def test_markdown_goes_to_the_summary_of_a_ci_job(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    (tmp_path / "summary.md").write_text("before\n", "utf-8")
    run(system=Fabricator(small_library()), thresholds=["pass_rate=0.9"], markdown=tmp_path / "r.md")
    summary = (tmp_path / "summary.md").read_text("utf-8")
    assert summary == "before\n" + (tmp_path / "r.md").read_text("utf-8")
    assert "- ❌ pass\\_rate must be at least 0.9" in summary
    assert "| `hit@1` | 1.000 |" in summary
    assert "5 failed" in summary


def test_other_tools_compute_the_same_from_the_trec_files(run: Run, settings: Settings, tmp_path: Path) -> None:
    run(system=SmallSystem(small_library(BrokenRetriever)), trec=tmp_path / "trec", out=settings.home / "run")
    with (tmp_path / "trec/qrels.trec").open() as qrels, (tmp_path / "trec/run.trec").open() as ranking:
        evaluator = pytrec_eval.RelevanceEvaluator(pytrec_eval.parse_qrel(qrels), {"recip_rank", "map", "ndcg_cut_10"})
        per_query = evaluator.evaluate(pytrec_eval.parse_run(ranking))
    ours = score(RunFolder.open(settings.home / "run")).overall.metrics
    assert len(per_query) == ours["mrr"].count == 6
    for name, theirs in (("mrr", "recip_rank"), ("map", "map"), ("ndcg@10", "ndcg_cut_10")):
        mean = sum(values[theirs] for values in per_query.values()) / len(per_query)
        assert ours[name].value == pytest.approx(mean), name


def test_a_report_that_can_not_be_written_is_said_plainly(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", "utf-8")
    with pytest.raises(RequestError, match="can't be written"):
        run(html=tmp_path / "file" / "r.html", limit=1)


def test_the_schema_is_printed() -> None:
    result = CliRunner().invoke(evaluate, ["schema"])
    assert json.loads(result.stdout)["$id"] == "attest.suite/1"
