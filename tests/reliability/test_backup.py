"""A backup made during writes restores identical answers, and nothing in a backup is ever executed."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import stat
import threading
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.backup.archive import ACCOUNTS, LIST, is_allowed
from store.backup.create import back_up
from store.backup.restore import STAGING, restore
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.catalog.schema import MIGRATIONS, migrate
from store.doctor import checks as health
from store.errors import LibraryError, LibraryLockedError, RequestError, SchemaVersionError
from store.library import Library
from tests.store import processes
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, many, parsed

DOCUMENTS = [
    *(parsed(f"text:{name}", *texts, language=name[:2], published="2023-06") for name, texts in SCRIPTS.items()),
    *many(60, passages=4),
]
QUESTIONS = [SCRIPTS["en"][0], SCRIPTS["th"][1], SCRIPTS["vi-nfd"][0], "finding of report 7", "ปักกิ่ง", "2023"]


def answers(library: Library) -> list[object]:
    """Everything that a search says, but for the time that it took."""
    return [library.search(question, 20).hits for question in QUESTIONS]


def bring_back(file: Path, home: Path, **options: Any) -> Library:
    """What `attest restore` does."""
    restore(file, home, **options)
    library = Library.open(home, embedder=HashingEmbedder())
    library.rebuild(recenter=False)
    return library


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[object], dict[str, object]]:
    """A library with documents, a conversation, uploads and settings; what it answers; what it holds."""
    home = tmp_path_factory.mktemp("original") / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        said, held = answers(library), contents(library)
    with closing(Conversations.open(home / FILE)) as conversations:
        conversation = conversations.start("somebody", "ฟอรัม")
        conversations.ask(conversation.id, None, "When was the forum?", "{}")
    (home / "attest.toml").write_text("passage_tokens = 100\n", encoding="utf-8")
    (home / "uploads" / "deep").mkdir(parents=True)
    (home / "uploads" / "รายงาน.txt").write_text("ฟอรัม", encoding="utf-8")
    (home / "uploads" / "deep" / "Diễn đàn.txt").write_bytes(bytes(range(256)))
    (home / "uploads" / ".unfinished.part").write_bytes(b"x")
    (home / "uploads" / "link.txt").symlink_to("/etc/passwd")
    (home / "models").mkdir()
    (home / "models" / "model.gguf").write_bytes(b"had again without a backup")
    with closing(sqlite3.connect(home / ACCOUNTS)) as connection, connection:
        connection.execute("CREATE TABLE users (name TEXT PRIMARY KEY, password TEXT)")
        connection.execute("INSERT INTO users VALUES ('somebody', 'a hash')")
        connection.execute("CREATE TABLE sessions (token BLOB PRIMARY KEY)")
        connection.execute("INSERT INTO sessions VALUES (x'01')")
    return home, said, held


@pytest.fixture
def backup(original: tuple[Path, list[object], dict[str, object]], tmp_path: Path) -> Path:
    back_up(original[0], tmp_path / "library.zip")
    return tmp_path / "library.zip"


def test_restored_answers_are_identical_in_every_script(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path
) -> None:
    home = tmp_path / "elsewhere"
    with bring_back(backup, home) as library:
        assert contents(library) == original[2]
        assert answers(library) == original[1]
        assert health.check(library) == []
    with closing(Conversations.open(home / FILE)) as conversations:
        (conversation,) = conversations.of("somebody")
        assert [turn.question for turn in conversations.branch(conversation.id)] == ["When was the forum?"]
    assert (home / "attest.toml").read_text(encoding="utf-8") == "passage_tokens = 100\n"
    kept = {path.relative_to(home / "uploads").as_posix() for path in (home / "uploads").rglob("*") if path.is_file()}
    assert kept == {"รายงาน.txt", "deep/Diễn đàn.txt"}
    assert (home / "uploads" / "deep" / "Diễn đàn.txt").read_bytes() == bytes(range(256))
    with closing(sqlite3.connect(home / ACCOUNTS)) as connection:
        assert connection.execute("SELECT name FROM users").fetchall() == [("somebody",)]
        assert connection.execute("SELECT * FROM sessions").fetchall() == [], "a session that had ended goes on"
    assert stat.S_IMODE((home / ACCOUNTS).stat().st_mode) == 0o600
    assert not (home / STAGING).exists()


def test_a_restored_library_that_was_never_rebuilt_is_made_whole_by_the_next_opening(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path
) -> None:
    """As after a kill between the exchange of files and the end of the rebuild."""
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *many(80, passages=5, prefix="newer"))
    restore(backup, home, replace=True)
    with Library.open(home, embedder=HashingEmbedder(), read_only=True) as library:
        assert contents(library) == original[2]
        for question in SCRIPTS["th"]:
            assert library.search(question, 1).hits[0].text == question
        assert health.check(library) == []


def test_a_backup_during_writes_is_the_library_at_one_moment(tmp_path: Path) -> None:
    home = tmp_path / "home"
    first, versions = 24, 6
    stop = threading.Event()
    failed: list[BaseException] = []

    def write(library: Library) -> None:
        """Exchange pairs of documents for their next version, removing and adding, over and over."""
        try:
            for round_number in range(10_000):
                if stop.is_set():
                    return
                for number in range(0, first, 3):
                    add(library, *_version(number, round_number % versions))
        except BaseException as error:
            failed.append(error)

    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *(each for number in range(first) for each in _version(number, 0)))
        thread = threading.Thread(target=write, args=(library,))
        thread.start()
        try:
            for number in range(6):
                back_up(home, tmp_path / f"backup-{number}.zip")
        finally:
            stop.set()
            thread.join()
    assert failed == []
    for number in range(6):
        with bring_back(tmp_path / f"backup-{number}.zip", tmp_path / f"restored-{number}") as library:
            assert health.check(library) == []
            documents = library.documents(limit=1000).documents
            assert len(documents) == first
            for document in documents:
                text = library.text(document.id)
                assert text in {
                    each.text for version in range(versions) for each in _version(int(document.uri), version)
                }
                (hit, *_) = library.search(text.split("\n")[0], 5).hits
                assert hit.text == text.split("\n")[0]


def _version(number: int, version: int) -> list[Any]:
    return [parsed(f"{number}", *(f"Line {line} of {number} in version {version}." for line in range(3)))]


def test_a_library_is_only_replaced_when_told_and_is_kept_aside(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *many(5, prefix="former"))
        former = contents(library)
    (home / "uploads").mkdir()
    (home / "uploads" / "former.txt").write_text("former", encoding="utf-8")
    with pytest.raises(RequestError, match=r"not empty: it holds uploads, catalog\.sqlite.*--replace"):
        restore(backup, home)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert contents(library) == former
    with bring_back(backup, home, replace=True) as library:
        assert contents(library) == original[2]
    (aside,) = home.glob("before-restore-*")
    assert (aside / "uploads" / "former.txt").read_text(encoding="utf-8") == "former"
    with Library.open(aside, embedder=HashingEmbedder()) as library:
        library.rebuild()
        assert contents(library)["texts"] == former["texts"]


def test_a_library_in_use_is_not_replaced(backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()), pytest.raises(LibraryLockedError, match=str(os.getpid())):
        restore(backup, home, replace=True)
    with closing(Conversations.open(home / FILE)) as reading:
        reading.of("anybody")
        with pytest.raises(LibraryError, match="Another process is reading"):
            restore(backup, home, replace=True)
    assert not list(home.glob("before-restore-*"))


@pytest.mark.parametrize(
    ("step", "call", "after"),
    [
        ("store.backup.restore:_unpack_part", 2, True),
        ("store.backup.restore:_exchange", 1, False),
        ("store.backup.restore:_keep", 1, True),
        ("store.backup.restore:_keep", 2, True),
        ("store.backup.restore:_fsync_folder", 1, True),
    ],
)
def test_killed_while_restoring_there_is_a_whole_library_and_nothing_is_lost(
    backup: Path,
    original: tuple[Path, list[object], dict[str, object]],
    tmp_path: Path,
    step: str,
    call: int,
    after: bool,
) -> None:
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *many(5, prefix="former"))
        former = contents(library)["texts"]
    (home / "attest.toml").write_text("passage_tokens = 64\n", encoding="utf-8")
    assert processes.run(_restore, backup, home, step, call, after) == -9
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert contents(library)["texts"] in (former, original[2]["texts"])
        assert library.search(SCRIPTS["en"][0], 1).hits
        findings = health.check(library)
        assert {finding.fix for finding in findings} <= {"leftovers"}, "what was unpacked so far"
        health.repair(library, findings)
        assert health.check(library) == []
        assert not list(home.glob(".restoring*"))
    with bring_back(backup, home, replace=True) as library:
        assert contents(library) == original[2]
    kept = [
        sqlite3.connect(path).execute("SELECT count(*) FROM documents").fetchone()[0]
        for path in home.glob(f"before*/{FILE}")
    ]
    assert 5 in kept, "the former library is gone"


def _restore(backup: Path, home: Path, step: str, call: int, after: bool) -> None:
    processes.kill_at(step, call, after=after)
    restore(backup, home, replace=True)


def test_a_backup_is_for_its_owner_s_eyes_and_replaces_nothing(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path
) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    before = backup.read_bytes()
    with pytest.raises(RequestError, match="is there already"):
        back_up(original[0], backup)
    assert backup.read_bytes() == before
    with pytest.raises(RequestError, match="There is no library"):
        back_up(tmp_path / "nowhere", tmp_path / "other.zip")
    with pytest.raises(LibraryError, match="can't be written"):
        back_up(original[0], tmp_path / "no" / "such" / "folder.zip")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["library.zip"]


def test_a_damaged_catalog_is_not_backed_up_as_if_it_were_sound(backup: Path, tmp_path: Path) -> None:
    home = tmp_path / "home"
    restore(backup, home)
    size = (home / FILE).stat().st_size
    with (home / FILE).open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 40_000)
    with pytest.raises(LibraryError, match="damaged"):
        back_up(home, tmp_path / "of-damaged.zip")
    assert not (tmp_path / "of-damaged.zip").exists()


@pytest.mark.parametrize("damage", [b"not a database at all" * 500, None])
def test_a_damaged_library_is_replaced_and_kept_aside(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path, damage: bytes | None
) -> None:
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *many(40, passages=5, prefix="former"))
    whole = (home / FILE).read_bytes()
    broken = damage or whole[: len(whole) // 3] + b"\xff" * 20_000 + whole[len(whole) // 3 + 20_000 :]
    (home / FILE).write_bytes(broken)
    with bring_back(backup, home, replace=True) as library:
        assert contents(library) == original[2]
    (aside,) = home.glob(f"before-restore-*/{FILE}")
    assert len(aside.read_bytes()) == len(broken)


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9, 0.999])
def test_a_cut_is_noticed_and_so_is_a_flipped_byte_of_what_was_backed_up(
    original: tuple[Path, list[object], dict[str, object]], backup: Path, tmp_path: Path, place: float
) -> None:
    whole = backup.read_bytes()
    at = int(len(whole) * place)
    (tmp_path / "cut.zip").write_bytes(whole[:at])
    with pytest.raises(RequestError, match=r"damaged|can't be used|can't be read"):
        restore(tmp_path / "cut.zip", tmp_path / "home")
    assert [path for path in (tmp_path / "home").rglob("*") if "owner" not in path.name] == []
    (tmp_path / "flipped.zip").write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    try:
        restore(tmp_path / "flipped.zip", tmp_path / "home")
    except RequestError:
        assert [path for path in (tmp_path / "home").rglob("*") if "owner" not in path.name] == []
    else:  # it was one of the zip archive's own, such as a date
        assert place > 0.9
        with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
            assert contents(library) == original[2]


HOSTILE = {
    "uploads/../../outside.txt": "a name that no backup has",
    "/etc/attest-test": "a name that no backup has",
    "uploads/..": "a name that no backup has",
    "uploads\\..\\..\\outside.txt": "a name that no backup has",
    "C:/outside.txt": "a name that no backup has",
    "outside.txt": "a name that no backup has",
    "derived/vectors-0001/index_metadata.pickle": "a name that no backup has",
    "catalog.sqlite-wal": "a name that no backup has",
    "uploads/a\nb": "a name that no backup has",
    "uploads/": "a link, a folder or a device",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_part_that_would_leave_the_home_is_refused(backup: Path, tmp_path: Path, name: str) -> None:
    hostile = remade(backup, tmp_path / "hostile.zip", add={name: b"x"})
    with pytest.raises(RequestError, match=HOSTILE[name]):
        restore(hostile, tmp_path / "home")
    _assert_untouched(tmp_path)


def test_links_and_compressed_parts_are_refused(backup: Path, tmp_path: Path) -> None:
    def link(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith("x.txt"):
            entry.external_attr = (stat.S_IFLNK | 0o777) << 16

    hostile = remade(backup, tmp_path / "link.zip", add={"uploads/x.txt": b"/etc/passwd"}, change=link)
    with pytest.raises(RequestError, match="a link, a folder or a device"):
        restore(hostile, tmp_path / "home")

    def squeeze(entry: zipfile.ZipInfo) -> None:
        if entry.filename.endswith("x.txt"):
            entry.compress_type = zipfile.ZIP_DEFLATED

    bomb = remade(backup, tmp_path / "bomb.zip", add={"uploads/x.txt": bytes(50_000_000)}, change=squeeze)
    assert bomb.stat().st_size < 10_000_000
    with pytest.raises(RequestError, match="compressed or encrypted"):
        restore(bomb, tmp_path / "home")
    _assert_untouched(tmp_path)


def test_parts_on_top_of_each_other_are_refused(backup: Path, tmp_path: Path) -> None:
    """A zip bomb that needs no compression: thousands of entries that are all the same bytes."""
    data = bytearray(remade(backup, tmp_path / "one.zip", add={"uploads/a.txt": bytes(3_000_000)}).read_bytes())
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        entry = archive.getinfo("uploads/a.txt")
        said = json.loads(archive.read(LIST))
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        with zipfile.ZipFile(tmp_path / "one.zip") as source:
            for each in source.infolist():
                if each.filename != LIST:
                    archive.writestr(each, source.read(each))
        base = next(each for each in archive.filelist if each.filename == entry.filename)
        (listed,) = (each for each in said["parts"] if each["path"] == "uploads/a.txt")
        for number in range(50):
            copy = zipfile.ZipInfo(f"uploads/{number}.txt")
            copy.file_size, copy.compress_size, copy.CRC = base.file_size, base.compress_size, base.CRC
            copy.header_offset = base.header_offset
            archive.filelist.append(copy)
            said["parts"].append({**listed, "path": copy.filename})
        archive.writestr(LIST, json.dumps(said))
    assert data
    with pytest.raises(RequestError, match="on top of each other"):
        restore(tmp_path / "many.zip", tmp_path / "home")
    _assert_untouched(tmp_path)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("CREATE TRIGGER t AFTER INSERT ON documents BEGIN DELETE FROM texts; END", "trigger 't'"),
        ("CREATE VIEW v AS SELECT 1", "view 'v'"),
        ("CREATE TABLE extra (x)", "table 'extra'"),
        ("CREATE INDEX i ON documents (hex(randomblob(9)), title)", None),
        ("PRAGMA application_id = 7", "database of another program"),
    ],
)
def test_a_catalog_with_anything_in_it_that_would_run_is_refused(
    backup: Path, tmp_path: Path, statement: str, said: str | None
) -> None:
    path = tmp_path / "catalog"
    with zipfile.ZipFile(backup) as archive:
        path.write_bytes(archive.read(FILE))
    with closing(sqlite3.connect(path)) as connection:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError:
            assert said is None, "SQLite itself forbids it"
            return
        connection.commit()
    hostile = remade(backup, tmp_path / "hostile.zip", add={FILE: path.read_bytes()})
    with pytest.raises((RequestError, LibraryError), match=said):
        restore(hostile, tmp_path / "home")
    _assert_untouched(tmp_path)


def test_accounts_with_a_trigger_are_refused(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "accounts"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("CREATE TABLE a (x); CREATE TRIGGER t AFTER INSERT ON a BEGIN DELETE FROM a; END")
    hostile = remade(backup, tmp_path / "hostile.zip", add={ACCOUNTS: path.read_bytes()})
    with pytest.raises(RequestError, match="trigger 't'"):
        restore(hostile, tmp_path / "home")


def test_a_backup_of_a_newer_version_is_refused_and_one_of_an_older_is_migrated(backup: Path, tmp_path: Path) -> None:
    path = tmp_path / "catalog"
    with zipfile.ZipFile(backup) as archive:
        path.write_bytes(archive.read(FILE))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaVersionError, match="Upgrade Attest"):
        restore(remade(backup, tmp_path / "newer.zip", add={FILE: path.read_bytes()}), tmp_path / "home")
    _assert_untouched(tmp_path)
    older, first = tmp_path / "older", tmp_path / "first"
    older.mkdir()
    (first / "versions").mkdir(parents=True)
    for revision in (MIGRATIONS / "versions").glob("0001_*"):
        shutil.copy(revision, first / "versions")
    migrate(older / FILE, first)
    back_up(older, tmp_path / "older.zip")
    with bring_back(tmp_path / "older.zip", tmp_path / "home") as library:
        add(library, *DOCUMENTS[:4])
        assert library.search(SCRIPTS["th"][0], 1).hits[0].text == SCRIPTS["th"][0]
        assert health.check(library) == []
    assert (tmp_path / "home" / "catalog.before-0002.sqlite").exists()


@pytest.mark.parametrize(
    "change",
    [
        lambda said: said.update(format="other/1"),
        lambda said: said.update(parts=[*said["parts"], said["parts"][0]]),
        lambda said: said["parts"][0].update(size=-1),
        lambda said: said["parts"][0].update(size=10**18),
        lambda said: said["parts"][0].update(sha256="0" * 64),
        lambda said: said["parts"].pop(),
        lambda said: said.update(parts="x"),
        lambda said: said.clear(),
    ],
)
def test_a_list_that_lies_is_refused(backup: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    with zipfile.ZipFile(backup) as archive:
        said = json.loads(archive.read(LIST))
    change(said)
    hostile = remade(backup, tmp_path / "hostile.zip", add={LIST: json.dumps(said).encode()}, keep_list=True)
    with pytest.raises(RequestError):
        restore(hostile, tmp_path / "home")
    _assert_untouched(tmp_path)


def test_a_key_in_restored_settings_is_refused_as_everywhere(backup: Path, tmp_path: Path) -> None:
    hostile = remade(backup, tmp_path / "hostile.zip", add={"attest.toml": b"api_key = 'stolen'"})
    with pytest.raises(RequestError, match="holds api_key") as caught:
        restore(hostile, tmp_path / "home")
    assert "stolen" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"PK\x05\x06" + bytes(18), b"not a zip" * 1000, b"\x80\x04cos\nsystem\n."])
def test_what_is_no_backup_is_refused_in_a_sentence(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(RequestError, match=r"can't be read as a backup|can't be used as a backup"):
        restore(tmp_path / "file", tmp_path / "home")
    with pytest.raises(RequestError, match="There is no file"):
        restore(tmp_path / "nothing", tmp_path / "home")


@given(st.text(max_size=40))
def test_no_allowed_name_leads_out_of_the_home(name: str) -> None:
    for path in (name, f"uploads/{name}", f"uploads/{name}/x"):
        if is_allowed(path):
            assert Path(os.path.normpath(Path("/srv/x") / path)).is_relative_to("/srv/x")
            assert os.path.normpath(path) == path


def remade(
    backup: Path,
    target: Path,
    *,
    add: dict[str, bytes],
    change: Callable[[zipfile.ZipInfo], None] = lambda _: None,
    keep_list: bool = False,
) -> Path:
    """The backup with other or more parts, and a list that agrees with them unless `keep_list`."""
    import hashlib

    with zipfile.ZipFile(backup) as archive:
        parts = {entry.filename: archive.read(entry) for entry in archive.infolist()} | add
        said = json.loads(archive.read(LIST))
    if not keep_list:
        said["parts"] = [
            {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            for name, data in parts.items()
            if name != LIST
        ]
        parts[LIST] = json.dumps(said).encode()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in parts.items():
            entry = zipfile.ZipInfo("x")
            entry.filename = name
            change(entry)
            archive.writestr(entry, data)
    return target


def _assert_untouched(folder: Path) -> None:
    """Nothing was made, in the home or beside it."""
    names = {path.name for path in folder.rglob("*")} - {"home", "owner.lock"}
    assert all(name.endswith(".zip") or name in ("catalog", "accounts") for name in names), names
