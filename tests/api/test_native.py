"""Attest's own routes: the pipeline's events, the library, conversations, and monitoring."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from assistant.types import Answer
from tests.api.conftest import QUESTION, THAI, Served

EVENTS = {"accept": "text/event-stream"}


def events_of(reply: httpx.Response) -> list[tuple[str, dict[str, Any]]]:
    """Name and values of each event of a stream."""
    found = re.findall(r"event: (\w+)\ndata: (.*)\n\n", reply.text)
    return [(name, json.loads(data)) for name, data in found]


@pytest.mark.parametrize("question", [QUESTION, THAI, "Hội nghị Vienna diễn ra khi nào?"])
def test_an_answer_comes_as_the_pipeline_s_own_events(client: httpx.Client, question: str) -> None:
    reply = client.post("/api/ask", json={"question": question}, headers=EVENTS)
    events = events_of(reply)
    assert reply.headers["content-type"].startswith("text/event-stream")
    assert [name for name, _ in events[:2]] == ["asked", "evidence_found"]
    assert events[-1][0] == "finished"
    answer = Answer.model_validate(events[-1][1]["answer"])
    assert "".join(values["text"] for name, values in events if name == "text_added") == answer.text
    assert events[1][1]["evidence"] == json.loads(answer.to_json())["evidence"]


def test_without_a_stream_the_whole_answer_comes(client: httpx.Client) -> None:
    reply = client.post("/api/ask", json={"question": QUESTION, "keep": False}).json()
    assert Answer.model_validate(reply["answer"]).answered
    assert (reply["conversation"], reply["turn"]) == (None, None)


def test_a_conversation_goes_on_and_can_be_read_renamed_judged_and_deleted(client: httpx.Client) -> None:
    first = client.post("/api/ask", json={"question": QUESTION}).json()
    place = f"/api/conversations/{first['conversation']}"
    second = client.post("/api/ask", json={"question": "And where?", "conversation": first["conversation"]}).json()
    assert "Vienna" in second["answer"]["standalone_question"]
    kept = client.get(place).json()
    assert [turn["answer"] for turn in kept["turns"]] == [first["answer"], second["answer"]]
    assert [turn["parent"] for turn in kept["turns"]] == [None, first["turn"]]
    assert client.patch(place, json={"title": "Về Vienna"}).json()["title"] == "Về Vienna"
    found = client.get("/api/conversations", params={"find": "về vienna"}).json()["conversations"]
    assert [each["id"] for each in found] == [first["conversation"]]
    given = {"turn": first["turn"], "verdict": "bad", "citation": 1, "comment": "đúng"}
    assert client.post("/api/feedback", json=given).status_code == 200
    assert "đúng" in client.get("/api/feedback").text
    assert client.delete(place).status_code == 204
    assert client.get(place).status_code == 404


def test_search_finds_passages_with_their_places(client: httpx.Client, served: Served) -> None:
    found = client.get("/api/search", params={"q": QUESTION, "k": 3, "language": ["en"]}).json()
    assert 1 <= len(found["hits"]) <= 3
    for hit in found["hits"]:
        assert hit["language"] == "en"
        assert served.library.text(hit["document"]["id"], hit["start"], hit["end"]) == hit["text"]
    assert client.get("/api/search", params={"q": QUESTION, "published_from": "2023-13"}).status_code == 422
    assert client.get("/api/search", params={"q": " "}).status_code == 422


def test_documents_are_listed_page_by_page(client: httpx.Client, served: Served) -> None:
    seen: list[str] = []
    after: str | None = None
    while True:
        page = client.get("/api/documents", params={"limit": 7} | ({"after": after} if after else {})).json()
        seen += [each["id"] for each in page["documents"]]
        if (after := page["next"]) is None:
            break
    assert len(seen) == len(set(seen)) == served.library.statistics().documents


def test_a_text_is_read_by_offsets_that_count_code_points(client: httpx.Client, served: Served) -> None:
    (thai,) = client.get("/api/documents", params={"find": "thailand-record"}).json()["documents"]
    whole = served.library.text(thai["id"])
    part = client.get(f"/api/documents/{thai['id']}/text", params={"start": 5, "end": 25}).json()
    assert part["text"] == whole[5:25]
    assert part["more"]
    rest = client.get(f"/api/documents/{thai['id']}/text", params={"start": 25}).json()
    assert rest["text"] == whole[25:]
    assert not rest["more"]
    beyond = client.get(f"/api/documents/{thai['id']}/text", params={"start": len(whole) + 9}).json()
    assert (beyond["text"], beyond["more"]) == ("", False)


@pytest.fixture
def upload(client: httpx.Client) -> Iterator[str]:
    """The id of a document that was uploaded, which is removed at the end."""
    text = "# Bells\n\nChuông cảnh báo được treo ở Đà Lạt. The bells were hung in 2021. 👩‍👩‍👧‍👦\n"
    sent = client.post("/api/documents", files={"file": ("Chuông ở Đà Lạt.md", text.encode())})
    assert sent.status_code == 202, sent.text
    state = sent.json()
    for _ in range(600):
        if state["state"] not in ("waiting", "reading"):
            break
        time.sleep(0.1)
        state = client.get(f"/api/uploads/{state['id']}").json()
    assert (state["state"], state["error"]) == ("added", "")
    (found,) = client.get("/api/documents", params={"find": "Chuông ở Đà Lạt"}).json()["documents"]
    yield found["id"]
    client.delete(f"/api/documents/{found['id']}")


def test_a_file_is_uploaded_described_removed_and_brought_back(client: httpx.Client, upload: str) -> None:
    place = f"/api/documents/{upload}"
    assert "Đà Lạt" in client.get(place + "/text").json()["text"]
    described = client.patch(place, json={"title": "Bells", "speaker": "River Council", "published": "2021-05"})
    assert (described.json()["title"], described.json()["published"]) == ("Bells", "2021-05")
    assert client.patch(place, json={"title": "Bells", "published": "2021-13"}).status_code == 400
    assert client.delete(place).status_code == 200
    assert client.get(place).status_code == 404
    assert client.post(place + "/restore").json()["title"] == "Bells"
    assert client.get(place).status_code == 200
    assert client.get(place + "/pages/1").status_code == 404  # it is no PDF


def test_a_file_of_another_kind_is_refused_in_one_sentence(client: httpx.Client) -> None:
    reply = client.post("/api/documents", files={"file": ("run.exe", b"MZ")})
    assert reply.status_code == 400
    assert "can't be read" in reply.json()["message"]


def test_what_is_wrong_is_named_in_one_sentence(client: httpx.Client) -> None:
    wrong = client.post("/api/ask", json={"question": QUESTION, "max_quotes": 99})
    assert (wrong.status_code, wrong.json()["message"].partition(":")[0]) == (422, "max_quotes")
    assert client.post("/api/ask", json={"question": "?"}).status_code == 400
    assert client.get("/api/nothing").json()["message"].startswith("There is no /api/nothing")
    other = client.delete("/api/ask")
    assert (other.status_code, other.headers["allow"]) == (405, "POST")
    assert client.get("/v1/nothing").json()["error"]["code"] == "not_found"
    assert client.put("/v1/embeddings").json()["error"]["type"] == "invalid_request_error"


def test_those_who_watch_over_servers_are_answered(client: httpx.Client) -> None:
    assert client.get("/api/health/live").json() == {"status": "live"}
    assert client.get("/api/health/ready").json() == {"status": "ready"}


def test_the_api_is_described_without_any_other_host(client: httpx.Client) -> None:
    described = client.get("/api/openapi.json").json()
    assert {"/v1/chat/completions", "/api/ask"} <= described["paths"].keys()
    page = client.get("/api/docs")
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assets = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(assets) == 3
    for asset in assets:
        assert "//" not in asset
        assert client.get(f"/api/{asset}").status_code == 200


def test_requests_and_answers_are_counted(client: httpx.Client) -> None:
    client.post("/api/ask", json={"question": QUESTION, "keep": False})
    client.get("/api/documents/nothing")
    reply = client.get("/metrics")
    assert reply.headers["content-type"].startswith("application/openmetrics-text")
    families = {family.name: family for family in text_string_to_metric_families(reply.text)}  # type: ignore[no-untyped-call]
    requests = {tuple(sample.labels.values()) for sample in families["attest_http_requests"].samples}
    assert ("POST", "/api/ask", "200") in requests
    assert ("GET", "/api/documents/{document_id}", "404") in requests
    answered = [each for each in families["attest_answers"].samples if each.labels["outcome"] == "answered"]
    assert answered[0].value >= 1
    assert families["attest_library_documents"].samples[0].value > 0
