"""Build what LlamaIndex's documentation describes, over the same documents with the same embedding model.

It uses `VectorStoreIndex.from_documents` with its default splitter, and its query engine with the settings' language
model. Without one, the engine answers with the text of the two passages that it would give the model.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from llama_index.core import Document, VectorStoreIndex
from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.embeddings import BaseEmbedding

from evals.gold_lookup import all_documents
from evals.systems.python import Engine
from store.embedding.embedder import Embedder, PassageText

if TYPE_CHECKING:
    from llama_index.core.llms import LLM

    from store.library import Library


class Embedding(BaseEmbedding):
    """Attest's embedding model, with its prompts, in LlamaIndex's interface."""

    _embedder: Embedder = PrivateAttr()

    def __init__(self, embedder: Embedder) -> None:
        super().__init__(model_name=embedder.name, embed_batch_size=64)
        self._embedder = embedder

    def _get_query_embedding(self, query: str) -> list[float]:
        return list(self._embedder.embed_queries([query])[0].tolist())

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return self._get_query_embedding(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return [each.passage.tolist() for each in self._embedder.embed_passages([PassageText(text) for text in texts])]


def stock_engine(library: Library, llm: LLM | None) -> Engine:
    """Return LlamaIndex's query engine over all documents of `library`, which it keeps in memory."""
    index = VectorStoreIndex.from_documents(list(_documents(library)), embed_model=Embedding(library.embedder))
    if llm is None:
        from llama_index.core.llms import MockLLM
        from llama_index.core.response_synthesizers.context_only import ContextOnly

        unasked = MockLLM()  # LlamaIndex needs a model, even for answers that only repeat retrieved text
        engine = index.as_query_engine(llm=unasked, response_synthesizer=ContextOnly(llm=unasked))
        return Engine(engine, "LlamaIndex")
    return Engine(index.as_query_engine(llm=llm), "LlamaIndex")


def _documents(library: Library) -> Iterator[Document]:
    for document in all_documents(library):
        metadata = {"title": document.title, "uri": document.uri}
        yield Document(
            text=library.text(document.id),
            doc_id=document.id,
            metadata=metadata,
            excluded_embed_metadata_keys=list(metadata),
            excluded_llm_metadata_keys=list(metadata),
        )
