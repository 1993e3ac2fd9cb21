"""Damage is found before any answer, reported in a sentence with the command, and repaired from the catalog."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from shlex import quote

import pytest
from sqlalchemy import make_url

from store.backup.create import back_up
from store.backup.last_backup import last_backup
from store.catalog.catalog import FILE
from store.catalog.database_errors import server_database
from store.doctor import checks as health
from store.doctor import file_checks as household
from store.errors import IndexDamagedError, LibraryError
from store.library import Library
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, many, parsed

QUESTIONS = ["Finding 2 of report 17", "Finding 0 of report 240", *(texts[0] for texts in SCRIPTS.values())]
DOCUMENTS = [
    *many(280, passages=4),
    *(parsed(tag, *texts, language=tag[:2], heading="H", speaker="UN") for tag, texts in SCRIPTS.items()),
]


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Over a thousand passages: with fewer Chroma keeps no files of its own yet."""
    home = tmp_path_factory.mktemp("sound") / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
    return home


@pytest.fixture
def home(sound: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(sound, tmp_path / "home"))


def _segment(home: Path) -> Path:
    (folder,) = (path for path in (home / "derived").glob("vectors-*/*") if path.is_dir())
    return folder


def _truncate(path: Path, share: float) -> None:
    os.truncate(path, int(path.stat().st_size * share))


def _delete_segment(home: Path) -> None:
    shutil.rmtree(_segment(home))


def _truncate_segment(home: Path) -> None:
    _truncate(_segment(home) / "data_level0.bin", 0.6)


def _delete_pickle(home: Path) -> None:
    (_segment(home) / "index_metadata.pickle").unlink()


def _swap_segment(home: Path) -> None:
    other = home.parent / "other"
    with Library.open(other, embedder=HashingEmbedder()) as library:
        add(library, *many(280, passages=4, prefix="stranger"))
    shutil.rmtree(_segment(home))
    shutil.copytree(_segment(other), _segment_target(home))


def _segment_target(home: Path) -> Path:
    """Where the segment was, by the name that Chroma's own database has for it."""
    (folder,) = (home / "derived").glob("vectors-*")
    with closing(sqlite3.connect(folder / "chroma.sqlite3")) as connection:
        (name,) = connection.execute("SELECT id FROM segments WHERE scope = 'VECTOR'").fetchone()
    return folder / str(name)


def _delete_vectors(home: Path) -> None:
    (folder,) = (home / "derived").glob("vectors-*")
    shutil.rmtree(folder)


def _delete_keywords(home: Path) -> None:
    (folder,) = (home / "derived").glob("keywords-*")
    shutil.rmtree(folder)


def _spoil_keywords(home: Path) -> None:
    (folder,) = (home / "derived").glob("keywords-*")
    for file in folder.glob("*.store"):
        _truncate(file, 0.5)


def _delete_all(home: Path) -> None:
    shutil.rmtree(home / "derived")


def _answers(library: Library) -> list[list[tuple[str, str, float]]]:
    return [
        [(hit.passage.id, hit.text, round(hit.score, 4)) for hit in library.search(question, 10).hits]
        for question in QUESTIONS
    ]


DAMAGES = [
    _delete_segment,
    _truncate_segment,
    _delete_pickle,
    _swap_segment,
    _delete_vectors,
    _delete_keywords,
    _spoil_keywords,
    _delete_all,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_indexes_are_refused_before_any_answer_and_rebuilt_alike(
    home: Path, damage: Callable[[Path], None]
) -> None:
    with Library.open(home, embedder=HashingEmbedder()) as library:
        before = _answers(library)
        held = contents(library)
    damage(home)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        for _ in range(2):
            with pytest.raises(IndexDamagedError, match="attest rebuild"):
                library.search(QUESTIONS[0])
        with pytest.raises(IndexDamagedError, match="attest rebuild"):
            add(library, parsed("new", "Something new."))
        findings = health.check(library)
        assert [finding.fix for finding in findings] == ["rebuild"]
        assert library.text(library.documents().documents[0].id)
        done = health.repair(library, findings)
        assert done
        assert health.check(library) == []
        assert _answers(library) == before
        assert contents(library) == held
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert _answers(library) == before


@pytest.mark.parametrize("damage", [_delete_segment, _truncate_segment, _swap_segment])
def test_damage_is_seen_in_the_vectors_themselves_not_only_in_their_files(
    home: Path, damage: Callable[[Path], None]
) -> None:
    """The sizes of files prove nothing after an unclean end; then the vectors must find themselves."""
    damage(home)
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        connection.execute("UPDATE library SET value = '' WHERE name = 'clean'")
    with Library.open(home, embedder=HashingEmbedder()) as library:
        generation = library.ownership.catalog
        question = library.text(library.documents().documents[20].id).split("\n")[2]
        assert found(library, question, 1) == [question]
        with generation.snapshot() as snapshot:
            assert snapshot.number("vectors_generation") > 1, "it should have been made anew"
        assert health.check(library) == []


def test_a_sound_library_has_no_findings(home: Path) -> None:
    with Library.open(home, embedder=HashingEmbedder(), read_only=True) as library:
        assert health.check(library) == []
        facts = health.facts(library)
        assert (facts.documents, facts.passages) == (287, 1134)
        assert facts.embedder == "trigrams"
        assert facts.versions["chromadb"]


def _execute(home: Path, statement: str) -> None:
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        assert connection.execute(statement).rowcount


@pytest.mark.parametrize(
    ("statement", "said", "fix"),
    [
        ("UPDATE texts SET text = 'x' || substr(text, 2) WHERE document = 5", "text isn't the one", None),
        ("UPDATE passages SET end_offset = 10000 WHERE key = 9", "outside its text", None),
        ("DELETE FROM passages WHERE document = 4 AND ordinal = 3", "3 of its 4 passages", None),
        ("DELETE FROM vectors WHERE passage < 6", "5 passages have no vectors", "embed"),
        ("UPDATE vectors SET halves = substr(halves, 3) WHERE passage = 3", "1 passages have no vectors", "embed"),
        ("UPDATE languages SET count = count + 1 WHERE language = 'th'", "statistics", "rebuild"),
    ],
)
def test_what_is_wrong_in_the_catalog_is_named(home: Path, statement: str, said: str, fix: str | None) -> None:
    with Library.open(home, embedder=HashingEmbedder()) as library:
        held = contents(library)
    _execute(home, statement)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        findings = health.check(library)
        assert any(said in finding.message and finding.fix == fix for finding in findings)
        if fix is not None:
            health.repair(library, findings)
            assert health.check(library) == []
            assert contents(library) == held


def test_a_catalog_with_broken_pages_is_reported(home: Path) -> None:
    size = (home / FILE).stat().st_size
    with (home / FILE).open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * 40_000)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        messages = []
        try:
            messages = [finding.message for finding in health.check(library)]
        except LibraryError as error:
            messages = [str(error)]
        assert any("backup" in message for message in messages)


def test_passages_that_only_an_index_knows_are_found(home: Path) -> None:
    import numpy as np

    from store.index.vector_index import Entry

    with Library.open(home, embedder=HashingEmbedder()) as library:
        with library.ownership.indexes_for_writing() as indexes:
            indexes.owned.add([Entry("ghost", "ghost", "en", np.full(64, 1 / 8, np.float32))])
            lost = library.passages(library.documents().documents[0].id)[0].id
            indexes.owned.remove([lost])
        messages = [finding.message for finding in health.check(library)]
        assert any("1 passages of the library aren't in it" in message for message in messages)
        assert any("1 passages are in it that aren't in the library" in message for message in messages)


def test_another_embedder_is_a_finding(home: Path) -> None:
    with Library.open(home) as library:
        library.ownership._load_embedder = lambda: HashingEmbedder("other")  # type: ignore[method-assign]
        (finding,) = health.check_embedder(library)
        assert "attest rebuild --embed" in finding.message


def test_embedding_anew_with_another_model(home: Path) -> None:
    other = HashingEmbedder("other", dimensions=96)
    with Library.open(home) as library:
        library.ownership._load_embedder = lambda: other  # type: ignore[method-assign]
        library.rebuild(embed=True)
        question = library.text(library.documents().documents[20].id).split("\n")[2]
        assert found(library, question, 1) == [question]
        assert health.check(library) == []
        assert other.embedded == 1134
    with Library.open(home, embedder=other) as library:
        add(library, parsed("new", "Something new."))
        assert health.check(library) == []


def test_a_full_disk_is_foreseen(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(home)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1_000_000))
    with Library.open(home, embedder=HashingEmbedder()) as library:
        (finding,) = health.check_disk(library)
        assert "1 MB left" in finding.message


def _note_backup(home: Path) -> Path:
    file = home.parent / "the backup.zip"
    back_up(home, file)
    return file


def _mended(home: Path, check: str, fix: str | None) -> list[str]:
    """What was done about the only thing that is wrong; afterwards nothing is."""
    with Library.open(home, embedder=HashingEmbedder()) as library:
        before = _answers(library)
        findings = health.check(library)
        assert [(finding.check, finding.fix) for finding in findings] == [(check, fix)]
        assert "`attest doctor --fix`" in findings[0].message
        done = health.repair(library, findings)
        assert health.check(library) == []
        assert _answers(library) == before
    return done


def test_what_killed_processes_left_is_found_and_removed_and_nothing_else(home: Path) -> None:
    hour = time.time() - 2 * 3600
    uploads = home / "uploads" / "in-0123"
    uploads.mkdir(parents=True)
    (home / ".restoring").mkdir()
    (home / ".restoring" / "catalog.sqlite").write_bytes(b"x" * 100)
    (home / "owner.json.4242").write_text("{")
    for name in (".0123456789abcdef.part", ".ffff.part", "kept.txt", "kept.part"):
        (uploads / name).write_text("half")
        os.utime(uploads / name, (hour, hour))
    (uploads / ".now.part").write_text("an upload that is coming in just now")
    kept = home / "before-restore-20260101-000000"
    kept.mkdir()
    (done,) = _mended(home, "leftovers", "leftovers")
    assert done.startswith("Removed 4 ")
    assert sorted(path.name for path in uploads.iterdir()) == [".now.part", "kept.part", "kept.txt"]
    assert kept.is_dir()
    assert not (home / ".restoring").exists()
    assert not (home / "owner.json.4242").exists()


def test_what_is_going_on_in_another_process_is_no_leftover(home: Path) -> None:
    (home / ".restoring").mkdir()
    with (
        Library.open(home, embedder=HashingEmbedder()),
        Library.open(home, embedder=HashingEmbedder(), read_only=True) as beside,
    ):
        assert list(household.check_leftovers(beside)) == []


def test_a_backup_that_is_being_written_for_hours_is_no_leftover(home: Path) -> None:
    folder = home / ".attest-backup-0123"
    folder.mkdir()
    (folder / "backup").write_bytes(b"so far")
    hours = time.time() - 2 * 3600
    os.utime(folder, (hours, hours))  # what grows in a folder doesn't change the folder's own time
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert health.check(library) == []
    os.utime(folder / "backup", (hours, hours))
    (done,) = _mended(home, "leftovers", "leftovers")
    assert done.startswith("Removed 1 ")
    assert not folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="no modes here")
def test_a_file_that_is_not_ours_to_close_is_told_of_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "accounts.sqlite").touch()
    (home / "accounts.sqlite").chmod(0o644)

    def refuse(path: Path, mode: int) -> None:
        raise PermissionError(1, "Operation not permitted", str(path))

    monkeypatch.setattr(Path, "chmod", refuse)  # only root may, who runs these tests here and there
    with Library.open(home, embedder=HashingEmbedder()) as library:
        findings = health.check(library)
        assert health.repair(library, findings) == ["Closed 0 files to other users."]
        assert health.check(library) == findings


@pytest.mark.skipif(os.name != "posix", reason="no modes here")
def test_accounts_and_keys_that_others_can_read_are_closed_to_them(home: Path) -> None:
    private = [home / "accounts.sqlite", home / "accounts.sqlite-wal", home / "before-restore-1" / "accounts.sqlite"]
    for path in private:
        path.parent.mkdir(exist_ok=True)
        path.touch(0o600)
        path.chmod(0o644)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        findings = health.check(library)
        assert [finding.check for finding in findings] == ["modes"] * 3
        assert health.repair(library, findings) == ["Closed 3 files to other users."]
        assert health.check(library) == []
    assert [path.stat().st_mode & 0o777 for path in private] == [0o600] * 3


def _unknown_to_index(home: Path, index: str, statement: str) -> None:
    """Have `statement` change the catalog while nobody knows of that index, and so keeps it up to date."""
    with closing(sqlite3.connect(home / FILE, isolation_level=None)) as connection:
        connection.execute("PRAGMA writable_schema = ON")
        row = connection.execute("SELECT * FROM sqlite_master WHERE name = ?", (index,)).fetchone()
        connection.execute("DELETE FROM sqlite_master WHERE name = ?", (index,))
    with closing(sqlite3.connect(home / FILE, isolation_level=None)) as connection:
        connection.execute(statement)
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("INSERT INTO sqlite_master VALUES (?, ?, ?, ?, ?)", row)


def test_an_index_of_the_catalog_that_lacks_rows_is_made_anew(home: Path) -> None:
    _unknown_to_index(home, "passages_content", "UPDATE passages SET content = randomblob(12) WHERE key < 40")
    assert _mended(home, "catalog", "reindex") == ["Rebuilt the catalog's own indexes from its tables."]


def test_an_index_that_cannot_be_made_anew_is_told_of_with_what_helps(home: Path) -> None:
    double = "UPDATE documents SET uri = (SELECT min(uri) FROM documents) WHERE uri = (SELECT max(uri) FROM documents)"
    _unknown_to_index(home, "documents_live_uri", double)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        findings = [finding for finding in health.check(library) if finding.check == "catalog"]
        assert [finding.fix for finding in findings] == ["reindex"]
        with pytest.raises(LibraryError, match=r"UNIQUE constraint failed.* `attest restore FILE --replace`"):
            health.repair(library, findings)
        assert [finding.fix for finding in health.check_catalog(library)] == ["reindex"]


def test_rows_that_belong_to_nothing_are_never_removed_by_a_repair(home: Path) -> None:
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(
            "INSERT INTO turns (id, conversation, question, state, created) VALUES ('t', 'gone', '?', 'asked', '')"
        )
    with Library.open(home, embedder=HashingEmbedder()) as library:
        findings = health.check(library)
        assert [finding.fix for finding in findings] == [None]
        assert "restore a backup with `attest restore FILE --replace`" in findings[0].message
        assert health.repair(library, findings) == []
    with closing(sqlite3.connect(home / FILE)) as connection:
        assert connection.execute("SELECT count(*) FROM turns").fetchone() == (1,)


def test_a_damaged_database_is_told_of_with_the_backup_to_restore(home: Path) -> None:
    file = _note_backup(home)
    (home / "accounts.sqlite").write_bytes(b"no database at all" * 100)
    (home / "accounts.sqlite").chmod(0o600)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        (finding,) = health.check(library)
        assert (finding.check, finding.fix) == ("accounts", None)
        assert f"`attest restore {quote(str(file))} --replace`" in finding.message
        file.unlink()
        (finding,) = health.check(library)
        assert "`attest restore FILE --replace`" in finding.message
        assert str(file) not in finding.message


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="each name is one in Unicode there")
def test_a_backup_whose_name_is_no_unicode_is_noted_too(home: Path) -> None:
    file = home.parent / os.fsdecode(b"backup-\xff.zip")
    back_up(home, file)
    noted = last_backup(home)
    assert noted is not None
    assert noted.file == file


def test_a_catalog_that_cannot_even_be_opened_names_the_backup_too(home: Path) -> None:
    file = _note_backup(home)
    with (home / FILE).open("r+b") as catalog:
        catalog.write(b"\xff" * 5000)
    with pytest.raises(LibraryError) as raised:
        Library.open(home, embedder=HashingEmbedder())
    assert f"`attest restore {quote(str(file))} --replace`" in str(raised.value)


def test_the_note_of_a_killed_owner_is_in_nobodys_way(home: Path) -> None:
    note = {"pid": 2**22 + 1, "command": "attest serve", "started": "2026-01-01", "writes": True, "address": "nowhere"}
    (home / "owner.json").write_text(json.dumps(note))
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert health.check(library) == []
        assert health.facts(library).owner == "nobody else"


@pytest.fixture
def command(home: Path) -> Iterator[Callable[..., tuple[int, str]]]:
    """`attest` with the library at home, as (exit code, what it printed)."""
    import click
    from click.testing import CliRunner

    from assistant import documents_cli
    from ingest import library_cli
    from store import cli
    from store.errors import AttestError
    from store.settings import load_settings

    group = click.Group(
        commands={"documents": documents_cli.documents, "doctor": library_cli.doctor, "rebuild": cli.rebuild}
    )

    def run(*arguments: str) -> tuple[int, str]:
        result = CliRunner().invoke(group, arguments, obj=load_settings(home))
        if isinstance(result.exception, AttestError):
            return result.exception.exit_code, str(result.exception)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result.exit_code, result.stdout

    yield run


def test_documents_are_listed_shown_and_removed(command: Callable[..., tuple[int, str]]) -> None:
    code, printed = command("documents", "list", "--language", "th", "--json")
    (document,) = json.loads(printed)["documents"]
    assert (code, document["uri"], document["speaker"]) == (0, "th", "UN")
    code, printed = command("documents", "list", "--limit", "2")
    assert len(printed.splitlines()) == 2
    page = json.loads(command("documents", "list", "--limit", "200", "--json")[1])
    rest = json.loads(command("documents", "list", "--after", page["next"], "--limit", "200", "--json")[1])
    assert len(page["documents"]) == 200
    assert len(rest["documents"]) == 87
    assert rest["next"] is None
    for name in (document["id"], "th"):
        shown = json.loads(command("documents", "show", name, "--text", "--json")[1])
        assert shown["text"] == "\n".join(["H", *SCRIPTS["th"]])
        assert shown["overview"]
        for each in shown["overview"]:
            assert shown["text"][each["start"] : each["end"]] == each["quote"]
    assert SCRIPTS["th"][1] in command("documents", "show", "th", "--text")[1]
    assert "In its own sentences:" in command("documents", "show", "th")[1]
    assert command("documents", "remove", "th", "nowhere")[0] == 2
    code, printed = command("documents", "remove", "th", document["id"], "--json")
    assert (code, [each["uri"] for each in json.loads(printed)["removed"]]) == (0, ["th"])
    code, printed = command("documents", "show", "th")
    assert code == 2
    assert "attest documents list" in printed


def test_rebuild_tells_what_it_did(home: Path, command: Callable[..., tuple[int, str]]) -> None:
    _delete_all(home)
    code, printed = _with_embedder(command, "rebuild", "--json")
    assert code == 0
    assert json.loads(printed) == {"documents": 287, "passages": 1134, "embedded": False}


def test_doctor_says_no_by_its_exit_code_until_it_has_mended(
    home: Path, command: Callable[..., tuple[int, str]]
) -> None:
    _delete_segment(home)
    code, printed = _with_embedder(command, "doctor", "--json")
    report = json.loads(printed)
    assert code == 1
    assert [finding["fix"] for finding in report["findings"]] == ["rebuild"]
    code, printed = _with_embedder(command, "doctor", "--fix", "--json")
    assert code == 0
    assert json.loads(printed)["findings"] == []
    code, printed = _with_embedder(command, "doctor")
    assert code == 0
    assert "Nothing is wrong." in printed


def test_a_new_library_is_called_empty_and_nothing_else(
    home: Path, command: Callable[..., tuple[int, str]], caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(home)
    for _ in range(2):
        code, printed = _with_embedder(command, "doctor")
        assert (code, "The library is empty: add documents with `attest ingest`." in printed) == (0, True)
    with Library.open(home, embedder=HashingEmbedder()):  # an owner that hasn't needed indexes yet
        assert _with_embedder(command, "doctor")[0] == 0
    assert caplog.messages == []
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, parsed("one", "The forum opened."))
        assert health.check(library) == []
    assert "is empty" not in _with_embedder(command, "doctor")[1]


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://lan:secret@db.example:5433/attest", "attest at db.example"),
        ("postgresql:///attest?host=/run/postgresql&password=secret", "attest at /run/postgresql"),
        ("postgresql:///attest?host=one:5432&host=two:5432", "attest at one:5432, two:5432"),
        ("postgresql:///attest", "attest at this machine"),
    ],
)
def test_a_database_is_named_without_its_password(url: str, named: str) -> None:
    assert server_database(make_url(url)) == named


def _with_embedder(command: Callable[..., tuple[int, str]], *arguments: str) -> tuple[int, str]:
    from store.ownership.ownership import Ownership

    original = Ownership._load_embedder
    Ownership._load_embedder = lambda self: HashingEmbedder()  # type: ignore[method-assign]
    try:
        return command(*arguments)
    finally:
        Ownership._load_embedder = original  # type: ignore[method-assign]
