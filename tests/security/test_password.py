"""People can change their password: in a form without a script, with the old one, ending every other session."""

from __future__ import annotations

import html
import logging
from pathlib import Path
from urllib.parse import urlencode, urlsplit

import pytest

from assistant.server.auth.authentication import Access
from assistant.server.strings import DEFAULT, languages, strings
from tests.page.conftest import Visitors
from tests.security.conftest import PASSWORD, Client, Guarded, Reply, Servers, enter

NEW = "four new bells ring"
ENGLISH_ERRORS = {
    "error.password_short": "The password has {length} characters; it needs at least {least}. Some words in a row do well.",
    "error.password_long": "The password has {length} characters; the most is {most}.",
}
"""English stands in the errors, not among the words of the page."""
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def change(client: Client, old: str, new: str, again: str | None = None, **headers: str) -> Reply:
    body = urlencode({"old": old, "new": new, "again": new if again is None else again}).encode()
    return client.request("/attest/password", "POST", body, FORM | {k.replace("_", "-"): v for k, v in headers.items()})


def test_people_change_their_own_password_and_all_their_other_sessions_end(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask", "Bo": "ask"})
    here, elsewhere, other = guarded.client(), guarded.client(), guarded.client("Bo")
    here.sign_in("Lan")
    elsewhere.sign_in("Lan")
    before = here.cookies["attest_session"]
    reply = change(here, PASSWORD, NEW)
    assert reply.status == 200
    assert 'role="status"' in reply.body.decode()
    assert here.cookies["attest_session"] != before
    assert guarded.accounts.sessions.find(before) is None
    assert here.request("/attest/start").status == 200, "where it was changed one stays"
    assert elsewhere.request("/attest/start").status == 401
    assert other.request("/attest/start").status == 200, "nobody else's session ends"
    assert guarded.client().sign_in("Lan").status == 401
    assert guarded.client().sign_in("Lan", NEW).status == 303
    assert guarded.client().sign_in("Bo").status == 303


@pytest.mark.parametrize(
    ("old", "new", "again", "key"),
    [
        ("wrong password", NEW, NEW, "account.mistaken"),
        (PASSWORD, NEW, NEW + "!", "account.differ"),
        (PASSWORD, "short", "short", "error.password_short"),
        (PASSWORD, "x" * 1025, "x" * 1025, "error.password_long"),
        ("", "", "", "error.password_short"),
    ],
)
@pytest.mark.parametrize("language", languages())
def test_what_is_wrong_is_said_and_nothing_changes(
    guarded: Guarded, language: str, old: str, new: str, again: str, key: str
) -> None:
    client = guarded.client("Lan")
    address = f"203.0.113.{[*languages()].index(language)}"
    for _ in range(3):  # tries of other tests don't count against these
        guarded.accounts.attempts.succeed("Lan", address)
    reply = change(client, old, new, again, Accept_Language=language, X_Forwarded_For=address)
    shown = html.unescape(reply.body.decode())
    values = {"length": f"{len(new):,}" if len(new) > 12 else len(new), "least": 12, "most": "1,024"}
    assert reply.status == (401 if key == "account.mistaken" else 400)
    words = strings(language).words | (ENGLISH_ERRORS if language == DEFAULT else {})
    said = words[key].format(**values)
    assert said in shown
    assert f'<html lang="{language}">' in shown
    assert client.request("/attest/start").status == 200
    assert guarded.accounts.register.verified("Lan", PASSWORD) is not None


def test_the_form_works_without_a_script_and_leads_back(servers: Servers, tmp_path: Path, guests: Visitors) -> None:
    visit = enter(guests, "Lan", locale="vi-VN")
    link = visit.page.locator("#change-password")
    assert link.inner_text() == "Đổi mật khẩu"
    link.click()
    visit.page.wait_for_selector("[name=old]")
    assert urlsplit(visit.page.url).path == "/attest/password"
    assert visit.page.locator("h1").inner_text() == "Đổi mật khẩu"
    assert visit.page.input_value("[name=name]") == "Lan"
    visit.page.fill("[name=old]", PASSWORD)
    visit.page.fill("[name=new]", PASSWORD)
    visit.page.fill("[name=again]", PASSWORD + ".")
    visit.page.press("[name=again]", "Enter")
    assert visit.page.locator("[role=alert]").inner_text() == strings("vi")("account.differ")
    assert visit.page.input_value("[name=old]") == ""
    visit.page.fill("[name=old]", PASSWORD)
    visit.page.fill("[name=new]", PASSWORD)
    visit.page.fill("[name=again]", PASSWORD)
    visit.page.press("[name=again]", "Enter")
    assert visit.page.locator("[role=status]").inner_text() == strings("vi")("account.changed")
    visit.page.click("text=" + strings("vi")("account.back"))
    visit.page.wait_for_selector("#question")
    visit.errors.clear()  # the browser itself notes the 400, and the page that was left that its streams ended


def test_the_form_is_accessible(guarded: Guarded, guests: Visitors) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    visit = guests.open("", wait=False)
    for reply in (guarded.client("Lan").request("/attest/password"), change(guarded.client("Lan"), "x", NEW, "y")):
        # The page's own policy lets no script run, so the checker looks at a copy without it.
        copy = visit.context.new_page()
        copy.set_content(reply.body.decode())
        found = Axe().run(copy)
        assert found.violations_count == 0, found.generate_report()
        copy.close()


def test_guesses_at_the_old_password_are_limited_as_at_the_door(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {"Lan": "ask"})
    client = guarded.client()
    client.sign_in("Lan")
    for number in range(8):
        guarded.accounts.attempts.begin("Lan", f"192.0.2.{number}")
    assert [change(client, "wrong password", NEW).status for _ in range(3)] == [401, 401, 429]
    reply = change(client, PASSWORD, NEW)
    assert reply.status == 429, "not even with the right password"
    assert b"in 15 minutes" in reply.body
    guarded.clock.now += 15 * 60 + 1
    assert change(client, PASSWORD, NEW).status == 200


def test_who_is_not_signed_in_is_sent_to_the_door(guarded: Guarded) -> None:
    for reply in (guarded.client().request("/attest/password"), change(guarded.client(), PASSWORD, NEW)):
        assert (reply.status, reply.header("location")) == (303, "sign-in")
    assert guarded.accounts.register.verified("Lan", PASSWORD) is not None


def test_another_site_changes_nobodys_password(guarded: Guarded) -> None:
    client = guarded.client("Lan")
    for headers in ({"Origin": "https://example.com"}, {"Origin": "null"}, {"Sec_Fetch_Site": "cross-site"}):
        assert change(client, PASSWORD, NEW, **headers).status == 403
    assert guarded.accounts.register.verified("Lan", PASSWORD) is not None


def test_the_form_has_the_policy_of_a_form_and_is_in_no_cache(guarded: Guarded) -> None:
    reply = guarded.client("Lan").request("/attest/password")
    assert reply.status == 200
    assert "default-src 'none'" in reply.header("content-security-policy")
    assert "form-action 'self'" in reply.header("content-security-policy")
    assert reply.header("cache-control") == "no-store"
    assert b"<script" not in reply.body


def test_who_has_no_password_here_has_none_to_change(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {}, Access(user_header="X-Forwarded-User", public_hosts=("docs.example.org",)))
    guarded.accounts.register.add("Ada", None, "administer")
    for name in ("Ada", "Minh"):
        named = {"X-Forwarded-User": name}
        assert guarded.client().request("/attest/password", headers=named).status == 403
        assert change(guarded.client(), "", NEW, **named).status == 403
    assert not guarded.accounts.register.account("Ada").has_password


def test_where_nobody_signs_in_there_is_no_such_form(servers: Servers, tmp_path: Path) -> None:
    guarded = servers.fresh(tmp_path, {})
    assert guarded.client().request("/attest/password").status == 404


def test_no_password_is_repeated_or_logged(guarded: Guarded, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = guarded.client("Lan")
    replies = [change(client, "an old wrong one", NEW, NEW), change(client, PASSWORD, NEW, "another new one")]
    for secret in ("an old wrong one", NEW, "another new one", PASSWORD, "argon2id"):
        assert secret not in caplog.text
        assert all(secret.encode() not in reply.body for reply in replies)


def test_a_form_that_is_none_gets_an_answer(guarded: Guarded) -> None:
    for body in (b"", b"\xff\xfe", b"old=" + b"x" * 20_000, b"a=1&" * 1000, b'{"old": "x"}'):
        reply = guarded.client("Lan").request("/attest/password", "POST", body, {"X-Forwarded-For": "203.0.113.9"})
        assert reply.status == 400, body[:20]
