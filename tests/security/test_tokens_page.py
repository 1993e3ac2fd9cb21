"""On the page, people see, create and remove their tokens, which are shown once; an administrator sees all."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from tests.page.conftest import Visitors
from tests.page.test_everyone import findings
from tests.security.conftest import Guarded, enter


def tomorrow(guarded: Guarded) -> str:
    """The day after that of the browser, and after that of the server."""
    now = max(datetime.now(UTC), datetime.fromtimestamp(guarded.clock.now, UTC))
    return (now + timedelta(days=2)).date().isoformat()


@pytest.mark.parametrize(("name", "locale"), [("Lan", "en-US"), ("สมชาย", "th-TH"), ("Bo", "vi-VN")])
def test_a_person_makes_a_token_by_keyboard_sees_it_once_and_removes_it(
    guests: Visitors, guarded: Guarded, name: str, locale: str, tmp_path: Path
) -> None:
    visit = enter(guests, name, locale=locale)
    page = visit.page
    page.focus("#open-tokens")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tokens .empty")
    assert page.evaluate("document.activeElement.tagName") == "H2"
    assert findings(visit) == []
    rights = page.locator("[name=right] option").evaluate_all("options => options.map(each => each.value)")
    assert rights == (["ask", "add"] if name == "สมชาย" else ["ask"])
    page.fill("[name=label]", f"Report của {name}")
    page.fill("[name=until]", tomorrow(guarded))
    page.focus("[name=until]")
    page.keyboard.press("Enter")
    page.wait_for_selector("#tokens tbody tr")
    secret = page.input_value("#secret")
    assert page.evaluate("document.activeElement.id") == "secret"
    assert page.locator("#new-token").get_attribute("role") == "status"
    assert findings(visit) == []
    page.screenshot(path=Path(os.environ.get("PICTURES", tmp_path)) / f"tokens-{locale}.png")
    with httpx.Client(base_url=guarded.address, trust_env=False, timeout=120) as program:
        bearer = {"authorization": f"Bearer {secret}"}
        assert program.get("/api/documents", headers=bearer).status_code == 200

        page.click("[data-do='view.close']")
        page.click("#open-tokens")
        page.wait_for_selector("#tokens tbody tr")
        assert secret not in page.content(), "it is shown once"
        assert f"Report của {name}" in page.locator("#tokens tbody tr").inner_text()

        page.focus("[data-do='tokens.remove']")
        page.keyboard.press("Enter")
        page.wait_for_selector("#ask-dialog[open]")
        assert findings(visit) == []
        page.keyboard.press("Enter")
        page.wait_for_selector("#tokens .empty")
        assert program.get("/api/documents", headers=bearer).status_code == 401
    assert page.evaluate("document.activeElement.tagName") == "H2"
    visit.errors.clear()


def test_an_administrator_sees_and_removes_the_tokens_of_everyone_and_others_only_theirs(
    guests: Visitors, guarded: Guarded
) -> None:
    tokens, account = guarded.accounts.tokens, guarded.accounts.register.account
    lan, _ = tokens.add(account("Lan"), "ask", None, None, "Lan's")
    bo, _ = tokens.add(account("Bo"), "ask", ["reports"], None, "Bo's")
    try:
        visit = enter(guests, "Ada")
        visit.page.click("#open-tokens")
        visit.page.wait_for_selector("#tokens tbody tr")
        shown = visit.page.locator("#tokens tbody tr").all_inner_texts()
        assert [("Bo" in each, "reports" in each) for each in shown] == [(True, True), (False, False)]
        assert findings(visit) == []

        assert guarded.client("Lan").request("/api/tokens?everyone=true").status == 403
        assert [each["id"] for each in guarded.client("Lan").request("/api/tokens").json] == [lan.id]
        assert guarded.client("Lan").request(f"/api/tokens/{bo.id}", "DELETE").status == 404
        assert guarded.client("Ada").request(f"/api/tokens/{bo.id}", "DELETE").status == 204
        assert guarded.client("Bo").request("/api/tokens").json == []
    finally:
        for each in tokens.all():
            tokens.remove(each.id)


def test_what_is_wrong_with_a_token_is_said_in_the_language_of_the_page(guarded: Guarded) -> None:
    beyond = {"right": "administer"}
    said = {
        tag: guarded.client("Lan").request(f"/api/tokens?ui={tag}", "POST", beyond).message
        for tag in ("en", "th", "vi")
    }
    assert said["en"] == "Lan has the right to ask: a token can't have more."
    assert said["th"].startswith("Lan มีสิทธิ์")
    assert said["vi"].startswith("Lan có quyền")
