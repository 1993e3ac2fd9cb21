"""On both kinds of database, reads see one moment, writers wait for each other, and errors are sentences."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import URL

from store.catalog.engine import Database, location
from store.catalog.schema import migrate
from store.errors import LibraryError, SettingsError
from store.settings import load_settings
from tests.postgresql import PostgresServer

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("text", sa.Text, primary_key=True))
ADD = sa.insert(NOTES)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    where: Path | URL = tmp_path / "notes.sqlite"
    if request.param == "postgresql":
        where = request.getfixturevalue("postgresql").new_database()
    else:
        with closing(sqlite3.connect(where)) as made:  # type: ignore[arg-type]
            made.execute("PRAGMA journal_mode = WAL")
    database = Database.connect(where)
    with database.writing() as connection:
        NOTES.create(connection)
    yield database
    database.close()


def _all(database: Database) -> list[str]:
    with database.reading() as connection:
        return sorted(connection.scalars(sa.select(NOTES.c.text)))


def test_what_is_read_is_one_moment(database: Database) -> None:
    with database.reading() as connection:
        assert connection.scalars(sa.select(NOTES.c.text)).all() == []
        with database.writing() as writer:
            writer.execute(ADD, {"text": "written meanwhile"})
        assert connection.scalars(sa.select(NOTES.c.text)).all() == []
    assert _all(database) == ["written meanwhile"]


def test_a_block_that_raises_changes_nothing(database: Database) -> None:
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(ADD, {"text": "undone"})
        _ = 1 / 0
    assert _all(database) == []


def test_what_is_for_reading_refuses_to_write(database: Database) -> None:
    with pytest.raises(LibraryError), database.reading() as connection:
        connection.execute(ADD, {"text": "no"})
    assert _all(database) == []


def test_writers_wait_for_each_other(database: Database) -> None:
    other = Database.connect(database.where)
    entered = threading.Event()

    def write() -> None:
        with other.writing() as connection:
            entered.set()
            connection.execute(ADD, {"text": f"after {len(connection.execute(sa.select(NOTES)).all())}"})

    with database.writing() as connection:
        thread = threading.Thread(target=write)
        thread.start()
        assert not entered.wait(0.3)
        connection.execute(ADD, {"text": "first"})
    thread.join(900)
    other.close()
    assert _all(database) == ["after 1", "first"]


def test_a_closed_one_says_so(database: Database) -> None:
    database.close()
    with pytest.raises(LibraryError, match="closed"), database.reading():
        pass


def test_a_server_that_restarts_is_found_again(postgresql: PostgresServer) -> None:
    database = Database.connect(postgresql.new_database())
    with database.writing() as connection:
        NOTES.create(connection)
    with pytest.raises(LibraryError, match="can't be reached"), database.reading() as connection:
        connection.execute(sa.select(NOTES)).all()
        postgresql.stop()
        connection.execute(sa.select(NOTES)).all()
    with pytest.raises(LibraryError, match="can't be reached"), database.reading() as connection:
        connection.execute(sa.select(NOTES)).all()
    postgresql.start()
    with database.writing() as connection:
        connection.execute(ADD, {"text": "here again"})
    assert _all(database) == ["here again"]
    database.close()


def test_a_wrong_password_and_an_unknown_database_are_named_without_the_password(postgresql: PostgresServer) -> None:
    for url in (postgresql.url("postgres", password="wrong-password"), postgresql.url("nowhere")):
        database = Database.connect(url)
        with pytest.raises(LibraryError, match="check database_url") as raised, database.reading() as connection:
            connection.execute(sa.select(sa.literal(1)))
        assert "wrong-password" not in str(raised.value)
        assert postgresql.password not in str(raised.value)
        database.close()


def test_the_password_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("s3cret/with@signs\n")
    settings = load_settings(
        tmp_path, database_url="postgresql://attest@db:5433/library", database_password_file=tmp_path / "password"
    )
    where = location(settings, "catalog.sqlite")
    assert isinstance(where, URL)
    assert (where.password, where.port, where.database) == ("s3cret/with@signs", 5433, "library")
    assert "s3cret" not in repr(where)
    (tmp_path / "password").unlink()
    with pytest.raises(SettingsError, match="database_password_file"):
        location(settings, "catalog.sqlite")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://host/attest",
        "postgresql://attest:secret@host/attest",
        "postgresql://attest:sec/ret@host/attest",
        "postgresql://attest@host/attest?pass%77ord=secret",
        "postgresql://attest@host:port/attest",
        "postgresql://attest@[::1/attest",
        "attest",
    ],
)
def test_other_addresses_are_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="database_url") as raised:
        load_settings(tmp_path, database_url=url)
    assert "secret" not in str(raised.value)


def test_a_server_has_one_owner_until_that_is_closed(postgresql: PostgresServer) -> None:
    where = postgresql.new_database()
    first, second = Database.connect(where), Database.connect(where)
    assert first.own()
    assert first.own()
    assert not second.own()
    first.close()
    assert second.own()
    second.close()


def test_the_tables_of_another_program_are_left_alone(postgresql: PostgresServer) -> None:
    where = postgresql.new_database()
    database = Database.connect(where)
    with database.writing() as connection:
        NOTES.create(connection)
    with pytest.raises(LibraryError, match="another program"):
        migrate(where)
    assert _all(database) == []
    database.close()


def test_a_connection_that_the_server_has_closed_is_replaced(postgresql: PostgresServer) -> None:
    with closing(Database.connect(postgresql.new_database())) as database:
        who = sa.select(sa.func.pg_backend_pid())
        for once in (False, True):
            with database.reading(once=once) as connection:
                lost = connection.execute(who).scalar_one()
            with database.reading(once=once) as connection:
                assert connection.execute(who).scalar_one() == lost, "it wasn't kept"
            postgresql.execute(f"SELECT pg_terminate_backend({lost}, 60000)")
            with database.reading(once=once) as connection:
                assert connection.execute(who).scalar_one() != lost
