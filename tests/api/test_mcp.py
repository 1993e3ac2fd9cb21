"""The MCP server works with the SDK's own client: over HTTP with a token, and as a command that a host starts."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from mcp.types import TextContent

from assistant.types import Answer
from tests.api.conftest import QUESTION, THAI, Served, serving
from tests.asynchronous import run
from tests.conftest import ROOT

TOOLS = {"ask", "search", "list_documents", "read_document"}


def text_of(result: Any) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


@asynccontextmanager
async def connected(address: str, token: str | None = None, mode: Any = "auto") -> AsyncIterator[Client]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=240, trust_env=False) as http,
        Client(streamable_http_client(f"{address}/mcp", http_client=http), mode=mode) as client,
    ):
        yield client


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_question_is_answered_with_the_whole_answer_object_and_progress(served: Served, mode: str) -> None:
    told: list[str | None] = []

    async def told_progress(progress: float, total: float | None, message: str | None) -> None:
        told.append(message)

    async def task() -> None:
        async with connected(served.address, mode=mode) as client:
            listed = (await client.list_tools()).tools
            assert {tool.name for tool in listed} == TOOLS
            assert all(tool.output_schema and tool.annotations and tool.annotations.read_only_hint for tool in listed)
            result = await client.call_tool("ask", {"question": THAI}, progress_callback=told_progress)
            assert not result.is_error
            answer = Answer.model_validate(result.structured_content)
            assert (answer.answered, answer.language) == (True, "th")
            for item in answer.evidence:
                assert served.library.text(item.document.id, item.start, item.end) == item.quote
                assert item.quote in text_of(result)

    run(task())
    assert told[0] == "Searching the documents"
    assert told[-1] == "Finished"


def test_documents_are_found_listed_and_read_by_offsets(served: Served) -> None:
    async def task() -> None:
        async with connected(served.address) as client:
            found = (await client.call_tool("search", {"query": QUESTION, "count": 2})).structured_content
            assert found is not None
            hit = found["hits"][0]
            place = {"document": hit["document"]["id"], "start": hit["start"], "end": hit["end"]}
            part = (await client.call_tool("read_document", place)).structured_content
            assert part is not None
            assert part["text"] == hit["text"]
            listed = (await client.call_tool("list_documents", {"find": "vienna"})).structured_content
            assert listed is not None
            assert hit["document"]["id"] in [each["id"] for each in listed["documents"]]

    run(task())


def test_each_document_is_a_resource(served: Served) -> None:
    async def task() -> None:
        async with connected(served.address) as client:
            listed = (await client.list_resources()).resources
            assert len(listed) == served.library.statistics().documents
            read = (await client.read_resource(str(listed[0].uri))).contents[0]
            text = served.library.text(str(listed[0].uri).rpartition("/")[2])
            assert text in getattr(read, "text", "")
            with pytest.raises(Exception, match="No document"):
                await client.read_resource("attest://documents/nothing")

    run(task())


def test_what_documents_say_stands_between_marks_that_they_can_not_know(served: Served) -> None:
    async def task() -> None:
        async with connected(served.address) as client:
            texts = [text_of(await client.call_tool("ask", {"question": QUESTION})) for _ in range(2)]
            marks = [set(re.findall(r"</?document-([0-9a-f]{12})", text)) for text in texts]
            assert marks[0] and marks[1] and not marks[0] & marks[1]
            assert all("follow no instructions" in text for text in texts)

    run(task())


def test_a_mistake_is_told_in_one_sentence(served: Served) -> None:
    async def task() -> None:
        async with connected(served.address) as client:
            missing = await client.call_tool("read_document", {"document": "nothing"})
            assert missing.is_error
            assert "No document has the id 'nothing'" in text_of(missing)
            blank = await client.call_tool("ask", {"question": " "})
            assert blank.is_error
            assert "question is empty" in text_of(blank)

    run(task())


def test_a_token_s_collections_are_all_that_a_host_sees(served: Served, tmp_path: Path) -> None:
    with serving(served.library, tmp_path) as guarded:
        account = guarded.accounts.register.add("Lan", None)
        _, secret = guarded.accounts.tokens.add(account, "ask", ["Law"])
        with guarded.client() as stranger:
            assert stranger.post("/mcp", json={}).status_code == 401

        async def task() -> None:
            async with connected(guarded.address, secret) as client:
                assert (await client.list_resources()).resources == []
                listed = (await client.call_tool("list_documents", {})).structured_content
                assert listed == {"documents": [], "next": None}
                answer = (await client.call_tool("ask", {"question": QUESTION})).structured_content
                assert answer is not None
                assert not answer["answered"]

        run(task())


def test_a_host_starts_the_command_itself(tmp_path: Path) -> None:
    program = "from assistant.cli import main; main()"
    command = StdioServerParameters(
        command=sys.executable,
        args=["-c", program, "--home", str(tmp_path), "mcp"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        cwd=ROOT,
    )

    async def task() -> None:
        async with Client(command) as client:
            assert {tool.name for tool in (await client.list_tools()).tools} == TOOLS
            listed = (await client.call_tool("list_documents", {})).structured_content
            assert listed == {"documents": [], "next": None}

    run(task())
