"""The tables that a new PostgreSQL catalog gets at once are those to which revisions bring a SQLite catalog."""

from __future__ import annotations

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from store.catalog.schema import migrate
from store.catalog.tables import metadata


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
