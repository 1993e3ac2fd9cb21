"""Logs and traces show the operator the outcome of each question, without anybody's words."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from assistant.answer.instrumentation import InstrumentedAssistant
from assistant.answer.pipeline import Assistant
from assistant.types import AskOptions, Composed, EvidenceFound
from store.errors import SettingsError
from store.library import Library
from store.logs import BLOT, JsonFormatter, TextFormatter, configure, facts, without_secrets
from store.settings import load_settings
from tests.conftest import ROOT
from tests.reliability.conftest import QUESTION
from tests.reliability.endpoints import Endpoint

SECRET = "sk-not-to-be-seen-0123456789"


def _record(formatter: logging.Formatter, **options: Any) -> str:
    try:
        int("the minister's private words")
    except ValueError:
        info = sys.exc_info()
    record = logging.LogRecord("store.x", logging.ERROR, __file__, 1, "It failed", (), info)
    record.__dict__.update(options)
    return formatter.format(record)


@pytest.mark.parametrize("make", [TextFormatter, JsonFormatter])
def test_an_unforeseen_error_is_logged_by_its_place_not_by_its_words(make: type[TextFormatter | JsonFormatter]) -> None:
    line = _record(make(), **facts(documents=3, language="th"))
    assert "ValueError" in line
    assert "test_instrumentation.py" in line
    assert "th" in line
    assert "private" not in line


def test_a_line_of_json_is_one_object_with_its_facts() -> None:
    line = _record(JsonFormatter(), **facts(documents=3, language="th"))
    assert "\n" not in line
    said = json.loads(line)
    assert (said["event"], said["level"], said["logger"], said["documents"]) == ("It failed", "error", "store.x", 3)
    assert said["error"][0] == "ValueError"


def test_secrets_of_the_environment_are_blotted_out() -> None:
    environment = {"ATTEST_API_KEY": SECRET, "HF_TOKEN": "hf_abcdefgh", "LANG": "en_US.UTF-8", "X_KEY": "short"}
    said = without_secrets(f"Bearer {SECRET}, hf_abcdefgh, en_US.UTF-8, short", environment)
    assert said == f"Bearer {BLOT}, {BLOT}, en_US.UTF-8, short"


@pytest.fixture
def logged(tmp_path: Path) -> Iterator[Any]:
    """The lines that were logged as JSON since, with the level at info."""
    stream = io.StringIO()
    configure(load_settings(tmp_path, log_format="json", log_level="info"), stream)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    root = logging.getLogger()
    for each in [each for each in root.handlers if isinstance(each.formatter, JsonFormatter)]:
        root.removeHandler(each)


def test_an_answer_is_logged_without_question_and_quotes(library: Library, logged: Any) -> None:
    answer = InstrumentedAssistant(Assistant(library)).answer(QUESTION)
    (line,) = logged()
    assert line["event"] == "question answered"
    assert line["quotes"] == len(answer.evidence) > 0
    assert line["answered"] is True
    said = json.dumps(line)
    assert not any(word in said for word in ("Vienna", "Conference", answer.evidence[0].quote[:20]))


def test_an_answer_that_was_stopped_and_one_that_failed_are_logged(library: Library, logged: Any) -> None:
    events = InstrumentedAssistant(Assistant(library)).ask(QUESTION)
    assert isinstance(next(events), EvidenceFound)
    events.close()  # type: ignore[attr-defined]
    assert [(line["event"], line["reason"]) for line in logged()] == [("question not answered", "stopped")]
    with pytest.raises(Exception, match="empty"):
        InstrumentedAssistant(Assistant(library)).answer("  ")
    assert [line["reason"] for line in logged()] == ["stopped", "QuestionError"]


def test_an_answer_whose_translation_was_stopped_is_logged_as_answered(library: Library, logged: Any) -> None:
    options = AskOptions(mode="quotes", answer_language="th", translate=True)
    events = InstrumentedAssistant(Assistant(library)).ask(QUESTION, options=options)
    assert any(isinstance(event, Composed) for event in events)
    events.close()  # type: ignore[attr-defined]
    (line,) = logged()
    assert (line["event"], line["answered"]) == ("question answered", True)


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest]]]:
    """A receiver of OpenTelemetry's traces by HTTP."""
    received: list[ExportTraceServiceRequest] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            import gzip

            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.path == "/v1/traces"
            received.append(ExportTraceServiceRequest.FromString(body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()


ASK = """
import sys
from assistant.build import build_assistant
from assistant.types import AskOptions
from store.settings import load_settings
with build_assistant(load_settings(sys.argv[1])) as assistant:
    print(assistant.answer(sys.argv[2], options=AskOptions(mode=sys.argv[3])).mode)
"""


def test_traces_reach_a_collector_and_hold_no_words(library: Library, endpoint: Endpoint) -> None:
    with collector() as (address, received):
        environment = os.environ | {
            "OTEL_EXPORTER_OTLP_ENDPOINT": address,
            "ATTEST_BASE_URL": endpoint.url,
            "ATTEST_MODEL": "works",
            "ATTEST_API_KEY": SECRET,
        }
        done = subprocess.run(
            [sys.executable, "-c", ASK, str(_copied(library)), QUESTION, "written"],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    spans = [
        span
        for each in received
        for resource in each.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]
    names = {span.name: span for span in spans}
    assert {"answer", "retrieve", "compose"} <= names.keys()
    assert names["model"].parent_span_id == names["compose"].span_id
    assert {each.key: each.value for each in names["model"].attributes}["gen_ai.request.model"].string_value == "works"
    assert len({span.trace_id for span in spans}) == 1
    assert names["retrieve"].parent_span_id == names["compose"].parent_span_id == names["answer"].span_id
    known = {each.key: each.value for each in names["answer"].attributes}
    assert known["attest.language"].string_value == "en"
    assert known["attest.quotes"].int_value >= 1
    everything = b"".join(each.SerializeToString() for each in received)
    assert not any(word in everything for word in (b"Vienna", b"Conference", SECRET.encode()))
    assert QUESTION in json.dumps(endpoint.asked), "the model was never asked, so nothing was proved"


def _copied(library: Library) -> Path:
    """A library of the same documents in a home of its own: the other is owned by this process."""
    import tempfile

    from store.backup.create import back_up
    from store.backup.restore import restore

    folder = Path(tempfile.mkdtemp())
    back_up(library.settings.home, folder / "library.zip")
    restore(folder / "library.zip", folder / "home")
    return folder / "home"


def test_without_an_endpoint_nothing_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    from assistant.tracing import trace_if_wanted

    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert trace_if_wanted() is None
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with pytest.raises(SettingsError, match="http/protobuf"):
        trace_if_wanted()
