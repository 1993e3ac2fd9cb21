"""Every address of the server, including Gradio's, is closed to strangers and to people without the right."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import APIRouter, Depends, FastAPI
from fastapi.routing import APIRoute
from fastapi.testclient import TestClient
from starlette.authentication import AuthCredentials
from starlette.requests import HTTPConnection
from starlette.routing import Route

from assistant.accounts.account import RIGHTS, Right, Visitor
from assistant.server.auth.authentication import DEFAULT_ACCESS, Access, Identity, KnownUser
from assistant.server.auth.route_guard import PUBLIC, Requirement, RequireRight, refuse_undeclared, require
from assistant.server.error_responses import add_error_handlers
from assistant.server.page.gradio_page import is_open
from tests.security.conftest import Guarded

OPEN_TO_ALL = {
    ("GET", "/attest/sign-in"),
    ("POST", "/attest/sign-in"),
    ("POST", "/attest/sign-out"),
    ("GET", "/api/health/live"),
    ("GET", "/api/health/ready"),
}
NEEDS_TO_ADD = {
    ("POST", "/api/documents"),
    ("POST", "/api/fetch"),
    ("GET", "/api/uploads"),
    ("GET", "/api/uploads/{upload_id}"),
    ("PATCH", "/api/documents/{document_id}"),
    ("DELETE", "/api/documents/{document_id}"),
    ("POST", "/api/documents/{document_id}/restore"),
}
NEEDS_TO_ADMINISTER = {
    ("POST", "/api/library/embed"),
    ("GET", "/metrics"),
    ("GET", "/api/feedback"),
    ("GET", "/api/evaluations"),
    ("POST", "/api/evaluations"),
    ("GET", "/api/evaluations/suites"),
    ("GET", "/api/evaluations/suites/{suite}/drafts"),
    ("POST", "/api/evaluations/suites/{suite}/drafts/{draft}"),
    ("POST", "/api/evaluations/stop"),
    ("GET", "/api/evaluations/{name}/report"),
    ("GET", "/api/evaluations/compare"),
}

NEEDS_THE_SOCKET = {("GET", "/api/owner"), ("POST", "/api/owner/ingest")}
"""Not for anybody who comes by the network, whatever their right."""


def endpoints(app: Any) -> list[tuple[str, str]]:
    """Method and path of all routes of an application in its wrappers, as it names them."""
    found = list(dict.fromkeys((method, path) for method, path, _ in walk(app)))
    assert len(found) > 100
    return found


def walk(app: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield method, path and route, those of mounted applications included."""
    while not hasattr(app, "routes"):
        app = app._app
    yield from _walk(app.routes, "")


def _walk(routes: Sequence[Any], prefix: str) -> Iterator[tuple[str, str, Any]]:
    for route in routes:
        inner = getattr(route, "original_router", None)  # FastAPI's included routers
        path = prefix + getattr(route, "path", "")
        if inner is not None:
            yield from _walk(inner.routes, prefix + route.include_context.prefix)
        elif getattr(route, "methods", None):
            for method in sorted(route.methods):
                yield method, path, route
        elif isinstance(route, Route):
            yield "QUERY", path, route  # one that takes every method
        else:
            below = route.app
            while hasattr(below, "_app"):
                below = below._app
            if hasattr(below, "routes"):
                yield from _walk(below.routes, path)
            else:
                yield "GET", path + "/page.js", route  # a folder of files


def is_ours(path: str) -> bool:
    """Whether an address is not one of Gradio's."""
    return path.startswith(("/attest/", "/api/", "/v1/", "/metrics", "/mcp"))


def filled(path: str) -> str:
    """An address for a route's pattern."""
    return re.sub(r"\{[^}]*\}", "x", path) or "/"


def test_all_that_is_known_of_the_page_is_among_the_addresses(guarded: Guarded) -> None:
    wanted = {
        ("GET", "/"),
        ("POST", "/gradio_api/queue/join"),
        ("GET", "/gradio_api/queue/data"),
        ("POST", "/gradio_api/upload"),
        ("GET", "/gradio_api/file={path_or_url:path}"),
        ("GET", "/gradio_api/heartbeat/{session_hash}"),
        ("GET", "/config"),
        ("GET", "/theme.css"),
        ("GET", "/attest/static/page.js"),
        ("GET", "/attest/start"),
        ("POST", "/attest/ask"),
        ("POST", "/v1/chat/completions"),
        ("POST", "/api/ask"),
        ("GET", "/api/docs"),
        *OPEN_TO_ALL,
        *NEEDS_TO_ADD,
        *NEEDS_TO_ADMINISTER,
    }
    assert wanted - set(endpoints(guarded.app)) == set()


def test_each_route_declares_the_right_it_needs(guarded: Guarded) -> None:
    for method, path, route in walk(guarded.app):
        if not isinstance(route, APIRoute) or not is_ours(path):
            assert not is_ours(path) or isinstance(route.app, RequireRight), path
            continue
        rights = {each.dependency.right for each in route.dependencies if isinstance(each.dependency, Requirement)}
        expected: Right | None = "ask"
        if (method, path) in OPEN_TO_ALL:
            expected = None
        elif (method, path) in NEEDS_TO_ADD:
            expected = "add"
        elif (method, path) in NEEDS_TO_ADMINISTER | NEEDS_THE_SOCKET:
            expected = "administer"
        assert rights == {expected}, f"{method} {path}"


def test_no_address_answers_who_is_not_signed_in(guarded: Guarded) -> None:
    stranger = guarded.client()
    for method, pattern in endpoints(guarded.app):
        if (method, pattern) in OPEN_TO_ALL:
            continue
        for path in (filled(pattern), filled(pattern) + "?session_hash=x&ui=en"):
            reply = stranger.request(path, method, b"{}" if method in ("POST", "PATCH") else None)
            if path.partition("?")[0] == "/":
                assert (reply.status, reply.header("location")) == (303, "attest/sign-in"), path
            elif path.partition("?")[0] == "/attest/password":
                assert (reply.status, reply.header("location")) == (303, "sign-in"), path
            else:
                assert reply.status == 401, f"{method} {path}"
    stranger.cookies = {"attest_session": "x" * 43, "attest_owner": "x" * 43}
    assert stranger.request("/attest/start").status == 401
    assert stranger.request("/attest/anything/new").status == 401


def test_what_says_no_says_nothing_else(guarded: Guarded) -> None:
    reply = guarded.client().request("/api/conversations", headers={"Accept-Language": "vi"})
    message = "Bạn chưa đăng nhập, hoặc phiên đã hết hạn. Vui lòng đăng nhập."
    assert reply.json == {"message": message, "code": "not_signed_in", "type": "NotSignedInError"}
    assert reply.header("cache-control") == "no-store"
    assert "default-src 'none'" in reply.header("content-security-policy")


@pytest.mark.parametrize(
    ("name", "closed"), [("Lan", NEEDS_TO_ADD | NEEDS_TO_ADMINISTER), ("สมชาย", NEEDS_TO_ADMINISTER), ("Ada", set())]
)
def test_each_right_opens_its_addresses_and_no_other(guarded: Guarded, name: str, closed: set[tuple[str, str]]) -> None:
    client, documents = guarded.client(name), dict(guarded.assistant.library.kept)
    for method, pattern in endpoints(guarded.app):
        if "heartbeat" in pattern or (method, pattern) in OPEN_TO_ALL or (name == "Ada" and method != "GET"):
            continue  # it streams, or it would be done
        own = f"?session_hash={client.cookies['attest_session']}"  # Gradio's sessions belong to whom they began with
        reply = client.request(filled(pattern) + own, method, b"{}" if method in ("POST", "PATCH") else None)
        if not is_ours(pattern) and not is_open(method, filled(pattern)):
            assert reply.status == 404, pattern
        elif (method, pattern) in closed | NEEDS_THE_SOCKET:
            assert reply.status == 403, f"{method} {pattern}"
            assert "ask an administrator" in reply.message.lower()
        else:
            assert reply.status not in (401, 403), f"{method} {pattern}"
    assert guarded.assistant.library.kept == documents


def test_an_address_that_nobody_thought_of_is_not_there(guarded: Guarded) -> None:
    for name in ("Lan", "Ada"):
        assert guarded.client(name).request("/attest/anything/new").status == 404
        assert guarded.client(name).request("/attest/start", "POST", b"{}").status == 404


class FixedIdentity(Identity):
    """Everyone is the same visitor."""

    def __init__(self, right: Right | None) -> None:
        super().__init__(None, DEFAULT_ACCESS)
        self._visitor = None if right is None else Visitor("somebody", "Somebody", right)

    async def authenticate(self, conn: HTTPConnection) -> Any:
        return None if self._visitor is None else (AuthCredentials(), KnownUser(self._visitor))


@pytest.mark.parametrize("right", [None, *RIGHTS])
def test_a_route_that_declares_nothing_is_refused_to_everyone(right: Right | None) -> None:
    from starlette.middleware.authentication import AuthenticationMiddleware

    app = FastAPI(dependencies=[Depends(refuse_undeclared)])
    app.add_middleware(AuthenticationMiddleware, backend=FixedIdentity(right))
    add_error_handlers(app)
    router, other = APIRouter(prefix="/inner", dependencies=[PUBLIC]), APIRouter()

    @router.get("/declared")
    def declared() -> str:
        return "for all"

    @other.get("/forgotten")
    def forgotten() -> str:
        raise AssertionError("never reached")

    @other.get("/added", dependencies=[require("add")])
    def added() -> str:
        return "for some"

    router.include_router(other)
    app.include_router(router, prefix="/outer")
    app.include_router(other)
    client = TestClient(app)
    assert client.get("/outer/inner/declared").status_code == 200
    assert client.get("/forgotten").status_code == client.get("/outer/inner/forgotten").status_code == 403
    expected = 401 if right is None else 403 if right == "ask" else 200
    assert client.get("/added").status_code == client.get("/outer/inner/added").status_code == expected


def test_another_proof_is_looked_at_first_and_a_wrong_one_ends_the_search() -> None:
    from starlette.authentication import AuthenticationError

    def bearer(connection: HTTPConnection) -> Visitor | None:
        token = connection.headers.get("authorization")
        if token == "wrong":
            raise AuthenticationError("no such token")
        return Visitor("account:1", "Lan", "add") if token == "right" else None

    def fallback(connection: HTTPConnection) -> Visitor | None:
        return Visitor("account:2", "Bo", "ask")

    identity = Identity(None, Access(always=True), (bearer, fallback))

    def name(*headers: tuple[bytes, bytes]) -> str | None:
        visitor = identity.visitor(HTTPConnection({"type": "http", "headers": list(headers)}))
        return None if visitor is None else visitor.name

    assert name((b"authorization", b"right")) == "Lan"
    assert name() == "Bo"
    assert name((b"authorization", b"wrong")) is None


@pytest.mark.parametrize("name", [None, "Lan"])
def test_what_somebody_may_not_send_is_refused_before_it_is_read(guarded: Guarded, name: str | None) -> None:
    """Only the head of the request comes: who waits for the body waits for ever."""
    client = guarded.client(name) if name else guarded.client()
    parts = urlsplit(client.address)
    with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)) as connection:
        connection.putrequest("POST", "/api/documents")
        connection.putheader("Cookie", "; ".join(f"{key}={value}" for key, value in client.cookies.items()))
        connection.putheader("Content-Type", "multipart/form-data; boundary=x")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        assert connection.getresponse().status == (403 if name else 401)


@pytest.mark.parametrize(
    "path",
    [
        "/api/uploads/",
        "/api//uploads",
        "/api/%75ploads",
        "/api/uploads%00",
        "/attest/start/../../api/uploads",
        "/attest/start/%2e%2e/%2e%2e/api/uploads",
        "/attest/static/../../api/uploads",
        "/attest/static/..%2f..%2fgate.py",
        "//api/uploads",
        "/API/uploads",
    ],
)
def test_no_spelling_of_an_address_is_a_way_around(guarded: Guarded, path: str) -> None:
    for client, allowed in ((guarded.client(), (401, 404)), (guarded.client("Lan"), (403, 404))):
        reply = client.request(path)
        assert reply.status in allowed, (path, reply.status)


def test_the_page_hides_what_its_user_may_not_do(guarded: Guarded) -> None:
    def offers(name: str) -> tuple[bool, bool, bool, bool]:
        start = guarded.client(name).request("/attest/start").json
        assert start["user"] == name
        return start["uploads"], start["edits"], start["administers"], start["evaluates"]

    assert offers("Lan") == (False, False, False, False)
    assert offers("สมชาย") == (True, True, False, False)
    assert offers("Ada") == (True, True, True, True)
