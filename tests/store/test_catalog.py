"""The catalog is migrated after a backup, refused if it is newer or another program's, and never scanned."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from store.catalog import schema
from store.catalog.catalog import FILE, Catalog
from store.catalog.snapshot import Snapshot
from store.errors import LibraryError, SchemaVersionError
from store.library import Library
from store.types import Filter
from tests.store.building import HashingEmbedder, add, many, parsed


def _library_of(documents: int, home: Path) -> Path:
    """A library of ten passages a document."""
    with Library.open(home, embedder=HashingEmbedder()) as library:
        for _ in library.add_many(many(documents, passages=10)):
            pass
    return home


def _write_revision(folder: Path, *statements: str) -> None:
    """Write a revision that follows the present ones."""
    number = schema.latest_schema()
    body = "\n".join(f"    op.execute({statement!r})" for statement in statements)
    (folder / "versions" / f"{number + 1:04}_new.py").write_text(
        f"from alembic import op\n\nrevision = '{number + 1:04}'\ndown_revision = '{number:04}'\n\n\n"
        f"def upgrade():\n{body}\n"
    )


@pytest.fixture
def older(tmp_path: Path) -> tuple[Path, Path]:
    """A library of the first schema, and a folder with migrations of which the last is new to it."""
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    home = tmp_path / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
    _write_revision(folder, "CREATE TABLE new (x INTEGER)", "INSERT INTO new VALUES (1)")
    return home, folder


def test_an_older_catalog_is_migrated_after_a_backup(older: tuple[Path, Path]) -> None:
    home, folder = older
    backup = schema.migrate(home / FILE, folder)
    assert backup is not None
    with closing(sqlite3.connect(home / FILE)) as now, closing(sqlite3.connect(backup)) as then:
        assert now.execute("SELECT x FROM new").fetchall() == [(1,)]
        assert now.execute("PRAGMA user_version").fetchone() == (schema.latest_schema(folder),)
        assert then.execute("PRAGMA user_version").fetchone() == (schema.latest_schema(),)
        assert then.execute("SELECT uri FROM documents").fetchall() == [("a",)]
    assert schema.migrate(home / FILE, folder) is None, "a second run has nothing to do"


def test_processes_that_migrate_at_once_keep_the_backup_of_before(older: tuple[Path, Path]) -> None:
    home, folder = older
    with ThreadPoolExecutor(6) as threads:
        backups = list(threads.map(lambda _: schema.migrate(home / FILE, folder), range(6)))
    (backup,) = filter(None, backups)
    with closing(sqlite3.connect(backup)) as then:
        assert then.execute("PRAGMA user_version").fetchone() == (schema.latest_schema(),)
        assert then.execute("SELECT uri FROM documents").fetchall() == [("a",)]


def test_a_migration_that_fails_changes_nothing(older: tuple[Path, Path]) -> None:
    home, folder = older
    _write_revision(folder, "CREATE TABLE new (x INTEGER)", "INSERT INTO nowhere VALUES (1)")
    with pytest.raises(LibraryError, match="nowhere"):
        schema.migrate(home / FILE, folder)
    with closing(sqlite3.connect(home / FILE)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (schema.latest_schema(),)
        assert not connection.execute("SELECT * FROM sqlite_master WHERE name = 'new'").fetchall()
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert library.documents().documents[0].uri == "a"


def test_a_newer_catalog_is_refused_and_left_alone(older: tuple[Path, Path]) -> None:
    home, folder = older
    schema.migrate(home / FILE, folder)
    with closing(sqlite3.connect(home / FILE)) as connection, connection:
        connection.execute("UPDATE library SET value = '9.1' WHERE name = 'made_by'")
    before = (home / FILE).read_bytes()
    for read_only in (False, True):
        with pytest.raises(SchemaVersionError, match=r"made by Attest 9\.1"):
            Library.open(home, read_only=read_only)
    assert (home / FILE).read_bytes() == before


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as connection, connection:
        connection.execute("CREATE TABLE bookmarks (url TEXT)")
    with pytest.raises(LibraryError, match="another program"):
        Library.open(tmp_path)


@pytest.mark.parametrize("content", [b"plain text, no database" * 100, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    with pytest.raises(LibraryError, match=r"catalog\.sqlite"):
        Library.open(tmp_path)
    assert (tmp_path / FILE).read_bytes() == content


def test_a_snapshot_doesn_t_move_while_others_write(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        with library.snapshot() as snapshot:
            thread = threading.Thread(target=lambda: add(library, parsed("b", "Two."), parsed("a", "New one.")))
            thread.start()
            thread.join()
            assert [document.uri for document in snapshot.documents(None, 10).documents] == ["a"]
            assert snapshot.text(snapshot.documents(None, 10).documents[0].id) == "One."
        assert [document.uri for document in library.documents().documents] == ["a", "b"]


def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / FILE)
    with pytest.raises(ZeroDivisionError), catalog.transaction() as transaction:
        transaction.set_value("x", "y")
        raise ZeroDivisionError
    with catalog.snapshot() as snapshot:
        assert snapshot.value("x") is None
    catalog.close()


def test_a_full_disk_is_said_in_a_sentence(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, parsed("a", "One."))
        database = library.ownership.catalog.database
        with database.outside_transactions() as writer:
            (pages,) = writer.execute("PRAGMA page_count").fetchone()
            writer.execute(f"PRAGMA max_page_count = {pages + 2}")  # what SQLite does when the disk has no more
        with pytest.raises(LibraryError, match=r"full\. Free some space"):
            add(library, parsed("b", "x" * 500_000))
        assert [document.uri for document in library.documents().documents] == ["a"]
        assert library.search("One.").hits[0].text == "One."
        with database.outside_transactions() as writer:
            writer.execute("PRAGMA max_page_count = 1000000")
        assert add(library, parsed("b", "x" * 500_000)) == ["added"]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[tuple[Snapshot, list[str]]]:
    """A snapshot, and the statements that run on it, with their values in them."""
    statements: list[str] = []
    with closing(Catalog.open(_library_of(100, tmp_path) / FILE)) as catalog, catalog.snapshot() as snapshot:
        driver = snapshot._connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        driver.set_trace_callback(statements.append)
        yield snapshot, statements


ALLOWED_SCANS = {
    "languages": "one row a language",
    "centring": "one row a language",
    "documents USING COVERING INDEX documents_live_speaker": "counts, from an index a hundredth of the catalog",
}


def test_no_lookup_scans_the_catalog(watched: tuple[Snapshot, list[str]]) -> None:
    snapshot, statements = watched
    (document, *_), (other, *_) = snapshot.documents(None, 5).documents, snapshot.documents("report-00050", 5).documents
    passages = [passage.id for passage in snapshot.passages(document.id)]
    where = Filter((document.id, other.id), ("UN",), ("en",), "2020", "2024")
    snapshot.documents("report-00007", 10, where)
    snapshot.find_document(document.uri)
    snapshot.is_current(document.uri, "", 1)
    snapshot.documents_by_id([document.id, other.id])
    snapshot.text(document.id, 3, 9)
    assert snapshot.stored_passages(passages)
    snapshot.stored_passages(passages, where)
    snapshot.language_statistics()
    snapshot.centering_statistics()
    snapshot.statistics()
    plans = []
    for statement in list(statements):
        plan = snapshot._connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")
        plans += [(row[3], statement) for row in plan]
    assert len(plans) > 20
    for step, statement in plans:
        if step.startswith("SCAN"):
            assert any(step.removeprefix("SCAN ").startswith(allowed) for allowed in ALLOWED_SCANS), (step, statement)
