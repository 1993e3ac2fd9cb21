"""The vectors as LlamaIndex sees them: its own Chroma store, with the words looked up in the catalog.

LlamaIndex keeps a node's text beside its vector; here the catalog alone holds text, so nodes that come
back from Chroma get theirs by their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from chromadb.api.models.Collection import Collection
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import VectorStoreQuery, VectorStoreQueryResult
from llama_index.vector_stores.chroma import ChromaVectorStore

Texts = Callable[[Sequence[str]], dict[str, str]]


class VectorStore(ChromaVectorStore):
    """`ChromaVectorStore` over a library's collection, for reading."""

    _texts: Texts = PrivateAttr()

    def __init__(self, collection: Collection, texts: Texts) -> None:
        super().__init__(chroma_collection=collection)
        self._texts = texts

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:  # noqa: ANN401
        """The nearest passages; one that the catalog no longer shows is left out."""
        found = super().query(query, **kwargs)
        texts = self._texts(found.ids or [])
        rows = zip(found.nodes or [], found.similarities or [], found.ids or [], strict=True)
        kept = [row for row in rows if row[2] in texts]
        return VectorStoreQueryResult(
            nodes=[TextNode(id_=id_, text=texts[id_], metadata=node.metadata) for node, _, id_ in kept],
            similarities=[similarity for _, similarity, _ in kept],
            ids=[id_ for *_, id_ in kept],
        )
