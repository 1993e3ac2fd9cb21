"""Attest's passages for LlamaIndex: a node parser that plugs into any `IngestionPipeline`.

    pipeline = IngestionPipeline(transformations=[PassageParser(count_tokens=embedder.count_tokens)])
    nodes = pipeline.run(documents=[Document(text=text)])

Each node is one passage of whole sentences: it knows its place in its document's text, its language, and the
heading above it. Importing this module imports LlamaIndex.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from llama_index.core.node_parser import NodeParser
from llama_index.core.node_parser.node_utils import build_nodes_from_splits
from llama_index.core.schema import BaseNode, MetadataMode, TextNode
from pydantic import Field

from ingest.chunk import PASSAGE_TOKENS, chunk
from store.text.language import detect_language
from store.types import Chunk


class PassageParser(NodeParser):
    """Cuts documents into passages, as `ingest.chunk` does; their metadata gain `language` and `heading`."""

    count_tokens: Callable[[str], int] = Field(exclude=True)
    passage_tokens: int = PASSAGE_TOKENS

    @classmethod
    def class_name(cls) -> str:
        """The name under which LlamaIndex knows it."""
        return "PassageParser"

    def _parse_nodes(self, nodes: Sequence[BaseNode], show_progress: bool = False, **_: Any) -> list[BaseNode]:  # noqa: ANN401
        return [passage for node in nodes for passage in self._passages(node)]

    def _passages(self, node: BaseNode) -> list[TextNode]:
        text = node.get_content(metadata_mode=MetadataMode.NONE)
        passages = chunk(
            text,
            detect_language(text),
            count_tokens=self.count_tokens,
            passage_tokens=self.passage_tokens,
        )
        made = build_nodes_from_splits([text[each.start : each.end] for each in passages], node, id_func=self.id_func)
        for passage, child in zip(passages, made, strict=True):
            child.start_char_idx, child.end_char_idx = passage.start, passage.end
            child.metadata |= _metadata(passage, text)
        return made


def _metadata(passage: Chunk, text: str) -> dict[str, str]:
    heading = {"heading": passage.heading.of(text)} if passage.heading else {}
    return {"language": passage.language} | heading
