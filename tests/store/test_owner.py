"""There is one owner at a time: the error for writers names it, readers are served, forks get errors, nobody hangs."""

from __future__ import annotations

import os
import signal
import socket
import stat
import threading
import time
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from store.errors import LibraryError, LibraryLockedError
from store.library import Library
from store.ownership import owner_client
from store.ownership.lock import LibraryLock, Owner, read_owner
from store.ownership.owner_client import find_owner
from store.ownership.owner_socket import short_path, socket_path
from store.search import library_search
from store.settings import load_settings
from tests.store import processes
from tests.store.building import SCRIPTS, HashingEmbedder, add, found, many, parsed


def hold(home: Path, writes: bool, parent: Connection) -> None:
    """Own the library until told to leave."""
    with Library.open(home, embedder=HashingEmbedder(), read_only=not writes) as library:
        if writes:
            add(library, parsed("held", "The owner wrote this."))
        parent.send("ready")
        parent.poll(60)


def write_on(home: Path, parent: Connection) -> None:
    """Own the library and add documents, one after another, until told to leave; some get new versions."""
    with Library.open(home, embedder=HashingEmbedder()) as library:
        number = 0
        while not parent.poll():
            number += 1
            version = f"version {number}"
            add(library, parsed("changing", *(f"Part {part} of {version}." for part in range(40))))
            add(library, *many(2, passages=3, prefix=f"more {number}"))
            if number == 1:
                parent.send("ready")


class Other:
    """Another process that has a library open."""

    def __init__(self, target: object, *arguments: object) -> None:
        context = processes.context()
        self._child, child = context.Pipe()
        self.process = context.Process(target=target, args=(*arguments, child))  # type: ignore[arg-type]

    def __enter__(self) -> Other:
        self.process.start()
        assert self._child.poll(60)
        assert self._child.recv() == "ready"
        return self

    def leave(self) -> None:
        with suppress(OSError):  # it may have been killed
            self._child.send("leave")

    def __exit__(self, *_: object) -> None:
        self.leave()
        self.process.join(900)
        assert not self.process.is_alive(), "the other process hung"


def test_a_second_writer_is_refused_and_told_the_first_one_s_pid(tmp_path: Path) -> None:
    with Other(hold, tmp_path, True) as other:
        with pytest.raises(LibraryLockedError, match=f"process {other.process.pid} ") as refused:
            Library.open(tmp_path, embedder=HashingEmbedder())
        assert refused.value.pid == other.process.pid


def test_a_second_writer_in_the_same_process_is_refused_too(tmp_path: Path) -> None:
    with (
        Library.open(tmp_path, embedder=HashingEmbedder()),
        pytest.raises(LibraryLockedError, match=f"process {os.getpid()} "),
    ):
        Library.open(tmp_path)


def test_a_reader_beside_the_owner_finds_what_the_owner_wrote(tmp_path: Path) -> None:
    with Other(hold, tmp_path, True), Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
        assert found(reader, "The owner wrote this.") == ["The owner wrote this."]
        with pytest.raises(LibraryError, match="reading only"):
            add(reader, parsed("x", "Not allowed."))
        with pytest.raises(LibraryError, match="reading only"):
            reader.rebuild()


def test_a_reader_never_changes_a_library_even_as_its_owner(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
    with Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
        assert found(reader, "One.") == ["One."]
        with pytest.raises(LibraryError, match="reading only"):
            add(reader, parsed("b", "Two."))
        with pytest.raises(LibraryError, match="reading only"):
            reader.remove(reader.documents().documents[0].id)


def test_a_writer_waits_for_a_question_to_end(tmp_path: Path) -> None:
    with Other(hold, tmp_path, False) as other:
        threading.Timer(0.5, other.leave).start()
        with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
            assert add(library, parsed("a", "One.")) == ["added"]


def test_a_killed_owner_blocks_nobody(tmp_path: Path) -> None:
    with Other(hold, tmp_path, True) as other:
        assert other.process.pid is not None
        os.kill(other.process.pid, signal.SIGKILL)
        other.process.join()
        noted = read_owner(tmp_path)
        assert noted is not None
        assert noted.pid == other.process.pid, "the test needs the stale note"
        with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
            assert found(library, "The owner wrote this.") == ["The owner wrote this."]
            now = read_owner(tmp_path)
            assert now is not None
            assert now.pid == os.getpid()


@pytest.mark.parametrize("killed", [False, True])
def test_a_reader_takes_over_when_the_owner_ends(tmp_path: Path, killed: bool) -> None:
    with (
        Other(hold, tmp_path, True) as other,
        Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader,
    ):
        assert found(reader, "owner") == ["The owner wrote this."]
        if killed:
            other.process.kill()
        else:
            other.leave()
        other.process.join()
        assert found(reader, "owner") == ["The owner wrote this."]
        noted = read_owner(tmp_path)
        assert noted is not None
        assert noted.pid == os.getpid()


def test_of_two_readers_one_succeeds_and_serves_the_other(tmp_path: Path) -> None:
    with Other(hold, tmp_path, True) as other:
        first = Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True)
        second = Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True)
        other.leave()
        other.process.join()
        with first, second:
            for _ in range(3):
                assert found(first, "owner") == found(second, "owner") == ["The owner wrote this."]


def test_a_reader_sees_whole_documents_while_they_change(tmp_path: Path) -> None:
    """The owner replaces a document of 40 passages again and again; no search mixes two versions."""
    with Other(write_on, tmp_path), Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
        versions: set[str] = set()
        searches = 0
        while searches < 200 or len(versions) < 3:
            hits = [hit for hit in reader.search("Part 7 of version", 40).hits if hit.document.uri == "changing"]
            seen = {hit.text.partition(" of ")[2] for hit in hits}
            assert len(seen) == 1, f"one search saw {seen or 'neither version'}"
            versions |= seen
            searches += 1


def test_a_reader_follows_a_rebuild(tmp_path: Path) -> None:
    embedder = HashingEmbedder()
    with (
        Library.open(tmp_path, embedder=embedder) as library,
        Library.open(tmp_path, embedder=embedder, read_only=True) as reader,
    ):
        assert found(reader, "anything") == []
        add(library, *many(5))
        assert len(found(reader, "Finding 1", 20)) == 15
        library.rebuild()
        assert len(found(reader, "Finding 1", 20)) == 15


def _fork(action: object) -> str:
    """What `action` returns or raises in a forked child, as text."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            outcome = str(action())  # type: ignore[operator]
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
        os.write(writing, outcome.encode())
        os._exit(0)
    os.close(writing)
    deadline = time.monotonic() + 900
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return "hung"
        time.sleep(0.02)
    with os.fdopen(reading) as pipe:
        return pipe.read()


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_of_the_owner_says_to_open_it_again(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        found(library, "One.")
        for action in (
            lambda: library.search("One."),
            library.documents,
            lambda: add(library, parsed("b", "Two.")),
            library.rebuild,
        ):
            assert "LibraryError" in (outcome := _fork(action))
            assert "fork" in outcome
        assert _fork(library.close) == "None"
        with pytest.raises(LibraryLockedError):  # the child's end didn't give the parent's lock away
            Library.open(tmp_path)
        assert found(library, "One.") == ["One."]


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_doesn_t_keep_the_library_from_others(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    library = Library.open(tmp_path, embedder=HashingEmbedder())
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    try:
        library.close()
        Library.open(tmp_path, embedder=HashingEmbedder()).close()
    finally:
        os.write(writing, b"x")
        os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
def test_without_a_server_to_answer_by_a_library_answers_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.ownership.owner_socket._serve", None)
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        assert library.socket is None
        assert not socket_path(tmp_path).exists()


def test_only_the_user_can_reach_the_owner(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        assert library.socket is not None
        assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o600
        assert stat.S_IMODE(socket_path(tmp_path).parent.stat().st_mode) == 0o700
    assert not socket_path(tmp_path).parent.exists()


def test_a_path_of_any_length_will_do(tmp_path: Path) -> None:
    home = tmp_path / ("tên rất dài " * 8).strip() / ("ชื่อที่ยาวมาก" * 5)
    assert len(os.fsencode(socket_path(home))) > 107
    with (
        Library.open(home, embedder=HashingEmbedder()) as library,
        Library.open(home, embedder=HashingEmbedder(), read_only=True) as reader,
    ):
        add(library, parsed("a", "One."))
        assert found(reader, "One.") == ["One."]


def test_the_socket_of_a_killed_owner_is_replaced(tmp_path: Path) -> None:
    with Other(hold, tmp_path, True) as other:
        other.process.kill()
        other.process.join()
    assert socket_path(tmp_path).exists(), "the test needs the stale socket"
    assert find_owner(tmp_path) is None
    with (
        Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as first,
        Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as second,
    ):
        assert found(first, "owner") == found(second, "owner") == ["The owner wrote this."]
    assert not socket_path(tmp_path).exists()


def test_a_stranger_s_bytes_stop_nobody(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        sockets = [socket.socket(socket.AF_UNIX) for _ in range(5)]
        for number, each in enumerate(sockets):
            with short_path(socket_path(tmp_path)) as name:
                each.connect(name)
            each.sendall([b"", b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 100, b"\x7f\xff\xff\xff", b"\x00"][number])
        with Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
            assert found(reader, "One.") == ["One."]
        for each in sockets:
            each.close()


@pytest.mark.parametrize("kind", [None, "unix"])
def test_a_reader_whose_owner_can_t_be_asked_is_told_who_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str | None
) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        if kind is None:
            monkeypatch.delattr(socket, "AF_UNIX")  # as on Windows
        else:
            assert library.socket is not None
            library.socket.close()
            monkeypatch.setattr(library_search, "_SECONDS_FOR_OWNER", 0.1)
        with Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
            assert [document.uri for document in reader.documents().documents] == ["a"]
            with pytest.raises(LibraryLockedError, match=rf"in use by process {os.getpid()} .*Stop that process"):
                found(reader, "One.")


def test_an_owner_that_searches_otherwise_is_not_taken_for_the_same(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        other = load_settings(tmp_path, reranker="another/model")
        with (
            Library.open(other, embedder=HashingEmbedder(), read_only=True) as reader,
            pytest.raises(LibraryLockedError, match="with reranker None, and here it is another/model"),
        ):
            found(reader, "One.")


def test_an_owner_of_another_version_is_not_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()):
        monkeypatch.setattr(owner_client, "program_version", lambda: "99")
        with pytest.raises(LibraryError, match="runs another version of Attest: stop it"):
            find_owner(tmp_path)


def test_many_readers_are_answered_at_once(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, *many(20))
        wanted = library.search("Finding 2 of report 7", 5).hits
        answers: list[object] = []

        def ask() -> None:
            with Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader:
                answers.extend(reader.search("Finding 2 of report 7", 5).hits == wanted for _ in range(5))

        threads = [threading.Thread(target=ask) for _ in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert answers == [True] * 60


def test_a_folder_that_can_t_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LibraryError, match="file/home"):
        Library.open(tmp_path / "file" / "home")


def test_the_lock_describes_its_owner(tmp_path: Path) -> None:
    lock = LibraryLock(tmp_path)
    lock.take(writes=True)
    noted = read_owner(tmp_path)
    assert isinstance(noted, Owner)
    assert noted.pid == os.getpid()
    assert noted.started.endswith("+00:00")
    lock.release()
    lock.release()
    assert read_owner(tmp_path) is None


def test_the_owner_s_hits_are_those_of_its_own_search(tmp_path: Path) -> None:
    with (
        Library.open(tmp_path, embedder=HashingEmbedder()) as library,
        Library.open(tmp_path, embedder=HashingEmbedder(), read_only=True) as reader,
    ):
        add(library, *many(3), *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
        for query in ("Finding 2 of report 1", *(texts[0] for texts in SCRIPTS.values())):
            assert reader.search(query, 5).hits == library.search(query, 5).hits
