from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from assistant.types import AskOptions, Event, Message
from evals.ask import PATIENCE, RunConfig, open_tasks, run_cases
from evals.formats import load
from evals.gold_lookup import look_up
from evals.run_store import RESULTS, RunFolder, RunInfo, RunOptions, SuiteInfo
from evals.score import Report, score
from evals.systems.base import UnreachableError
from evals.types import Case
from store.errors import NotFoundError, RequestError, SuiteError
from tests.evals.small_system import Crashing, OutOfReach, SmallLibrary, SmallSystem, document, small_library

SUITE = Path(__file__).parent / "small_suite.yaml"


def new_folder(path: Path, cases: Sequence[Case], **options: object) -> RunFolder:
    suite = SuiteInfo(name="small", path=str(SUITE), sha256="-", kind="attest", retrieval_depth=20)
    info = RunInfo(
        name="r", started="2024-06-07T08:15:30Z", suites=(suite,), options=RunOptions.model_validate(options)
    )
    return RunFolder.create(path, info, cases)


def run(system: SmallSystem, folder: RunFolder, cases: Sequence[Case], *, repeat: int = 1, jobs: int = 1) -> Report:
    config = RunConfig(found=look_up(system.library, cases).found)
    run_cases(system, open_tasks(cases, repeat, folder.results()), folder, config, jobs=jobs)
    return score(folder)


@pytest.fixture
def cases() -> tuple[Case, ...]:
    return load(SUITE).cases


def test_a_run_is_saved_scored_and_can_be_scored_again(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    folder = new_folder(tmp_path / "run", cases)
    report = run(SmallSystem(small_library()), folder, cases)
    assert [(case.id, case.failures) for case in report.cases if not case.passed] == []
    assert report.asked == report.planned == 7
    overall = report.overall.metrics
    assert overall["pass_rate"].value == 1
    assert overall["pass_rate"].count == 7
    assert overall["pass_rate"].low == pytest.approx(0.646, abs=0.001)
    assert overall["hit@1"].value == 1
    assert overall["verbatim_rate"].value == 1
    assert overall["fabricated_quotes"].value == 0
    assert overall["abstention_recall"].value == overall["coverage"].value == overall["auroc"].value == 1
    assert overall["language_match"].count == 8
    assert overall["citation_recall"].value == 1
    again = score(RunFolder.open(tmp_path / "run"))
    assert again == report
    assert Report.model_validate_json((tmp_path / "run/report.json").read_text("utf-8")) == report


def test_slices_tell_languages_pairs_tags_and_suites_apart(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    report = run(SmallSystem(small_library()), new_folder(tmp_path / "run", cases), cases)
    assert [found.name for found in report.slices] == [
        "all", "suite:small", "language:en", "language:th", "language:vi",
        "pair:en->en", "pair:th->th", "pair:vi->vi", "direction:same-language", "tag:place",
    ]  # fmt: skip
    by_name = {found.name: found for found in report.slices}
    assert (by_name["language:en"].cases, by_name["language:en"].turns) == (4, 5)
    assert by_name["tag:place"].cases == 3


def test_a_case_that_crashes_is_a_verdict_and_the_run_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "suite.yaml"
    path.write_text(
        "suite: small\ncases:\n"
        "  - {id: a, question: 'crash, please', answers: [x], expect: {answerable: true, language: en}}\n"
        "  - {id: b, question: 'Where did the forum open?', expect: {answerable: true}}\n"
        "  - id: c\n    turns:\n"
        "      - {question: crash}\n"
        "      - {question: 'Where did the forum open?', expect: {answerable: true}}\n",
        "utf-8",
    )
    cases = load(path).cases
    report = run(Crashing(small_library()), new_folder(tmp_path / "run", cases), cases)
    first, second, third = report.cases
    assert first.passed is False
    assert first.error == "ZeroDivisionError: division by zero"
    assert [failed.expectation for failed in first.failures] == ["answerable", "language"]
    failure = RunFolder.open(tmp_path / "run").results()[0].turns[0].failure
    assert failure is not None
    assert "small_system.py" in failure.trace
    assert second.passed is True
    assert [failed.turn for failed in third.failures] == [0, 1]
    assert report.overall.metrics["error_rate"].value == pytest.approx(3 / 4)
    assert report.overall.metrics["gold_contained"].value == 0
    assert "language_match" not in report.overall.metrics


def test_a_conversation_hears_its_own_earlier_answers(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    system = SmallSystem(small_library())
    talk = [case for case in cases if case.id == "talk"]
    run(system, new_folder(tmp_path / "run", talk), talk)
    assert system.asked == [
        ("Where did the forum open?", 0),
        ("And three hundred guests came from how many countries?", 2),
    ]


def test_a_metric_that_nothing_speaks_on_has_no_value(tmp_path: Path) -> None:
    path = tmp_path / "suite.jsonl"
    path.write_text('{"id": "a", "question": "Where did the forum open?"}', "utf-8")
    cases = load(path).cases
    report = run(SmallSystem(small_library()), new_folder(tmp_path / "run", cases), cases)
    assert {"pass_rate", "em", "hit@1", "auroc", "language_match"}.isdisjoint(report.overall.metrics)
    assert report.cases[0].passed is None


@pytest.mark.parametrize("jobs", [1, 4])
def test_every_case_is_asked_as_often_as_said_and_counts_once(
    tmp_path: Path, cases: tuple[Case, ...], jobs: int
) -> None:
    system = SmallSystem(small_library())
    report = run(system, new_folder(tmp_path / "run", cases, repeat=3), cases, repeat=3, jobs=jobs)
    assert report.asked == report.planned == 21
    assert len(system.asked) == 24
    assert report.overall.metrics["pass_rate"].count == 7
    assert report.unstable == ()


class Wavering(SmallSystem):
    """Sure of itself at every other question only."""

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        self.sure = 0.3 if len(self.asked) % 2 else 9.0
        yield from super().ask(question, history, options)


def test_answers_that_change_from_time_to_time_are_named(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    opening = cases[:1]
    report = run(Wavering(small_library()), new_folder(tmp_path / "run", opening, repeat=4), opening, repeat=4)
    assert report.unstable == ("small/en-opening",)
    assert report.overall.metrics["pass_rate"].value == 0.5
    assert report.overall.metrics["pass_rate"].count == 1


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    whole = run(SmallSystem(small_library()), new_folder(tmp_path / "whole", cases), cases)
    folder = new_folder(tmp_path / "run", cases)
    run(SmallSystem(small_library()), folder, cases)
    results = (tmp_path / "run" / RESULTS).read_bytes()
    lines = results.splitlines(keepends=True)
    (tmp_path / "run" / RESULTS).write_bytes(b"".join(lines[:3]) + lines[3][: len(lines[3]) // 2])
    assert len(folder.results()) == 3
    again = RunFolder.open(tmp_path / "run")
    again.mend()
    system = SmallSystem(small_library())
    report = run(system, again, again.cases())
    assert [question for question, _ in system.asked] == [turn.question for case in cases[3:] for turn in case.turns]
    assert report.asked == 7
    assert report.overall.metrics["pass_rate"] == whole.overall.metrics["pass_rate"]


def test_a_damaged_line_in_the_middle_is_named(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    folder = new_folder(tmp_path / "run", cases)
    run(SmallSystem(small_library()), folder, cases)
    lines = (tmp_path / "run" / RESULTS).read_text("utf-8").splitlines(keepends=True)
    (tmp_path / "run" / RESULTS).write_text("".join([lines[0], "{broken\n", *lines[2:]]), "utf-8")
    with pytest.raises(RequestError, match=r"results\.jsonl, line 2 is damaged"):
        folder.results()


@pytest.mark.parametrize("content", ['{"id": "cut in the mi', '{"neither": "case"}\n', None])
def test_a_run_whose_cases_are_lost_says_so(tmp_path: Path, cases: tuple[Case, ...], content: str | None) -> None:
    folder = new_folder(tmp_path / "run", cases)
    run(SmallSystem(small_library()), folder, cases)
    (folder.path / "cases.jsonl").unlink()
    if content is not None:
        (folder.path / "cases.jsonl").write_text(content)
    with pytest.raises(RequestError, match=r"cases\.jsonl(, line 1)? is (damaged|gone): run the suite again"):
        score(folder)


class Interrupted(SmallSystem):
    """The user presses Ctrl-C while the third question is under way."""

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        yield from super().ask(question, history, options)
        if len(self.asked) == 3 and threading.current_thread() is not threading.main_thread():
            import os
            import signal

            os.kill(os.getpid(), signal.SIGINT)


def test_ctrl_c_saves_what_is_done_and_what_is_under_way(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    folder = new_folder(tmp_path / "run", cases)
    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(small_library()), folder, cases)
    saved = [result.case_id for result in folder.results()]
    assert saved[:3] == ["en-opening", "en-vote", "th-meeting"]
    assert len(saved) < 7
    report = run(SmallSystem(small_library()), folder, cases)
    assert report.asked == 7


def test_a_system_out_of_reach_stops_the_run_and_is_asked_again_on_resume(
    tmp_path: Path, cases: tuple[Case, ...]
) -> None:
    folder = new_folder(tmp_path / "run", cases)
    system = OutOfReach(small_library())
    with pytest.raises(UnreachableError, match="refused the connection; start the server") as error:
        run(system, folder, cases)
    assert error.value.exit_code == 3
    assert len(folder.results()) == PATIENCE
    system.back.set()
    report = run(system, folder, cases)
    assert report.asked == 7
    assert report.overall.metrics["error_rate"].value == 0
    assert report.overall.metrics["pass_rate"].value == 1


def test_two_runs_can_not_share_a_folder(tmp_path: Path, cases: tuple[Case, ...]) -> None:
    new_folder(tmp_path / "run", cases)
    with pytest.raises(RequestError, match="holds a run already"):
        new_folder(tmp_path / "run", cases)
    with pytest.raises(NotFoundError, match="There is no run at"):
        RunFolder.open(tmp_path / "nowhere")


def test_documents_are_known_by_id_title_or_the_end_of_their_path() -> None:
    library = small_library()
    held = next(iter(library.known.values()))
    for name in (held.id, "opening.en", "opening.en.txt", "forum/opening.en.txt", "OPENING.EN.TXT", held.uri):
        case = Case.model_validate(
            {"suite": "s", "id": "a", "turns": [{"question": "q", "documents": [{"name": name}]}]}
        )
        (gold,) = look_up(library, [case]).found[name]
        assert gold.document_id == held.id, name
        assert gold.language == "en"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (
            "opning.en.txt",
            "case `a` names `opning.en.txt`, which the library doesn't have; did you mean `opening.en.txt`?",
        ),
        (".txt", "which the library doesn't have"),
        ("same.txt", "means 2 documents"),
    ],
)
def test_a_document_that_the_library_does_not_have_is_named_before_anything_is_asked(name: str, expected: str) -> None:
    papers = [document("a/same.txt", "One."), document("b/same.txt", "Two."), document("opening.en.txt", "Three.")]
    turn = {"question": "q", "documents": [{"name": name}]}
    case = Case.model_validate({"suite": "s", "id": "a", "turns": [turn], "path": "x.yaml", "line": 3})
    with pytest.raises(SuiteError) as error:
        look_up(SmallLibrary(papers), [case])
    assert expected in str(error.value)
    assert str(error.value).startswith("x.yaml, line 3: ")


def test_the_fingerprint_tells_libraries_apart() -> None:
    one, other = look_up(small_library(), []), look_up(SmallLibrary([document("a", "b")]), [])
    assert one == look_up(small_library(), [])
    assert one.fingerprint != other.fingerprint
    assert (one.documents, one.languages) == (5, {"en": 3, "th": 1, "vi": 1})
