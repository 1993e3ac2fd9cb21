"""Share fixtures of the store's tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from store.embedding.embedder import TextEmbedder
from store.embedding.weights import load_embedder
from store.errors import EmbeddingModelError
from tests.servers import ChromaProcess, chroma_running


@pytest.fixture(scope="session")
def model() -> TextEmbedder:
    """The default embedding model, loaded once. Skips where its weights can't be had."""
    try:
        return load_embedder()
    except EmbeddingModelError as error:
        pytest.skip(f"No embedding model here: {error}")


ON_BOTH = {"test_library", "test_collections"}
"""Modules whose tests run with the vectors in the process and, by `make test-server`, on a Chroma server."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if metafunc.module.__name__.rpartition(".")[2] in ON_BOTH:
        places = ["embedded", pytest.param("server", marks=pytest.mark.server)]
        metafunc.parametrize("vectors", places, indirect=True)


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaProcess]:
    with chroma_running(tmp_path_factory.mktemp("chroma")) as server:
        yield server


@pytest.fixture(autouse=True)
def vectors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where the vectors are: libraries read it from the environment, as in real use."""
    place: str = getattr(request, "param", "embedded")
    if place == "server":
        monkeypatch.setenv("ATTEST_CHROMA_URL", request.getfixturevalue("chroma").url)
    return place
