"""Attest works in LlamaIndex: its chat engines get quotes and passages with their positions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from llama_index.core.base.llms.types import ChatMessage, ChatResponse, CompletionResponse, LLMMetadata
from llama_index.core.chat_engine import CondenseQuestionChatEngine, ContextChatEngine
from llama_index.core.llms import CustomLLM
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import NodeWithScore
from pydantic import PrivateAttr

from assistant.answer.instrumentation import InstrumentedAssistant
from assistant.answer.pipeline import Assistant
from assistant.llama_index import AttestQueryEngine, AttestRetriever
from assistant.types import AskOptions
from ingest.pipeline import ingest_paths
from store.library import Library
from store.types import Filter
from tests.asynchronous import run
from tests.conftest import ROOT

QUESTION = "When did the river council meet?"
DOCUMENTS = {
    "river.md": "# River council\n\nThe river council met in Hue on 14 June 2019. It counted 34 warning bells.\n",
    "cầu.md": "# Cầu Rồng\n\nCây cầu dài 666 mét và khánh thành ngày 29 tháng 3 năm 2013.\n",
    "ตลาด.md": "# ตลาดกลางคืน\n\nตลาดกลางคืนมีร้านค้า 85 ร้าน ซึ่งส่วนใหญ่ขายอาหาร 🍜\n",
}


class Replying(CustomLLM):
    """Replies with the given texts, one after the other, and remembers what it read."""

    _replies: list[str] = PrivateAttr()
    _read: list[str] = PrivateAttr(default_factory=list)

    def __init__(self, *replies: str) -> None:
        super().__init__()
        self._replies = list(replies)

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(context_window=4096, is_chat_model=True, model_name="replying")

    def chat(self, messages: Sequence[ChatMessage], **_: Any) -> ChatResponse:
        self._read.append("\n".join(str(message.content) for message in messages))
        return ChatResponse(message=ChatMessage(role="assistant", content=self._replies.pop(0)))

    def complete(self, prompt: str, formatted: bool = False, **_: Any) -> CompletionResponse:
        raise NotImplementedError

    def stream_complete(self, prompt: str, formatted: bool = False, **_: Any) -> Any:
        raise NotImplementedError


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    folder = tmp_path_factory.mktemp("llama")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text, encoding="utf-8")
    with Library.open(folder / "home") as opened:
        assert not ingest_paths(opened, [folder / name for name in DOCUMENTS]).failed
        yield opened


def proves(node: NodeWithScore, library: Library) -> bool:
    """Whether a node's words are its document's, where it says that they stand."""
    inner, about = node.node, node.metadata
    document = library.document(about["document_id"])
    assert about["sha256"] == document.text_sha256
    assert (about["title"], about["uri"]) == (document.title, document.uri)
    return library.text(document.id, inner.start_char_idx, inner.end_char_idx) == node.text  # type: ignore[attr-defined]


def test_a_chat_engine_keeps_the_citations_of_an_answer(library: Library) -> None:
    llm = Replying("How many warning bells did the river council count?")
    engine = CondenseQuestionChatEngine.from_defaults(
        AttestQueryEngine(InstrumentedAssistant(Assistant(library))), llm=llm
    )
    first = engine.chat("When did the river council meet?")
    assert "14 June 2019" in first.response
    second = engine.chat("And how many bells?")
    assert "34 warning bells" in second.response
    for reply in (first, second):
        assert reply.source_nodes
        for node in reply.source_nodes:
            assert proves(node, library)
            assert f"[{node.metadata['citation']}]" in reply.response
            assert node.text in reply.response


def test_a_question_that_the_documents_do_not_answer_has_no_sources(library: Library) -> None:
    response = AttestQueryEngine(Assistant(library)).query("What is the population of Canada?")
    assert response.source_nodes == []
    assert response.metadata is not None
    assert (response.metadata["answered"], response.metadata["claims"]) == (False, [])


def test_options_hold_for_every_question(library: Library) -> None:
    engine = AttestQueryEngine(Assistant(library), AskOptions(answer_language="th", max_quotes=1))
    response = run(engine.aquery("When did the river council meet?"))
    assert str(response).startswith("ตามข้อมูลของ")
    assert len(response.source_nodes) == 1
    assert response.metadata is not None
    assert response.metadata["language"] == "th"


@pytest.mark.parametrize(
    ("question", "title"),
    [
        ("How long is the dragon bridge?", "Cầu Rồng"),
        ("How many stalls does the night market have?", "ตลาดกลางคืน"),
        ("สภาแม่น้ำประชุมเมื่อใด", "River council"),
    ],
)
def test_the_retriever_finds_passages_across_languages(library: Library, question: str, title: str) -> None:
    nodes = AttestRetriever(library, top_k=1).retrieve(question)
    assert [node.metadata["title"] for node in nodes] == [title]
    assert proves(nodes[0], library)
    assert run(AttestRetriever(library, top_k=1).aretrieve(question)) == nodes


def test_the_retriever_keeps_to_the_documents_that_are_admitted(library: Library) -> None:
    retriever = AttestRetriever(library, where=Filter(languages=("vi",)))
    assert {node.metadata["language"] for node in retriever.retrieve("How many stalls are there?")} == {"vi"}


def test_a_model_reads_passages_with_who_says_them_and_sources_stay(library: Library) -> None:
    llm = Replying("It is 666 metres long.")
    engine = ContextChatEngine.from_defaults(
        AttestRetriever(library, top_k=2), llm=llm, memory=ChatMemoryBuffer.from_defaults(token_limit=2000)
    )
    reply = engine.chat("How long is the dragon bridge?")
    assert "Cây cầu dài 666 mét" in llm._read[0]
    assert "title: Cầu Rồng" in llm._read[0]
    assert "sha256" not in llm._read[0]
    assert len(reply.source_nodes) == 2
    assert all(proves(node, library) for node in reply.source_nodes)


def test_the_example_of_the_readme_runs(
    library: Library, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _, _, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition("```python\n")
    example = rest.partition("```")[0].replace("When did the World Conference in Vienna take place?", QUESTION)
    monkeypatch.setenv("ATTEST_HOME", str(library.settings.home))
    exec(compile(example, "README.md", "exec"), {})  # noqa: S102 - our own page
    printed = capsys.readouterr().out
    assert "1 River council The river council met in Hue on 14 June 2019." in printed
