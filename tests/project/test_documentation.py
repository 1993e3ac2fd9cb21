"""The documentation's commands work, and its links lead to existing files.

Every command in a fenced block of `sh` is at least parsed. The README's are run, in order, except the blocks
marked ``sh later``, which need things that aren't here (a language model, a page that stays open).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest

from assistant.cli import attest
from tests.conftest import ROOT
from tests.project.sources import PACKAGES, tracked_files

FENCE = re.compile(r"^```(?P<kind>[^\n]*)\n(?P<body>.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:|mailto:|#)(?P<path>[^)#\s]+)(?:#[^)]*)?\)")


@dataclass(frozen=True, slots=True)
class Line:
    """A command in a document."""

    place: str
    kind: str
    """What stands behind the fence, like ``sh`` or ``sh later``."""
    text: str

    @property
    def words(self) -> list[str]:
        """The command's words, without the variables set before it."""
        words = shlex.split(self.text, comments=True)
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        return words


def test_every_attest_command_in_the_documentation_exists_with_its_options() -> None:
    lines = [line for line in _lines() if line.words[:1] == ["attest"]]
    assert lines
    for line in lines:
        try:
            _parse(line.words[1:])
        except click.ClickException as error:
            pytest.fail(f"{line.place}: {line.text}: {error.format_message()}")


def test_every_make_target_in_the_documentation_exists() -> None:
    lines = [line for line in _lines() if line.words[:1] == ["make"]]
    assert lines
    for line in lines:
        done = subprocess.run(["make", "-n", *line.words[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{line.place}: {line.text}: {done.stderr}"


def test_every_link_in_the_documentation_leads_to_a_file() -> None:
    broken = [
        f"{path}: {found['path']}"
        for path in _documents()
        for found in LINK.finditer(FENCE.sub("", (ROOT / path).read_text(encoding="utf-8")))
        if not (ROOT / path).parent.joinpath(found["path"]).exists()
    ]
    assert broken == []


def test_every_file_that_the_documentation_names_is_there() -> None:
    missing = [
        f"{path}: {name}"
        for path in _documents()
        for name in re.findall(r"`((?:[a-z_]+/)+[A-Za-z0-9_.-]+\.[a-z]+)`", (ROOT / path).read_text(encoding="utf-8"))
        if name.partition("/")[0] in {*PACKAGES, "tests", "docs"} and not (ROOT / name).exists()
    ]
    assert missing == []


def test_every_command_of_the_readme_does_its_work(tmp_path: Path) -> None:
    commands = tmp_path / "bin"
    commands.mkdir()
    (commands / "attest").write_text(f'#!/bin/sh\nexec "{sys.executable}" -c "{MAIN}" "$@"\n', encoding="utf-8")
    (commands / "attest").chmod(0o755)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ATTEST_")} | {
        "ATTEST_HOME": str(tmp_path / "home"),
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
    }
    # In a copy, so that whatever the commands write is not left in the project.
    for path in tracked_files():
        (tmp_path / "project" / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / path, tmp_path / "project" / path)
    lines = [line for line in _lines() if line.place.startswith("README.md:") and line.kind == "sh"]
    assert lines
    for line in lines:
        if line.words[:1] == ["make"]:
            continue  # They are what runs this test.
        done = subprocess.run(
            ["sh", "-c", line.text],
            cwd=tmp_path / "project",
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{line.place}: {line.text}\n{done.stdout}{done.stderr}"


MAIN = "from assistant.cli import main; main()"


def _documents() -> list[Path]:
    return [path for path in tracked_files() if path.suffix == ".md" and "samples" not in path.parts]


def _lines() -> Iterator[Line]:
    for path in _documents():
        text = (ROOT / path).read_text(encoding="utf-8")
        for fence in FENCE.finditer(text):
            if fence["kind"].split()[:1] == ["sh"]:
                number = text.count("\n", 0, fence.start()) + 2
                for line in fence["body"].replace("\\\n", " ").splitlines():
                    if shlex.split(line, comments=True):
                        yield Line(f"{path}:{number}", fence["kind"].strip(), line.strip())


def _parse(words: list[str]) -> None:
    """Parse as `attest` would, without doing anything. Raises click.ClickException for what it doesn't know."""
    command: click.Command = attest
    context: click.Context | None = None
    while True:
        context = command.make_context(command.name, list(words), parent=context)
        if not isinstance(command, click.Group):
            return
        # Click keeps the subcommand's own words there until it is invoked, and offers no public way to them.
        _, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
