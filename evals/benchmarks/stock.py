"""Build what LlamaIndex's documentation describes, with the same embedding model.

Dense: `VectorStoreIndex.from_documents` with its default splitter. Hybrid: the same together with `BM25Retriever` and
its English stemmer, fused by `QueryFusionRetriever` in the mode ``reciprocal_rerank`` (RRF, k = 60).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import Stemmer
from llama_index.core import Document, VectorStoreIndex
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import NodeWithScore, QueryBundle
from llama_index.retrievers.bm25 import BM25Retriever

from evals.benchmarks.questions import Paragraph
from evals.systems.stock import Embedding
from store.embedding.embedder import Embedder

Finder = Callable[[str], list[str]]
"""Maps a question to the uris of documents, best first, each once."""

DEPTH = 10


class SubwordRetriever(BaseRetriever):
    """BM25 over the embedding model's own subwords: a better keyword half for Thai than LlamaIndex's own."""

    def __init__(self, nodes: Sequence[Any], embedder: Embedder) -> None:
        import bm25s

        super().__init__()
        self._nodes = list(nodes)
        self._embedder = embedder
        self._bm25 = bm25s.BM25()
        self._bm25.index([self._terms(node.get_content()) for node in self._nodes], show_progress=False)

    def _terms(self, text: str) -> list[str]:
        return self._embedder.tokenize(text.lower())

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        known = [term for term in self._terms(query_bundle.query_str) if term in self._bm25.vocab_dict]
        if not known:
            return []
        count = min(DEPTH, len(self._nodes))
        rows, scores = self._bm25.retrieve([known], k=count, show_progress=False)
        return [
            NodeWithScore(node=self._nodes[row], score=float(score))
            for row, score in zip(rows[0], scores[0], strict=True)
            if score > 0
        ]


def stock_finders(paragraphs: Sequence[Paragraph], embedder: Embedder) -> dict[str, Finder]:
    """Return LlamaIndex's retrievers over these paragraphs, by the name of the table's row."""
    documents = [Document(text=each.text, doc_id=each.uri) for each in paragraphs]
    index = VectorStoreIndex.from_documents(documents, embed_model=Embedding(embedder))
    dense = index.as_retriever(similarity_top_k=DEPTH)
    english = BM25Retriever.from_defaults(
        docstore=index.docstore, similarity_top_k=DEPTH, stemmer=Stemmer.Stemmer("english"), language="english"
    )
    subword = SubwordRetriever(list(index.docstore.docs.values()), embedder)
    return {
        "stock dense": _finder(dense),
        "stock dense + BM25, RRF": _finder(_fused([dense, english])),
        "dense + subword BM25, RRF": _finder(_fused([dense, subword])),
    }


def _fused(retrievers: list[BaseRetriever]) -> QueryFusionRetriever:
    # It needs a language model for further queries; with num_queries=1 it never uses it.
    return QueryFusionRetriever(
        retrievers,
        llm=MockLLM(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=DEPTH,
        num_queries=1,
        use_async=False,
    )


def _finder(retriever: BaseRetriever) -> Finder:
    def find(question: str) -> list[str]:
        return list(dict.fromkeys(str(found.node.ref_doc_id) for found in retriever.retrieve(question)))

    return find
