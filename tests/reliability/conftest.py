"""Share fixtures of reliability tests: a small library with the real model, a faulty endpoint, replicas' homes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ingest.pipeline import SAMPLES, ingest_paths
from store.errors import EmbeddingModelError
from store.library import Library
from tests.postgresql import PostgresServer
from tests.reliability.endpoints import Endpoint, endpoint_running
from tests.reliability.serving import replica_homes
from tests.servers import chroma_running

QUESTION = "When did the World Conference in Vienna take place?"


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Three samples, in English, Thai and Vietnamese. Skips where there is no embedding model."""
    with Library.open(tmp_path_factory.mktemp("samples") / "home") as library:
        try:
            report = ingest_paths(library, sorted(SAMPLES.glob("vienna-1993.*")))
        except EmbeddingModelError as error:
            pytest.skip(f"No embedding model here: {error}")
        assert not report.failed
        assert report.added
        yield library


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with endpoint_running() as running:
        yield running


@pytest.fixture(scope="module")
def homes(postgresql: PostgresServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Path]]:
    """Folders of two replicas, with nothing in common but the servers that their settings name."""
    folder = tmp_path_factory.mktemp("replicas")
    with chroma_running(folder / "chroma") as chroma:
        yield replica_homes(folder, postgresql.new_database(), chroma.url)
