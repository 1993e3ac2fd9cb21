"""Start a real server with accounts, on a free port, and clients of it."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlencode, urlsplit

import pytest

from assistant.accounts.sessions import HOUR, Lifetime
from assistant.accounts.sign_in import Accounts
from assistant.server.app import application
from assistant.server.auth.authentication import DEFAULT_ACCESS, Access
from assistant.server.auth.scoped_access import Assistant
from assistant.server.document_editor import DocumentEditor
from assistant.server.evaluation_runs import EvaluationRuns
from assistant.server.serve import bound, is_loopback, server
from store.catalog.conversations import Conversations
from tests.page.conftest import Visit, Visitors, bench_parts
from tests.page.scripted import ScriptedAssistant

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from store.library import Library
    from tests.chromium import LastingBrowser

__all__ = ["bench_parts"]

PASSWORD = "three old bells ring"
PEOPLE = {"Lan": "ask", "สมชาย": "add", "Ada": "administer", "Bo": "ask"}


class Clock:
    """The time as a test sets it."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True)
class Reply:
    """What the server said."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """The values of a header, joined."""
        return ", ".join(value for key, value in self.headers if key.lower() == name)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def message(self) -> str:
        return str(self.json["message"])


@dataclass
class Client:
    """One browser's cookies, without a browser; all that it was told is kept in `heard`."""

    address: str
    cookies: dict[str, str] = field(default_factory=dict)
    heard: list[Reply] = field(default_factory=list)

    def request(
        self, path: str, method: str = "GET", body: object = None, headers: dict[str, str] | None = None
    ) -> Reply:
        """A request as it is, without a client's tidying of paths; streams are left after their first bytes."""
        parts = urlsplit(self.address)
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)) as connection:
            given = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
            data = None
            if isinstance(body, bytes):
                data = body
            elif body is not None:
                data = json.dumps(body).encode()
                given["Content-Type"] = "application/json"
            given |= {"Content-Length": str(len(data))} if data is not None else {}
            given |= headers or {}
            connection.putrequest(method, path, skip_host="Host" in given, skip_accept_encoding=True)
            for name, value in given.items():
                connection.putheader(name, value.encode())
            connection.endheaders(data)
            response = connection.getresponse()
            streams = "event-stream" in (response.getheader("content-type") or "")
            reply = Reply(response.status, response.getheaders(), b"" if streams else response.read())
        for name, value in reply.headers:
            if name.lower() == "set-cookie":
                cookie, _, content = value.partition(";")[0].partition("=")
                self.cookies[cookie] = content
        self.heard.append(reply)
        return reply

    def sign_in(self, name: str, password: str = PASSWORD, **headers: str) -> Reply:
        """Send the form."""
        form = urlencode({"name": name, "password": password}).encode()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.request(
            "/attest/sign-in", "POST", form, kind | {key.replace("_", "-"): value for key, value in headers.items()}
        )


@dataclass
class Guarded:
    """A running server with accounts, and what stands behind it."""

    address: str
    app: ASGIApp
    assistant: ScriptedAssistant
    conversations: Conversations
    accounts: Accounts
    clock: Clock
    clients: dict[str, Client] = field(default_factory=dict)

    def client(self, name: str | None = None) -> Client:
        """A client that is signed in, one for each name; without a name a new one that isn't."""
        if name is None:
            return Client(self.address)
        if name not in self.clients:
            self.clients[name] = Client(self.address)
        if self.clients[name].request("/attest/start").status == 401:
            self.clients[name].cookies["attest_session"] = self.accounts.sessions.begin(
                self.accounts.register.account(name)
            )
        return self.clients[name]


class Servers:
    """Starts servers, and stops them all at the end."""

    def __init__(self, bench_parts: tuple[list[str], Path, Path]) -> None:
        self._bench = bench_parts
        self._stops: list[tuple[Any, threading.Thread, Any]] = []
        self._kept: dict[Access, Guarded] = {}

    def fresh(self, folder: Path, people: dict[str, str], access: Access = DEFAULT_ACCESS) -> Guarded:
        """A server with these people and no other; one is started for each access, and then made as new."""
        if access not in self._kept:
            self._kept[access] = self.start(folder, {}, access)
        kept = self._kept[access]
        kept.clock.now += 24 * HOUR  # what was tried before counts no more
        kept.clients.clear()
        for account in kept.accounts.register.all():
            kept.accounts.register.remove(account.name)
        for name, right in people.items():
            kept.accounts.register.add(name, PASSWORD, right)  # type: ignore[arg-type]
        return kept

    def start(
        self, folder: Path, people: dict[str, str], access: Access = DEFAULT_ACCESS, host: str = "127.0.0.1"
    ) -> Guarded:
        """A server of the library at `folder` that lets `people` in."""
        clock, assistant = Clock(), ScriptedAssistant()
        accounts = Accounts.open(folder, Lifetime(idle=2 * HOUR, whole=24 * HOUR), clock)
        for name, right in people.items():
            accounts.register.add(name, PASSWORD, right)  # type: ignore[arg-type]
        conversations = Conversations.open(folder / "catalog.sqlite")
        editor = DocumentEditor(cast("Library", assistant.library), assistant.take, folder / "uploads")
        app = application(
            cast("Assistant", assistant),
            conversations,
            is_local=is_loopback(host),
            editor=editor,
            evaluation_runs=EvaluationRuns(*self._bench),
            accounts=accounts,
            access=access,
        )
        listener = bound("127.0.0.1", 0)
        ready = threading.Event()
        running = server(app, ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900), "the server did not start"
        self._stops.append((running, thread, listener))
        address = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        return Guarded(address, app, assistant, conversations, accounts, clock)

    def stop(self) -> None:
        """Stop them all."""
        for running, _, _ in self._stops:
            running.should_exit = True
        for _, thread, listener in self._stops:
            thread.join(10)
            listener.close()


@pytest.fixture(scope="session")
def servers(bench_parts: tuple[list[str], Path, Path]) -> Iterator[Servers]:
    """Servers for tests that need one of their own."""
    started = Servers(bench_parts)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def shared_server(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> Guarded:
    """One server for all tests that leave it as it was."""
    return servers.start(tmp_path_factory.mktemp("guarded"), PEOPLE)


@pytest.fixture
def guarded(shared_server: Guarded) -> Iterator[Guarded]:
    """The server; whatever a test heard from it, no hash and no password was in it."""
    yield shared_server
    for client in shared_server.clients.values():
        for reply in client.heard:
            assert b"argon2" not in reply.body
            assert PASSWORD.encode() not in reply.body
        client.heard.clear()


@pytest.fixture
def guests(browser: LastingBrowser, guarded: Guarded) -> Iterator[Visitors]:
    """Browsers; at the end none may have called another machine or had an error."""
    visitors = Visitors(browser, guarded.address)
    yield visitors
    visitors.close()


def enter(guests: Visitors, name: str, path: str = "", **options: Any) -> Visit:
    """A new browser whose user types their name and password."""
    visit = guests.open(path, wait=False, locale=options.pop("locale", "en-US"), **options)
    visit.page.fill("[name=name]", name)
    visit.page.fill("[name=password]", PASSWORD)
    visit.page.press("[name=password]", "Enter")
    visit.page.wait_for_selector("#question")
    return visit
