"""A process killed with -9 leaves no incomplete document, and another run gives the same result as a single one."""

from __future__ import annotations

import random
import shutil
import signal
import time
from pathlib import Path

import pytest

from store.library import Library
from store.types import ParsedDocument
from tests.store import processes
from tests.store.building import HashingEmbedder, add, contents, many, parsed

BEFORE = [*many(20, passages=4), *many(3, passages=2, prefix="leaving")]
EDITED = [
    parsed(document.document.uri, *(f"New {part} of {document.document.uri}." for part in range(5)))
    for document in BEFORE[:4]
]
RENAMED = [parsed(BEFORE[5].document.uri, *BEFORE[5].text.split("\n"), title="Another title", speaker="UN")]
AFTER = [*EDITED, *BEFORE[4:5], *BEFORE[6:20], *many(90, passages=4, prefix="fresh"), *RENAMED]
REMOVED = [document.document.uri for document in BEFORE[20:]]

hard = pytest.mark.hard
POINTS = [
    pytest.param("store.catalog.transaction:Transaction.insert_pending", 1, False, marks=hard),
    pytest.param("store.catalog.transaction:Transaction.insert_vectors", 1, False, marks=hard),
    ("store.catalog.transaction:Transaction.insert_vectors", 2, True),
    ("store.index.vector_index:VectorIndex.add", 1, False),
    pytest.param("store.index.vector_index:VectorIndex.add", 1, True, marks=hard),
    pytest.param("store.index.embedded_keywords:EmbeddedKeywordIndex.add", 1, True, marks=hard),
    ("store.index.embedded_keywords:EmbeddedKeywordIndex.commit", 1, False),
    ("store.index.embedded_keywords:EmbeddedKeywordIndex.commit", 1, True),
    ("store.catalog.transaction:Transaction.publish", 2, True),
    ("store.document_changes:_delete", 1, False),
    pytest.param("store.index.vector_index:VectorIndex.remove", 2, True, marks=hard),
    ("store.index.embedded_keywords:EmbeddedKeywordIndex.remove_passages", 2, True),
    pytest.param("store.catalog.transaction:Transaction.delete", 2, False, marks=hard),
    ("store.catalog.transaction:Transaction.update_metadata", 1, True),
    pytest.param("store.catalog.transaction:Transaction.retire", 2, True, marks=hard),
    pytest.param("store.catalog.snapshot:Snapshot.count_languages", 1, True, marks=hard),
    ("store.index.index_manager:IndexManager._note_clean", 1, False),
]


@pytest.fixture(scope="module")
def populated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("populated") / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, *BEFORE)
    return home


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What one undisturbed ingest of the same files gives."""
    with Library.open(tmp_path_factory.mktemp("clean"), embedder=HashingEmbedder()) as library:
        add(library, *AFTER)
        library.rebuild()
        return contents(library)


@pytest.mark.parametrize(("step", "call", "after"), POINTS)
def test_killed_at_any_step_nothing_is_half_there(
    populated: Path, clean: dict[str, object], tmp_path: Path, step: str, call: int, after: bool
) -> None:
    home = tmp_path / "home"
    shutil.copytree(populated, home)
    code = processes.run(processes.ingest, home, AFTER, REMOVED, step, call, after)
    assert code == -signal.SIGKILL, "the step was never reached"
    _assert_whole(home)
    _finish(home)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert contents(library) == clean


@pytest.mark.hard
@pytest.mark.parametrize("seed", range(20))
def test_killed_at_a_random_moment_nothing_is_half_there(
    populated: Path, clean: dict[str, object], tmp_path: Path, seed: int
) -> None:
    home = tmp_path / "home"
    shutil.copytree(populated, home)
    process = processes.context().Process(target=processes.ingest, args=(home, AFTER, REMOVED, "", 0, False))
    process.start()
    time.sleep(random.Random(seed).uniform(0, 2.5))  # noqa: S311
    process.kill()
    process.join()
    _assert_whole(home)
    _finish(home)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert contents(library) == clean


@pytest.mark.parametrize("embed", [False, True])
@pytest.mark.parametrize(
    ("step", "call", "after"),
    [
        ("store.index.vector_index:VectorIndex.add", 1, True),
        pytest.param("store.catalog.transaction:Transaction.set_languages", 1, False, marks=hard),
        ("store.catalog.transaction:Transaction.set_languages", 1, True),
        pytest.param("store.index.index_manager:IndexManager.replace", 1, False, marks=hard),
    ],
)
def test_a_killed_rebuild_leaves_the_old_indexes_or_the_new(
    populated: Path, tmp_path: Path, step: str, call: int, after: bool, embed: bool
) -> None:
    home = tmp_path / "home"
    shutil.copytree(populated, home)
    other = HashingEmbedder("other")
    code = processes.run(processes.rebuild, home, step, call, after, other if embed else None)
    assert code == -signal.SIGKILL
    swapped = embed and "exchange" in step
    with Library.open(home, embedder=other if swapped else HashingEmbedder()) as library:
        _assert_documents(library, BEFORE, [])
    if embed:
        assert processes.run(processes.rebuild, home, "", 0, False, other) == 0
        with Library.open(home, embedder=other) as library:
            _assert_documents(library, BEFORE, [])
            runs = {row[16] for row in contents(library)["rows"]}  # type: ignore[attr-defined]
            assert len(runs) == 1, "vectors of two models are mixed"


def _finish(home: Path) -> None:
    processes.ingest(home, AFTER, REMOVED, "", 0, False)


def _assert_whole(home: Path) -> None:
    """Every document is there as it was before or as it was to be, in the catalog and in every search."""
    with Library.open(home, embedder=HashingEmbedder()) as library:
        _assert_documents(library, BEFORE, AFTER)


def _assert_documents(library: Library, before: list[ParsedDocument], after: list[ParsedDocument]) -> None:
    versions: dict[str, set[str]] = {}
    for each in [*before, *after]:
        versions.setdefault(each.document.uri, set()).add(each.text)
    documents = library.documents(limit=1000).documents
    texts = {document.id: library.text(document.id) for document in documents}
    for document in documents:
        assert texts[document.id] in versions[document.uri]
        assert len(library.passages(document.id)) == document.passage_count
    held = contents(library)
    live = {passage.id for document in documents for passage in library.passages(document.id)}
    assert set(held["vectors"]) == set(held["keywords"]) == live  # type: ignore[call-overload]
    assert len(held["keywords"]) == len(live)  # type: ignore[arg-type]
    for each in [*before[::6], *after[::11]]:
        words = each.text.split("\n")[0]
        hits = library.search(words, 20).hits
        assert all(hit.text == texts[hit.document.id][hit.passage.start : hit.passage.end] for hit in hits)
        if each.text in texts.values():
            assert hits[0].text == words
