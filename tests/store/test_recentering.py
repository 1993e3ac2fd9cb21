"""Adding many documents writes nearly all of their vectors once, though the means of their languages become known late."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from store import document_writer
from store.index.rebuild import rebuild
from store.library import Library
from store.ownership import ownership
from tests.store.building import HashingEmbedder, add, contents, many


@pytest.fixture
def rebuilt(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of passages of each rebuild."""
    counts: list[int] = []

    def counted(catalog: Any, *arguments: Any, **options: Any) -> Any:
        with catalog.snapshot() as snapshot:
            counts.append(sum(each.count for each in snapshot.language_statistics().values()))
        return rebuild(catalog, *arguments, **options)

    monkeypatch.setattr(ownership, "rebuild", counted)
    return counts


def test_a_large_first_ingest_is_centered_while_it_is_small(
    tmp_path: Path, rebuilt: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(document_writer, "FIRST_CHECK", 100)
    documents = many(200, passages=10)
    random.Random(1).shuffle(documents)  # noqa: S311 - so that their words don't change from the first to the last
    with Library.open(tmp_path / "home", embedder=HashingEmbedder()) as library:
        add(library, *documents)
        whole = contents(library)
    assert rebuilt
    assert sum(rebuilt) <= 1_000
    with Library.open(tmp_path / "same", embedder=HashingEmbedder()) as library:
        for document in documents:
            add(library, document)
        assert contents(library) == whole


def test_a_small_addition_to_a_large_library_rebuilds_nothing(tmp_path: Path, rebuilt: list[int]) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        add(library, *many(200, passages=10))
        rebuilt.clear()
        add(library, *many(10, passages=10, prefix="later"))
    assert rebuilt == []
