"""The evaluation works on the real assistant: a real library, the real embedding model, nothing replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from assistant.answer.pipeline import Assistant
from assistant.types import AskOptions, Event, Finished, Message
from evals.formats.load import SHIPPED, shipped
from evals.libraries import COMPLETE, remove_disused
from evals.run_command import run_command
from evals.run_store import RunFolder
from evals.score import Report, score
from evals.systems.registry import Build, build_attest
from store.library import Library
from store.settings import Settings
from store.types import Filter, SearchResult

ENGLISH = "The lighthouse of Harbor Point was finished in 1871. It stands forty meters tall and was built of granite."
THAI = "\ufeffสะพานแม่น้ำเหนือเปิดใช้ในปี ๒๔๗๕  มีความยาวสองร้อยเมตร และสร้างด้วยเหล็กทั้งหมด"
QUESTIONS = {
    ENGLISH: [("When was the lighthouse finished?", "1871"), ("What was the lighthouse built of?", "granite")],
    THAI: [("สะพานแม่น้ำเหนือเปิดใช้ในปีใด", "๒๔๗๕"), ("สะพานแม่น้ำเหนือยาวเท่าไร", "สองร้อยเมตร")],
}


@pytest.fixture(scope="module")
def squad(tmp_path_factory: pytest.TempPathFactory) -> Path:
    paragraphs = [
        {
            "context": context,
            "qas": [
                {"id": question, "question": question, "answers": [{"text": gold, "answer_start": context.index(gold)}]}
                for question, gold in asked
            ],
        }
        for context, asked in QUESTIONS.items()
    ]
    path = tmp_path_factory.mktemp("squad") / "two.json"
    path.write_text(json.dumps({"data": [{"title": "Two_places", "paragraphs": paragraphs}]}), "utf-8")
    return path


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Libraries that suites bring are built once for all these tests."""
    return tmp_path_factory.mktemp("cache")


def test_a_squad_file_is_ingested_asked_and_scored(
    squad: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path / "home")
    out = tmp_path / "run"
    thresholds = ["gold_quoted=1", "span_recall=1", "hit@1=1", "verbatim_rate=1", "language_match=1"]
    assert run_command(settings, [squad], cache=cache, out=out, thresholds=thresholds) == 0, capsys.readouterr().out
    library = RunFolder.open(out).info().suites[0].library
    assert library["documents"] == 2
    assert library["embedding_model"]
    assert library["embedding_fingerprint"]
    (home,) = [path for path in cache.iterdir() if path.is_dir()]
    built = (home / COMPLETE).stat().st_mtime_ns
    assert run_command(settings, [squad], cache=cache, out=tmp_path / "again", jobs=2) == 0
    assert [path for path in cache.iterdir() if path.is_dir()] == [home], "the library is built once"
    assert (home / COMPLETE).stat().st_mtime_ns > built
    again = RunFolder.open(tmp_path / "again").info().suites[0].library
    assert again["fingerprint"] == library["fingerprint"]
    assert not settings.home.exists(), "the user's own library was not touched"


def test_attest_and_a_stock_llamaindex_stand_side_by_side(
    squad: Path, cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings(home=tmp_path / "home")
    systems = ("attest", "llamaindex")
    run_command(settings, [squad], systems=systems, cache=cache, out=tmp_path / "runs", as_json=True)
    table = json.loads(capsys.readouterr().out)
    rows = {row["metric"]: row["values"] for row in table["rows"]}
    assert [column["system"] for column in table["systems"]] == list(systems)
    assert all(value is not None and value["value"] > 0 for value in rows["gold_contained"])
    assert all(value["value"] == 1 for value in rows["citation_recall"]), "both cite the paragraph that answers"
    assert rows["verbatim_rate"][0]["value"] == 1
    assert rows["verbatim_rate"][1] is None


def test_a_beir_folder_is_ingested_asked_and_scored(
    cache: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "places"
    (folder / "qrels").mkdir(parents=True)
    corpus = [{"_id": "1", "title": "Lighthouse", "text": ENGLISH}, {"_id": "a/1", "title": "", "text": THAI}]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), "utf-8")
    queries = [
        {"_id": "q1", "text": "หอประภาคารสร้างเสร็จเมื่อใด"},
        {"_id": "q2", "text": "How long is the northern bridge?"},
    ]
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, queries)), "utf-8")
    (folder / "qrels/test.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\t1\t2\nq1\ta/1\t0\nq2\ta/1\t1\nq2\tgone\t1\n", "utf-8"
    )
    settings = Settings(home=tmp_path / "home")
    run_command(settings, [folder], cache=cache, out=tmp_path / "run", trec=tmp_path / "trec")
    report = score(RunFolder.open(tmp_path / "run"))
    assert report.overall.metrics["recall@100"].value == 0.75, "a document that the corpus lacks is never found"
    assert "relevant documents that the corpus lacks: 1 (gone). They count as never found." in capsys.readouterr().err
    assert {found.name for found in report.slices_of("pair")} == {"pair:th->en", "pair:en->th"}
    qrels = [tuple(line.split()) for line in (tmp_path / "trec/qrels.trec").read_text("utf-8").splitlines()]
    assert qrels == [("q1", "0", "1", "2"), ("q1", "0", "a/1", "0"), ("q2", "0", "a/1", "1"), ("q2", "0", "gone", "1")]
    ranked = [line.split()[:4] for line in (tmp_path / "trec/run.trec").read_text("utf-8").splitlines()]
    assert ["q1", "Q0", "1", "1"] in ranked
    assert {document for _, _, document, _ in ranked} == {"1", "a/1"}


def test_libraries_out_of_use_are_removed(tmp_path: Path) -> None:
    import os
    import time

    for number in range(10):
        home = tmp_path / f"library-{number}"
        home.mkdir()
        (home / COMPLETE).touch()
        age = 86_400 * (20 if number == 0 else 0) + number * 60
        os.utime(home / COMPLETE, (time.time() - age, time.time() - age))
    removed = {path.name for path in remove_disused(tmp_path)}
    assert removed == {"library-0", "library-9"}
    assert len(list(tmp_path.iterdir())) == 8
    assert remove_disused(tmp_path / "nowhere") == ()


class LostLibrary:
    """A library whose search has gone astray: it always looks for something else."""

    def __init__(self, library: Library) -> None:
        self._library = library

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def search(self, query: str, k: int = 10, where: Filter | None = None) -> SearchResult:
        return self._library.search("weather in the mountains of Lapland", k, where)


class Lost(Assistant):
    """Searches astray."""

    def __init__(self, library: Library) -> None:
        super().__init__(LostLibrary(library))  # type: ignore[arg-type]


class Forger(Assistant):
    """Puts a word into the mouth of every source, and claims that it was there."""

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        for event in super().ask(question, history, options or AskOptions()):
            if isinstance(event, Finished):
                forged = tuple(
                    one.model_copy(update={"quote": f"{one.quote} allegedly"}) for one in event.answer.evidence
                )
                event = Finished(event.answer.model_copy(update={"evidence": forged}))  # noqa: PLW2901
            yield event


class Stubborn(Assistant):
    """Speaks English to everyone, and claims otherwise."""

    def ask(self, question: str, history: Sequence[Message] = (), options: AskOptions | None = None) -> Iterator[Event]:
        language = next(event for event in super().ask(question, history) if hasattr(event, "language")).language
        for event in super().ask(question, history, AskOptions(answer_language="en")):
            if isinstance(event, Finished):
                event = Finished(event.answer.model_copy(update={"language": language}))  # noqa: PLW2901
            yield event


def broken(kind: type[Assistant]) -> Build:
    return lambda settings: kind(Library.open(settings, read_only=True))


def ran(suites: Sequence[Path], cache: Path, folder: Path, build: Build = build_attest) -> tuple[int, Report]:
    """What `attest eval run SUITES` ends with; the suites bring their thresholds."""
    code = run_command(Settings(home=folder / "home"), suites, cache=cache, out=folder / "run", build=build)
    return code, score(RunFolder.open(folder / "run"))


FAULTS: tuple[tuple[type[Assistant], set[str]], ...] = (
    (Lost, {"pass_rate", "hit@5"}),
    (Forger, {"pass_rate", "fabricated_quotes", "verbatim_rate"}),
    (Stubborn, {"pass_rate", "language_match"}),
)


def third_of_conversations(folder: Path) -> Path:
    """A suite of every third conversation of those that ship, held to the same thresholds."""
    path = SHIPPED / "conversations.yaml"
    suite = yaml.safe_load(path.read_text("utf-8"))
    assert len(suite["cases"]) >= 60
    third = folder / path.name
    third.write_text(yaml.safe_dump(suite | {"cases": suite["cases"][::3]}, allow_unicode=True), "utf-8")
    return third


def check_thresholds(code: int, report: Report) -> None:
    assert [gate.sentence for gate in report.gates if not gate.met] == []
    assert code == 0
    gated = {(gate.metric, gate.slice) for gate in report.gates}
    for suite in shipped():
        for metric in ("pass_rate", "verbatim_rate", "fabricated_quotes", "language_match"):
            assert (metric, f"suite:{suite.name}") in gated


def test_the_shipped_suites_meet_their_thresholds_with_a_third_of_the_conversations(
    cache: Path, tmp_path: Path
) -> None:
    others = [path for path in sorted(SHIPPED.glob("*.yaml")) if path.stem != "conversations"]
    check_thresholds(*ran([*others, third_of_conversations(tmp_path)], cache, tmp_path))


@pytest.mark.hard
def test_the_shipped_suites_meet_their_thresholds_in_whole(cache: Path, tmp_path: Path) -> None:
    check_thresholds(*ran((), cache, tmp_path))


@pytest.mark.parametrize(("fault", "unmet"), FAULTS)
def test_a_fault_makes_a_shipped_suite_fail(
    fault: type[Assistant], unmet: set[str], cache: Path, tmp_path: Path
) -> None:
    code, report = ran([SHIPPED / "contested.yaml"], cache, tmp_path, broken(fault))
    assert code == 1
    assert unmet <= {gate.metric for gate in report.gates if not gate.met}


@pytest.mark.hard
@pytest.mark.parametrize(("fault", "unmet"), FAULTS)
def test_a_fault_fails_every_shipped_suite_that_can_see_it(
    fault: type[Assistant], unmet: set[str], cache: Path, tmp_path: Path
) -> None:
    code, report = ran((), cache, tmp_path, broken(fault))
    assert code == 1
    seen = {suite.name for suite in shipped()} - ({"adversarial", "unanswerable"} if fault is Lost else set())
    failed = {gate.slice.removeprefix("suite:") for gate in report.gates if gate.metric in unmet and not gate.met}
    assert seen <= failed
