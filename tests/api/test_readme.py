"""README's examples for other programs work."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
import subprocess

import pytest

from tests.api.conftest import Served
from tests.conftest import ROOT

PAGE = "http://127.0.0.1:7860"


def blocks(kind: str) -> list[str]:
    """The fenced blocks of a kind in README's section about other programs."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.partition("## Ask from other programs\n")[2].partition("\n## ")[0]
    return re.findall(rf"^```{kind}\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)


def test_curl_asks(served: Served) -> None:
    (line,) = blocks("sh later")
    command = shlex.split(line.replace(PAGE, served.address))
    said = subprocess.run(command, capture_output=True, check=True, env={"NO_PROXY": "*", "PATH": "/usr/bin:/bin"})
    assert "1993" in json.loads(said.stdout)["attest"]["text"]


@pytest.mark.parametrize("number", [0, 1])
def test_python_asks(served: Served, number: int) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(blocks("python")[number].replace(PAGE, served.address), {})  # noqa: S102 - our own lines
    assert "1993" in printed.getvalue()


def test_the_host_s_configuration_names_a_command_that_there_is() -> None:
    from assistant.cli import attest

    (configuration,) = blocks("json")
    server = json.loads(configuration)["mcpServers"]["attest"]
    assert server["command"] == "attest"
    assert attest.get_command(attest.make_context("attest", ["--help"], resilient_parsing=True), *server["args"])
