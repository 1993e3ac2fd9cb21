"""The API's description matches its behavior, according to a tool that reads it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api.conftest import Served

CONFIGURATION = """
# What the description can't say, such as a day that doesn't exist, is refused with 400.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "400", "401", "403", "404", "409", "429"]
"""


@pytest.mark.hard
def test_schemathesis_finds_nothing(served: Served, tmp_path: Path) -> None:
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("Schemathesis isn't installed; `make test-hard` does.")
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION)
    done = subprocess.run(
        [program, "run", f"{served.address}/api/openapi.json", "--max-examples", "25", "--request-timeout", "120"],
        cwd=tmp_path,
        env={**os.environ, "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-20_000:]
