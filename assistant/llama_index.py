"""Offer Attest to LlamaIndex: its search as a retriever, its answers as a query engine.

    from assistant.build import build_assistant
    from assistant.llama_index import AttestQueryEngine, AttestRetriever
    from llama_index.core.chat_engine import CondenseQuestionChatEngine
    from store.settings import load_settings

    with build_assistant(load_settings(), read_only=True) as assistant:
        engine = CondenseQuestionChatEngine.from_defaults(AttestQueryEngine(assistant), llm=llm)
        reply = engine.chat("When was the treaty signed?")
        for node in reply.source_nodes:
            print(node.metadata["citation"], node.metadata["title"], node.text)

Both give the position of a node's words in its metadata: `document_id`, `title`, `speaker`, `published`, `language`,
`uri`, `page`, and the `sha256` of the normalized text. The node's text is exactly ``[start_char_idx:end_char_idx]`` of
that text.
"""

from __future__ import annotations

import asyncio
from typing import Protocol

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.response.schema import Response
from llama_index.core.prompts.mixin import PromptMixinType
from llama_index.core.schema import NodeRelationship, NodeWithScore, QueryBundle, RelatedNodeInfo, TextNode

from assistant.answer.evidence import source
from assistant.types import EVERYTHING, Answer, AskOptions, Evidence, Source
from store.library import Library
from store.types import Filter, Hit

_FOR_MODELS = {"title", "speaker", "published", "citation"}
"""The metadata that a model sees of a node: enough to attribute it and to cite it."""


class AnyAssistant(Protocol):
    """An assistant, instrumented or not."""

    def answer(self, question: str, *, options: AskOptions = ...) -> Answer:
        """Return the whole answer."""


class AttestRetriever(BaseRetriever):
    """Finds the passages of a library that are closest to a question, in any languages."""

    def __init__(self, library: Library, top_k: int = 5, where: Filter = EVERYTHING) -> None:
        """Search `library` for `top_k` passages of the documents that `where` matches."""
        super().__init__()
        self._library, self._top_k, self._where = library, top_k, where

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_passage(hit) for hit in self._library.search(query_bundle.query_str, self._top_k, self._where).hits]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)


class AttestQueryEngine(BaseQueryEngine):
    """Answers from a library; each quote of the answer is a source node, with its marker in `citation`.

    If the documents don't answer, the response has no source nodes, its text says so, and its metadata has `answered`
    false. The metadata also has `confidence`, `language`, `mode`, `model`, and `claims` and `notices` as in
    ``attest.answer/1``.
    """

    def __init__(self, assistant: AnyAssistant, options: AskOptions = AskOptions()) -> None:
        """Ask `assistant` with `options`."""
        super().__init__(callback_manager=None)
        self._assistant, self._options = assistant, options

    def _query(self, query_bundle: QueryBundle) -> Response:
        answer = self._assistant.answer(query_bundle.query_str, options=self._options)
        metadata = answer.model_dump(
            mode="json",
            include={"answered", "abstain_reason", "confidence", "language", "mode", "model", "claims", "notices"},
        )
        return Response(answer.text, [_quote(each) for each in answer.evidence], metadata)

    async def _aquery(self, query_bundle: QueryBundle) -> Response:
        return await asyncio.to_thread(self._query, query_bundle)

    def _get_prompt_modules(self) -> PromptMixinType:
        return {}


def _passage(hit: Hit) -> NodeWithScore:
    passage = hit.passage
    about = source(hit.document, passage.start)
    return _node(passage.id, hit.text, passage.start, passage.end, passage.language, about, hit.score)


def _quote(each: Evidence) -> NodeWithScore:
    id_ = f"{each.document.id}:{each.start}-{each.end}"
    node = _node(id_, each.quote, each.start, each.end, each.language, each.document, each.score)
    node.node.metadata["citation"] = each.key
    if each.recognized:
        node.node.metadata["recognized"] = True
    if each.translation is not None:
        node.node.metadata["translation"] = each.translation
    return node


def _node(id_: str, text: str, start: int, end: int, language: str, about: Source, score: float) -> NodeWithScore:
    metadata = {**about.model_dump(exclude={"id"}, exclude_none=True), "document_id": about.id, "language": language}
    node = TextNode(
        id_=id_,
        text=text,
        start_char_idx=start,
        end_char_idx=end,
        metadata=metadata,
        excluded_llm_metadata_keys=[*sorted((metadata.keys() | {"translation"}) - _FOR_MODELS)],
        excluded_embed_metadata_keys=[*sorted(metadata.keys() | {"citation", "recognized", "translation"})],
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=about.id)},
    )
    return NodeWithScore(node=node, score=score)
