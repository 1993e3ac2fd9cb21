"""What tests of the store share."""

from __future__ import annotations

import pytest

from store.embed import TransformersEmbedder
from store.errors import EmbeddingModelError
from store.weights import load_embedder


@pytest.fixture(scope="session")
def model() -> TransformersEmbedder:
    """The default embedding model, loaded once. Skips where its weights can't be had."""
    try:
        return load_embedder()
    except EmbeddingModelError as error:
        pytest.skip(f"No embedding model here: {error}")
