"""Collections come from the command line or sources.yaml, and stay until somebody changes them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline import ingest_paths
from ingest.sidecar import read_sources
from store.errors import ReadError, RequestError
from store.library import Library
from tests.store.building import HashingEmbedder


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        yield library


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "a.txt").write_text("The bell rings at seven.", encoding="utf-8")
    (folder / "b.txt").write_text("The harbour opens at eight.", encoding="utf-8")
    return folder


def collections(library: Library) -> dict[str, str]:
    return {Path(document.uri).name: document.collection for document in library.documents().documents}


def test_documents_go_where_they_are_said_to_and_stay_there(library: Library, folder: Path) -> None:
    ingest_paths(library, [folder])
    assert collections(library) == {"a.txt": "", "b.txt": ""}
    report = ingest_paths(library, [folder], collection="  Luật  mới ")
    assert (report.updated, collections(library)) == (2, {"a.txt": "Luật mới", "b.txt": "Luật mới"})
    (folder / "a.txt").write_text("The bell rings at nine.", encoding="utf-8")
    report = ingest_paths(library, [folder])
    assert (report.updated, collections(library)) == (1, {"a.txt": "Luật mới", "b.txt": "Luật mới"})
    assert ingest_paths(library, [folder]).unchanged == 2
    ingest_paths(library, [folder / "b.txt"], collection="")
    assert collections(library) == {"a.txt": "Luật mới", "b.txt": ""}


def test_sources_say_it_before_the_command_does(library: Library, folder: Path) -> None:
    (folder / "sources.yaml").write_text("- file: a.txt\n  collection: Minutes\n", encoding="utf-8")
    ingest_paths(library, [folder], collection="Other")
    assert collections(library) == {"a.txt": "Minutes", "b.txt": "Other"}


def test_an_unusable_name_is_refused_before_anything_is_done(library: Library, folder: Path) -> None:
    with pytest.raises(RequestError, match="the most is 64"):
        ingest_paths(library, [folder], collection="x" * 65)
    assert collections(library) == {}
    (folder / "sources.yaml").write_text(f"- file: a.txt\n  collection: {'x' * 65}\n", encoding="utf-8")
    with pytest.raises(ReadError, match=r"The collection of a.txt can't be used. .* the most is 64"):
        read_sources(folder)
