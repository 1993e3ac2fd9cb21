"""What a user may expect of `attest ingest`: clear counts, clear errors, the right exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def attest(home: Path, *arguments: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """`attest --home HOME ARGUMENTS...` in a process of its own, with the real embedding model."""
    return subprocess.run(
        [sys.executable, "-c", "from assistant.cli import main; main()", "--home", home, *arguments],
        capture_output=True,
        text=True,
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
        timeout=300,
    )


def test_ingest_counts_what_it_did_and_names_what_it_could_not(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("Hội nghị được tổ chức tại Bắc Kinh.", encoding="utf-8")
    (folder / "b.txt").write_bytes(b"")
    done = attest(tmp_path / "home", "ingest", "--json", "--sync", folder)
    assert done.returncode == 1, done.stderr
    assert done.stderr == ""
    counts = json.loads(done.stdout)
    assert list(counts) == ["added", "updated", "unchanged", "removed", "failed", "passages", "seconds"]
    assert (counts["added"], counts["updated"], counts["unchanged"], counts["removed"]) == (1, 0, 0, 0)
    assert counts["failed"] == [{"path": str(folder / "b.txt"), "error": "This file is empty."}]
    (folder / "b.txt").unlink()
    again = attest(tmp_path / "home", "ingest", "papers", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert "1 unchanged" in again.stdout


@pytest.mark.parametrize("arguments", [["nowhere"], []])
def test_a_wrong_request_is_told_in_one_line_and_makes_no_library(tmp_path: Path, arguments: list[str]) -> None:
    done = attest(tmp_path / "home", "ingest", *arguments)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "home").exists()
