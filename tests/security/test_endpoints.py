"""Every address that the server knows, Gradio's among them: closed to strangers, and to those without the right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from assistant.server.security import is_closed
from tests.security.conftest import Guarded

NEEDS_TO_ADD = {
    ("POST", "/attest/library/files"),
    ("POST", "/attest/library/address"),
    ("GET", "/attest/library/intake"),
    ("PATCH", "/attest/library/documents/{document_id}"),
    ("DELETE", "/attest/library/documents/{document_id}"),
    ("POST", "/attest/library/documents/{document_id}/back"),
}
NEEDS_TO_ADMINISTER = {
    ("POST", "/attest/library/embed"),
    ("GET", "/attest/feedback/suite"),
    ("GET", "/attest/evaluation/suites"),
    ("GET", "/attest/evaluation/runs"),
    ("POST", "/attest/evaluation/runs"),
    ("POST", "/attest/evaluation/stop"),
    ("GET", "/attest/evaluation/runs/{name}/report"),
    ("GET", "/attest/evaluation/compare"),
}


def endpoints(guarded: Guarded) -> list[tuple[str, str]]:
    """Method and path of all routes of the running application, as it names them."""
    return routes_of(guarded.app)


def routes_of(app: Any) -> list[tuple[str, str]]:
    """The same of an application in its wrappers."""
    while not hasattr(app, "routes"):
        app = app._app
    found = list(dict.fromkeys(_walk(app.routes, "")))
    assert len(found) > 100
    return found


def _walk(routes: Sequence[Any], prefix: str) -> Iterator[tuple[str, str]]:
    for route in routes:
        inner = getattr(route, "original_router", None)  # FastAPI's included routers
        below = inner if inner is not None else getattr(route, "app", None)
        path = prefix + getattr(route, "path", "")
        if inner is not None:
            yield from _walk(inner.routes, prefix + route.include_context.prefix)
        elif getattr(route, "methods", None):
            for method in sorted(route.methods):
                yield method, path
        elif getattr(below, "routes", None) is not None:
            assert below is not None
            yield from _walk(below.routes, path)
        else:
            yield "GET", path + "/page.js"  # a folder of files


def filled(path: str) -> str:
    """An address for a route's pattern."""
    return re.sub(r"\{[^}]*\}", "x", path) or "/"


def test_all_that_is_known_of_the_page_is_among_the_addresses(guarded: Guarded) -> None:
    found = endpoints(guarded)
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
        *NEEDS_TO_ADD,
        *NEEDS_TO_ADMINISTER,
    }
    assert wanted - set(found) == set()


def test_no_address_answers_who_is_not_signed_in(guarded: Guarded) -> None:
    stranger = guarded.client()
    for method, pattern in endpoints(guarded):
        for path in (filled(pattern), filled(pattern) + "?session_hash=x&ui=en"):
            reply = stranger.request(path, method, b"{}" if method in ("POST", "PATCH") else None)
            if path.partition("?")[0] == "/":
                assert (reply.status, reply.header("location")) == (303, "attest/sign-in"), path
            else:
                assert reply.status == (404 if is_closed(path.partition("?")[0]) else 401), f"{method} {path}"
    stranger.cookies = {"attest_session": "x" * 43, "attest_owner": "x" * 43}
    assert stranger.request("/attest/start").status == 401


def test_what_says_no_says_nothing_else(guarded: Guarded) -> None:
    reply = guarded.client().request("/attest/conversations", headers={"Accept-Language": "vi"})
    assert reply.json == {"message": "Bạn chưa đăng nhập, hoặc phiên đã hết hạn. Vui lòng đăng nhập."}
    assert reply.header("cache-control") == "no-store"
    assert "default-src 'none'" in reply.header("content-security-policy")


@pytest.mark.parametrize(
    ("name", "closed"), [("Lan", NEEDS_TO_ADD | NEEDS_TO_ADMINISTER), ("สมชาย", NEEDS_TO_ADMINISTER), ("Ada", set())]
)
def test_each_right_opens_its_addresses_and_no_other(guarded: Guarded, name: str, closed: set[tuple[str, str]]) -> None:
    client, documents = guarded.client(name), dict(guarded.assistant.library.kept)
    for method, pattern in endpoints(guarded):
        if "heartbeat" in pattern or (name == "Ada" and method != "GET"):
            continue  # it streams; she may do it, and it would be done
        own = f"?session_hash={client.cookies['attest_session']}"  # Gradio's sessions belong to whom they began with
        reply = client.request(filled(pattern) + own, method, b"{}" if method in ("POST", "PATCH") else None)
        if is_closed(filled(pattern)):
            assert reply.status == 404, pattern
        elif (method, pattern) in closed:
            assert reply.status == 403, f"{method} {pattern}"
            assert "ask whoever administers" in reply.message.lower()
        else:
            assert reply.status not in (401, 403), f"{method} {pattern}"
    assert guarded.assistant.library.kept == documents


def test_an_address_that_nobody_thought_of_is_for_those_who_administer(guarded: Guarded) -> None:
    assert guarded.client("Lan").request("/attest/anything/new").status == 403
    assert guarded.client("Lan").request("/attest/start", "POST", b"{}").status == 403
    assert guarded.client("Ada").request("/attest/anything/new").status == 404


@pytest.mark.parametrize(
    "path",
    [
        "/attest/library/intake/",
        "/attest//library/intake",
        "/attest/%6cibrary/intake",
        "/attest/library/intake%00",
        "/attest/start/../library/intake",
        "/attest/start/%2e%2e/library/intake",
        "/attest/static/../library/intake",
        "/attest/static/..%2f..%2fgate.py",
        "//attest/library/intake",
        "/ATTEST/library/intake",
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
