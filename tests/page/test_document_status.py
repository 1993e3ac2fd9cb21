"""The library shows the right state of each document."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from assistant.server import document_status as standing
from assistant.server.document_editor import DocumentEditor
from assistant.server.document_status import Standings
from assistant.server.strings import languages, strings
from ingest.pipeline import ingest_paths, ingest_samples
from store.library import Library
from tests.page.conftest import Served, Visitors
from tests.store.building import HashingEmbedder

WORDS = "The river council asked every village to keep a warning bell."


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    for name in ("a", "b", "c"):
        (tmp_path / f"{name}.txt").write_text(f"{WORDS} {name}", encoding="utf-8")
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        ingest_paths(library, [tmp_path / f"{name}.txt" for name in "abc"])
        yield library


def seen(library: Library, standings: Standings) -> list[str]:
    return list(standings.of(library.documents().documents))


def test_a_file_that_changed_or_went_away_is_told_and_one_that_came_back_too(library: Library, tmp_path: Path) -> None:
    standings = Standings(library)
    assert seen(library, standings) == ["ready"] * 3
    (tmp_path / "a.txt").unlink()
    before = (tmp_path / "b.txt").stat()
    (tmp_path / "b.txt").write_text(f"{WORDS} B", encoding="utf-8")  # as long as it was
    os.utime(tmp_path / "b.txt", ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    os.utime(tmp_path / "c.txt", (1, 1))  # touched, not changed
    assert seen(library, standings) == ["gone", "changed", "ready"]
    ingest_paths(library, [tmp_path / "b.txt"])
    (tmp_path / "a.txt").write_text(f"{WORDS} a", encoding="utf-8")
    assert seen(library, standings) == ["ready"] * 3


def test_a_file_whose_folder_is_a_file_now_is_gone(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text(WORDS, encoding="utf-8")
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        ingest_paths(library, [tmp_path / "notes" / "a.txt"])
        (tmp_path / "notes").rename(tmp_path / "elsewhere")
        (tmp_path / "notes").touch()
        assert seen(library, Standings(library)) == ["gone"]


def test_a_file_that_an_older_version_read_is_told_unless_it_changed_since(library: Library, tmp_path: Path) -> None:
    for document in library.documents().documents:
        library.add(replace(library.parsed(document.id), normalization=1))
    (tmp_path / "b.txt").write_text("Something else.", encoding="utf-8")
    assert seen(library, Standings(library)) == ["older", "changed", "older"]
    ingest_paths(library, [tmp_path / "a.txt"])
    assert seen(library, Standings(library)) == ["ready", "changed", "older"]


def test_what_was_not_looked_at_is_not_called_changed_and_is_looked_at_later(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in "abc":
        (tmp_path / f"{name}.txt").write_text("Something else.", encoding="utf-8")
    monkeypatch.setattr(standing, "HASHED_BYTES", 20)
    standings = Standings(library)
    assert [seen(library, standings).count("changed") for _ in range(4)] == [1, 2, 3, 3]


def test_samples_and_other_programs_documents_have_no_file_to_miss(tmp_path: Path) -> None:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        ingest_samples(library)
        assert set(seen(library, Standings(library))) == {"ready"}


def test_a_library_of_another_model_says_that_it_must_be_embedded_anew(library: Library) -> None:
    standings = Standings(library)
    other, possession = HashingEmbedder("other"), library.ownership
    possession._embedder, loads = None, list[int]()
    possession._load_embedder = lambda: (loads.append(1), other)[1]  # type: ignore[method-assign,func-returns-value]
    assert seen(library, standings) == ["embed"] * 3
    assert seen(library, standings) == ["embed"] * 3
    assert len(loads) == 1, "it is not loaded for every list"
    editor = DocumentEditor(library, None, None)
    editor.standings = standings
    editor.embed_anew("all")
    end = time.monotonic() + 900
    while editor.items()[0].state != "updated":
        assert time.monotonic() < end
        time.sleep(0.05)
    assert seen(library, standings) == ["ready"] * 3


@pytest.mark.parametrize("language", languages())
def test_the_page_lists_the_state_with_its_reason(
    visitors: Visitors, served: Served, tmp_path: Path, language: str
) -> None:
    words, kept = strings(language), served.assistant.library.kept
    river, text = kept["river"]
    file = tmp_path / "river.txt"
    file.write_text(text, encoding="utf-8")
    served.assistant.library.put(
        replace(river, uri=str(file), original_sha256=sha256(file.read_bytes()).hexdigest()), text
    )
    try:
        visit = visitors.open(locale=language)
        visit.page.click("#open-library")
        assert visit.page.locator("tr[data-document='river'] small >> nth=-1").inner_text() == (
            f"river.txt · {words('state.ready')}"
        )
        other = visit.page.locator("tr[data-document='forum'] .state")  # its file never was
        assert other.locator("summary").inner_text() == words("state.gone")
        assert other.locator("p").is_hidden()
        other.locator("summary").click()
        assert other.locator("p").inner_text() == words("state.gone.why")
    finally:
        served.assistant.library.put(river, text)
