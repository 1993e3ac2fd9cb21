"""Signing in and out uses a form without a script, a protected cookie, a limit on guesses, and an end of each session."""

from __future__ import annotations

import html
import logging
import re
import threading
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from assistant.accounts.account import owner_of_account
from assistant.accounts.sessions import HOUR
from assistant.server.auth.authentication import Access
from assistant.server.strings import languages, strings
from tests.page.conftest import Visitors
from tests.page_asking import page_states
from tests.security.conftest import PASSWORD, Guarded, Servers, enter


def test_signing_in_and_out_works_without_a_script(guarded: Guarded, guests: Visitors) -> None:
    visit = guests.open("?c=abc_-9", wait=False, java_script_enabled=False, locale="en-US")
    page = visit.page
    assert urlsplit(page.url).path == "/attest/sign-in"
    assert page.evaluate("1") == 1
    page.fill("[name=name]", "  lan ")
    page.fill("[name=password]", "wrong password")
    # Not a click, which waits for two frames of a page whose scripts are off, sometimes for minutes.
    page.press("[name=password]", "Enter")
    assert page.locator("[role=alert]").inner_text() == "Name and password don't fit together. Please try again."
    assert page.input_value("[name=name]") == "  lan "
    assert page.input_value("[name=password]") == ""
    page.fill("[name=password]", PASSWORD)
    page.press("[name=password]", "Enter")
    assert page.url == guarded.address + "?c=abc_-9", "the conversation that was asked for"
    visit.errors.clear()  # the browser itself notes the 401


def test_the_page_lets_its_user_leave_and_nothing_is_left_behind(guarded: Guarded, guests: Visitors) -> None:
    visit = enter(guests, "Lan", locale="vi-VN")
    assert visit.page.locator("#sign-out").inner_text() == "Đăng xuất (Lan)"
    token = next(cookie["value"] for cookie in visit.context.cookies() if cookie.get("name") == "attest_session")
    visit.page.click("#sign-out")
    visit.page.wait_for_selector("[name=password]")
    assert guarded.accounts.sessions.find(token) is None
    assert "attest_session" not in [cookie.get("name") for cookie in visit.context.cookies()]
    visit.page.go_back()
    visit.page.wait_for_selector("[name=password]")
    visit.errors.clear()  # the page that was left notes that its streams ended


def test_a_page_whose_session_has_ended_shows_where_to_begin_another(guarded: Guarded, guests: Visitors) -> None:
    visit = enter(guests, "Lan")
    account = guarded.accounts.register.account("Lan")
    for cookie in visit.context.cookies():
        guarded.accounts.sessions.end(cookie.get("value", ""))
    # Whatever it asks next; it may have done so already, of itself, or not be listening yet.
    visit.page.wait_for_function(
        """() => {
            const search = document.querySelector('#conversation-search')
            if (search) { search.value += 'x'; search.dispatchEvent(new Event('input')) }
            return document.querySelector('[name=password]') !== null
        }""",
        polling=1000,
    )
    assert account.name == "Lan"
    visit.errors.clear()  # the browser itself notes the 401


@pytest.mark.parametrize("language", languages())
def test_the_form_speaks_the_language_of_the_browser(guarded: Guarded, language: str) -> None:
    words = strings(language)
    client = guarded.client()
    for reply in (
        client.request("/attest/sign-in", headers={"Accept-Language": language}),
        client.request(f"/attest/sign-in?ui={language}"),
        client.sign_in("Lan", "wrong password", Accept_Language=language),
    ):
        shown = html.unescape(reply.body.decode())
        assert f'<html lang="{language}">' in shown
        assert words("account.password") in shown
        assert "<script" not in shown
    assert words("account.wrong") in shown


def test_the_form_is_accessible(guests: Visitors) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    visit = guests.open("", wait=False)
    visit.context.add_init_script("")
    # The page's own policy lets no script run, so the checker looks at a copy without it.
    copy = visit.context.new_page()
    copy.set_content(visit.page.content())
    found = Axe().run(copy)
    assert found.violations_count == 0, found.generate_report()
    copy.close()


def test_what_was_typed_is_shown_as_text(guarded: Guarded) -> None:
    reply = guarded.client().sign_in('"><script>alert(1)</script>')
    assert reply.status == 401
    assert b"<script" not in reply.body
    reply = guarded.client().request('/attest/sign-in?c="><script>alert(1)</script>&ui="><script>')
    assert b"<script" not in reply.body


@pytest.mark.parametrize("wanted", ["//example.com", "https://example.com", "a/../b", "a%0d%0aSet-Cookie:x=1", "a b"])
def test_signing_in_leads_nowhere_but_to_the_page(guarded: Guarded, wanted: str) -> None:
    client = guarded.client("Lan")
    reply = client.request(f"/attest/sign-in?c={wanted.replace(' ', '%20')}")
    assert (reply.status, reply.header("location")) == (303, "../")
    assert not reply.header("set-cookie")


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: Guarded) -> None:
    cookie = guarded.client().sign_in("Lan").header("set-cookie")
    token, *attributes = cookie.split("; ")
    assert re.fullmatch(r"attest_session=[A-Za-z0-9_-]{43}", token)
    assert set(attributes) == {"HttpOnly", "Max-Age=86400", "Path=/", "SameSite=lax"}
    secure = guarded.client().sign_in("Lan", X_Forwarded_Proto="https").header("set-cookie")
    assert set(secure.split("; ")[1:]) == {*attributes, "Secure"}


def test_another_site_can_sign_nobody_in_or_out(guarded: Guarded) -> None:
    client = guarded.client()
    for headers in ({"Origin": "https://example.com"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        plain = {name.replace("_", "-"): value for name, value in headers.items()}
        assert client.sign_in("Lan", **headers).status == 403
        reply = guarded.client("Lan").request("/attest/sign-out", "POST", b"", plain)
        assert reply.status == 403
    assert "attest_session" not in client.cookies
    assert guarded.client("Lan").request("/attest/start").status == 200


def test_each_sign_in_is_a_new_session_and_ends_the_one_before(guarded: Guarded) -> None:
    client = guarded.client()
    client.cookies["attest_session"] = "chosen-by-somebody-else-0123456789abcdefghi"
    client.sign_in("Lan")
    first = client.cookies["attest_session"]
    assert first != "chosen-by-somebody-else-0123456789abcdefghi"
    client.sign_in("Lan")
    assert client.cookies["attest_session"] != first
    assert guarded.accounts.sessions.find(first) is None


def test_a_session_ends_by_the_clock(guarded: Guarded) -> None:
    client = guarded.client()
    client.sign_in("Lan")
    assert client.request("/attest/start").status == 200
    before = guarded.clock.now
    guarded.clock.now += 2 * HOUR + 1
    try:
        assert client.request("/attest/start").status == 401
    finally:
        guarded.clock.now = before


def test_another_password_or_no_account_ends_what_is_open(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask", "Ada": "administer"})
    client = guarded.client()
    client.sign_in("Lan")
    guarded.accounts.register.set_password("Lan", "four new bells ring")
    assert client.request("/attest/start").status == 401
    assert client.sign_in("Lan").status == 401
    assert client.sign_in("Lan", "four new bells ring").status == 303
    guarded.accounts.register.remove("Lan")
    assert client.request("/attest/start").status == 401


def test_an_answer_ends_after_its_session(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask"})
    client = guarded.client("Lan")
    parts = urlsplit(guarded.address)
    cookie = {"Cookie": f"attest_session={client.cookies['attest_session']}"}
    guarded.assistant.released.clear()
    states = page_states(parts.port or 0, "held bells", host=parts.hostname or "", headers=cookie)
    assert next(states)["stage"] == "searching"
    guarded.accounts.sessions.end(client.cookies["attest_session"])
    assert "done" not in [state["stage"] for state in states]  # to its end: without one, the test runs out of its time
    guarded.assistant.released.set()


def test_guesses_are_limited_and_nobody_learns_which_names_there_are(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask"})
    client = guarded.client()
    said = {}
    for name in ("Lan", "Nobody"):
        for number in range(8):
            guarded.accounts.attempts.begin(name, f"192.0.2.{number}")
        said[name] = [client.sign_in(name, "wrong password") for _ in range(3)]
        assert [reply.status for reply in said[name]] == [401, 401, 429], name
    bodies = [[reply.body.replace(name.encode(), b"NAME") for reply in replies] for name, replies in said.items()]
    assert bodies[0] == bodies[1]
    assert b"Please try again in 15 minutes." in said["Lan"][2].body
    assert client.sign_in("Lan").status == 429, "not even with the right password"
    guarded.clock.now += 15 * 60 + 1
    assert client.sign_in("Lan").status == 303


def test_a_limit_holds_for_many_guesses_at_once(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask"})
    for _ in range(7):
        guarded.accounts.attempts.begin("Lan", "192.0.2.1")
    statuses: list[int] = []
    threads = [
        threading.Thread(target=lambda: statuses.append(guarded.client().sign_in("Lan", "wrong password").status))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(statuses) == [401] * 3 + [429] * 17


def test_an_address_is_limited_beyond_a_proxy_that_is_trusted_and_no_other(servers: Servers, tmp_path: Path) -> None:
    trusting = servers.fresh(tmp_path, {"Lan": "ask"})
    strict = servers.fresh(tmp_path, {"Lan": "ask"}, Access(trusted_proxies=("192.0.2.9",)))
    for guarded in (trusting, strict):
        for number in range(40):
            assert guarded.accounts.attempts.begin(f"name {number}", "127.0.0.1") == 0
    elsewhere = {"X_Forwarded_For": "127.0.0.1, 198.51.100.7"}
    assert trusting.client().sign_in("Lan").status == 429
    assert trusting.client().sign_in("Lan", **elsewhere).status == 303
    assert strict.client().sign_in("Lan", **elsewhere).status == 429, "anybody can write such a header"


def test_a_form_that_is_none_gets_an_answer(guarded: Guarded) -> None:
    for body in (b"", b"\xff\xfe", b"name=" + b"x" * 20_000, b"a=1&" * 1000, b'{"name": "Lan"}', b"name=Lan"):
        reply = guarded.client().request("/attest/sign-in", "POST", body, {"X-Forwarded-For": "203.0.113.5"})
        assert reply.status == 401, body[:20]


def test_neither_log_nor_reply_tells_a_password_a_token_or_a_hash(
    guarded: Guarded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    client = guarded.client()
    replies = [client.sign_in("Lan", "another wrong one"), client.sign_in("Lan"), client.request("/attest/start")]
    replies += [client.request(path) for path in ("/", "/api/conversations", "/config", "/attest/nothing")]
    token = client.cookies["attest_session"]
    for secret in (PASSWORD, "another wrong one", token, "argon2id"):
        assert secret not in caplog.text
        assert all(secret.encode() not in reply.body for reply in replies)


def test_what_was_asked_before_there_were_accounts_is_whose_browser_it_was(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {})
    client = guarded.client()
    client.request("/")
    browser = client.cookies["attest_owner"]
    kept = guarded.conversations.start(browser, "asked before")
    assert [item["id"] for item in client.request("/api/conversations").json["conversations"]] == [kept.id]
    guarded.accounts.register.add("Lan", PASSWORD)
    assert client.request("/api/conversations").status == 401
    other = guarded.client()
    other.sign_in("Lan")
    assert other.request("/api/conversations").json["conversations"] == []
    client.sign_in("Lan")
    assert [item["id"] for item in client.request("/api/conversations").json["conversations"]] == [kept.id]
    lan = guarded.accounts.register.account("Lan")
    assert guarded.conversations.conversation(kept.id).owner == owner_of_account(lan)


def test_without_an_account_the_loopback_asks_nobody(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {})
    start = guarded.client().request("/attest/start")
    assert start.status == 200
    assert (start.json["user"], start.json["signs_out"]) == (None, False)
    assert guarded.client().request("/attest/sign-in").status == 404
    guarded.accounts.register.add("Lan", PASSWORD)
    assert guarded.client().request("/attest/start").status == 401, "from the first account on, without a restart"


def test_a_page_beyond_the_loopback_stays_shut_when_its_last_account_goes(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask"}, Access(always=True))
    client = guarded.client("Lan")
    guarded.accounts.register.remove("Lan")
    assert client.request("/attest/start").status == 401
    assert guarded.client().request("/").status == 303


HEADER = Access(user_header="X-Forwarded-User", public_hosts=("docs.example.org",))


def test_a_proxy_says_who_it_is(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Ada": "administer"}, HEADER)

    def start(*names: str, **more: str) -> tuple[int, object, object]:
        headers = {key.replace("_", "-"): value for key, value in more.items()}
        if names:
            headers["X-Forwarded-User"] = names[0]
        reply = guarded.client().request("/attest/start", headers=headers)
        return reply.status, *(reply.json.get(key) for key in ("user", "administers"))

    assert start("Minh")[:3] == (200, "Minh", False)
    assert start("ÁDA")[1] != "Ada"
    assert start("ada") == (200, "Ada", True)
    assert start("Thị Lan")[1] == "Thị Lan"
    assert start()[0] == 401
    for strange in ("", "a/b", "x" * 65):
        assert start(strange)[0] == 401
    assert start("Minh", Host="docs.example.org")[0] == 200
    assert guarded.client().request("/", headers={"Host": "evil.example.com", "X-Forwarded-User": "Ada"}).status == 421
    assert guarded.client().sign_in("Ada").status == 303, "a password works beside it"


def test_a_header_from_anybody_else_counts_for_nothing(servers: Servers, tmp_path: Path) -> None:
    access = Access(user_header="X-Forwarded-User", trusted_proxies=("192.0.2.0/24",))
    guarded = servers.fresh(tmp_path, {}, access)
    for more in ({}, {"X-Forwarded-For": "192.0.2.1"}):
        reply = guarded.client().request("/attest/start", headers={"X-Forwarded-User": "Ada", **more})
        assert reply.status == 401


def test_a_header_that_comes_twice_names_nobody(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Ada": "administer"}, HEADER)
    parts = urlsplit(guarded.address)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=120)
    connection.putrequest("GET", "/attest/start")
    for name in ("Ada", "Minh"):
        connection.putheader("X-Forwarded-User", name)
    connection.endheaders()
    assert connection.getresponse().status == 401
    connection.close()
