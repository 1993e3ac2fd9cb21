"""Commands next to a running server print exactly the same as without one, and load no model."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from assistant.cli import main
from store.ownership.owner_socket import socket_path
from tests.api.conftest import QUESTION, THAI

pytestmark = pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")

PROGRAM = "from assistant.cli import main; main()"
HEAVY = {"chromadb", "gradio", "llama_index", "onnxruntime", "tantivy", "tokenizers", "torch", "transformers"}
VIETNAMESE = "Hội nghị thế giới về nhân quyền họp ở đâu?"
SUITE = f"""
name: beside
cases:
  - id: where
    question: {QUESTION}
    language: en
    expect: {{answered: true}}
"""
ANSWERS = {
    "english": ("ask", QUESTION),
    "thai, all of it": ("ask", THAI, "--json"),
    "vietnamese": ("ask", VIETNAMESE, "--max-quotes", "1"),
    "in another language": ("ask", VIETNAMESE, "--answer-language", "en", "--mode", "quotes"),
    "of a speaker": ("ask", QUESTION, "--speaker", "Nobody", "--from", "2024", "--to", "2025-06"),
    "as typed": ("ask", "Wher ws teh Wrld Confernse on Humn Rigths hld?", "--as-typed", "--json"),
    "not in the documents": ("ask", "How tall is Mount Everest in metres?"),
    "an empty question": ("ask", "  "),
    "a question that is too long": ("ask", "ก" * 20_001),
    "no language": ("ask", QUESTION, "--answer-language", "x!"),
    "no such day": ("ask", QUESTION, "--from", "2023-02-31"),
    "found": ("search", THAI, "-k", "3"),
    "found, all of it": ("search", VIETNAMESE, "--json", "--language", "vi", "--language", "en"),
    "nothing found": ("search", QUESTION, "--collection", "nowhere"),
    "an empty search": ("search", " "),
    "documents": ("documents", "list", "--limit", "3"),
    "a document": ("documents", "show", "sample:vienna-1993.en.md", "--json"),
    "no document": ("documents", "show", "nothing"),
}
SAID = {"english": "Vienna", "thai, all of it": '"answered": true'}
CHANGES = {
    "files": ("ingest", "{files}"),
    "files again": ("ingest", "{files}", "--json"),
    "one file gone": ("ingest", "{files}", "--sync", "--collection", "Luật"),
    "no file": ("ingest", "{files}/nowhere"),
    "no collection": ("ingest", "{files}", "--collection", " / "),
    "one that isn't there": ("documents", "remove", "{files}/harbour.txt", "nothing"),
    "removed": ("documents", "remove", "{files}/harbour.txt", "{files}/bell.txt", "--json"),
    "evaluated": ("eval", "run", "{files}/suite.yaml", "--out", "{files}/../run-{number}", "--json"),
}


@dataclass(frozen=True)
class Printed:
    """What a command did."""

    code: int
    out: str
    err: str


@contextmanager
def running_server(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Run `attest serve` in a process of its own, until it is ready; then end it as Ctrl-C does."""
    command = [sys.executable, "-c", PROGRAM, "--home", str(home), "serve", "--port", "0"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"PYTHONUNBUFFERED": "1"}
    ) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "The page is at" in line:
                break
        yield server
        if server.poll() is None:
            server.send_signal(signal.SIGINT)
            server.wait(900)


def in_own_process(home: Path, *arguments: str, program: str = PROGRAM) -> Printed:
    """Run a command as a shell does."""
    command = [sys.executable, "-c", program, "--home", str(home), *arguments]
    done = subprocess.run(command, capture_output=True, timeout=600, check=False)
    return Printed(done.returncode, done.stdout.decode(), done.stderr.decode())


def timeless(text: str) -> str:
    """Leave out what no two runs have in common: how long it took, and names of runs."""
    text = re.sub(r'"timings_ms": \{[^}]*\}', '"timings_ms": {}', text)
    text = re.sub(r'("(?:seconds|latency_ms|first_quote_ms)": |\bin )[0-9.]+', r"\1", text)
    return re.sub(r"run-\d", "run", text)


def in_this_process(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Printed:
    """Run a command here, where models are loaded already."""
    monkeypatch.setattr(sys, "argv", ["attest", *arguments])
    capfd.readouterr()
    with pytest.raises(SystemExit) as ended:
        main()
    printed = capfd.readouterr()
    return Printed(int(ended.value.code or 0), printed.out, printed.err)


@pytest.fixture(scope="module")
def home(new_sample_home: Callable[[], Path]) -> Path:
    """A library without a server."""
    return new_sample_home()


@pytest.fixture(scope="module")
def served_home(new_sample_home: Callable[[], Path]) -> Iterator[Path]:
    """The same library with a server."""
    home = new_sample_home()
    with running_server(home):
        yield home


@pytest.mark.parametrize("name", ANSWERS)
def test_a_command_prints_the_same_beside_a_server(
    home: Path,
    served_home: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
) -> None:
    beside, alone = (
        in_this_process(capfd, monkeypatch, "--home", str(each), *ANSWERS[name]) for each in (served_home, home)
    )
    assert (beside.code, timeless(beside.out)) == (alone.code, timeless(alone.out))
    assert beside.err == alone.err
    is_refused = name.startswith(("an empty", "a question that", "no "))
    finds_nothing = name in ("of a speaker", "as typed", "not in the documents", "nothing found")
    assert beside.code == (2 if is_refused else int(finds_nothing))
    assert SAID.get(name, "") in beside.out


def test_files_come_and_go_beside_a_server_as_without_one(
    home: Path, served_home: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tmp_path / "files"

    def arguments(name: str, number: int) -> list[str]:
        files.mkdir(exist_ok=True)
        (files / "harbour.txt").write_text("The bell of the harbour rings at seven.", encoding="utf-8")
        (files / "suite.yaml").write_text(SUITE, encoding="utf-8")
        (files / "bell.txt").write_text("ระฆังของท่าเรือดังตอนเจ็ดโมง", encoding="utf-8")
        (files / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing else")
        (files / "picture.heic").write_bytes(b"\0")
        (files / "gone.txt").write_text("Chuông cảng đổ lúc bảy giờ.", encoding="utf-8")
        if name not in ("files", "files again"):
            (files / "gone.txt").unlink()
        return [each.format(files=files, number=number) for each in CHANGES[name]]

    served, alone = (
        {name: in_this_process(capfd, monkeypatch, "--home", str(each), *arguments(name, number)) for name in CHANGES}
        for number, each in enumerate((served_home, home), 1)
    )
    for name in CHANGES:
        assert (served[name].code, timeless(served[name].out)) == (alone[name].code, timeless(alone[name].out)), name
        assert timeless(served[name].err) == timeless(alone[name].err), name
    assert "3 added" in served["files"].out
    assert "1 removed" in served["one file gone"].out
    assert len(json.loads(served["removed"].out)["removed"]) == 2


def test_no_model_is_loaded_beside_a_server(served_home: Path) -> None:
    look = f"import atexit, sys; atexit.register(lambda: print(sorted({HEAVY!r} & sys.modules.keys()))); {PROGRAM}"
    for arguments in (("ask", QUESTION), ("search", QUESTION), ("documents", "list")):
        printed = in_own_process(served_home, *arguments, program=look)
        assert printed.code == 0, printed.err
        assert printed.out.endswith("\n[]\n"), arguments


def test_a_killed_server_is_not_waited_for(
    home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server(home) as server:
        server.kill()
        server.wait()
    assert socket_path(home).exists(), "the test needs the stale socket"
    printed = in_this_process(capfd, monkeypatch, "--home", str(home), "ask", QUESTION)
    assert (printed.code, printed.err) == (0, "")
    assert "Vienna" in printed.out
    assert not socket_path(home).exists()
