"""Nothing in a document, a title, a name or a question can do anything: no script, no request, no file."""

from __future__ import annotations

import http.client
import json
import re
from urllib.parse import urlsplit

import pytest
from starlette.requests import HTTPConnection

from assistant.server.auth.authentication import browser_of
from assistant.server.page.gradio_page import is_open
from assistant.server.security import content_security_policy
from tests.page.conftest import Served, Visit
from tests.page.scripted import HOSTILE


def test_hostile_text_title_and_speaker_are_shown_as_the_text_that_they_are(visit: Visit) -> None:
    visit.ask("hostile bell everyone listens")
    page = visit.page
    current = visit.open_source(1)
    page.click("details.found > summary")
    page.wait_for_selector(".found-body table")
    page.wait_for_timeout(100)
    assert HOSTILE in current.inner_text()
    assert HOSTILE in page.locator(".reader-head .title").inner_text()
    assert HOSTILE in page.locator(".reader-head .speaker").inner_text()
    assert HOSTILE in page.locator(".turn .answer-text").inner_text()
    assert page.locator("#attest img, #attest script, #attest iframe").count() == 0
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    "attack",
    [
        HOSTILE,
        "<svg onload=window.hacked=3> bell",
        "[bell](javascript:window.hacked=4) ![bell](https://example.com/x.png)",
        "<style>@import 'https://example.com/x.css'</style> bell",
        "${window.hacked=5} {{bell}} `bell`",
    ],
)
def test_a_hostile_question_is_inert_in_the_thread_the_list_and_the_title(visit: Visit, attack: str) -> None:
    visit.ask(attack)
    page = visit.page
    page.reload()
    page.wait_for_selector(".turn")
    page.wait_for_selector(".conversation")
    page.wait_for_timeout(100)
    assert page.locator(".asked-text").inner_text() == attack
    assert page.evaluate("window.hacked") is None
    assert page.locator(".turn a, .turn img, .turn style").count() == 0


def test_the_policy_forbids_inline_handlers_even_if_markup_got_through(visit: Visit) -> None:
    visit.page.evaluate(
        """() => { const hole = document.createElement('div');
            hole.innerHTML = '<img src="data:," onerror="window.hacked=6"><img src="https://example.com/track.png">';
            document.body.append(hole); }"""
    )
    while len(refused := [text for text in visit.errors if "Content Security Policy" in text]) < 2:
        visit.page.wait_for_timeout(50)
    assert visit.page.evaluate("window.hacked") is None
    assert len(refused) == 2
    visit.errors.clear()
    visit.foreign.clear()  # the browser names the request that the policy then blocks


def ask_server(
    served: Served, path: str, method: str = "GET", body: bytes | None = None, **headers: str
) -> tuple[int, dict[str, str], bytes]:
    """A request as it is, without a client's tidying of paths."""
    parts = urlsplit(served.address)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    if body is not None:
        connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body)
    response = connection.getresponse()
    content = response.read()
    connection.close()
    return response.status, {name.lower(): value for name, value in response.getheaders()}, content


PATHS = [
    "/",
    "/attest/start",
    "/attest/static/page.js",
    "/attest/conversations/none",
    "/theme.css",
    "/config",
    "/gradio_api/info",
    "/nothing",
    "/gradio_api/file=/etc/passwd",
]


def test_every_response_carries_a_policy_and_the_other_safeguards(served: Served) -> None:
    for path in PATHS:
        _, headers, _ = ask_server(served, path)
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "no-referrer", path


def test_the_page_allows_no_script_without_its_nonce_and_no_other_host() -> None:
    policy = content_security_policy("abc")
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert script == "script-src 'self' 'nonce-abc' 'unsafe-eval'"
    assert "http" not in policy


def test_each_page_has_a_nonce_of_its_own_on_all_of_its_scripts(served: Served) -> None:
    nonces = set()
    for _ in range(2):
        _, headers, body = ask_server(served, "/", Accept_Encoding="gzip, br")
        (nonce,) = re.findall(r"'nonce-([^']+)'", headers["content-security-policy"])
        scripts = re.findall(rb"<script\b[^>]*>", body)
        assert scripts and all(nonce.encode() in script for script in scripts)
        nonces.add(nonce)
    assert len(nonces) == 2


CLOSED = [
    "/gradio_api/file=/etc/passwd",
    "/gradio_api/file%3D/etc/passwd",
    "/gradio_api/file=../../etc/passwd",
    "/gradio_api//file=/etc/passwd",
    "/file=/etc/passwd",
    "/file/etc/passwd",
    "//file=/etc/passwd",
    "/gradio_api/file/etc/passwd",
    "/gradio_api/proxy=https://example.com",
    "/proxy=https://example.com",
    "/gradio_api/stream/a/b/c/playlist.m3u8",
    "/gradio_api/vibe-edit/",
    "/gradio_api/run/ask",
    "/gradio_api/queue/join",
    "/gradio_api/queue/data",
    "/gradio_api/heartbeat/x",
    "/gradio_api/cancel",
    "/gradio_api/reset",
    "/gradio_api/call/ask",
    "/gradio_api/runs",
    "/monitoring",
    "/gradio_api/component_server",
    "/attest/static/../app.py",
    "/attest/static/..%2fapp.py",
    "/attest/static/%2e%2e/app.py",
    "/svelte/../../routes.py",
    "/static/../../routes.py",
    "/assets/..%2f..%2f..%2froutes.py",
]


def test_paths_to_files_proxies_and_tools_are_closed(served: Served) -> None:
    for path in CLOSED:
        for method in ("GET", "POST", "HEAD"):
            status, _, body = ask_server(served, path, method, b"" if method == "POST" else None)
            assert status in (404, 405), (method, path, status)
            assert b"root:" not in body and b"import " not in body, path


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/config",
        "/theme.css",
        "/assets/index.js",
        "/gradio_api/app_id",
    ],
)
def test_what_the_page_needs_stays_open(path: str) -> None:
    assert is_open("GET", path)


def test_a_request_from_another_site_or_under_another_name_is_refused(served: Served) -> None:
    body = json.dumps({"title": "stolen"}).encode()
    status, _, _ = ask_server(served, "/api/conversations/x", "PATCH", body, Origin="https://example.com")
    assert status == 403
    status, _, _ = ask_server(served, "/attest/ask", "POST", body, Sec_Fetch_Site="cross-site")
    assert status == 403
    status, _, _ = ask_server(served, "/", Host="rebound.example.com")
    assert status == 421


def test_a_request_over_the_limit_is_refused_with_the_limit_named(served: Served) -> None:
    status, _, body = ask_server(served, "/attest/ask", "POST", None, Content_Length="999999999")
    assert status == 413
    assert b"8,388,608 bytes" in body


def test_the_owner_cookie_is_out_of_reach_of_scripts_and_other_sites(served: Served) -> None:
    _, headers, _ = ask_server(served, "/")
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    owner = _browser(cookie.split(";")[0])
    assert owner is not None and len(owner) >= 32
    assert _browser("attest_owner=<script>") is None


def _browser(cookie: str) -> str | None:
    return browser_of(HTTPConnection({"type": "http", "headers": [(b"cookie", cookie.encode())]}))


def test_one_browser_can_neither_list_nor_change_the_conversations_of_another(visit: Visit, served: Served) -> None:
    visit.ask("warning bells")
    identity = visit.page.evaluate("new URL(location.href).searchParams.get('c')")
    other = "attest_owner=" + "x" * 43
    _, _, body = ask_server(served, "/api/conversations", Cookie=other)
    assert json.loads(body)["conversations"] == []
    for method, data in (("PATCH", b'{"title":"mine now"}'), ("DELETE", b"")):
        status, _, body = ask_server(
            served, f"/api/conversations/{identity}", method, data, Cookie=other, Content_Type="application/json"
        )
        assert status == 404
        assert "another browser" in json.loads(body)["message"]
    assert served.conversations.conversation(identity).title == "warning bells"
