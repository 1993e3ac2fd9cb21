"""Define the fuzzer's targets: each takes any bytes, and returns the kind of outcome, or raises."""

from __future__ import annotations

import http.client
import json
import logging
import re
import tempfile
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, cast
from unittest.mock import patch

from ingest.normalize import normalize_text
from ingest.parse import FileTask, parse
from ingest.read import read_document
from ingest.sidecar import Source, read_sources
from store.errors import AttestError, ReadError, RequestError, SettingsError, SuiteError
from tests.ingest import files

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import Assistant
    from store.library import Library

SAMPLES = Path(__file__).resolve().parents[2] / "ingest" / "samples"
SUITES = Path(__file__).resolve().parents[2] / "evals" / "suites"
_SEEN = 80
"""Characters of a message that tell outcomes apart."""


@dataclass(frozen=True, slots=True)
class Target:
    """Something that must stand any input."""

    name: str
    seeds: Callable[[], list[bytes]]
    run: Callable[[bytes], str]
    """The kind of outcome. Raises if a promise was broken."""


def refusal(error: AttestError) -> str:
    """A refusal's kind: its words without names and numbers. It must be a whole sentence on one line."""
    said = str(error)
    assert said.endswith((".", "?")), said
    assert "Traceback" not in said, said
    return re.sub(r"[‘“'\"`].*?[’”'\"`]|/\S+|\d+", "", said)[:_SEEN]


def _texts() -> list[bytes]:
    return [path.read_bytes() for path in sorted(SAMPLES.glob("*.*"))[:24] if path.name != "sources.yaml"]


def _documents() -> list[bytes]:
    """The suffix, then the file: so that both can change."""
    html = (
        "<!doctype html><html lang=th><head><meta charset=utf-8><title>ก</title><meta name=author content=x></head><body>"
        "<h1>หัวข้อ</h1><p>Hội nghị<br>khai mạc</p><table><tr><td>a<td>b</table><ul><li>x<li>y</ul><pre>z\n q</pre>"
        "<div hidden>no</div><svg><title>x</title></svg><ruby>漢<rt>kan</ruby>"
    )
    markdown = "---\ntitle: x\n---\n# Một\n\n* a\n  1. b\n\n> c\n\n```\nd\n```\n\n| a | b |\n|---|---|\n| c | d |\n\n"
    table = (
        "<w:tbl><w:tr><w:tc><w:p><w:r><w:t>a</w:t><w:br/></w:r></w:p></w:tc></w:tr></w:tbl>"
        "<w:p><w:del><w:r><w:t>z</w:t></w:r></w:del></w:p>"
    )
    return [
        *(b".txt\n" + data for data in _texts()),
        b".html\n" + html.encode(),
        b".html\n" + html.encode("utf-16"),
        b".md\n" + markdown.encode(),
        b".docx\n" + files.docx([("Title", "Title"), ("ฟอรัม", None)]),
        b".docx\n" + files.docx_with_body(table),
        b".txt\n" + "Hội nghị khai mạc tại Bắc Kinh.\n".encode("cp1258", "ignore") * 9,
        b".txt\n" + "ฟอรัมเปิดขึ้นที่ปักกิ่ง\n".encode("tis-620") * 9,
        b".txt\n" + "論壇在北京開幕。\n".encode("big5") * 9,
        b".txt\n" + "フォーラムは北京で開かれた。\n".encode("shift-jis") * 9,
    ]


def _read(data: bytes) -> str:
    suffix, _, content = data.partition(b"\n")
    name = suffix.decode("latin-1")
    if b"%PDF-" in content[:1024] or "/" in name or "\0" in name:
        return "for another target"
    try:
        raw = read_document(Path(f"x{name}"), content)
    except ReadError as error:
        return refusal(error)
    assert all(isinstance(block.text, str) for block in raw.blocks)
    return f"{raw.media_type} {len(raw.blocks).bit_length()} {bool(raw.title)} {bool(raw.published)}"


def _parse(data: bytes) -> str:
    suffix, _, content = data.partition(b"\n")
    name = suffix.decode("latin-1")
    if b"%PDF-" in content[:1024] or "/" in name or "\0" in name:
        return "for another target"
    try:
        task = FileTask(Path(f"x{name}"), content, "x", Source(), sha256(content).hexdigest(), reading_version=1)
        parsed = parse(task, lambda text: len(text) // 4 + 1, passage_tokens=64).parsed
    except ReadError as error:
        return refusal(error)
    from store.document_changes import check_document as check

    assert parsed is not None
    check(parsed)
    covered = "".join(parsed.text[passage.start : passage.end] for passage in parsed.passages)
    assert "".join(covered.split()) == "".join(parsed.text.split()), "passages leave something out"
    assert normalize_text(parsed.document.title).text.split() == parsed.document.title.split(), "an unsafe title"
    return f"{parsed.document.language} {len(parsed.passages).bit_length()} {parsed.document.media_type}"


def _normalize(data: bytes) -> str:
    from store.text.dates import date_terms
    from store.text.fold import fold

    text = data.decode("utf-8", "replace")
    once = normalize_text(text).text
    assert normalize_text(once).text == once, "normalizing twice changes something"
    folded = fold(text)
    assert fold(folded) == folded, "folding twice changes something"
    terms = date_terms(text)
    return f"{len(once).bit_length()} {len(folded).bit_length()} {len(terms).bit_length()} {sorted(terms)[:1]}"[:_SEEN]


def _suites() -> list[bytes]:
    return [
        *(path.read_bytes()[:6_000] for path in sorted(SUITES.glob("*.yaml"))),
        b'{"suite": "x"}\n{"id": "a", "question": "q", "expect": {"answered": false}}\n',
        b"id,question,answer\na,q,b\n",
        b'{"version": "1", "data": [{"title": "t", "paragraphs": [{"context": "c d", "qas": '
        b'[{"id": "1", "question": "q", "answers": [{"text": "c", "answer_start": 0}]}]}]}]}',
    ]  # fmt: skip


def _api() -> list[bytes]:
    """A request's line, then its body."""
    lines = [
        "GET /",
        "GET /attest/start?ui=th",
        "GET /attest/examples?ui=xx",
        "GET /api/conversations?find=x&before=2020",
        "GET /attest/conversations/abc",
        "GET /attest/conversations/abc/export?form=json",
        'PATCH /api/conversations/abc\n{"title": "x"}',
        "DELETE /api/conversations/abc",
        'POST /attest/conversations/abc/branch\n{"turn": "x"}',
        'POST /api/feedback\n{"turn": "abc", "verdict": "good", "citation": 1, "comment": "x"}',
        "GET /api/feedback",
        "GET /api/documents?after=x&find=x&limit=9",
        "GET /api/library",
        "GET /api/uploads",
        'POST /api/fetch\n{"address": "http://127.0.0.1/x.txt"}',
        'PATCH /api/documents/forum\n{"title": "x", "speaker": null, "published": "2020"}',
        "POST /api/documents/forum/restore",
        "GET /attest/turns/abc/source/1",
        "GET /attest/turns/abc/page/1",
        "GET /attest/documents/forum/more?at=5&above=true&turn=x",
        "GET /attest/documents/forum/reader",
        "GET /attest/turns/abc/found",
        "GET /attest/static/page.js",
        "GET /gradio_api/file=/etc/passwd",
        "GET /gradio_api/heartbeat/x",
        "GET /gradio_api/info",
        'POST /attest/ask\n{"ticket": "1", "question": "bells", "options": {}, "parent": null, "conversation": "x"}',
    ]  # fmt: skip
    return [line.encode() for line in lines]


def _options() -> list[bytes]:
    return [
        b'{"mode": "quotes", "answer_language": "th", "max_quotes": 5, "filter": {"documents": ["a"], "published_from": "2020"}}',
        b'{"mode": null, "filter": {"speakers": [], "languages": ["en"]}}',
        b'{"question": "q", "ticket": "1", "conversation": "c", "parent": null, "ui": "vi"}',
    ]


def _asked(data: bytes) -> str:
    from assistant.answer.question import clean_question
    from assistant.server.api.choices import checked_options

    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        value = data.decode("utf-8", "surrogateescape")
    try:
        asked = checked_options(value)
        clean_question(str(value.get("question") if isinstance(value, dict) else value))
    except RequestError as error:
        return f"refused {len(str(error))}"
    return f"{asked.mode} {asked.max_quotes} {asked.filter.is_empty}"


@contextmanager
def _plain(name: str, seeds: Callable[[], list[bytes]], run: Callable[[bytes], str]) -> Iterator[Target]:
    yield Target(name, seeds, run)


@contextmanager
def _suite_target() -> Iterator[Target]:
    from evals.formats.load import load

    with tempfile.TemporaryDirectory() as folder:

        def run(data: bytes) -> str:
            path = Path(folder) / "suite.yaml"
            path.write_bytes(data)
            try:
                suite = load(path)
            except SuiteError as error:
                return refusal_lines(error)
            return f"{suite.kind} {len(suite.cases).bit_length()}"

        yield Target("suite", _suites, run)


def refusal_lines(error: SuiteError) -> str:
    """A suite's problems stand one a line; what counts is the first."""
    said = str(error).splitlines()[0]
    assert "Traceback" not in said
    return re.sub(r"[`'\"].*?[`'\"]|/\S+|\d+", "", said)[:_SEEN]


@contextmanager
def _sources_target() -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as folder:

        def run(data: bytes) -> str:
            (Path(folder) / "sources.yaml").write_bytes(data)
            try:
                return f"{len(read_sources(Path(folder))).bit_length()} entries"
            except ReadError as error:
                return refusal(error)

        yield Target(
            "sources", lambda: [(SAMPLES / "sources.yaml").read_bytes()[:3_000], b"- file: x\n  published: 2023"], run
        )


@contextmanager
def _settings_target() -> Iterator[Target]:
    from store.settings import load_settings

    with tempfile.TemporaryDirectory() as folder:

        def run(data: bytes) -> str:
            (Path(folder) / "attest.toml").write_bytes(data)
            try:
                return f"{load_settings(folder).mode}"
            except SettingsError as error:
                return type(error).__name__ + str(len(str(error)).bit_length())

        seeds = [b'port = 8000\nmode = "quotes"\nmodel = "x"\n', b"passage_tokens = 100\nmax_quotes = 5"]
        yield Target("settings", lambda: seeds, run)


@contextmanager
def _backup_target() -> Iterator[Target]:
    from store.backup.archive import opened
    from store.backup.create import back_up
    from store.backup.restore import restore
    from store.catalog.conversations import Conversations

    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        home.mkdir()
        Conversations.open(home / "catalog.sqlite").close()
        (home / "uploads").mkdir()
        (home / "uploads" / "ก.txt").write_text("x", encoding="utf-8")
        back_up(home, Path(folder) / "seed.zip")
        whole = (Path(folder) / "seed.zip").read_bytes()
        small = BytesIO()
        with opened(Path(folder) / "seed.zip") as (archive, _), zipfile.ZipFile(small, "w") as target:
            for entry in archive.infolist():
                if entry.filename != "catalog.sqlite":
                    target.writestr(entry, archive.read(entry))

        def run(data: bytes) -> str:
            file = Path(folder) / "mutated.zip"
            file.write_bytes(data)
            try:
                restored = Path(folder) / "restored"
                restore(file, restored, replace=True)
            except AttestError as error:
                return refusal(error)
            return "restored"

        yield Target("backup", lambda: [whole, small.getvalue()], run)


@contextmanager
def _pdf_target() -> Iterator[Target]:
    with tempfile.TemporaryDirectory() as folder:

        def run(data: bytes) -> str:
            path = Path(folder) / "x.pdf"
            path.write_bytes(data)
            try:
                raw = read_document(path, data)
            except ReadError as error:
                return refusal(error)
            return f"{raw.media_type} {sum(len(block.text) for block in raw.blocks).bit_length()}"

        yield Target(
            "pdf",
            lambda: [
                files.pdf([["ฟอรัม", "Hội nghị"], ["b"]], {"Title": "t"}),
                files.pdf_with_a_loop(),
                files.encrypted_pdf(),
            ],
            run,
        )


@contextmanager
def _api_target() -> Iterator[Target]:
    """A real server with the whole page, at the other end of a socket."""
    from assistant.server.app import application
    from assistant.server.document_editor import DocumentEditor
    from assistant.server.page_settings import PageSettings
    from assistant.server.serve import bound, server
    from store.catalog.conversations import Conversations
    from tests.page.scripted import ScriptedAssistant

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        conversations = stack.enter_context(closing(Conversations.open(folder / "catalog.sqlite")))
        listener = stack.enter_context(closing(bound("127.0.0.1", 0)))
        assistant = ScriptedAssistant()
        editor = DocumentEditor(cast("Library", assistant.library), assistant.take, folder / "uploads")
        app = application(cast("Assistant", assistant), conversations, PageSettings(), editor=editor)
        ready = threading.Event()
        running = server(app, ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900)
        port = listener.getsockname()[1]
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)  # or it tells of every malformed request
        stack.enter_context(patch("assistant.server.error_messages.log.error"))  # told by the answer already

        def run(data: bytes) -> str:
            line, _, body = data.partition(b"\n")
            method, _, path = line.decode("latin-1").partition(" ")
            with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=120)) as connection:
                try:
                    connection.putrequest(method, path, skip_accept_encoding=True)
                    connection.putheader("content-type", "application/json")
                    connection.putheader("content-length", str(len(body)))
                    connection.endheaders(body)
                except (http.client.InvalidURL, ValueError, UnicodeError):
                    return "no request"
                response = connection.getresponse()
                if response.getheader("content-type", "").startswith("text/event-stream"):
                    return f"a stream of {path.partition('?')[0][:24]}"  # it ends when the server does
                answer = response.read(200_000)
            assert response.getheader("content-security-policy"), "a response without a policy"
            assert b"Traceback" not in answer and b'File "/' not in answer, answer[:500]
            if response.status >= 500:
                said = json.loads(answer)
                assert response.status == 503 and said.get("message", "").endswith("."), (response.status, answer[:500])
            return f"{method[:7]} {response.status} {path.partition('?')[0][:24] if response.status < 400 else ''}"

        yield Target("api", _api, run)
        running.should_exit = True
        thread.join(10)


TARGETS: dict[str, Callable[[], AbstractContextManager[Target]]] = {
    "read": lambda: _plain("read", _documents, _read),
    "parse": lambda: _plain("parse", _documents, _parse),
    "normalize": lambda: _plain("normalize", _texts, _normalize),
    "sources": _sources_target,
    "settings": _settings_target,
    "suite": _suite_target,
    "asked": lambda: _plain("asked", _options, _asked),
    "backup": _backup_target,
    "pdf": _pdf_target,
    "api": _api_target,
}
