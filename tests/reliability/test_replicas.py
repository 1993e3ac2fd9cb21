"""Any number of processes over one PostgreSQL and one Chroma server may do anything at any time, and die while doing it.

The result is the same as from one process alone.
"""

from __future__ import annotations

import multiprocessing.connection
import random
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from store.doctor import checks as health
from store.errors import EmbedderMismatchError, LibraryError, LibraryLockedError
from store.library import Library
from store.moving.move import move
from store.settings import Settings, load_settings
from store.types import Filter, ParsedDocument
from tests.postgresql import PostgresServer
from tests.servers import ChromaProcess, chroma_running
from tests.store.building import SCRIPTS, HashingEmbedder, add, contents, found, many, parsed
from tests.store.processes import context, kill_at
from tests.store.whole_library import in_postgresql

pytestmark = pytest.mark.server

DOCUMENTS = [*(parsed(name, *texts, language=name[:2]) for name, texts in SCRIPTS.items()), *many(13, passages=3)]
PATIENCE = 120


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    with chroma_running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture
def settings(postgresql: PostgresServer, chroma: ChromaProcess, tmp_path: Path) -> Settings:
    """Those of a new library that nobody owns."""
    return shared(load_settings(tmp_path / "home"), postgresql, chroma, tmp_path)


def shared(home: Settings, postgresql: PostgresServer, chroma: ChromaProcess, folder: Path) -> Settings:
    return in_postgresql(home, postgresql.new_database(), folder, chroma_url=chroma.url)


def opened(settings: Settings, embedder: HashingEmbedder | None = None, **options: bool) -> Library:
    return Library.open(settings, embedder=embedder or HashingEmbedder(), **options)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one process leaves."""
    with opened(load_settings(tmp_path_factory.mktemp("whole"))) as library:
        add(library, *DOCUMENTS)
        library.rebuild()
        return contents(library)


def assert_whole(library: Library, whole: dict[str, object]) -> None:
    assert health.check(library) == []
    library.rebuild()
    assert contents(library) == whole


def test_a_change_in_one_is_seen_by_another_at_once(settings: Settings) -> None:
    with opened(settings) as here, opened(settings) as there:
        assert found(there, "bell") == []
        for number, texts in enumerate(SCRIPTS.values()):
            document = parsed(f"text-{number}", *texts)
            assert add(here, document) == ["added"]
            assert found(there, texts[0], 1) == [texts[0]]
            assert there.statistics().documents == 1
            assert add(there, document) == ["unchanged"]
            described = parsed(f"text-{number}", *texts, speaker="สมชาย", published="2023-06")
            assert add(there, described) == ["updated"]
            hits = here.search(texts[0], 3, Filter(speakers=("สมชาย",), published_from="2023")).hits
            assert [hit.text for hit in hits[:1]] == [texts[0]]
            here.remove(document.document.id)
            assert found(there, texts[0]) == []
            assert there.find_document(f"text-{number}") is None


def test_the_first_document_can_be_added_by_any_after_all_have_looked(settings: Settings) -> None:
    with (
        opened(settings, HashingEmbedder("multilingual-e5-small", 384)) as here,
        opened(settings, HashingEmbedder("multilingual-e5-small", 384)) as there,
    ):
        here.prepare()
        there.prepare()
        assert found(there, "bell") == []
        assert add(here, parsed("one", SCRIPTS["th"][0])) == ["added"]
        assert add(there, parsed("two", SCRIPTS["vi"][0])) == ["added"]
        assert found(here, SCRIPTS["vi"][0], 1) == [SCRIPTS["vi"][0]]


def test_words_of_another_are_known_at_once(settings: Settings) -> None:
    with opened(settings) as here, opened(settings) as there:
        add(here, parsed("one", "Diễn đàn khai mạc tại Bắc Kinh.", language="vi"))
        assert there.spellings(["khai"])["khai"] == {"khai": 1}
        add(here, parsed("two", "Ngôn ngữ diễn đạt.", language="vi"))
        assert there.spellings(["dat"])["dat"] == {"đạt": 1}


def test_indexes_that_one_exchanges_are_used_by_all_while_they_ask_and_write(settings: Settings) -> None:
    with opened(settings) as here, opened(settings) as there:
        add(here, *DOCUMENTS)
        stopped = threading.Event()

        def ask() -> int:
            count = 0
            while not stopped.is_set():
                text = SCRIPTS["th"][0]
                assert found(there, text, 1) == [text]
                count += 1
            return count

        def write() -> int:
            count = 0
            while not stopped.is_set():
                add(there, parsed("changing", f"Version {count} of it."))
                count += 1
            return count

        with ThreadPoolExecutor() as pool:
            asking, writing = [pool.submit(ask) for _ in range(3)], pool.submit(write)
            try:
                for _ in range(4):
                    here.rebuild()
                with here.ownership.locks.documents(), here.snapshot() as snapshot:
                    assert snapshot.unfinished_changes() == []
            finally:
                stopped.set()
            assert all(each.result(PATIENCE) for each in asking)
            last = writing.result(PATIENCE) - 1
        assert found(here, f"Version {last} of it.", 1) == [f"Version {last} of it."]
        assert health.check(here) == []


def _ingest(settings: Settings, order: int, said: multiprocessing.connection.Connection) -> None:
    documents = list(DOCUMENTS)
    random.Random(order).shuffle(documents)  # noqa: S311 - no secret
    with opened(settings) as library:
        outcomes = [
            result.outcome
            for start in range(0, len(DOCUMENTS), 5)
            for result in library.add_many(documents[start:][:5])
        ]
    said.send(outcomes)


def test_what_several_add_at_the_same_time_is_there_once(settings: Settings, whole: dict[str, object]) -> None:
    ends, processes = [], []
    for order in range(4):
        here, there = multiprocessing.Pipe(duplex=False)
        process = context().Process(target=_ingest, args=(settings, order, there))
        process.start()
        there.close()
        ends.append(here)
        processes.append(process)
    outcomes = [outcome for end in ends for outcome in end.recv()]
    for process in processes:
        process.join(PATIENCE)
    assert sorted(outcomes) == ["added"] * len(DOCUMENTS) + ["unchanged"] * 3 * len(DOCUMENTS)
    with opened(settings) as library:
        assert_whole(library, whole)


STEPS = [
    ("store.catalog.transaction:Transaction.insert_pending", False),
    ("store.catalog.transaction:Transaction.insert_vectors", True),
    ("store.index.vector_index:VectorIndex.add", False),
    ("store.index.vector_index:VectorIndex.add", True),
    ("store.index.postgresql_keywords:ServerKeywordIndex.commit", False),
    ("store.index.postgresql_keywords:ServerKeywordIndex.commit", True),
    ("store.catalog.transaction:Transaction.publish", False),
    ("store.index.vector_index:VectorIndex.remove", False),
    ("store.index.vector_index:VectorIndex.remove", True),
    ("store.catalog.transaction:Transaction.delete", False),
]


def _replace(settings: Settings, documents: list[ParsedDocument], step: str, after: bool) -> None:
    kill_at(step, 1, after=after)
    with opened(settings) as library:
        add(library, *documents)


@pytest.mark.parametrize(("step", "after"), STEPS)
def test_what_one_that_dies_leaves_is_finished_by_the_next_that_writes(
    settings: Settings, step: str, after: bool
) -> None:
    with opened(settings) as library:
        add(library, *DOCUMENTS[:9])
        changed = [parsed(each.document.uri, f"Changed {each.document.uri}.") for each in DOCUMENTS[:3]]
        process = context().Process(target=_replace, args=(settings, changed, step, after))
        process.start()
        process.join(PATIENCE)
        assert process.exitcode == -signal.SIGKILL
        for each in DOCUMENTS[:9]:
            text = each.text.split("\n")[0]
            held = library.find_document(each.document.uri)
            assert held is not None
            assert library.text(held.id).split("\n")[0] in (text, f"Changed {each.document.uri}.")
        add(library, parsed("another", "One more."))
        with library.snapshot() as snapshot:
            assert snapshot.unfinished_changes() == []
        assert health.check(library) == []
        add(library, *DOCUMENTS[:9])
        assert health.check(library) == []


def _add_over_and_over(settings: Settings, name: str, told: multiprocessing.connection.Connection) -> None:
    with opened(settings) as library:
        version = 0
        while True:
            version += 1
            for start in range(0, len(DOCUMENTS), 4):
                changed = [parsed(each.document.uri, f"{name} {version}.") for each in DOCUMENTS[start:][:4]]
                add(library, *changed)
                told.send(version)


def test_twenty_that_are_killed_while_others_add_and_ask_leave_nothing_half_done(
    settings: Settings, whole: dict[str, object]
) -> None:
    chance = random.Random(15)  # noqa: S311 - no secret
    with ExitStack() as stack:
        library = stack.enter_context(opened(settings))
        add(library, *DOCUMENTS)
        killed = 0
        while killed < 20:
            running = [_started(settings, f"Process {killed + number}") for number in range(2)]
            for process, told in running:
                for _ in range(chance.randint(1, 4)):
                    assert told.poll(PATIENCE)
                    told.recv()
                assert found(library, "Process")
                assert library.statistics().documents == len(DOCUMENTS)
                time.sleep(chance.random() / 20)
                process.kill()
                process.join()
                killed += 1
        add(library, *DOCUMENTS)
        assert_whole(library, whole)


def _started(settings: Settings, name: str) -> tuple[ForkServerProcess, multiprocessing.connection.Connection]:
    here, there = multiprocessing.Pipe(duplex=False)
    process = context().Process(target=_add_over_and_over, args=(settings, name, there))
    process.start()
    there.close()
    return process, here


def test_a_document_that_one_is_changing_is_waited_for(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(settings) as here, opened(settings) as there:
        add(here, *DOCUMENTS[:2])
        with here.ownership.locks.documents([DOCUMENTS[0].document.uri]):
            assert add(there, parsed(DOCUMENTS[1].document.uri, "Others can be changed.")) == ["updated"]
            held = there.ownership.locks.documents([DOCUMENTS[0].document.uri], patience=0.2)
            with pytest.raises(LibraryLockedError, match="Others are changing the library"), held:
                raise AssertionError
            with pytest.raises(LibraryLockedError), there.ownership.locks.whole(patience=0):
                raise AssertionError
            assert found(there, "Others can be changed.", 1) == ["Others can be changed."]
        assert add(there, parsed(DOCUMENTS[0].document.uri, "And now this.")) == ["updated"]


def test_a_change_whose_locks_are_lost_is_not_made(settings: Settings, postgresql: PostgresServer) -> None:
    """A process that others took for dead, and whose change they have undone, doesn't finish it."""
    with opened(settings) as here, opened(settings) as there:
        add(here, DOCUMENTS[0])
        embedder = here.embedder
        assert isinstance(embedder, HashingEmbedder)
        embed = embedder.embed_passages

        def cut_off(passages: object, progress: object = None) -> object:
            assert here.ownership.locks._held is not None
            here.ownership.locks._held._connection.close()
            add(there, DOCUMENTS[1])
            return embed(passages, progress)  # type: ignore[arg-type]

        embedder.embed_passages = cut_off  # type: ignore[method-assign,assignment]
        with pytest.raises(LibraryError):
            add(here, parsed(DOCUMENTS[0].document.uri, "Never seen."), parsed("new", "Nor this."))
        embedder.embed_passages = embed  # type: ignore[method-assign]
        assert found(there, "Never seen.", 1) != ["Never seen."]
        assert add(here, parsed("new", "Now it is.")) == ["added"]
        assert found(there, "Now it is.", 1) == ["Now it is."]
        assert health.check(there) == []


def test_a_model_that_another_has_exchanged_is_noticed(settings: Settings) -> None:
    with opened(settings) as here, opened(settings) as there:
        add(here, *DOCUMENTS[:5])
        found(there, "bell")
        here.ownership._embedder = HashingEmbedder("others")
        here.rebuild(embed=True)
        with pytest.raises(EmbedderMismatchError):
            found(there, "bell")
        with pytest.raises(EmbedderMismatchError):
            add(there, parsed("new", "Not with this model."))


def test_a_library_in_use_is_neither_moved_nor_restored(settings: Settings, tmp_path: Path) -> None:
    with opened(settings) as library:
        add(library, DOCUMENTS[0])
        elsewhere = load_settings(tmp_path / "elsewhere")
        with pytest.raises(LibraryLockedError, match="stop it"):
            move(settings, elsewhere, embedder=HashingEmbedder())
    assert move(settings, elsewhere, embedder=HashingEmbedder()).documents == 1


def test_whoever_has_indexes_in_a_home_still_owns_the_library(settings: Settings, tmp_path: Path) -> None:
    owned = settings.model_copy(update={"chroma_url": None})
    with opened(settings), pytest.raises(LibraryLockedError):
        opened(owned)
    with opened(owned), pytest.raises(LibraryLockedError):
        opened(settings)
