"""A library moves from SQLite to PostgreSQL and back with every row, even if a move is killed."""

from __future__ import annotations

import signal
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner

from assistant.cli import attest
from store.catalog import row_copy
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.catalog.row_copy import TABLES, LibraryDatabases
from store.errors import LibraryError, LibraryLockedError, RequestError
from store.library import Library
from store.moving.move import MoveReport, move, place_of
from store.settings import Settings, load_settings
from tests.postgresql import PostgresServer
from tests.servers import ChromaProcess
from tests.store import processes
from tests.store.building import HashingEmbedder, add, many, parsed
from tests.store.whole_library import DOCUMENTS, answers, fill, held, in_postgresql


@pytest.fixture
def source(tmp_path: Path) -> Settings:
    """A library with something in every table."""
    settings = load_settings(tmp_path / "source")
    fill(settings)
    return settings


def moved(source: Settings, target: Settings) -> MoveReport:
    return move(source, target, embedder=HashingEmbedder())


def test_a_library_goes_to_postgresql_and_back_with_every_row(
    source: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    rows, said = held(source), answers(source)
    assert all(rows[table.name] for table in TABLES if table.name != "attempts"), "a table is empty"
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    report = moved(source, there)
    assert (report.documents, report.resumed) == (len(DOCUMENTS) - 1, False)
    assert held(there) == rows
    assert answers(there) == said
    with Library.open(there, embedder=HashingEmbedder()) as library:  # numbers go on behind those that came
        assert add(library, *many(3, prefix="later")) == ["added"] * 3
    with closing(Conversations.open(place_of(there))) as conversations:
        conversations.ask(conversations.start("Lan", "Later").id, None, "And now?", "{}")
    back = source.model_copy(update={"home": tmp_path / "back"})
    moved(there, back)
    assert held(back) == held(there)
    assert (tmp_path / "back" / "uploads" / "รายงาน.txt").read_text(encoding="utf-8") == "ฟอรัม"
    assert (tmp_path / "back" / "attest.toml").read_text(encoding="utf-8") == "# ours\npassage_tokens = 100\n"
    assert held(source) == rows, "the source was changed"
    assert answers(source) == said


@pytest.mark.server
@pytest.mark.parametrize(
    ("step", "call"),
    [
        ("store.catalog.row_copy:LibraryDatabases.append", 1),
        ("store.catalog.row_copy:LibraryDatabases.append", 7),
        ("store.catalog.row_copy:insert_rows", 12),
        ("store.moving.move:_finish_rows", 1),
        ("store.index.index_set:IndexSet.write", 1),
        ("store.moving.move:check_indexes", 1),
    ],
)
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("direction", ["there", "back"])
def test_a_move_that_is_killed_goes_on_when_it_is_run_again(
    source: Settings, postgresql: PostgresServer, tmp_path: Path, step: str, call: int, after: bool, direction: str
) -> None:
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    target = there
    if direction == "back":
        moved(source, there)
        source, target = there, source.model_copy(update={"home": tmp_path / "back"})
    assert processes.run(_move_until_killed, source, target, step, call, after) == -signal.SIGKILL
    rows = step.startswith("store.catalog") or (step.endswith("_finish_rows") and not after)
    if rows:
        with pytest.raises(LibraryError, match="only partly there"):
            Library.open(target, embedder=HashingEmbedder())
    assert moved(source, target).resumed
    assert held(target) == held(source)
    assert answers(target) == answers(source)


def _move_until_killed(source: Settings, target: Settings, step: str, call: int, after: bool) -> None:
    row_copy.BATCH = 10
    processes.kill_at(step, call, after=after)
    move(source, target, embedder=HashingEmbedder())


def test_what_changed_since_the_move_was_interrupted_comes_along(
    source: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    step = "store.moving.move:_finish_rows"
    assert processes.run(_move_until_killed, source, there, step, 1, False) == -signal.SIGKILL
    with Library.open(source, embedder=HashingEmbedder()) as library:
        library.remove(DOCUMENTS[12].document.id)
        add(library, parsed(DOCUMENTS[14].document.uri, "Quite another text."), *many(2, prefix="later"))
    moved(source, there)
    assert held(there) == held(source)
    assert answers(there) == answers(source)


def test_rows_that_differ_are_found(
    source: Settings, postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    append = LibraryDatabases.append

    def lose(self: LibraryDatabases, table: sa.Table, rows: list[Any]) -> None:
        append(self, table, rows[1:] if table.name == "vectors" else rows)

    monkeypatch.setattr(LibraryDatabases, "append", lose)
    with pytest.raises(LibraryError, match="rows of vectors differ"):
        moved(source, in_postgresql(source, postgresql.new_database(), tmp_path))


def test_a_place_that_is_not_empty_is_refused_in_one_sentence_and_left_alone(
    source: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    other = source.model_copy(update={"home": tmp_path / "other"})
    with Library.open(other, embedder=HashingEmbedder()) as library:
        add(library, *many(2, prefix="other"))
    there = in_postgresql(other, postgresql.new_database(), tmp_path)
    moved(other, there)
    for target in (other, there.model_copy(update={"home": source.home})):
        before = held(target)
        with pytest.raises(RequestError, match=r"isn't empty: name an empty database, or a new folder\.$"):
            moved(source, target)
        assert held(target) == before
    with pytest.raises(RequestError, match="there already"):
        moved(source, source)
    with pytest.raises(RequestError, match="There is no library"):
        moved(source.model_copy(update={"home": tmp_path / "nowhere"}), there)
    assert not (tmp_path / "nowhere").exists()


def test_half_a_library_is_not_filled_up_with_another(
    source: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    step = "store.catalog.row_copy:LibraryDatabases.append"
    assert processes.run(_move_until_killed, source, there, step, 3, True) == -signal.SIGKILL
    other = source.model_copy(update={"home": tmp_path / "other"})
    with Library.open(other, embedder=HashingEmbedder()) as library:
        add(library, *many(2, prefix="other"))
    with pytest.raises(RequestError, match="move of another library"):
        moved(other, there.model_copy(update={"home": other.home}))
    with pytest.raises(RequestError, match="only partly here"):
        moved(there, source.model_copy(update={"home": tmp_path / "further"}))


def test_a_library_in_use_is_not_moved(source: Settings, postgresql: PostgresServer, tmp_path: Path) -> None:
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    with Library.open(source, embedder=HashingEmbedder()), pytest.raises(LibraryLockedError):
        moved(source, there)


def test_a_character_that_postgresql_cannot_keep_is_named(
    source: Settings, postgresql: PostgresServer, tmp_path: Path
) -> None:
    with closing(Conversations.open(source.home / FILE)) as conversations:
        conversation = conversations.start("Lan", "with NUL")
    with closing(sqlite3.connect(source.home / FILE)) as opened, opened:  # as Attest kept it before
        opened.execute("UPDATE conversations SET title = ? WHERE id = ?", ("with\0NUL", conversation.id))
    with pytest.raises(LibraryError, match=f"can't keep the character NUL.*{conversation.id}"):
        moved(source, in_postgresql(source, postgresql.new_database(), tmp_path))


@pytest.mark.server
def test_vectors_go_to_a_chroma_server_too(
    source: Settings, postgresql: PostgresServer, chroma: ChromaProcess, tmp_path: Path
) -> None:
    there = in_postgresql(source, postgresql.new_database(), tmp_path, chroma_url=chroma.url)
    moved(source, there)
    assert held(there) == held(source)
    assert answers(there) == answers(source)
    assert not list((source.home / "derived-postgresql").glob("vectors-*"))


def test_an_empty_library_goes_there_and_takes_documents(postgresql: PostgresServer, tmp_path: Path) -> None:
    source = load_settings(tmp_path / "source")
    with Library.open(source, embedder=HashingEmbedder()):
        pass
    there = in_postgresql(source, postgresql.new_database(), tmp_path)
    assert moved(source, there).documents == 0
    with Library.open(there, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
    answers(there)


def test_the_command_says_what_it_did_and_which_settings_to_use(postgresql: PostgresServer, tmp_path: Path) -> None:
    home = tmp_path / "source"
    with Library.open(load_settings(home), embedder=HashingEmbedder()):
        pass
    there = in_postgresql(load_settings(home), postgresql.new_database(), tmp_path)
    arguments = [
        "--home",
        str(home),
        "move",
        "--to",
        str(there.database_url),
        "--password-file",
        str(tmp_path / "password"),
    ]
    done = CliRunner().invoke(attest, arguments, catch_exceptions=False)
    assert done.exit_code == 0
    assert "every vector were compared" in done.output
    assert f'database_url = "{there.database_url}"' in done.output
    assert f'database_password_file = "{tmp_path / "password"}"' in done.output
    with Library.open(there, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS[:1])
    with pytest.raises(RequestError, match="isn't empty"):
        CliRunner().invoke(attest, arguments, catch_exceptions=False)
    for wrong, said in (
        (str(home), "there already"),
        ("mysql://host/name", "must look like postgresql://"),
        ("postgresql://attest:secret@host/name", "holds a password"),
    ):
        with pytest.raises(RequestError, match=said):
            CliRunner().invoke(attest, [*arguments[:4], wrong], catch_exceptions=False)


def test_the_command_names_the_variables_that_would_lead_away_from_a_copy(
    postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = in_postgresql(load_settings(tmp_path / "home"), postgresql.new_database(), tmp_path)
    with Library.open(source, embedder=HashingEmbedder()):
        pass
    monkeypatch.setenv("ATTEST_DATABASE_URL", str(source.database_url))
    monkeypatch.setenv("ATTEST_DATABASE_PASSWORD_FILE", str(source.database_password_file))
    arguments = ["--home", str(tmp_path / "home"), "move", "--to", str(tmp_path / "copy")]
    done = CliRunner().invoke(attest, arguments, catch_exceptions=False)
    assert "without ATTEST_DATABASE_URL, ATTEST_DATABASE_PASSWORD_FILE in the environment" in done.output
