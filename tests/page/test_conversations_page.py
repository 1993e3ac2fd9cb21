"""Conversations on the page are saved, found, named, deleted and exported, each with its own address."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from assistant.types import Answer
from tests.page.conftest import Served, Visit, Visitors

if TYPE_CHECKING:
    from playwright.sync_api import Route

QUESTION = "How many villages have warning bells?"


def test_nothing_is_lost_on_reload_and_sources_stay_with_their_message(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.ask("floods million dollars")
    before = visit.page.locator("#thread").inner_text()
    visit.page.reload()
    visit.page.wait_for_selector(".turn")
    assert visit.page.locator("#thread").inner_text() == before
    assert "12" not in visit.page.locator(".turn:last-child .evidence").inner_text()
    first = visit.page.locator(".turn:first-child .card")
    for key, quote in zip((1, 2), first.locator("blockquote").all_inner_texts(), strict=True):
        assert visit.open_source(key, ":first-child").inner_text() == quote


def test_the_source_that_was_asked_for_last_is_shown_though_another_comes_later(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.ask("floods million dollars")
    visit.page.wait_for_selector("#panel-reader mark.current >> text=twelve million")
    quote = visit.page.locator(".turn:first-child .card[data-key='2'] blockquote").inner_text()

    def late(route: Route) -> None:
        visit.page.wait_for_timeout(300)
        route.continue_()

    # Whoever clicks in another turn asks for its first quote too, by moving there.
    visit.page.route("**/source/1?*", late)
    assert visit.open_source(2, ":first-child").inner_text() == quote
    visit.page.wait_for_timeout(600)
    assert visit.page.locator("#panel-reader mark.current").inner_text() == quote


def test_the_source_beside_the_chat_follows_the_answer_that_is_read(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.ask("floods million dollars")
    visit.page.wait_for_selector("#panel-reader mark.current >> text=twelve million")
    visit.page.locator(".turn").first.locator(".answer-text").click()
    visit.page.wait_for_selector("#panel-reader mark.current >> text=34 villages")


def test_a_conversation_has_an_address_that_opens_it_in_another_browser_of_this_machine(
    visit: Visit, visitors: Visitors
) -> None:
    visit.ask(QUESTION)
    query = visit.page.evaluate("location.search")
    assert query.startswith("?c=")
    other = visitors.open(query, locale="vi-VN")
    other.page.wait_for_selector(".turn")
    assert other.page.locator(".asked-text").inner_text() == QUESTION
    assert other.page.locator(".mark").count() == 2


def test_an_address_that_is_gone_says_so_and_offers_a_new_conversation(visitors: Visitors) -> None:
    visit = visitors.open("?c=gone")
    visit.page.wait_for_selector(".toast.on")
    assert "not kept here" in visit.page.locator("#toast").inner_text()
    assert visit.page.locator("#welcome").is_visible()
    visit.errors.clear()  # the browser itself notes the 404


def test_back_and_forward_move_between_conversations(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.click(".side [data-do='conversation.new']")
    visit.ask("floods million dollars")
    assert visit.page.locator(".asked-text").all_inner_texts() == ["floods million dollars"]
    visit.page.go_back()
    visit.page.wait_for_selector("#welcome:visible")
    visit.page.go_back()
    visit.page.wait_for_selector(".turn")
    assert visit.page.locator(".asked-text").all_inner_texts() == [QUESTION]


def test_conversations_are_listed_searched_renamed_and_deleted(visit: Visit) -> None:
    page = visit.page
    visit.ask(QUESTION)
    page.click(".side [data-do='conversation.new']")
    visit.ask("floods million dollars")
    page.wait_for_function("document.querySelectorAll('.conversation').length == 2")
    assert page.locator(".conversation a").all_inner_texts() == ["floods million dollars", QUESTION]

    page.fill("#conversation-search", "VILLAGES")
    page.wait_for_function("document.querySelectorAll('.conversation').length == 1")
    page.fill("#conversation-search", "no such thing")
    page.wait_for_selector(".conversations .empty")
    page.fill("#conversation-search", "")
    page.wait_for_function("document.querySelectorAll('.conversation').length == 2")

    page.locator(".conversation").first.hover()
    page.locator(".conversation").first.locator("[data-do='conversation.rename']").click()
    page.fill("#ask-input", "น้ำท่วม <b>2020</b>")
    page.keyboard.press("Enter")
    page.wait_for_function("document.querySelector('.conversation a').textContent.includes('2020')")
    assert page.locator("#title").inner_text() == "น้ำท่วม <b>2020</b>"

    page.locator(".conversation").first.hover()
    page.locator(".conversation").first.locator("[data-do='conversation.delete']").click()
    page.click("#ask-dialog .danger")
    page.wait_for_function("document.querySelectorAll('.conversation').length == 1")
    assert page.locator("#welcome").is_visible()
    assert page.locator(".conversation a").inner_text() == QUESTION


@pytest.mark.parametrize("form", ["Markdown", "HTML", "JSON"])
def test_a_conversation_is_exported_as_a_file(visit: Visit, form: str, tmp_path: Path) -> None:
    visit.ask(QUESTION)
    visit.page.click("#export summary")
    with visit.page.expect_download() as waiting:
        visit.page.click(f"#export >> text={form}")
    target = tmp_path / waiting.value.suggested_filename
    waiting.value.save_as(target)
    content = target.read_text(encoding="utf-8")
    assert target.name.startswith("How-many-villages")
    assert "34 villages have one today" in content
    if form == "JSON":
        (turn,) = json.loads(content)["turns"]
        assert Answer.model_validate(turn["answer"]).evidence[0].start > 0


def test_feedback_on_an_answer_and_on_a_citation_is_stored_with_the_whole_answer(visit: Visit, served: Served) -> None:
    page = visit.page
    visit.ask(QUESTION)
    turn = page.get_attribute(".turn", "data-turn") or ""
    page.click("[data-do='feedback.bad']")
    page.fill("#ask-input", "It should say 35.")
    page.click("#ask-dialog .primary")
    page.wait_for_selector("[data-do='feedback.bad'][aria-pressed='true']")
    page.hover(".turn:last-child .evidence .card[data-key='2']")
    page.click(".turn:last-child .evidence .wrong[data-key='2']")
    page.wait_for_selector(".turn:last-child .evidence .wrong[data-key='2'][aria-pressed='true']")

    answer, citation = served.conversations.feedback(turn)
    assert (answer.citation, answer.verdict, answer.comment) == (None, "bad", "It should say 35.")
    assert (citation.citation, citation.verdict) == (2, "bad")
    assert Answer.model_validate_json(citation.answer).question == QUESTION

    page.reload()
    page.wait_for_selector("[data-do='feedback.bad'][aria-pressed='true']")
    page.click("[data-do='feedback.bad']")
    page.wait_for_selector("[data-do='feedback.bad'][aria-pressed='false']")
    assert [given.citation for given in served.conversations.feedback(turn)] == [2]


def test_a_long_conversation_opens_at_its_end_and_goes_back_piece_by_piece(visit: Visit, served: Served) -> None:
    visit.ask(QUESTION)
    identity = visit.page.evaluate("new URL(location.href).searchParams.get('c')")
    kept = served.conversations
    (first,) = kept.branch(identity)
    parent = first.id
    for number in range(70):
        turn = kept.ask(identity, parent, f"question {number}")
        kept.close_turn(turn.id, "finished", first.answer)
        parent = turn.id
    visit.page.reload()
    visit.page.wait_for_selector(".turn")
    assert visit.page.locator(".asked-text").last.text_content() == "question 69"
    assert visit.page.locator(".turn").count() == 30
    visit.page.click("#earlier")
    visit.page.wait_for_function("document.querySelectorAll('.turn').length == 60")
    visit.page.click("#earlier")
    visit.page.wait_for_function("document.querySelectorAll('.turn').length == 71")
    assert visit.page.locator(".asked-text").first.text_content() == QUESTION
    assert visit.page.locator("#earlier").is_hidden()
    visit.ask("and the bells")
    assert kept.branch(identity)[-1].parent == parent
