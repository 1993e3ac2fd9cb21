"""`attest ingest` and `attest documents list` give clear counts and errors, for every format."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from assistant.server.page_settings import UPLOAD_SUFFIXES
from ingest.cli import ingest
from ingest.library_cli import list_documents
from ingest.readers import READERS
from ingest.readers.base import Reader
from store.library import Library
from store.settings import load_settings
from tests.store.building import HashingEmbedder, parsed

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


def test_the_list_names_pages_without_text_and_recognized_ones(tmp_path: Path) -> None:
    scan = parsed("รายงาน.pdf", "Báo cáo năm nay.")
    signs = ("title", "unread:2-3,7/9", "recognized:5/9")
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        library.add(replace(scan, document=replace(scan.document, signs=signs)))
        library.add(parsed("plain.txt", "All of it is text."))
    settings = load_settings(tmp_path)
    plain, told = CliRunner().invoke(list_documents, [], obj=settings, catch_exceptions=False).output.splitlines()
    assert "(en, no text on pages 2-3, 7 of 9, text recognized from pictures on pages 5 of 9)" in told
    assert "pages" not in plain
    listed = json.loads(CliRunner().invoke(list_documents, ["--json"], obj=settings, catch_exceptions=False).output)
    assert [document["signs"] for document in listed["documents"]] == [[], list(signs)]


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.suffixes[0])
def test_the_page_takes_every_format_and_the_command_names_it(reader: Reader) -> None:
    assert set(reader.suffixes) <= set(UPLOAD_SUFFIXES)
    told = CliRunner().invoke(ingest, ["--help"]).output.split("Formats:")[1]
    assert re.search(rf"{reader.name} +{re.escape(' '.join(reader.suffixes))}\n", told)
