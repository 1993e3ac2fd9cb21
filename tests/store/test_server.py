"""The vectors on a Chroma server instead of in the process."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from store.doctor import checks as health
from store.errors import LibraryError
from store.library import Library
from store.settings import load_settings
from store.types import Filter
from tests.store.building import SCRIPTS, HashingEmbedder, add, found, many, parsed


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    program = shutil.which("chroma", path=str(Path(sys.executable).parent))
    if program is None:
        pytest.skip("The program `chroma` is not beside this Python.")
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [program, "run", "--host", "127.0.0.1", "--port", str(port), "--path", str(tmp_path_factory.mktemp("chroma"))],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while True:
            with closing(socket.socket()) as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < deadline, "the server didn't start"
            assert server.poll() is None, "the server ended"
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)


def test_a_library_can_keep_its_vectors_on_a_server(url: str, tmp_path: Path) -> None:
    settings = load_settings(tmp_path, chroma_url=url)
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        add(library, *many(20), *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
        for texts in SCRIPTS.values():
            assert found(library, texts[0], 1) == [texts[0]]
        assert {hit.document.uri for hit in library.search("forum", 5, Filter(languages=("th",))).hits} == {"th"}
        with Library.open(settings, embedder=HashingEmbedder(), read_only=True) as reader:
            assert found(reader, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]
        document = library.find_document("zh")
        assert document is not None
        library.remove(document.id)
        library.rebuild()
        assert health.check(library) == []
    assert not list((tmp_path / "derived").glob("vectors-*")), "the vectors belong on the server alone"
    with Library.open(settings, embedder=HashingEmbedder()) as library:
        assert found(library, SCRIPTS["th"][0], 1) == [SCRIPTS["th"][0]]


def test_two_libraries_share_a_server(url: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        with Library.open(load_settings(tmp_path / name, chroma_url=url), embedder=HashingEmbedder()) as library:
            add(library, parsed("x", f"Only in {name}."))
    for name in ("a", "b"):
        with Library.open(load_settings(tmp_path / name, chroma_url=url), embedder=HashingEmbedder()) as library:
            library.rebuild()
            assert found(library, "Only", 10) == [f"Only in {name}."]
            assert health.check(library) == []


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:9", "chroma.example", "ftp://127.0.0.1"])
def test_a_server_that_doesn_t_answer_is_named(tmp_path: Path, wrong: str) -> None:
    with (
        Library.open(load_settings(tmp_path, chroma_url=wrong), embedder=HashingEmbedder()) as library,
        pytest.raises(LibraryError, match=wrong),
    ):
        add(library, parsed("x", "One."))
