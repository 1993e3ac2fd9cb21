"""Asking works, from a typed question to an answer on the page."""

from __future__ import annotations

import re

import pytest

from tests.page.conftest import Served, Visit, Visitors

QUESTION = "How many villages have warning bells?"


def test_a_question_is_answered_with_framed_quotes_and_their_source_beside(visit: Visit) -> None:
    visit.ask(QUESTION)
    page = visit.page
    answer = page.locator(".turn .answer-text")
    assert "According to River Council" in answer.inner_text()
    assert answer.locator("q").first.inner_text() == (
        "The first warning bells were hung in 2021, and 34 villages have one today."
    )
    card = page.locator(".turn:last-child .evidence .card").first
    assert card.locator("blockquote").inner_text() == answer.locator("q").first.inner_text()
    for known in ("River Council", "Statement on rivers", "2021-05-02", "English"):
        assert known in card.inner_text()
    assert "very likely hold the answer" in page.locator(".confidence").inner_text()


def test_a_notice_and_an_abstention_are_shown_as_what_they_are(visit: Visit) -> None:
    visit.ask("floods million dollars")
    assert (
        visit.page.locator(".notice[data-code=single_speaker]").inner_text().endswith("All quotes are by one speaker.")
    )
    visit.ask("Zebra?")
    assert visit.page.locator(".turn").last.locator(".answer-text.abstained").inner_text().strip() == (
        "The documents don't answer this."
    )
    assert "No answer found" in visit.page.locator(".turn").last.locator(".confidence").inner_text()


def test_an_unsupported_claim_is_marked_with_the_reason(visit: Visit) -> None:
    visit.ask("doubtful bell")
    claim = visit.page.locator(".claim[data-support=unsupported]")
    assert claim.inner_text() == "The bell was made of gold."
    assert "Not supported by the quotes. Why: gold" in visit.page.locator(".why").inner_text()


def test_quotes_are_on_the_page_while_the_text_is_still_being_written(visit: Visit, served: Served) -> None:
    served.assistant.released.clear()
    visit.page.fill("#question", "slowly warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .card")
    assert visit.page.locator(".turn[data-state=finished]").count() == 0
    visit.page.wait_for_function("document.querySelector('.answer-text').textContent.length > 20")
    assert visit.page.locator(".busy").is_visible()
    visit.page.click("#stop")


def test_stop_ends_the_answer_on_the_server_and_keeps_what_there_was(visit: Visit, served: Served) -> None:
    served.assistant.closed.clear()
    served.assistant.released.clear()
    visit.page.fill("#question", "slowly warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_function("document.querySelector('.turn .answer-text')?.textContent.length > 10")
    visit.page.click("#stop")
    assert served.assistant.closed.wait(900)
    assert "Stopped before it was finished" in visit.page.locator(".turn").inner_text()
    assert visit.page.locator("#stop").is_hidden()

    visit.page.wait_for_timeout(300)
    visit.page.reload()
    visit.page.wait_for_selector(".turn")
    assert visit.page.locator(".turn").get_attribute("data-state") == "stopped"
    assert "According to" in visit.page.locator(".turn .answer-text").inner_text()
    assert visit.page.locator(".turn:last-child .evidence .card").count() > 0


def test_closing_the_browser_stops_the_work(visitors: Visitors, served: Served) -> None:
    visit = visitors.open()
    served.assistant.closed.clear()
    served.assistant.released.clear()
    visit.page.fill("#question", "slowly warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .card")
    visit.page.close()
    assert served.assistant.closed.wait(900)


def test_enter_sends_and_shift_enter_begins_a_line(visit: Visit) -> None:
    visit.page.fill("#question", "warning")
    visit.page.press("#question", "Shift+Enter")
    visit.page.keyboard.type("bells")
    assert visit.page.input_value("#question") == "warning\nbells"
    assert visit.page.locator(".turn").count() == 0
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn[data-state=finished]")
    assert visit.page.input_value("#question") == ""


def test_enter_during_a_composition_of_an_input_method_does_not_send(visit: Visit) -> None:
    session = visit.context.new_cdp_session(visit.page)
    visit.page.focus("#question")
    session.send("Input.imeSetComposition", {"text": "น้ำ", "selectionStart": 3, "selectionEnd": 3})
    visit.page.keyboard.press("Enter")
    assert visit.page.locator(".turn").count() == 0
    # Safari's way: the Enter that ends a composition comes after it, marked by its key code only.
    visit.page.evaluate(
        """document.querySelector('#question').dispatchEvent(
            new KeyboardEvent('keydown', {key: 'Enter', keyCode: 229, bubbles: true, cancelable: true}))"""
    )
    assert visit.page.locator(".turn").count() == 0
    session.send("Input.insertText", {"text": "น้ำ"})
    assert "น้ำ" in visit.page.input_value("#question")
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".turn")


def test_a_question_asked_while_another_runs_waits_its_turn_and_keeps_the_order(visit: Visit, served: Served) -> None:
    served.assistant.released.clear()
    visit.page.fill("#question", "held thirty four villages")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .card")
    visit.page.fill("#question", "floods million dollars")
    visit.page.press("#question", "Enter")
    assert "Next: floods million dollars" in visit.page.locator("#waiting").inner_text()
    served.assistant.released.set()
    visit.page.wait_for_function("document.querySelectorAll('.turn[data-state=finished]').length == 2")
    assert visit.page.locator(".asked-text").all_inner_texts() == [
        "held thirty four villages",
        "floods million dollars",
    ]
    assert visit.page.locator("#waiting").is_hidden()


def test_a_follow_up_question_carries_the_conversation_to_the_assistant(visit: Visit, served: Served) -> None:
    visit.ask(QUESTION)
    visit.ask("And the floods?")
    _question, history, _ = next(asked for asked in served.assistant.asked if asked[0] == "And the floods?")
    assert [message.role for message in history] == ["user", "assistant"]
    assert history[0].text == QUESTION


def test_an_answer_can_be_asked_for_again_and_both_versions_are_kept(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.click("[data-do='turn.again']")
    visit.page.wait_for_selector(".versions")
    assert "2/2" in visit.page.locator(".versions").inner_text()
    visit.page.click(".versions [aria-label='Previous version']")
    visit.page.wait_for_function("document.querySelector('.versions').textContent.includes('1/2')")
    assert visit.page.locator(".turn").count() == 1


def test_an_edited_question_branches_and_the_old_branch_can_be_shown_again(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.ask("floods million dollars")
    visit.page.locator(".turn").first.hover()
    visit.page.locator("[data-do='turn.edit']").first.click()
    visit.page.fill("#ask-input", "Which warning bells were hung first?")
    visit.page.click("#ask-dialog .primary")
    visit.page.wait_for_selector(".versions")
    assert visit.page.locator(".asked-text").all_inner_texts() == ["Which warning bells were hung first?"]
    visit.page.click(".versions [aria-label='Previous version']")
    visit.page.wait_for_function("document.querySelectorAll('.turn').length == 2")
    assert visit.page.locator(".asked-text").all_inner_texts() == [QUESTION, "floods million dollars"]


def test_an_answer_is_copied_with_its_sources(visitors: Visitors) -> None:
    visit = visitors.open(permissions=["clipboard-read", "clipboard-write"])
    visit.ask(QUESTION)
    visit.page.click("[data-do='turn.copy']")
    visit.page.wait_for_selector(".toast.on")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith(QUESTION)
    assert "have one today.” [1]" in copied
    assert re.search(r"\[1\] River Council, Statement on rivers, .*“The first warning bells", copied)


def test_an_example_question_is_asked_by_a_click(visit: Visit) -> None:
    example = visit.page.locator("#examples .suggestion").first
    question = example.inner_text()
    example.click()
    visit.page.wait_for_selector(".turn[data-state=finished]")
    assert visit.page.locator(".asked-text").inner_text() == question
    assert visit.page.locator(".turn .answer-text").inner_text()


def test_follow_up_suggestions_can_be_asked(visit: Visit) -> None:
    visit.ask(QUESTION)
    suggestion = visit.page.locator("#suggestions .suggestion").first
    question = suggestion.inner_text()
    suggestion.click()
    visit.page.wait_for_function("document.querySelectorAll('.turn[data-state=finished]').length == 2")
    assert visit.page.locator(".asked-text").last.inner_text() == question


def test_choices_reach_the_assistant_and_are_remembered(visit: Visit, served: Served) -> None:
    page = visit.page
    page.select_option("#answer-language", "th")
    page.select_option("#max-quotes", "1")
    page.select_option("#mode", "written")
    page.click("#filters")
    page.locator("#filter-dialog").get_by_label("Vietnamese").check()
    page.fill("#filter-published_from", "2019")
    page.click("#filter-dialog .primary")
    assert page.locator("#filters-count").inner_text() == "2 chosen"
    page.reload()
    page.wait_for_selector("#question")
    before = len(served.assistant.asked)
    visit.ask("dòng sông tại làng")
    options = next(asked for asked in served.assistant.asked[before:] if asked[0].startswith("dòng"))[2]
    assert (options.answer_language, options.max_quotes, options.mode) == ("th", 1, "written")
    assert options.filter.languages == ("vi",)
    assert options.filter.published_from == "2019"


@pytest.mark.parametrize("browsers", [4, pytest.param(20, marks=pytest.mark.hard)])
def test_many_browsers_at_once_see_only_their_own_answers(visitors: Visitors, served: Served, browsers: int) -> None:
    served.assistant.released.clear()
    visits = [visitors.open() for _ in range(browsers)]
    for number, visit in enumerate(visits):
        visit.page.fill("#question", f"held browser{number:02} floods million dollars")
    for visit in visits:
        visit.page.press("#question", "Enter")
    visits[0].page.wait_for_selector(".turn .evidence .card")
    served.assistant.released.set()
    for number, visit in enumerate(visits):
        visit.page.wait_for_selector(".turn[data-state=finished]")
        assert set(re.findall(r"browser\d\d", visit.page.content())) == {f"browser{number:02}"}
        assert visit.page.locator(".turn").count() == 1
