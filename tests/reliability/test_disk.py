"""A full disk gives a clear error and an unchanged library, and answers work again once there is room."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.errors import LibraryError
from store.library import Library
from tests.store.building import HashingEmbedder, add, contents, found, many, parsed

pytestmark = pytest.mark.hard


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Twelve megabytes, in memory."""
    mount = shutil.which("mount")
    if mount is None or os.geteuid() != 0:
        pytest.skip("Making a small disk needs root.")
    if subprocess.run([mount, "-t", "tmpfs", "-o", "size=12m", "tmpfs", str(tmp_path)], check=False).returncode:
        pytest.skip("This system doesn't let a test mount a disk.")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.parametrize("ballast", [0, 4, 7])
def test_a_disk_that_fills_up_costs_nothing_but_time(small_disk: Path, ballast: int) -> None:
    home = small_disk / "home"
    with Library.open(home, embedder=HashingEmbedder()) as library:
        add(library, parsed("first", "The forum opened."), *many(20))
        before = contents(library)
    (small_disk / "ballast").write_bytes(bytes(ballast * 1_000_000))
    documents = many(2000, passages=8, prefix="flood")
    added = []
    with (
        pytest.raises(LibraryError, match=r"full\. Free some space"),
        Library.open(home, embedder=HashingEmbedder()) as library,
    ):
        for result in library.add_many(documents):
            added.append(result.document.uri)  # noqa: PERF401
    (small_disk / "ballast").unlink()
    (small_disk / "ballast").write_bytes(b"")
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    with Library.open(home, embedder=HashingEmbedder()) as library:
        assert found(library, "The forum opened.", 1) == ["The forum opened."]
        assert [document.uri for document in library.documents("flood", 5000).documents if document.uri in added]
        assert {
            document.uri for document in library.documents("flood", 5000).documents if "flood" in document.uri
        } == set(added)
        for uri in added:
            document = library.find_document(uri)
            assert document is not None
            library.remove(document.id)
        library.rebuild()
        assert contents(library) == before
        assert set(add(library, *documents[:300])) == {"added"}
