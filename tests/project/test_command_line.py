"""The installed command shows help quickly, and reports any failure in one clear line."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from assistant.cli import COMMANDS

ATTEST = Path(sys.executable).with_name("attest")
HEAVY = ("torch", "gradio", "chromadb", "llama_index", "transformers", "pydantic", "numpy")
"""What `attest --help` must not wait for; each takes a good part of a second, or seconds."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty folder for a library."""
    return tmp_path / "home"


def run(*arguments: str, home: Path, code: str = "from assistant.cli import main; main()") -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `attest` with these arguments, in a process of its own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=environment | {"ATTEST_HOME": str(home)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_help_names_every_command(home: Path) -> None:
    code, shown, _ = run("--help", home=home)
    assert code == 0
    assert all(command in shown for command in COMMANDS)


@pytest.mark.parametrize("command", [(), *((name,) for name in COMMANDS)], ids=" ".join)
def test_help_waits_for_nothing_heavy(command: tuple[str, ...], home: Path) -> None:
    code = (
        "import atexit, sys\n"
        f"atexit.register(lambda: print('HEAVY', [name for name in {HEAVY} if name in sys.modules]))\n"
        "from assistant.cli import main; main()"
    )
    exit_code, shown, said = run(*command, "--help", home=home, code=code)
    assert (exit_code, said) == (0, "")
    assert shown.startswith("Usage: attest")
    assert shown.splitlines()[-1] == "HEAVY []"
    assert not home.exists(), "asking for help makes no library"


@pytest.mark.parametrize(
    ("arguments", "exit_code", "says"),
    [
        (["aks", "What?"], 2, "No such command 'aks'"),
        (["ask"], 2, "Missing argument 'QUESTION'"),
        (["ask", ""], 2, "question is empty"),
        (["ask", " \t\n"], 2, "question is empty"),
        (["ask", "Why? " * 20_000], 2, "question"),
        (["ask", "What?", "--max-quotes", "0"], 2, "--max-quotes"),
        (["ask", "What?", "--mode", "sung"], 2, "'sung'"),
        (["ask", "What?", "--from", "last year"], 2, "last year"),
        (["search", ""], 2, "question is empty"),
        (["ingest"], 2, "PATH"),
        (["ingest", "no/such/folder"], 2, "no/such/folder"),
        (["documents", "show", "nothing"], 2, "'nothing'"),
        (["documents", "remove", "nothing"], 2, "'nothing'"),
        (["eval", "run", "no/such/suite.yaml"], 2, "no/such/suite.yaml"),
        (["serve", "--port", "99999"], 2, "99999"),
        (["--nowhere", "doctor"], 2, "--nowhere"),
        (["--home", __file__, "doctor"], 2, "is a file"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_a_wrong_request_gets_one_line_and_code_2(arguments: list[str], exit_code: int, says: str, home: Path) -> None:
    code, shown, said = run(*arguments, home=home)
    assert (code, shown) == (exit_code, "")
    assert_one_line(said, says)


def test_an_unknown_setting_is_named_with_the_one_that_was_meant(home: Path) -> None:
    home.mkdir()
    (home / "attest.toml").write_text('embeding_model = "here"\n', encoding="utf-8")
    code, shown, said = run("documents", "list", home=home)
    assert (code, shown) == (2, "")
    assert_one_line(said, "did you mean embedding_model?")


def test_a_port_in_use_is_said_and_exits_with_3(home: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        code, shown, said = run("serve", "--port", str(port), home=home)
    assert (code, shown) == (3, "")
    assert_one_line(said, f"127.0.0.1:{port}")


def test_a_folder_that_may_not_be_written_is_named(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    code, shown, said = run("doctor", home=blocked / "home")
    assert (code, shown) == (3, "")
    assert_one_line(said, str(blocked))


def test_a_reader_of_the_output_may_leave_early(home: Path) -> None:
    code = f"{sys.executable} -c 'from assistant.cli import main; main()' --help | true"
    done = subprocess.run(
        ["sh", "-c", code], env=os.environ | {"ATTEST_HOME": str(home)}, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not ATTEST.exists(), reason="The package is not installed in this environment.")
def test_the_installed_command_knows_its_version(home: Path) -> None:
    done = subprocess.run([ATTEST, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("attest, version ")


def assert_one_line(said: str, part: str) -> None:
    """Whether `said` is one line of ours that names `part` and ends as a sentence does."""
    assert "Traceback" not in said
    lines = said.splitlines()
    assert len(lines) == 1, said
    assert lines[0].startswith("attest: ")
    assert lines[0].endswith((".", "?"))
    assert part in lines[0]
