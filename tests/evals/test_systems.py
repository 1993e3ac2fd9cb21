"""Any assistant can be evaluated: what it reports is scored, and the rest has no score."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from evals.ask import RunConfig, ask_case
from evals.formats import load
from evals.gold_lookup import look_up
from evals.run_command import run_command
from evals.run_store import RunFolder
from evals.score import Report, score
from evals.systems.base import External, Reply
from evals.systems.citations import chat_citations, split_references
from evals.systems.endpoints import ChatEndpoint, MappedEndpoint
from evals.systems.external import result_of
from evals.systems.python import python_replier
from evals.systems.registry import Build, build_of
from evals.types import TurnResult
from store.errors import AttestError, RequestError, SuiteError
from store.settings import Settings
from tests.evals import other_systems
from tests.evals.other_systems import annotated, chat, plain, referenced, served
from tests.evals.small_system import SmallSystem, small_library

SUITE = Path(__file__).parent / "small_suite.yaml"
HERE = "tests.evals.other_systems"


def external(replier: Any) -> Build:
    @contextmanager
    def build(settings: Settings) -> Iterator[External]:
        yield External(small_library(), replier)

    return build


def scored(tmp_path: Path, replier: Any) -> Report:
    out = tmp_path / "run"
    run_command(Settings(home=tmp_path / "home"), [SUITE], build=external(replier), systems=["x:y"], out=out)
    return score(RunFolder.open(out))


ALWAYS = {"error_rate", "language_match", "latency_p50"}
CITED = {"citation_precision", "citation_recall", "expect.cites_document"}
RANKED = {"mrr", "hit@1", "recall@5"}
SURE = {"auroc"}
QUOTED = {"verbatim_rate", "fabricated_quotes", "gold_quoted", "expect.quote_contains"}
ATTEST = {"citation_validity", "claims_quoted", "claims_cited", "first_quote_p50"}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("plain", set()),
        ("slow", set()),
        ("referenced", CITED),
        ("engine", CITED | RANKED),
        ("make_engine", CITED | RANKED),
        ("mapped", CITED | RANKED | SURE | QUOTED),
    ],
)
def test_what_a_system_does_not_tell_has_no_score(tmp_path: Path, name: str, told: set[str]) -> None:
    report = scored(tmp_path, python_replier(f"{HERE}:{name}"))
    measured = set(report.overall.metrics)
    assert measured >= ALWAYS | told
    assert not measured & ((CITED | RANKED | SURE | QUOTED | ATTEST) - told)
    assert report.overall.metrics["error_rate"].value == 0
    assert "attest" in report.not_given


def test_sources_are_known_as_the_librarys_documents(tmp_path: Path) -> None:
    metrics = scored(tmp_path, python_replier(f"{HERE}:mapped")).overall.metrics
    assert metrics["citation_precision"].value == metrics["verbatim_rate"].value == 1
    assert metrics["mrr"].value > 0.8
    assert metrics["fabricated_quotes"].value == 0


@pytest.mark.parametrize(
    ("message", "cites"),
    [
        (plain, False),
        (referenced, True),
        (annotated, True),
        (lambda question: [*plain(question)] and plain(question), False),
    ],
)
def test_a_chat_endpoint_is_asked_with_sources_or_without(
    tmp_path: Path, message: Callable[[str], Any], cites: bool
) -> None:
    with served(chat(message)) as address:
        report = scored(tmp_path, ChatEndpoint(f"{address}/v1"))
    assert ("citation_recall" in report.overall.metrics) is cites
    assert report.overall.metrics["error_rate"].value == 0


def test_the_history_goes_along_and_the_key_too(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def reply(path: str, body: dict[str, Any]) -> tuple[int, object]:
        seen.append(body)
        return chat(lambda question: "ใช่")(path, body)

    monkeypatch.setenv("ATTEST_SYSTEM_KEY", "sesame")
    case = next(case for case in load(SUITE).cases if len(case.turns) > 1)
    with served(reply, ["one", "two"]) as address:
        with pytest.raises(RequestError, match=r"serves several models \(one, two\): write .*/v1#MODEL"):
            ChatEndpoint(f"{address}/v1")
        library = small_library()
        config = RunConfig(found=look_up(library, [case]).found)
        ask_case(External(library, ChatEndpoint(f"{address}/v1#two")), case, 0, config)
    assert [message["role"] for message in seen[1]["messages"]] == ["user", "assistant", "user"]
    assert {body["model"] for body in seen} == {"two"}
    assert seen[0]["_headers"]["Authorization"] == "Bearer sesame"


def test_attest_behind_an_endpoint_keeps_every_metric(tmp_path: Path) -> None:
    system = SmallSystem(small_library())

    def reply(path: str, body: dict[str, Any]) -> tuple[int, object]:
        *_, last = system.ask(body["messages"][-1]["content"])
        answer = last.answer  # type: ignore[union-attr]
        message = {"role": "assistant", "content": answer.text}
        return 200, {"choices": [{"message": message}], "attest": json.loads(answer.to_json())}

    with served(reply) as address:
        report = scored(tmp_path, ChatEndpoint(f"{address}/v1"))
    assert report.not_given == ()
    assert report.overall.metrics["verbatim_rate"].value == 1
    assert report.overall.metrics["citation_validity"].value == 1


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {
                "message": {
                    "annotations": [{"type": "url_citation", "url_citation": {"url": "http://a/b", "title": "B"}}]
                }
            },
            ("B", "http://a/b"),
        ),
        (
            {"message": {"annotations": [{"type": "url_citation", "url": "http://a/b", "title": "B"}]}},
            ("B", "http://a/b"),
        ),
        ({"message": {"annotations": [{"type": "file_citation", "filename": "b.pdf", "index": 3}]}}, ("b.pdf", "")),
        ({"message": {"context": {"citations": [{"title": "B", "filepath": "b.pdf"}]}}}, ("B", "b.pdf")),
        ({"message": {}, "citations": ["http://a/b"]}, ("", "http://a/b")),
        ({"message": {}, "sources": [{"source": {"name": "B"}, "document": ["x"]}]}, ("B", "")),
    ],
)
def test_sources_are_found_where_servers_put_them(body: dict[str, Any], expected: tuple[str, str]) -> None:
    (citation,) = chat_citations(body["message"], body) or ()
    assert (citation.name, citation.uri) == expected


@pytest.mark.parametrize(
    ("text", "plain_text", "expected"),
    [
        (
            "ใช่ [1]\n\nแหล่งที่มา:\n[1] ก.pdf\n[2]: [Báo cáo](http://a/b)",
            "ใช่ [1]",
            [("ก.pdf", ""), ("Báo cáo", "http://a/b")],
        ),
        ("Yes [1].\n[1] The Report - https://a/b", "Yes [1].", [("The Report", "https://a/b")]),
        ("See [2] and [3].", "See [2] and [3].", None),
        ("[2] is where it stands\n[5] too", "[2] is where it stands\n[5] too", None),
    ],
)
def test_a_list_of_sources_at_the_end_is_read(
    text: str, plain_text: str, expected: list[tuple[str, str]] | None
) -> None:
    rest, citations = split_references(text)
    assert rest == plain_text
    assert (citations and [(each.name, each.uri) for each in citations]) == expected


@pytest.mark.parametrize(
    ("text", "answered"),
    [
        ("The documents do not mention a hotel.", False),
        ("I couldn't find any information on that.", False),
        ("Three hundred guests came, which was not many.", True),
        ("ไม่พบข้อมูลเกี่ยวกับเรื่องนี้ในเอกสาร", False),
        ("ผู้เข้าร่วมประชุมมีห้าสิบคนในปีนั้น", True),
        ("Tài liệu không đề cập đến khách sạn nào.", False),
        ("Bốn mươi đại biểu đã tham dự phiên họp.", True),
        ("Die Dokumente sagen dazu leider gar nichts aus.", None),
    ],
)
def test_a_reply_that_says_it_can_not_answer_is_an_abstention(text: str, answered: bool | None) -> None:
    result = result_of(TurnResult(question="?"), Reply(text), (), small_library(), 1.0)
    assert ("answered" in result.given) is (answered is not None)
    assert result.answer is not None
    assert result.answer.answered is (answered is not False)


MAPPING = """\
url: {address}/ask
headers: {{X-Token: "${{ASK_TOKEN}}"}}
body: {{query: "{{question}}", options: {{turns: "{{history}}", note: "on: {{question}}"}}}}
answer: data.0.text
answered: data.0.found
confidence: data.0.score
citations: data.0.sources
citation: {{name: file, quote: excerpt}}
"""


def test_any_endpoint_is_asked_by_a_mapping_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[dict[str, Any]] = []

    def reply(path: str, body: dict[str, Any]) -> tuple[int, object]:
        seen.append(body)
        told = other_systems.mapped(body["query"])
        sources = [{"file": each["name"], "excerpt": each["quote"]} for each in told["citations"]]
        return 200, {"data": [{"text": told["answer"], "found": told["answered"], "score": 0.5, "sources": sources}]}

    monkeypatch.setenv("ASK_TOKEN", "t")
    with served(reply) as address:
        path = tmp_path / "ask.yaml"
        path.write_text(MAPPING.format(address=address), "utf-8")
        report = scored(tmp_path, MappedEndpoint(path))
    assert {"citation_recall", "verbatim_rate", "coverage"} <= report.overall.metrics.keys()
    assert report.overall.metrics["citation_precision"].value == 1
    assert seen[0]["_headers"]["X-Token"] == "t"
    assert seen[0]["options"] == {"turns": [], "note": f"on: {seen[0]['query']}"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("url: http://a\nanswr: x\n", "line 2: unknown key `answr`; did you mean `answer`?"),
        ("url: a\nanswer: x\n", "line 1: `a` is no address: it begins with http:// or https://."),
        ("answer: x\n", "line 1: `url` is missing."),
        (
            "url: http://a\nheaders: {A: '${NOT_SET_ANYWHERE}'}\nanswer: x\n",
            "line 2: the environment variable NOT_SET_ANYWHERE is not set.",
        ),
        ("url: [", "this is not YAML"),
    ],
)
def test_a_mistake_in_a_mapping_is_named_with_its_line(tmp_path: Path, text: str, expected: str) -> None:
    path = tmp_path / "ask.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SuiteError) as error:
        MappedEndpoint(path)
    assert str(error.value).startswith(str(path))
    assert expected in str(error.value)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ("no_such_module_here:f", "there is no module no_such_module_here"),
        (f"{HERE}:nothing", "has no attribute 'nothing'"),
        (f"{HERE}:number", "neither a function nor an engine"),
        ("http://me:secret@host/v1", "holds a name or password"),
        ("what is this", "is no system: write attest, llamaindex, an address"),
    ],
)
def test_a_system_that_is_none_is_refused_before_anything_is_asked(spec: str, expected: str) -> None:
    with pytest.raises(RequestError) as error:
        build_of(spec)
    assert expected in str(error.value)


def test_an_endpoint_out_of_reach_stops_the_run(tmp_path: Path) -> None:
    with served(chat(plain)) as address:
        pass
    with pytest.raises(AttestError, match="can't be reached") as error:
        run_command(Settings(home=tmp_path), [SUITE], systems=[f"{address}/v1#m"], out=tmp_path / "run")
    assert error.value.exit_code == 3


@pytest.mark.parametrize(("status", "body"), [(400, {"error": "no"}), (200, "<html>"), (200, {"nothing": 1})])
def test_a_reply_that_is_none_fails_the_case_alone(tmp_path: Path, status: int, body: object) -> None:
    def reply(path: str, asked: dict[str, Any]) -> tuple[int, object]:
        question = asked["messages"][-1]["content"]
        return chat(plain)(path, asked) if question.isascii() else (status, body)

    with served(reply) as address:
        report = scored(tmp_path, ChatEndpoint(f"{address}/v1#m"))
    assert 0 < report.overall.metrics["error_rate"].value < 1
    assert any(case.error is not None and case.error.startswith("ReplyError") for case in report.cases)


def test_systems_stand_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings, page, text = Settings(home=tmp_path / "home"), tmp_path / "t.html", tmp_path / "t.md"
    suite = tmp_path / "own.yaml"
    suite.write_text("suite: own\ncases:\n  - {id: a, question: 'Who?', answers: [She]}\n", "utf-8")
    specs = [f"{HERE}:plain", f"{HERE}:mapped"]
    code = run_command(settings, [suite], systems=specs, out=tmp_path / "runs", html=page, markdown=text)
    assert code == 0
    shown = capsys.readouterr().out
    assert all(spec in shown.replace("\n", "") for spec in specs)
    assert "doesn't tell its sources, how sure it is, quotes, places and claims." in shown
    for file in (page, text):
        assert all(spec.split(":")[1] in file.read_text("utf-8") for spec in specs)
    found = json.loads(_json(settings, [suite], specs, tmp_path / "again", capsys))
    rows = {row["metric"]: row for row in found["rows"]}
    assert rows["f1"]["values"][0]["value"] == rows["f1"]["values"][1]["value"]
    assert rows["f1"]["outcomes"] == [None, "no difference shown"]
    assert rows["citation_validity"]["values"] == [None, None] if "citation_validity" in rows else True
    assert {path.name for path in (tmp_path / "runs").iterdir()} == {
        "tests.evals.other_systems-plain",
        "tests.evals.other_systems-mapped",
    }


def _json(
    settings: Settings, suites: list[Path], specs: list[str], out: Path, capsys: pytest.CaptureFixture[str]
) -> str:
    run_command(settings, suites, systems=specs, out=out, as_json=True)
    return capsys.readouterr().out


def test_a_run_of_another_system_goes_on_where_it_stopped(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    suite = tmp_path / "own.yaml"
    suite.write_text("suite: own\ncases:\n  - {id: a, question: 'Who?'}\n  - {id: b, question: 'Where?'}\n", "utf-8")
    run_command(settings, [suite], systems=[f"{HERE}:plain"], out=tmp_path / "run")
    results = tmp_path / "run/results.jsonl"
    results.write_text(results.read_text("utf-8").splitlines(keepends=True)[0], "utf-8")
    assert run_command(settings, resume=str(tmp_path / "run")) == 0
    assert {result.case_id for result in RunFolder.open(tmp_path / "run").results()} == {"a", "b"}
