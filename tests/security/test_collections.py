"""On the page, people limited to some collections see nothing of the others, at any address and in any answer."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from assistant.accounts.sign_in import Accounts
from assistant.answer.pipeline import Assistant
from assistant.server.app import application
from assistant.server.auth.scoped_access import scoped_library
from assistant.server.document_editor import DocumentEditor
from assistant.server.intake import Taken
from assistant.server.page.gradio_page import is_open
from assistant.server.page.suggestions import suggest
from assistant.server.serve import bound, server
from assistant.suggested_questions.saved import KeptQuestion
from ingest.pipeline import ingest_paths
from store.catalog.conversations import Conversations
from store.library import Library
from tests.multipart import form_with_file
from tests.page_asking import page_states
from tests.security.conftest import PASSWORD, Client
from tests.security.test_endpoints import endpoints, filled, is_ours
from tests.store.building import HashingEmbedder, parsed

SECRET = "zanzibar"
OPEN = "The harbour bell of Hoi An rings at seven o'clock every morning."
HIDDEN = f"The harbour bell of {SECRET} rings at midnight, said the secret minutes."
PEOPLE = {"Lan": ("Luật",), "Bo": ("",), "Two": ("", "Luật")}


@dataclass
class Shared:
    """A running server over a real library."""

    address: str
    app: Any
    library: Library
    accounts: Accounts
    ids: dict[str, str]

    def client(self, name: str) -> Client:
        """Somebody who is signed in."""
        token = self.accounts.sessions.begin(self.accounts.register.account(name))
        return Client(self.address, {"attest_session": token})

    def ask(self, client: Client, question: str, **payload: Any) -> dict[str, Any]:
        """The last state of an answer, asked as the page does."""
        parts = urlsplit(self.address)
        cookie = {"Cookie": f"attest_session={client.cookies['attest_session']}"}
        states = list(page_states(parts.port or 0, question, host=parts.hostname or "", headers=cookie, **payload))
        assert states
        return dict(states[-1]) | {"all": json.dumps(states, ensure_ascii=False)}


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    home = tmp_path_factory.mktemp("collections")
    with (
        Library.open(home, embedder=HashingEmbedder()) as library,
        closing(Conversations.open(home / "catalog.sqlite")) as conversations,
        closing(Accounts.open(home)) as accounts,
        closing(bound("127.0.0.1", 0)) as listener,
    ):
        ids = {}
        for uri, collection, text in (("open", "", OPEN), (f"{SECRET}.txt", "Luật", HIDDEN)):
            made = parsed(uri, text, title=text[:30], speaker=f"Speaker of {uri}", published="2024")
            ids[collection] = library.add(
                replace(made, document=replace(made.document, collection=collection))
            ).document.id
        for name, collections in PEOPLE.items():
            accounts.register.add(name, PASSWORD, "add", collections)
        accounts.register.add("Ada", PASSWORD, "administer")

        def take(path: Path, progress: object, collection: str | None = None) -> Taken:
            report = ingest_paths(library, [path], collection=collection)
            return Taken("failed", report.failed[0].cause) if report.failed else Taken("added")

        assistant = Assistant(library)
        app = application(
            assistant, conversations, editor=DocumentEditor(library, take, home / "uploads"), accounts=accounts
        )
        ready = threading.Event()
        running = server(app, ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900)
        yield Shared(f"http://127.0.0.1:{listener.getsockname()[1]}/", app, library, accounts, ids)
        running.should_exit = True
        thread.join(10)


def test_an_answer_comes_from_one_s_own_collections(shared: Shared) -> None:
    question = "When does the harbour bell ring, as was said?"
    ada, bo, lan = (shared.ask(shared.client(name), question) for name in ("Ada", "Bo", "Lan"))
    assert {each["stage"] for each in (ada, bo, lan)} == {"done"}
    assert SECRET in ada["all"], "else this test could not fail"
    assert SECRET in lan["all"]
    assert "Hoi An" not in lan["all"]
    for word in (SECRET, "secret minutes", "midnight"):
        assert word not in bo["all"], word
    assert "Hoi An" in bo["all"]


def test_a_filter_of_one_s_own_making_opens_no_other_collection(shared: Shared) -> None:
    bo = shared.client("Bo")
    for where in (
        {"documents": [shared.ids["Luật"]]},
        {"speakers": [f"Speaker of {SECRET}.txt"]},
        {"collections": ["Luật"]},
    ):
        state = shared.ask(bo, "the minutes of the bell", options={"filter": where})
        assert SECRET not in state["all"].replace(f"Speaker of {SECRET}", ""), where


def test_no_address_tells_of_another_collection(shared: Shared) -> None:
    ada, bo = shared.client("Ada"), shared.client("Bo")
    hidden, seen = shared.ids["Luật"], shared.ids[""]
    turn = shared.ask(ada, "the minutes of the bell")["turn"]
    mine = shared.ask(bo, "the minutes of the bell")["turn"]
    paths = [
        f"/attest/documents/{hidden}/reader",
        f"/attest/documents/{hidden}/more?at=0&above=false",
        f"/attest/documents/{hidden}/more?at=0&above=true&turn={mine}",
        "/api/documents",
        f"/api/documents?find={SECRET[:4]}",
        "/api/library",
        "/attest/start",
        f"/attest/turns/{mine}/found",
        f"/attest/turns/{mine}/suggestions",
        f"/attest/turns/{mine}/source/1",
        f"/attest/turns/{turn}/source/1",
    ]
    for path in paths:
        assert SECRET.encode() not in bo.request(path).body.lower(), path
    assert bo.request(paths[0]).status == 404
    assert bo.request(f"/attest/documents/{seen}/reader").status == 200
    assert SECRET.encode() in ada.request(paths[0]).body, "else this test could not fail"
    for method, pattern in endpoints(shared.app):
        if method == "GET" and (is_ours(pattern) or is_open(method, filled(pattern))) and "heartbeat" not in pattern:
            for name in (hidden, mine, turn):
                reply = bo.request(filled(pattern).replace("/x", f"/{name}") + "?session_hash=bo")
                assert SECRET.encode() not in reply.body.lower(), pattern


def test_counts_and_lists_are_those_of_one_s_own_collections(shared: Shared) -> None:
    for name, documents in (("Bo", 1), ("Lan", 1), ("Two", 2), ("Ada", 2)):
        client = shared.client(name)
        start = client.request("/attest/start").json
        assert (start["documents"], len(start["speakers"])) == (documents, documents), name
        assert client.request("/api/library").json["documents"] == documents
        assert len(client.request("/api/documents").json["documents"]) == documents


def test_examples_are_drawn_from_one_s_own_collections(shared: Shared) -> None:
    made = [
        KeptQuestion(f"What rings at midnight in {SECRET}?", "en", shared.ids["Luật"]),
        KeptQuestion("What rings in Hoi An?", "en", shared.ids[""]),
    ]
    ada, bo = (suggest(scoped_library(shared.library, reach), "en", made) for reach in (None, ("",)))
    assert any(SECRET in question for question in ada), "else this test could not fail"
    assert any("Hoi An" in question for question in bo)
    assert not any(SECRET in question for question in bo)


def test_no_document_of_another_collection_is_changed_removed_or_replaced(shared: Shared) -> None:
    bo, hidden = shared.client("Bo"), shared.ids["Luật"]
    before = shared.library.document(hidden)
    change = {"title": "Mine now", "speaker": None, "published": None}
    assert bo.request(f"/api/documents/{hidden}", "PATCH", change).status == 404
    assert bo.request(f"/api/documents/{hidden}", "DELETE").status == 404
    assert shared.library.document(hidden) == before
    lan = shared.client("Lan")
    assert lan.request(f"/api/documents/{hidden}", "DELETE").status == 200
    assert bo.request(f"/api/documents/{hidden}/restore", "POST").status == 404
    assert lan.request(f"/api/documents/{hidden}/restore", "POST").status == 200
    assert shared.library.document(hidden) == before


def test_what_somebody_adds_goes_to_their_collection_and_replaces_no_other_s(shared: Shared) -> None:
    for name in ("Bo", "Lan"):
        client = shared.client(name)
        text = f"The report of {name} tells of lanterns.".encode()
        body, headers = form_with_file("report.txt", text)
        assert client.request("/api/documents", "POST", body, headers).json["state"] == "waiting"
        for _ in range(100):
            items = client.request("/api/uploads").json
            if items[0]["state"] not in ("waiting", "reading"):
                break
            time.sleep(0.05)
        assert [(item["name"], item["state"]) for item in items] == [("report.txt", "added")], "and nobody else's"
    reports = [d for d in shared.library.documents().documents if d.uri.endswith("report.txt")]
    assert {(d.collection, shared.library.text(d.id)[14:17].strip()) for d in reports} == {("", "Bo"), ("Luật", "Lan")}
    for document in reports:
        shared.library.remove(document.id)


def test_a_change_of_collections_counts_at_once(shared: Shared) -> None:
    client = shared.client("Two")
    assert client.request("/attest/start").json["documents"] == 2
    shared.accounts.register.change("Two", None, ["Luật"], everything=False)
    try:
        assert client.request("/attest/start").json["documents"] == 1
        assert client.request(f"/attest/documents/{shared.ids['']}/reader").status == 404
    finally:
        shared.accounts.register.change("Two", None, PEOPLE["Two"], everything=False)
