"""If PostgreSQL or Chroma stops, restarts, is slow or is cut off, nothing is lost or duplicated, and nobody must intervene.

The servers are real, with a connection that can be cut. Errors are one sentence that names the server.
"""

from __future__ import annotations

import multiprocessing.connection
import random
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from assistant.accounts.database import Database as AccountsDatabase
from assistant.accounts.register import Register
from assistant.accounts.sessions import HOUR, Lifetime, Sessions
from assistant.accounts.tokens import Tokens
from store.catalog import engine, schema
from store.catalog.catalog import Catalog
from store.doctor import checks as health
from store.errors import LibraryError, SchemaVersionError
from store.library import Library
from store.moving.move import place_of
from store.settings import Settings, load_settings
from store.types import ParsedDocument
from tests.postgresql import PostgresServer
from tests.servers import Line, chroma_running, line_to
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, many, parsed
from tests.store.processes import context
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

DOCUMENTS = [*(parsed(name, *texts, language=name[:2]) for name, texts in SCRIPTS.items()), *many(60, passages=3)]
QUESTIONS = [texts[0] for texts in SCRIPTS.values()]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What an undisturbed ingest gives."""
    with Library.open(tmp_path_factory.mktemp("whole"), embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        library.rebuild()
        return contents(library)


@pytest.fixture
def server() -> Iterator[PostgresServer]:
    """A PostgreSQL of this test's own, that it may stop."""
    made = PostgresServer.make()
    yield made
    made.remove()


@pytest.fixture
def line(server: PostgresServer) -> Iterator[Line]:
    with line_to(server.port) as made:
        yield made


def settings_for(url: URL, folder: Path, **changes: object) -> Settings:
    return in_postgresql(load_settings(folder / "home"), url, folder, **changes)


def through(line: Line, url: URL) -> URL:
    return url.set(port=int(line.url.rpartition(":")[2]))


def ingest(library: Library, documents: list[ParsedDocument]) -> None:
    for start in range(0, len(documents), 4):
        add(library, *documents[start : start + 4])


def until_done(work: Callable[[], object], patience: float = 120) -> list[str]:
    """Repeat `work` as a user would, until it ends well; returns what was said before."""
    said = []
    deadline = time.monotonic() + patience
    while True:
        try:
            work()
        except LibraryError as error:
            said.append(str(error))
            assert time.monotonic() < deadline, said[-1]
            time.sleep(0.1)
        else:
            return said


def ingest_meanwhile(library: Library, disturb: Callable[[], None]) -> list[str]:
    """Change all documents over and over while they are disturbed, and at last back; returns what was said."""
    thread = threading.Thread(target=disturb)
    thread.start()
    said: list[str] = []
    version = 0
    while thread.is_alive():
        version += 1
        changed = [parsed(each.document.uri, f"Version {version} of {each.document.uri}.") for each in DOCUMENTS]
        said += until_done(lambda changed=changed: ingest(library, changed))  # type: ignore[misc]
    thread.join()
    said += until_done(lambda: ingest(library, DOCUMENTS))
    assert all(map(is_sentence, said)), said
    return said


def assert_whole(library: Library, whole: dict[str, object]) -> None:
    assert health.check(library) == []
    library.rebuild()
    assert contents(library) == whole


def is_sentence(text: str) -> bool:
    return text.endswith(".") and "\n" not in text and "Traceback" not in text


def test_postgresql_is_restarted_in_mid_ingest(
    server: PostgresServer, whole: dict[str, object], tmp_path: Path
) -> None:
    with Library.open(settings_for(server.new_database(), tmp_path), embedder=HashingEmbedder()) as library:

        def restart() -> None:
            for how in (signal.SIGINT, signal.SIGQUIT, signal.SIGINT):
                time.sleep(0.3)
                server.stop(how=how)
                server.start()

        said = ingest_meanwhile(library, restart)
        assert said, "nobody noticed"
        assert all("127.0.0.1" in each for each in said), said
        assert_whole(library, whole)


def test_postgresql_is_restarted_in_mid_answer(server: PostgresServer, tmp_path: Path) -> None:
    with Library.open(settings_for(server.new_database(), tmp_path), embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        stop = threading.Event()

        def ask(number: int) -> list[str]:
            said = []
            while not stop.is_set():
                question = QUESTIONS[number % len(QUESTIONS)]
                try:
                    assert library.search(question, 1).hits[0].text == question
                except LibraryError as error:
                    said.append(str(error))
            return said

        with ThreadPoolExecutor(6) as threads:
            asked = [threads.submit(ask, number) for number in range(6)]
            for how in (signal.SIGINT, signal.SIGQUIT):
                server.stop(how=how)
                time.sleep(0.2)
                server.start()
            stop.set()
            said = [each for future in asked for each in future.result()]
        assert said, "nobody noticed"
        assert all(is_sentence(each) and "can't be reached" in each for each in said), set(said)
        for question in QUESTIONS:
            assert library.search(question, 1).hits[0].text == question


def test_a_network_that_is_silent_or_cut_for_a_while_loses_nothing(
    server: PostgresServer, line: Line, whole: dict[str, object], tmp_path: Path
) -> None:
    url = through(line, server.new_database())
    with Library.open(settings_for(url, tmp_path), embedder=HashingEmbedder()) as library:

        def disturb() -> None:
            for _ in range(3):
                line.silent = True
                time.sleep(1)
                line.silent = False
                line.cuts = 2
                time.sleep(0.5)
            line.cuts = 0

        assert ingest_meanwhile(library, disturb), "nobody noticed"
        assert_whole(library, whole)


def test_chroma_goes_and_comes_back_in_mid_ingest(
    server: PostgresServer, whole: dict[str, object], tmp_path: Path
) -> None:
    with chroma_running(tmp_path / "chroma") as chroma:
        settings = settings_for(server.new_database(), tmp_path, chroma_url=chroma.url)
        with Library.open(settings, embedder=HashingEmbedder()) as library:

            def restart() -> None:
                for _ in range(2):
                    time.sleep(0.5)
                    chroma.kill()
                    time.sleep(1)
                    chroma.start()

            ingest_meanwhile(library, restart)
            assert_whole(library, whole)


def test_a_process_that_is_killed_twenty_times_while_it_adds_and_answers_loses_nothing(
    postgresql: PostgresServer, whole: dict[str, object], tmp_path: Path
) -> None:
    settings = settings_for(postgresql.new_database(), tmp_path)
    chance = random.Random(20)  # noqa: S311 - no secret
    killed = 0
    while killed < 20:
        here, there = multiprocessing.Pipe(duplex=False)
        process = context().Process(target=_ingest_and_tell, args=(settings, DOCUMENTS, there))
        process.start()
        there.close()
        for _ in range(chance.randint(1, 4)):
            if not here.poll(60) or not _told(here):
                break
        time.sleep(chance.random() / 20)
        process.kill()
        process.join()
        killed += process.exitcode == -signal.SIGKILL
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        library.rebuild()
        assert health.check(library) == []
        held = {document.uri for document in library.documents(limit=1000).documents}
        assert held <= {each.document.uri for each in DOCUMENTS}
        ingest(library, DOCUMENTS)
        assert_whole(library, whole)


def _told(here: multiprocessing.connection.Connection) -> bool:
    try:
        here.recv()
    except EOFError:
        return False
    return True


def _ingest_and_tell(settings: Settings, documents: list[ParsedDocument], tell: Any) -> None:
    """Add, ask and remove over and over, so that there is always something to kill."""
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        for number in range(1_000):
            for each in documents[number % 5 :: 5]:
                add(library, each)
                library.search(each.text[:40], 3)
                tell.send(number)
            library.remove(documents[number % 5].document.id)


def test_two_processes_that_ingest_the_same_folder_leave_one_library(
    postgresql: PostgresServer, whole: dict[str, object], tmp_path: Path
) -> None:
    settings = settings_for(postgresql.new_database(), tmp_path)
    homes = [settings, settings.model_copy(update={"home": tmp_path / "other"})]
    with Library.open(settings, embedder=HashingEmbedder()):
        pass  # the tables are there
    processes = [context().Process(target=_ingest_until_done, args=(each, DOCUMENTS)) for each in homes]
    for process in processes:
        process.start()
    for process in processes:
        process.join(900)
    assert [process.exitcode for process in processes] == [0, 0]
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        library.rebuild()
        assert_whole(library, whole)


def _ingest_until_done(settings: Settings, documents: list[ParsedDocument]) -> None:
    def work() -> None:
        with Library.open(settings, embedder=HashingEmbedder()) as library:
            ingest(library, documents)

    for said in until_done(work):
        assert is_sentence(said)


def test_a_migration_goes_on_while_others_read(postgresql: PostgresServer, tmp_path: Path) -> None:
    settings = settings_for(postgresql.new_database(), tmp_path)
    folder = tmp_path / "migrations"
    shutil.copytree(schema.MIGRATIONS, folder)
    number = schema.latest_schema()
    (folder / "versions" / f"{number + 1:04}_new.py").write_text(
        f"from alembic import op\n\nrevision = '{number + 1:04}'\ndown_revision = '{number:04}'\n\n\n"
        "def upgrade():\n    op.execute('ALTER TABLE documents ADD COLUMN more TEXT')\n"
    )
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        stop = threading.Event()

        def read() -> int:
            count = 0
            while not stop.is_set():
                with library.snapshot() as snapshot:
                    assert snapshot.statistics().documents == len(DOCUMENTS)
                    assert snapshot.text(DOCUMENTS[1].document.id) == DOCUMENTS[1].text
                count += 1
            return count

        with ThreadPoolExecutor(4) as threads:
            readers = [threads.submit(read) for _ in range(4)]
            schema.migrate(place_of(settings), folder)
            time.sleep(0.2)
            stop.set()
            assert all(future.result() for future in readers)
    with pytest.raises(SchemaVersionError, match="Upgrade Attest"):
        Library.open(settings, embedder=HashingEmbedder())


def test_when_all_connections_are_in_use_the_next_waits_and_then_says_so(
    postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_SECONDS", 1)
    settings = settings_for(postgresql.new_database(), tmp_path)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS[:3])
    with closing(Catalog.open(place_of(settings))) as catalog, ExitStack() as stack:
        for _ in range(engine.CONNECTIONS):
            stack.enter_context(catalog.snapshot())
        with pytest.raises(LibraryError, match=r"All connections to .* stayed in use"), catalog.snapshot():
            pass
        stack.close()
        with catalog.snapshot() as snapshot:
            assert snapshot.statistics().documents == 3


def test_more_people_than_connections_are_all_answered(
    postgresql: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody holds a connection while waiting for another."""
    monkeypatch.setattr(engine, "_KEPT", 2)
    monkeypatch.setattr(engine, "CONNECTIONS", 3)
    settings = settings_for(postgresql.new_database(), tmp_path)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        with ThreadPoolExecutor(24) as threads:
            found = list(threads.map(lambda _: _asked(library), range(240)))
    assert set(found) == {QUESTIONS[1]}


def test_a_server_without_a_connection_left_says_so_and_serves_again(server: PostgresServer, tmp_path: Path) -> None:
    settings = settings_for(server.new_database(), tmp_path)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *DOCUMENTS)
        others = []
        with pytest.raises(Exception, match=r"too many|remaining connection"):
            while True:
                others.append(server._connect("postgres"))
        with ThreadPoolExecutor(12) as threads:
            found = list(threads.map(lambda _: _asked(library), range(24)))
        for other in others:
            other.close()
        assert all(each == QUESTIONS[1] or is_sentence(each) for each in found), found
        until_done(lambda: library.search(QUESTIONS[1], 1))
        assert _asked(library) == QUESTIONS[1]


def _asked(library: Library) -> str:
    try:
        return library.search(QUESTIONS[1], 1).hits[0].text
    except LibraryError as error:
        return str(error)


@pytest.mark.parametrize("skew", [-600.0, 600.0])
def test_clocks_of_replicas_may_differ_by_minutes(postgresql: PostgresServer, tmp_path: Path, skew: float) -> None:
    settings = settings_for(postgresql.new_database(), tmp_path)
    now = 1_800_000_000.0
    lifetime = Lifetime(idle=HOUR, whole=24 * HOUR)
    where = place_of(settings)
    with closing(AccountsDatabase.open(where)) as one, closing(AccountsDatabase.open(where)) as other:
        account = Register(one).add("Lan", "three old bells ring")
        here, there = Sessions(one, lifetime, lambda: now), Sessions(other, lifetime, lambda: now + skew)
        _, secret = Tokens(one, lambda: now).add(account, last_day="2027-01-31")
        for first, second in ((here, there), (there, here)):
            session = first.begin(account)
            for _ in range(3):  # each replica notes when it was used, by its own clock
                assert second.find(session) == account
                assert first.find(session) == account
            second.end(session)
            assert first.find(session) is None
        for clock in (now, now + skew):
            assert Tokens(other, lambda clock=clock: clock).find(secret) is not None  # type: ignore[misc]


def test_a_killed_owner_is_followed_at_once(postgresql: PostgresServer, tmp_path: Path) -> None:
    settings = settings_for(postgresql.new_database(), tmp_path)
    here, there = multiprocessing.Pipe(duplex=False)
    process = context().Process(target=_ingest_and_tell, args=(settings, DOCUMENTS, there))
    process.start()
    assert here.poll(60)
    other = settings.model_copy(update={"home": tmp_path / "other"})
    process.kill()
    process.join()
    said = until_done(lambda: Library.open(other, embedder=HashingEmbedder()).close(), patience=10)
    assert len(said) <= 1, said
