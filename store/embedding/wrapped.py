"""Wrap an embedder, to embed passages in another way."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from store.embedding import FloatArray

if TYPE_CHECKING:
    from store.embedding.embedder import Embedder, QuestionVectors


class WrappedEmbedder:
    """An embedder that passes everything to another one, except embedding passages, which a subclass does."""

    def __init__(self, inner: Embedder) -> None:
        self.inner = inner
        self.name = inner.name
        self.fingerprint = inner.fingerprint
        self.dimensions = inner.dimensions
        self.max_tokens = inner.max_tokens
        self.token_basis = inner.token_basis

    def embed_question(self, text: str) -> QuestionVectors:
        """See `Embedder.embed_question`."""
        return self.inner.embed_question(text)

    def embed_queries(self, texts: Sequence[str]) -> FloatArray:
        """See `Embedder.embed_queries`."""
        return self.inner.embed_queries(texts)

    def count_tokens(self, text: str) -> int:
        """See `Embedder.count_tokens`."""
        return self.inner.count_tokens(text)

    def tokenize(self, text: str) -> list[str]:
        """See `Embedder.tokenize`."""
        return self.inner.tokenize(text)
