"""A new PostgreSQL catalog gets the same tables that the revisions give a SQLite catalog."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from store.catalog.catalog import FILE
from store.catalog.schema import migrate
from store.catalog.tables import metadata
from store.errors import LibraryError
from store.library import Library
from store.settings import load_settings
from tests.postgresql import PostgresServer
from tests.store.building import HashingEmbedder, add, parsed
from tests.store.whole_library import in_postgresql


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A catalog made by all revisions, and one made from the tables as they are described."""
    folder = tmp_path_factory.mktemp("schemas")
    migrate(folder / "revised.db")
    engine = sa.create_engine(f"sqlite:///{folder / 'described.db'}")
    metadata.create_all(engine)
    engine.dispose()
    return folder / "revised.db", folder / "described.db"


def _rows(path: Path, query: str, *values: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as opened:
        return opened.execute(query, values).fetchall()


def _tables(path: Path) -> list[str]:
    rows = _rows(path, "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
    return [str(name) for (name,) in rows if name not in {"alembic_version", "sqlite_sequence"}]


def test_both_have_the_same_tables(both: tuple[Path, Path]) -> None:
    revised, described = both
    assert _tables(revised) == _tables(described)


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_a_table_has_the_same_columns_keys_and_indexes(both: tuple[Path, Path], table: str) -> None:
    # SQLite has a rowid without asking, and needs no index for a key of integers.
    columns = """
        SELECT name, "notnull" OR pk, pk > 0 FROM pragma_table_info(?) WHERE name <> 'rowid' ORDER BY name
    """
    references = """
        SELECT "from", "table", coalesce("to", "from"), on_delete FROM pragma_foreign_key_list(?) ORDER BY 1
    """
    indexes = """
        SELECT i."unique", i.partial, group_concat(c.name) FROM pragma_index_list(?) i, pragma_index_info(i.name) c
        WHERE i.origin <> 'pk' GROUP BY i.name ORDER BY 3, 1
    """
    revised, described = both
    for query in (columns, references, indexes):
        assert _rows(revised, query, table) == _rows(described, query, table), query


def test_libraries_that_are_made_at_once_are_all_whole(tmp_path: Path, both: tuple[Path, Path]) -> None:
    files = [tmp_path / f"{number}.db" for number in range(12)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, files))
    assert {tuple(_tables(file)) for file in files} == {tuple(_tables(both[0]))}


ODD = {
    "no row": ["DELETE FROM {table}"],
    "two rows": ["INSERT INTO {table} VALUES ('0001')"],
    "a newer version's": ["UPDATE {table} SET version_num = '0099'"],
    "another program's revision": ["UPDATE {table} SET version_num = 'ae1027a6acf7'"],
    "another table of the name": ["DROP TABLE {table}", "CREATE TABLE {table} (id INTEGER)"],
}
SAID = {"a newer version's": "schema 99", "another table of the name": "another program|version_num"}


def _spoil(statements: list[str], table: str, run: Callable[[str], object]) -> None:
    for statement in statements:
        run(statement.format(table=table))


@pytest.mark.parametrize("odd", ODD)
def test_odd_revisions_of_a_file_are_refused_in_one_sentence_and_nothing_is_changed(tmp_path: Path, odd: str) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "Words."))
    with closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as opened:
        _spoil(ODD[odd], "alembic_version", opened.execute)
        opened.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    before = (tmp_path / FILE).read_bytes()
    for read_only in (False, True):
        with pytest.raises(LibraryError, match=SAID.get(odd, "alembic_version")) as raised:
            Library.open(tmp_path, read_only=read_only)
        assert len(str(raised.value).splitlines()) == 1
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize("odd", ODD)
def test_odd_revisions_of_a_database_are_refused_in_one_sentence_and_nothing_is_changed(
    postgresql: PostgresServer, tmp_path: Path, odd: str
) -> None:
    where = postgresql.new_database()
    settings = in_postgresql(load_settings(tmp_path), where, tmp_path)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "Words."))
    _spoil(ODD[odd], "attest_version", lambda statement: postgresql.execute(statement, str(where.database)))
    before = _contents(where)
    for opened in (
        lambda: Library.open(settings),
        lambda: Library.open(settings, read_only=True),
        lambda: migrate(where),
    ):
        with pytest.raises(LibraryError, match=SAID.get(odd, "attest_version")) as raised:
            opened()
        assert len(str(raised.value).splitlines()) == 1
    assert _contents(where) == before


def _contents(where: sa.URL) -> dict[str, list[tuple[object, ...]]]:
    engine = sa.create_engine(where)
    with engine.connect() as connection:
        held = sa.MetaData()
        held.reflect(connection)
        return {
            name: sorted(map(tuple, connection.execute(sa.select(table))), key=repr)
            for name, table in held.tables.items()
        }
