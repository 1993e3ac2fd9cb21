"""What a user of LlamaIndex may expect of Attest's passages in their own pipeline."""

from __future__ import annotations

from llama_index.core.ingestion import IngestionPipeline
from llama_index.core.schema import Document, NodeRelationship, TextNode

from ingest.llama import PassageParser

TEXT = (
    "Costs\n\nThey rose in every year but one. Nobody knows why that is so.\n\n"
    "การประชุมจัดขึ้นที่กรุงปักกิ่งเมื่อวันที่ 14 มิถุนายน พ.ศ. 2566 "
    "และมีผู้เข้าร่วมมากกว่า 300 คน จากหลายประเทศทั่วโลก และอีกหลายองค์กรระหว่างประเทศที่สนใจ"
)


def test_nodes_are_passages_that_know_where_they_stand() -> None:
    pipeline = IngestionPipeline(transformations=[PassageParser(count_tokens=len, passage_tokens=160)])
    nodes = pipeline.run(documents=[Document(text=TEXT, metadata={"file": "a.txt"}, id_="d")])
    assert len(nodes) == 2
    for node in nodes:
        assert isinstance(node, TextNode)
        assert TEXT[node.start_char_idx : node.end_char_idx] == node.text
        assert node.metadata["file"] == "a.txt"
        source = node.relationships[NodeRelationship.SOURCE]
        assert getattr(source, "node_id", None) == "d"
    assert nodes[1].metadata["language"] == "th"
    assert nodes[1].metadata["heading"] == "Costs"
