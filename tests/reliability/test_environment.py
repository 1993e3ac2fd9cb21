"""With a clock that goes back, a bare locale, no home or a read-only disk, Attest works, or says why not in a sentence."""

from __future__ import annotations

import json
import os
import pwd
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest

from store.backup.create import back_up
from store.backup.restore import restore
from store.catalog import engine
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.errors import SettingsError
from store.library import Library
from store.ownership.lock import read_owner
from store.settings import load_settings
from tests.conftest import ROOT
from tests.store.building import SCRIPTS, HashingEmbedder, add, found, parsed

COMMAND = "import sys; from assistant.cli import main; sys.exit(main())"


def attest(*arguments: object, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """The command line, with exactly this environment."""
    return subprocess.run(
        [sys.executable, "-c", COMMAND, *map(str, arguments)],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


@pytest.fixture
def home(tmp_path: Path) -> Path:
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        add(library, *(parsed(name, *texts, language=name[:2], title=texts[0]) for name, texts in SCRIPTS.items()))
    return tmp_path / "home"


def test_a_clock_that_goes_back_an_hour_loses_and_reorders_nothing(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(Conversations.open(home / FILE)) as kept:
        first = kept.start("lan", "Before")
        before = kept.ask(first.id, None, "Before?", "{}")
        kept.close_turn(before.id, "finished", "{}")

        class Earlier(datetime):
            @classmethod
            def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
                return datetime.now(UTC) - next(back)

        back = (timedelta(hours=hours) for hours in count(1))
        monkeypatch.setattr(engine, "datetime", Earlier)
        later = kept.ask(first.id, before.id, "After?", "{}")
        kept.close_turn(later.id, "finished", "{}")
        assert [turn.question for turn in kept.branch(first.id)] == ["Before?", "After?"]
        again = kept.ask(first.id, None, "Before, again?", "{}")
        assert kept.siblings(first.id)[again.id] == (before.id, again.id)
        other = kept.ask(first.id, before.id, "After, again?", "{}")
        assert kept.show_branch(first.id, before.id).leaf == other.id
        kept.start("lan", "Second")
        assert {each.title for each in kept.of("lan")} == {"Before", "Second"}
    for path in home.rglob("*"):  # as if everything had been written in an hour that is still to come
        os.utime(path, (2_000_000_000, 2_000_000_000))
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert found(library, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]
        assert add(library, parsed("new", "Something new.")) == ["added"]
        assert found(library, "Something new.", 1) == ["Something new."]
    back_up(home, home.parent / "a.zip")
    restore(home.parent / "a.zip", home.parent / "restored")


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param({"LC_ALL": "C", "LANG": "C"}, marks=pytest.mark.hard),
        {"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
        pytest.param({"LC_ALL": "C", "PYTHONIOENCODING": "ascii"}, marks=pytest.mark.hard),
        {"LC_ALL": "C", "PYTHONIOENCODING": "cp1252"},
        pytest.param({}, marks=pytest.mark.hard),
    ],
)
def test_every_script_is_printed_or_escaped_in_any_locale(home: Path, environment: dict[str, str]) -> None:
    done = attest("--home", home, "documents", "list", environment=environment | {"HOME": str(home)})
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    shown = unicodedata.normalize("NFC", done.stdout)
    assert SCRIPTS["th"][0] in shown or SCRIPTS["th"][0][:3].encode("unicode_escape").decode() in shown
    done = attest("--home", home, "documents", "show", "ไม่มี", environment=environment | {"HOME": str(home)})
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    data = attest("--home", home, "documents", "list", "--json", environment=environment | {"HOME": str(home)}).stdout
    assert len(json.loads(data)["documents"]) == len(SCRIPTS), "what is printed for programs must stay JSON"


def test_a_name_in_another_encoding_s_bytes_is_refused_in_a_sentence(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "files"
    folder.mkdir()
    Path(os.fsdecode(bytes(folder) + b"/" + "ฟอรัม.txt".encode("tis-620"))).write_text("x y z", encoding="utf-8")
    done = attest("--home", home, "ingest", folder, "--json", environment={"LC_ALL": "C", "HOME": str(home)})
    assert done.returncode in (1, 3), done.stderr
    assert "Traceback" not in done.stderr


def test_without_any_home_it_works_or_says_how_to_name_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = attest("documents", "list", environment={"ATTEST_HOME": str(tmp_path / "library")})
    assert done.returncode == 0, done.stderr

    def unknown(_: int) -> object:
        raise KeyError("getpwuid(): uid not found: 54321")  # what the system says of a number without an account

    for name in ("HOME", "ATTEST_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(SettingsError, match=r"no home directory.*--home"):
        load_settings()


@pytest.fixture
def read_only(home: Path, tmp_path: Path) -> Iterator[Path]:
    """The library on a disk that may be read only."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("Making a disk read-only needs root.")
    disk = tmp_path / "disk"
    disk.mkdir()
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=60m", "tmpfs", str(disk)], check=False).returncode:
        pytest.skip("This system doesn't let a test mount a disk.")
    shutil.copytree(home, disk / "home")
    subprocess.run([mount, "-o", "remount,ro", str(disk)], check=True)
    yield disk / "home"
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.mark.parametrize(
    "command",
    [
        ("documents", "list"),
        ("search", "forum"),
        ("ask", "forum?"),
        ("ingest", "docs"),
        ("doctor",),
        ("rebuild",),
        ("serve", "--port", "0"),
    ],
)
def test_a_read_only_home_is_said_so_in_one_sentence(read_only: Path, command: tuple[str, ...]) -> None:
    done = attest("--home", read_only, *command, environment={"HOME": str(read_only.parent)})
    assert done.returncode == 3, done.stdout
    assert done.stderr.count("\n") == 1, done.stderr
    assert "write" in done.stderr or "Read-only" in done.stderr


def test_a_backup_can_be_made_of_a_home_that_may_not_be_written_or_it_says_why(read_only: Path, tmp_path: Path) -> None:
    done = attest("--home", read_only, "backup", tmp_path / "a.zip", environment={"HOME": str(tmp_path)})
    assert done.returncode in (0, 3)
    assert "Traceback" not in done.stderr
    if done.returncode == 0:
        restore(tmp_path / "a.zip", tmp_path / "restored")
    else:
        assert done.stderr.count("\n") == 1, done.stderr


def test_a_killed_owner_s_note_of_a_later_time_blocks_nobody(home: Path) -> None:
    (home / "owner.json").write_text(
        json.dumps({"pid": 1, "command": "x", "started": "2999-01-01T00:00:00+00:00", "writes": True}), encoding="utf-8"
    )
    assert read_owner(home) is not None
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert found(library, SCRIPTS["en"][0], 1) == [SCRIPTS["en"][0]]
