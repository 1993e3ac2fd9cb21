"""Of two people on one server, neither sees, changes, continues or receives the other's questions."""

from __future__ import annotations

import pytest

from assistant.accounts.account import owner_of_account
from assistant.types import Answer
from store.catalog.conversations import Turn
from tests.page.conftest import Visitors
from tests.security.conftest import Client, Guarded, enter
from tests.security.test_endpoints import endpoints

QUESTION = "How many villages have warning bells?"


@pytest.fixture
def turn(guarded: Guarded) -> Turn:
    """A question of Lan's with its answer."""
    lan = owner_of_account(guarded.accounts.register.account("Lan"))
    (*_, finished) = guarded.assistant.ask(QUESTION)
    answer = getattr(finished, "answer", None)
    assert isinstance(answer, Answer)
    kept = guarded.conversations
    asked = kept.ask(kept.start(lan, QUESTION).id, None, QUESTION)
    return kept.close_turn(asked.id, "finished", answer.to_json())


def test_in_two_browsers_each_sees_only_their_own(guarded: Guarded, guests: Visitors) -> None:
    lan, bo = enter(guests, "Lan"), enter(guests, "Bo")
    lan.ask("the golden " + QUESTION)
    address = lan.page.evaluate("location.search")
    bo.page.reload()
    bo.page.wait_for_selector("#question")
    bo.page.wait_for_selector(".conversations .empty")
    assert bo.page.locator(".conversation").count() == 0
    bo.page.fill("#conversation-search", "golden")
    bo.page.wait_for_timeout(400)
    assert bo.page.locator(".conversation").count() == 0
    bo.page.goto(guarded.address + address)
    bo.page.wait_for_selector(".toast.on")
    assert "not kept here" in bo.page.locator("#toast").inner_text()
    assert bo.page.locator(".turn").count() == 0
    bo.ask("floods million dollars")
    assert lan.page.locator(".asked-text").all_inner_texts() == ["the golden " + QUESTION]
    lan.page.reload()
    lan.page.wait_for_selector(".conversation")
    assert "floods million dollars" not in lan.page.locator("#side").inner_text()
    bo.errors.clear()  # the browser itself notes the 404


def test_a_question_can_not_be_put_into_the_conversation_of_another(
    guarded: Guarded, guests: Visitors, turn: Turn
) -> None:
    bo = enter(guests, "Bo")
    bo.page.evaluate(
        """async conversation => {
            const { state } = await import(new URL('attest/static/state.js', document.baseURI).href);
            const { send } = await import(new URL('attest/static/chat.js', document.baseURI).href);
            const article = document.createElement('article');
            document.querySelector('#thread').append(article);
            state.running = {ticket: '7', article, question: 'kept', conversation: null};
            send(state.running, {ticket: '7', question: 'What was asked before?', conversation, options: {}});
        }""",
        turn.conversation,
    )
    bo.page.wait_for_selector("#problem:not([hidden])")
    assert "not kept here" in bo.page.locator("#problem").inner_text()
    assert [each.question for each in guarded.conversations.branch(turn.conversation)] == [QUESTION]


@pytest.mark.parametrize("name", ["Bo", "Ada"])
def test_no_address_of_a_conversation_answers_anybody_else(guarded: Guarded, turn: Turn, name: str) -> None:
    lan, other = guarded.client("Lan"), guarded.client(name)
    place, about = f"/attest/conversations/{turn.conversation}", f"/attest/turns/{turn.id}"
    in_api = f"/api/conversations/{turn.conversation}"
    reading = [
        place,
        in_api,
        *(f"{place}/export?form={form}" for form in ("md", "html", "json")),
        f"{about}/source/1",
        f"{about}/found",
        f"{about}/suggestions",
        f"/attest/documents/statement/more?at=0&above=false&turn={turn.id}",
    ]
    for path in reading:
        assert lan.request(path).status == 200, path
        reply = other.request(path)
        assert reply.status == 404, path
        assert QUESTION.encode() not in reply.body
    changing: list[tuple[str, str, object]] = [
        (f"{place}/branch", "POST", {"turn": turn.id}),
        (in_api, "PATCH", {"title": "mine now"}),
        (in_api, "DELETE", None),
        ("/api/feedback", "POST", {"turn": turn.id, "verdict": "bad"}),
        ("/api/feedback", "POST", {"turn": turn.id, "verdict": "none"}),
    ]
    for path, method, body in changing:
        assert other.request(path, method, body).status == 404, path
    bodies = {path: body for path, _, body in changing if body is not None}
    for method, pattern in endpoints(guarded.app):
        if "{conversation_id}" in pattern or "{turn_id}" in pattern:
            path = pattern.replace("{conversation_id}", turn.conversation).replace("{turn_id}", turn.id)
            body = None if method in ("GET", "DELETE") else bodies[path]
            reply = other.request(path.replace("{key}", "1"), method, body)
            # A method that no address takes is refused to the owner as well.
            nobody = reply.status == 405 and method not in dict(reply.headers)["allow"].split(", ")
            assert reply.status == 404 or nobody, f"{method} {path}"
            assert QUESTION.encode() not in reply.body
    assert guarded.conversations.conversation(turn.conversation).title == QUESTION
    assert guarded.conversations.feedback(turn.id) == ()


def test_what_is_not_there_and_what_is_another_s_look_alike(guarded: Guarded, turn: Turn) -> None:
    bo = guarded.client("Bo")
    for theirs, none in (
        (f"/attest/conversations/{turn.conversation}", "/attest/conversations/nothing"),
        (f"/attest/turns/{turn.id}/found", "/attest/turns/nothing/found"),
    ):
        one, other = bo.request(theirs), bo.request(none)
        assert (one.status, one.body) == (other.status, other.body)


def test_lists_and_searches_hold_only_one_s_own(guarded: Guarded, turn: Turn) -> None:
    def found(client: Client, query: str = "") -> list[str]:
        return [each["id"] for each in client.request(f"/api/conversations{query}").json["conversations"]]

    assert turn.conversation in found(guarded.client("Lan"))
    assert turn.conversation in found(guarded.client("Lan"), "?find=warning")
    for query in ("", "?find=warning", "?find=%25", "?before=9999", "?owner=" + "x" * 43):
        assert turn.conversation not in found(guarded.client("Bo"), query)


def test_answers_stay_out_of_caches(guarded: Guarded, turn: Turn) -> None:
    lan = guarded.client("Lan")
    for path in (
        "/",
        "/attest/start",
        f"/attest/conversations/{turn.conversation}",
        "/mcp",
        "/metrics",
        "/attest/nothing",
    ):
        if path != "/attest/nothing":
            assert lan.request(path).header("cache-control") == "no-store", path
