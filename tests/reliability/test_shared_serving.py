"""Servers of one library share uploads, removed documents and request counts through their database."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import cast

import pytest
import sqlalchemy as sa

from assistant.server.api.rate_limits import SharedRequestCounts
from assistant.server.document_editor import DocumentEditor, TakeFile
from assistant.server.error_messages import error_message
from assistant.server.intake import Item, Progress, Taken
from assistant.server.removed_documents import KEPT, SharedRemoved
from assistant.server.shared_intake import SharedIntake
from assistant.server.strings import strings
from store.catalog.engine import Database
from store.catalog.schema import migrate
from store.errors import ReadError
from store.library import Library
from tests.page.scripted import ScriptedAssistant
from tests.postgresql import PostgresServer
from tests.store.building import SCRIPTS, parsed

pytestmark = pytest.mark.server


@pytest.fixture
def databases(postgresql: PostgresServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Database, Database]]:
    """The same database, as two servers have it."""
    monkeypatch.setattr("assistant.server.shared_intake._LOOK", 0.1)
    where = postgresql.new_database()
    migrate(where)
    with ExitStack() as stack:
        one, two = (stack.enter_context(closing(Database.connect(where, "serving"))) for _ in range(2))
        yield one, two


def editor(take: TakeFile, folder: Path, database: Database) -> DocumentEditor:
    return DocumentEditor(cast("Library", ScriptedAssistant().library), take, folder, database)


def put(editor: DocumentEditor, name: str) -> Item:
    path = editor.place(name, (".txt",))
    path.write_text(name, encoding="utf-8")
    return editor.take(path)


def until(holds: Callable[[], bool]) -> None:
    waiting = threading.Event()
    for _ in range(2400):
        if holds():
            return
        waiting.wait(0.05)
    raise AssertionError


def state(editor: DocumentEditor, item: Item) -> str:
    return next(each.state for each in editor.items() if each.id == item.id)


def added(path: Path, progress: Progress, collection: str | None = None) -> Taken:
    return Taken("added")


def refused(path: Path, progress: Progress, collection: str | None = None) -> Taken:
    raise ReadError("{name} is of no kind.", code="kind", name=path.name, kinds="txt")


def test_an_upload_of_one_is_followed_at_another_and_told_in_any_language(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    here = editor(refused, tmp_path / "one", databases[0])
    there = editor(added, tmp_path / "two", databases[1])
    item = put(here, "รายงาน.txt")
    until(lambda: state(there, item) == "failed")
    (seen,) = there.items()
    assert (seen.name, seen.state) == ("รายงาน.txt", "failed")
    assert seen.error is not None
    for language in ("en", "th", "vi"):
        assert "รายงาน.txt" in error_message(seen.error, strings(language))
    assert state(here, put(there, "b.txt")) in ("waiting", "reading", "added")


def test_a_file_is_read_once_and_only_by_servers_that_have_it(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    read: list[tuple[str, str]] = []

    def taking(who: str) -> TakeFile:
        def take(path: Path, progress: Progress, collection: str | None = None) -> Taken:
            read.append((who, path.name))
            return Taken("added")

        return take

    here = editor(taking("here"), tmp_path / "one", databases[0])
    there = editor(taking("there"), tmp_path / "one", databases[1])
    elsewhere = editor(taking("elsewhere"), tmp_path / "two", databases[1])
    (tmp_path / "two" / "0.txt").write_text("another file of the same name", encoding="utf-8")
    items = [put((here, there)[number % 2], f"{number}.txt") for number in range(20)]
    until(lambda: all(state(elsewhere, item) == "added" for item in items))
    assert sorted(name for _, name in read) == sorted(item.name for item in items)
    assert "elsewhere" not in {who for who, _ in read}


def test_a_file_that_can_t_be_read_goes_once_no_server_waits_for_it(
    databases: tuple[Database, Database], tmp_path: Path
) -> None:
    go_on = threading.Event()

    def bad(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        assert go_on.wait(120)
        text = path.read_text(encoding="utf-8")
        return Taken("failed", ReadError(text)) if text.endswith("bad.txt") else Taken("added")

    here, there = (editor(bad, tmp_path, database) for database in databases)
    items = [put((here, there)[number % 2], "bad.txt") for number in range(6)]
    items.append(put(here, "good.txt"))
    go_on.set()
    until(lambda: not any(each.state in ("waiting", "reading") for each in here.items()))
    told = {each.id: str(each.error or "") for each in there.items()}
    assert [told[item.id] for item in items] == ["bad.txt"] * 6 + [""]
    until(lambda: {path.name for path in tmp_path.iterdir()} == {".identity", "good.txt"})


def test_what_a_dead_server_was_reading_is_read_by_another(
    databases: tuple[Database, Database], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    begun, over = threading.Event(), threading.Event()

    def hang(path: Path, progress: Progress, collection: str | None = None) -> Taken:
        begun.set()
        over.wait(120)
        return Taken("failed", ReadError("It can't be read."))

    here = editor(hang, tmp_path, databases[0])
    item = put(here, "a.txt")
    assert begun.wait(120)
    there = editor(added, tmp_path, databases[1])
    assert state(there, item) == "reading"
    with databases[1].writing() as connection:
        connection.execute(
            sa.text(
                "SELECT pg_terminate_backend(pid) FROM pg_locks "
                "WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
                "AND pid <> pg_backend_pid()"
            )
        )
    until(lambda: state(there, item) == "added")
    over.set()  # the other one wasn't dead, and comes to another result, which no longer counts
    until(lambda: "can't be reached" in caplog.text)
    assert state(there, item) == "added"
    assert (tmp_path / "a.txt").exists()


def test_a_document_that_one_removed_is_brought_back_by_another(databases: tuple[Database, Database]) -> None:
    here, there = map(SharedRemoved, databases)
    for number, texts in enumerate(SCRIPTS.values()):
        document = parsed(f"text-{number}", "\0".join(texts), heading="หัวข้อ", speaker="Lan")
        here.keep(document)
        assert there.take(document.document.id, ("Law",)) is None
        assert there.take(document.document.id, None) == document
        assert here.take(document.document.id, None) is None
    many = [parsed(f"many-{number}", "Words.") for number in range(KEPT + 5)]
    for each in many:
        here.keep(each)
    assert [there.take(each.document.id, ("",)) is not None for each in many] == [False] * 5 + [True] * KEPT


def test_requests_are_counted_for_all_servers_together(databases: tuple[Database, Database]) -> None:
    here, there = (SharedRequestCounts(5, database) for database in databases)
    left = [(here, there)[number % 2].take("Lan").left for number in range(7)]
    assert left == [4, 3, 2, 1, 0, -1, -1]
    assert there.take("Bo").left == 4
    with databases[0].writing() as connection:
        connection.execute(sa.text("UPDATE serving_requests SET began = began - 61"))
    assert there.take("Lan").left == 4
    assert 1 <= here.take("Lan").seconds <= 60


def test_an_intake_ends_with_its_database(databases: tuple[Database, Database], tmp_path: Path) -> None:
    SharedIntake(lambda *_: Taken("added"), lambda *_: None, databases[0], tmp_path)
    databases[0].close()
    until(lambda: not any(each.name == "intake" and each.is_alive() for each in threading.enumerate()))
