"""What tests of the store share."""

from __future__ import annotations

import pytest

from store.embedding.embedder import TextEmbedder
from store.embedding.weights import load_embedder
from store.errors import EmbeddingModelError


@pytest.fixture(scope="session")
def model() -> TextEmbedder:
    """The default embedding model, loaded once. Skips where its weights can't be had."""
    try:
        return load_embedder()
    except EmbeddingModelError as error:
        pytest.skip(f"No embedding model here: {error}")
