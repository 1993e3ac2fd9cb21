"""What `attest documents list` says of pages that could not be read as text."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner

from ingest.library_cli import list_documents
from store.library import Library
from store.settings import load_settings
from tests.store.building import HashingEmbedder, parsed


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
