"""What tests of reliability share: a small library with the real model, and an endpoint that misbehaves."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ingest.pipeline import SAMPLES, ingest_paths
from store.errors import EmbeddingModelError
from store.library import Library
from tests.reliability.endpoints import Endpoint, endpoint_running

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
