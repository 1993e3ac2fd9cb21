"""A backup of a library in PostgreSQL captures one moment, and restores there or to files; so does one of files."""

from __future__ import annotations

import shutil
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from store.backup.create import back_up
from store.backup.restore import restore
from store.catalog.conversations import Conversations
from store.doctor import checks as health
from store.errors import LibraryError, LibraryLockedError, RequestError
from store.library import Library
from store.moving.move import place_of
from store.settings import Settings, load_settings
from tests.postgresql import PostgresServer
from tests.store import processes
from tests.store.building import HashingEmbedder, add, many, parsed
from tests.store.whole_library import answers, fill, held, in_postgresql


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = load_settings(tmp_path_factory.mktemp("original"))
    fill(settings)
    return settings


@pytest.fixture
def files(original: Settings, tmp_path: Path) -> Settings:
    shutil.copytree(original.home, tmp_path / "files")
    return original.model_copy(update={"home": tmp_path / "files"})


@pytest.fixture
def server(original: Settings, postgresql: PostgresServer, tmp_path: Path) -> Settings:
    """An empty library in PostgreSQL, named by its settings file."""
    home = tmp_path / "server"
    home.mkdir()
    settings = in_postgresql(original, postgresql.new_database(), tmp_path, home=home)
    lines = [f'database_url = "{settings.database_url}"', f'database_password_file = "{tmp_path / "password"}"']
    (home / "attest.toml").write_text("\n".join(lines), encoding="utf-8")
    return settings


def database(settings: Settings) -> URL | None:
    where = place_of(settings)
    return where if isinstance(where, URL) else None


def saved(settings: Settings, file: Path) -> Path:
    back_up(settings.home, file, database=database(settings))
    return file


def bring_back(file: Path, settings: Settings, **options: Any) -> None:
    """What `attest restore` does."""
    restore(file, settings.home, database=database(settings), **options)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        library.rebuild(recenter=False)


def signed_out(rows: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    assert rows["sessions"]
    return rows | {"sessions": []}


def test_a_backup_of_either_comes_back_on_either(files: Settings, server: Settings, tmp_path: Path) -> None:
    rows, said = held(files), answers(files)
    bring_back(saved(files, tmp_path / "files.zip"), server)
    assert held(server) == signed_out(rows)
    assert answers(server) == said
    assert load_settings(server.home).database_url == server.database_url, "the settings say where the library was"
    assert load_settings(server.home).passage_tokens == 100
    with closing(Conversations.open(place_of(server))) as conversations:  # numbers go on
        conversations.ask(conversations.start("Lan", "Later").id, None, "And now?", "{}")
    (server.home / "uploads" / "later.txt").write_text("later", encoding="utf-8")
    rows = held(server)
    for name in ("files", "server"):
        shutil.rmtree(tmp_path / "restored", ignore_errors=True)
        target = files.model_copy(update={"home": tmp_path / "restored"})
        if name == "server":
            target = server
        bring_back(saved(server, tmp_path / f"{name}-again.zip"), target, replace=name == "server")
        assert held(target) == rows
        assert answers(target) == said
        assert (target.home / "uploads" / "later.txt").read_text(encoding="utf-8") == "later"
        assert load_settings(target.home).database_url == target.database_url


def test_a_library_in_postgresql_is_only_replaced_when_told_and_is_kept_as_a_backup(
    files: Settings, server: Settings, tmp_path: Path
) -> None:
    with Library.open(server, embedder=HashingEmbedder()) as library:
        add(library, *many(5, prefix="former"))
        with pytest.raises(LibraryLockedError):
            bring_back(saved(files, tmp_path / "files.zip"), server, replace=True)
    former = held(server)
    with pytest.raises(RequestError, match="not empty: it holds what is in the database"):
        bring_back(tmp_path / "files.zip", server)
    assert held(server) == former
    bring_back(tmp_path / "files.zip", server, replace=True)
    assert held(server) == signed_out(held(files))
    (kept,) = server.home.glob("before-restore-*/library.zip")
    bring_back(kept, server, replace=True)
    assert held(server) == former


@pytest.mark.server
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("store.catalog.row_copy:insert_rows", 1),
        ("store.catalog.row_copy:insert_rows", 9),
        ("store.backup.restore:_exchange", 1),
        ("store.backup.restore:copy_from_files", 1),
    ],
)
def test_killed_while_restoring_the_database_holds_the_former_library_or_the_new_one(
    files: Settings, server: Settings, tmp_path: Path, step: str, call: int, after: bool
) -> None:
    with Library.open(server, embedder=HashingEmbedder()) as library:
        add(library, *many(5, prefix="former"))
    former, new = held(server), signed_out(held(files))
    file = saved(files, tmp_path / "files.zip")
    code = processes.run(_restore_until_killed, file, server.home, database(server), step, call, after)
    assert code == -signal.SIGKILL
    assert held(server) in (former, new)
    with Library.open(server, embedder=HashingEmbedder()) as library:
        assert library.search("former", 1).hits or library.search("forum", 1).hits
    bring_back(file, server, replace=True)
    assert held(server) == new


def _restore_until_killed(file: Path, home: Path, where: URL, step: str, call: int, after: bool) -> None:
    processes.kill_at(step, call, after=after)
    restore(file, home, replace=True, database=where)


@pytest.mark.server
def test_a_backup_during_writes_is_the_library_at_one_moment(server: Settings, files: Settings, tmp_path: Path) -> None:
    """Two documents are changed in turn: in a backup the second is at most one change behind the first."""
    stop = threading.Event()
    failed: list[BaseException] = []

    def change(library: Library, number: int) -> None:
        add(library, *(parsed(name, f"Line {number} of {name}.") for name in ("first", "second")))

    def write(library: Library) -> None:
        try:
            for number in range(1, 10_000):
                if stop.is_set():
                    return
                change(library, number)
        except BaseException as error:
            failed.append(error)

    with Library.open(server, embedder=HashingEmbedder()) as library:
        change(library, 0)
        thread = threading.Thread(target=write, args=(library,))
        thread.start()
        try:
            for number in range(3):
                saved(server, tmp_path / f"{number}.zip")
        finally:
            stop.set()
            thread.join()
    assert failed == []
    for number in range(3):
        target = files.model_copy(update={"home": tmp_path / f"restored-{number}"})
        bring_back(tmp_path / f"{number}.zip", target)
        with Library.open(target, embedder=HashingEmbedder()) as library:
            assert health.check(library) == []
            texts = [library.text(document.id) for document in library.documents().documents]
            first, second = (int(text.split()[1]) for text in texts)
            assert 0 <= first - second <= 1


def test_a_backup_is_refused_where_the_database_cannot_be_read(
    server: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    with pytest.raises(LibraryError, match="can't be reached"):
        back_up(server.home, tmp_path / "library.zip", database=postgresql.url("nowhere"))
    assert not (tmp_path / "library.zip").exists()
