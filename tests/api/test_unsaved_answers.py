"""An answer that the database doesn't take still reaches the client, who learns that it isn't saved."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from assistant.server.strings import strings
from assistant.types import Answer
from store.catalog.catalog import FILE
from store.library import Library
from tests.api.conftest import QUESTION, serving

BREAK = "CREATE TRIGGER broken BEFORE UPDATE OF answer ON turns BEGIN DELETE FROM nowhere; END"
DELETE = "CREATE TRIGGER deleted BEFORE UPDATE OF answer ON turns BEGIN DELETE FROM conversations; END"


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    return tmp_path / FILE


@pytest.fixture
def client(library: Library, catalog: Path) -> Iterator[httpx.Client]:
    """A client of a server whose conversations are in `catalog`."""
    with serving(library, catalog.parent) as served, served.client() as opened:
        yield opened


def prepare(catalog: Path, trigger: str) -> None:
    with closing(sqlite3.connect(catalog)) as connection:
        connection.execute(trigger)


def ask(client: httpx.Client, path: str, *, stream: bool, language: str) -> dict[str, Any]:
    """The answer object of a reply, whole or the last of its stream."""
    accepted = {"accept-language": language} | ({"accept": "text/event-stream"} if stream else {})
    if path == "/api/ask":
        body: dict[str, Any] = {"question": QUESTION}
    else:
        body = {"model": "attest", "input": QUESTION, "stream": stream}
    reply = client.post(path, json=body, headers=accepted)
    assert reply.status_code == 200, reply.text
    last = json.loads(re.findall(r"data: (.*)\n\n", reply.text)[-1]) if stream else reply.json()
    last = last.get("response", last)
    found: dict[str, Any] = last["answer" if path == "/api/ask" else "attest"]
    return found


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("path", "language"), [("/api/ask", "en"), ("/v1/responses", "th"), ("/api/ask", "vi")])
def test_an_answer_that_can_t_be_saved_says_so(
    client: httpx.Client, catalog: Path, path: str, language: str, stream: bool
) -> None:
    before = ask(client, path, stream=stream, language=language)
    prepare(catalog, BREAK)
    answer = ask(client, path, stream=stream, language=language)
    (notice,) = [each for each in answer["notices"] if each["code"] == "not_saved"]
    told = strings(language)("ask.not_saved", reason="")
    assert notice["message"].startswith(told) and "nowhere" in notice["message"]
    assert Answer.model_validate(answer).answered
    assert [each for each in answer["notices"] if each != notice] == before["notices"]
    with closing(sqlite3.connect(catalog)) as connection:
        states = connection.execute("SELECT state, answer IS NULL FROM turns ORDER BY created").fetchall()
    assert states == [("finished", 0), ("asked", 1)]


@pytest.mark.parametrize("path", ["/api/ask", "/v1/responses"])
@pytest.mark.parametrize("stream", [False, True])
def test_a_deleted_conversation_is_no_failure(client: httpx.Client, catalog: Path, path: str, stream: bool) -> None:
    prepare(catalog, DELETE)
    answer = ask(client, path, stream=stream, language="en")
    assert answer["answered"] and "not_saved" not in {each["code"] for each in answer["notices"]}


def test_the_description_names_the_notice(client: httpx.Client) -> None:
    described = client.get("/api/openapi.json").json()
    assert "not_saved" in described["components"]["schemas"]["Notice"]["properties"]["code"]["enum"]
    assert "`not_saved`" in described["paths"]["/api/ask"]["post"]["responses"]["200"]["description"]
    assert "`not_saved`" in described["paths"]["/v1/responses"]["post"]["description"]
