"""`attest prepare` works; `make chat` runs it each time before it opens the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ingest.cli import prepare
from ingest.pipeline import SAMPLES, ingest_paths
from store.library import Library
from store.settings import load_settings


def run(home: Path) -> Result:
    """`attest prepare` for the library at `home`."""
    return CliRunner().invoke(prepare, obj=load_settings(home), catch_exceptions=False, standalone_mode=False)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A library that somebody put a document of their own into."""
    document = tmp_path / "own.txt"
    document.write_text("The bridge was opened in 1931.", encoding="utf-8")
    with Library.open(tmp_path / "home") as library:
        assert ingest_paths(library, [document]).added == 1
    return tmp_path / "home"


def test_an_empty_library_gets_the_samples_once(tmp_path: Path) -> None:
    samples = [path for path in SAMPLES.iterdir() if path.name != "sources.yaml"]
    first, second = run(tmp_path), run(tmp_path)
    assert f"{len(samples)} added" in first.output
    assert "0 failed" in first.output
    assert (first.return_value, second.return_value) == (0, 0)
    assert second.output == ""
    with Library.open(tmp_path, read_only=True) as library:
        assert library.statistics().documents == len(samples)


def test_no_samples_go_among_own_documents(own: Path) -> None:
    assert run(own).output == ""
    with Library.open(own, read_only=True) as library:
        assert [Path(document.uri).name for document in library.documents().documents] == ["own.txt"]


def test_it_works_while_the_page_has_the_library(own: Path) -> None:
    with Library.open(own):
        result = run(own)
    assert (result.return_value, result.output) == (0, "")
