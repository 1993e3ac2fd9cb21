"""An upload that can't be read is removed once that is told, and no other file ever is."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest

from assistant.server.document_editor import DocumentEditor, TakeFile, ingest_into
from assistant.server.intake import Item, Progress, Taken
from assistant.server.unread_files import identity, remove_same
from store.errors import LibraryError, ReadError
from store.library import Library
from tests.page.scripted import ScriptedAssistant
from tests.store.building import HashingEmbedder

BROKEN = b"%PDF-1.7\nno more of it"


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "uploads"


def put(editor: DocumentEditor, name: str, data: bytes, reach: tuple[str, ...] | None = None) -> Item:
    path = editor.place(name, (".pdf", ".txt"), reach)
    draft = path.with_name(f".{threading.get_ident()}.part")
    draft.write_bytes(data)
    draft.replace(path)
    return editor.take(path, reach)


def outcome(editor: DocumentEditor, item: Item) -> Item:
    """The item when it is no longer waiting or being read, and the intake has gone on to another file."""
    later = put(editor, "later.txt", b"Something else.")
    for _ in range(2400):
        states = {each.id: each for each in editor.items()}
        if states[later.id].state not in ("waiting", "reading"):
            return states[item.id]
        threading.Event().wait(0.05)
    raise AssertionError


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()} - {"later.txt"}


@pytest.mark.parametrize("reach", [None, ("Law",)])
def test_a_file_that_can_t_be_read_goes_when_that_is_told(
    library: Library, folder: Path, reach: tuple[str, ...] | None
) -> None:
    editor = DocumentEditor(library, ingest_into(library), folder)
    told = outcome(editor, put(editor, "báo cáo.pdf", BROKEN, reach))
    assert (told.state, type(told.error)) == ("failed", ReadError)
    assert files(folder) == set()
    assert outcome(editor, put(editor, "รายงาน.txt", "ฟอรัมเปิดเมื่อวันอังคาร".encode(), reach)).state == "added"
    assert files(folder) == {"รายงาน.txt"}


def test_a_document_keeps_the_place_that_it_was_read_from(library: Library, folder: Path) -> None:
    editor = DocumentEditor(library, ingest_into(library), folder)
    assert outcome(editor, put(editor, "a.txt", b"The forum opened on Tuesday.")).state == "added"
    assert outcome(editor, put(editor, "a.txt", b"\0\1\2\3" * 100)).state == "failed"
    assert files(folder) == {"a.txt"}
    assert library.find_document((folder / "a.txt").as_posix()) is not None


def test_a_file_whose_library_can_t_be_asked_stays(
    library: Library, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    editor = DocumentEditor(library, ingest_into(library), folder)
    refused = put(editor, "a.pdf", BROKEN)
    assert outcome(editor, refused).state == "failed"

    def gone(_: str) -> None:
        raise LibraryError("The database can't be reached.")

    monkeypatch.setattr(library, "find_document", gone)
    assert outcome(editor, put(editor, "b.txt", b"Bells.")).state == "failed"
    assert files(folder) == {"b.txt"}


@pytest.mark.parametrize("error", [LibraryError("The disk is full."), RuntimeError("a fault of ours")])
def test_a_file_that_isn_t_to_blame_stays(folder: Path, error: Exception) -> None:
    def take(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        if path.name == "a.txt":
            raise error
        return Taken("added")

    editor = scripted(take, folder)
    assert outcome(editor, put(editor, "a.txt", b"bells")).state == "failed"
    assert files(folder) == {"a.txt"}


def scripted(take: TakeFile, folder: Path) -> DocumentEditor:
    return DocumentEditor(cast("Library", ScriptedAssistant().library), take, folder)


def test_a_file_that_another_upload_waits_for_stays_until_that_is_told(folder: Path) -> None:
    begun, go_on = threading.Event(), threading.Event()
    read: list[bytes] = []

    def take(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        begun.set()
        assert go_on.wait(120)
        read.append(path.read_bytes())
        return Taken("failed", ReadError("This file is empty.")) if b"bad" in read[-1] else Taken("added")

    editor = scripted(take, folder)
    first = put(editor, "a.txt", b"bad 1")
    assert begun.wait(120)
    second = put(editor, "a.txt", b"bad 2")
    go_on.set()
    assert (outcome(editor, second).state, outcome(editor, first).state) == ("failed", "failed")
    assert read[:2] == [b"bad 2", b"bad 2"]
    assert files(folder) == set()


def test_a_newer_upload_of_the_name_stays(folder: Path) -> None:
    read: list[bytes] = []

    def take(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        read.append(path.read_bytes())
        if read[-1] == b"bad":
            path.with_name("draft").write_bytes(b"good")  # it is received, and not yet queued
            path.with_name("draft").replace(path)
            raise ReadError("This file is empty.")
        return Taken("added")

    editor = scripted(take, folder)
    assert outcome(editor, put(editor, "a.txt", b"bad")).state == "failed"
    assert (folder / "a.txt").read_bytes() == b"good"
    assert outcome(editor, editor.take(folder / "a.txt")).state == "added"


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("newest", [None, b"newest"])
def test_one_that_comes_between_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, newest: bytes | None, links: bool
) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"bad")
    before = identity(path)
    rename: Callable[[Path, Path], Path] = Path.rename

    def late(self: Path, target: Path) -> Path:
        (tmp_path / "draft").write_bytes(b"newer")
        (tmp_path / "draft").replace(path)
        renamed = rename(self, target)
        if newest is not None:
            path.write_bytes(newest)
        return renamed

    monkeypatch.setattr(Path, "rename", late)
    if not links:

        def unlinkable(self: Path, target: Path) -> None:
            raise PermissionError

        monkeypatch.setattr(Path, "hardlink_to", unlinkable)
    remove_same(path, before)
    assert path.read_bytes() == (newest or b"newer")
    assert [each.name for each in tmp_path.iterdir()] == ["a.txt"]


def test_what_isn_t_there_is_no_failure(tmp_path: Path) -> None:
    remove_same(tmp_path / "absent", identity(tmp_path / "absent"))
    (tmp_path / "b.txt").write_bytes(b"b")
    remove_same(tmp_path / "b.txt", None)
    assert (tmp_path / "b.txt").exists()
