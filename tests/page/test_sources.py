"""Users can go from a marker to the words in their document, and back."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator

import pytest

from tests.page.conftest import Served, Visit, Visitors
from tests.page.scripted import LONG_NEEDLE, STATEMENT, document, long_text

QUESTION = "How many villages have warning bells?"


@pytest.fixture
def chronicle(served: Served) -> Iterator[str]:
    """A document of five million characters in the library."""
    text = long_text()
    served.assistant.library.put(document("chronicle", text, "en", "The clerk", "1999", "Chronicle"), text)
    yield text
    served.assistant.library.remove("chronicle")


def test_a_marker_shows_its_quote_on_hover_with_all_that_is_known_of_it(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.hover(".mark[data-key='1']")
    hint = visit.page.locator("#hover")
    shown = hint.inner_text()
    for known in (
        "have one today.",
        "River Council",
        "Statement on rivers",
        "2021-05-02",
        "English",
        "Quoted word for word",
    ):
        assert known in shown
    assert visit.page.locator(".turn:last-child .evidence .card.lit").get_attribute("data-key") == "1"
    visit.page.mouse.move(5, 5)
    assert hint.is_hidden()


def test_a_marker_shows_its_quote_on_keyboard_focus_and_opens_with_enter(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.focus(".mark[data-key='2']")
    assert "keep a warning bell" in visit.page.locator("#hover").inner_text()
    assert visit.page.get_attribute(".mark[data-key='2']", "aria-describedby") == "hover"
    visit.page.keyboard.press("Enter")
    visit.page.wait_for_selector(".reader")
    visit.page.keyboard.press("Escape")
    assert visit.page.locator(".reader").count() == 0
    assert visit.page.evaluate("document.activeElement.dataset.key") == "2"


def test_a_marker_opens_the_whole_document_with_the_quote_highlighted(visit: Visit) -> None:
    visit.ask(QUESTION)
    current = visit.open_source(1)
    reader = visit.page.locator(".reader")
    assert current.inner_text() == "The first warning bells were hung in 2021, and 34 villages have one today."
    assert reader.locator("mark:not(.current)").inner_text() == "It asked every village to keep a warning bell."
    assert reader.locator(".window").inner_text().split() == STATEMENT.split()
    assert reader.locator("h3").inner_text() == "Statement on rivers"
    for known in ("Statement on rivers", "River Council", "2021-05-02", "English"):
        assert known in reader.locator(".reader-head").inner_text()
    colors = [
        visit.page.evaluate("s => getComputedStyle(document.querySelector(s)).backgroundColor", selector)
        for selector in ("mark.current", "mark:not(.current)")
    ]
    assert colors[0] != colors[1]


def test_next_and_previous_quote_lead_through_the_answer(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.open_source(1)
    assert "Quote 1 of 2" in visit.page.locator(".reader-step").inner_text()
    assert visit.page.locator("[aria-label='Previous quote']").is_disabled()
    visit.page.click("[aria-label='Next quote']")
    visit.page.wait_for_selector(".reader[data-key='2']")
    assert visit.page.locator("mark.current").inner_text() == "It asked every village to keep a warning bell."
    visit.page.keyboard.press("Alt+ArrowUp")
    visit.page.wait_for_selector(".reader[data-key='1']")


def test_a_card_of_the_answer_opens_its_source_too(visit: Visit) -> None:
    visit.ask(QUESTION)
    assert visit.open_source(2).inner_text() == "It asked every village to keep a warning bell."
    visit.page.click("[data-do='reader.close']")
    assert visit.page.locator("#panel-empty").is_visible()


@pytest.mark.usefixtures("chronicle")
def test_a_document_of_five_million_characters_opens_at_the_quote_in_windows(visit: Visit, chronicle: str) -> None:
    visit.ask("golden turtle lake")
    visit.page.click(".mark[data-key='1']")
    visit.page.wait_for_selector("mark.current")
    assert visit.page.locator("mark.current").inner_text() == LONG_NEEDLE
    visit.page.wait_for_function(
        """() => { const of = name => document.querySelector(name)?.getBoundingClientRect();
            const [mark, view] = [of("mark.current"), of(".reader-text")];
            return mark?.height && view && view.top <= mark.top && mark.top < view.bottom; }"""
    )
    assert len(visit.page.locator(".reader").inner_html()) < 200_000

    for name in ("above", "below"):
        windows = visit.page.locator(".window").count()
        visit.page.click(f"[data-do='reader.{name}']")
        visit.page.wait_for_function("n => document.querySelectorAll('.window').length > n", arg=windows)
    edges = visit.page.evaluate(
        "[...document.querySelectorAll('.window')].map(w => [+w.dataset.start, +w.dataset.end])"
    )
    assert edges[0][1] == edges[1][0] and edges[1][1] == edges[2][0]
    shown = "".join(visit.page.locator(".window p").all_inner_texts())
    assert shown == chronicle[edges[0][0] : edges[2][1]].replace("\n", "")


def test_selecting_words_of_the_answer_lights_up_the_quote_behind_them(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.evaluate(
        """() => { const claim = document.querySelectorAll('.turn .claim')[1];
            document.getSelection().selectAllChildren(claim); }"""
    )
    visit.page.wait_for_selector(".turn:last-child .evidence .card[data-key='2'].lit")
    assert visit.page.locator(".turn:last-child .evidence .card.lit").count() == 1


def test_a_changed_document_is_said_to_have_changed_and_the_quote_is_found_again(visit: Visit, served: Served) -> None:
    visit.ask(QUESTION)
    library = served.assistant.library
    before = library.kept["statement"]
    try:
        text = "A new first paragraph.\n" + STATEMENT
        changed = dataclasses.replace(before[0], text_sha256=hashlib.sha256(text.encode()).hexdigest())
        library.put(changed, text)
        current = visit.open_source(1)
        assert "has changed since this answer" in visit.page.locator(".reader .notice").inner_text()
        assert current.inner_text().startswith("The first warning bells")

        library.put(changed, "Nothing of it is left.\n")
        visit.page.click("[aria-label='Next quote']")
        visit.page.wait_for_selector(".reader[data-key='2']")
        assert "no longer in it" in visit.page.locator(".reader .notice").inner_text()
        assert visit.page.locator(".lost").inner_text() == "It asked every village to keep a warning bell."

        library.remove("statement")
        visit.page.click("[aria-label='Previous quote']")
        visit.page.wait_for_selector(".reader[data-key='1']")
        assert "no longer in the library" in visit.page.locator(".reader .notice").inner_text()
        assert "34 villages have one today" in visit.page.locator(".lost").inner_text()
    finally:
        library.put(*before)


def test_how_an_answer_was_found_is_laid_open(visit: Visit) -> None:
    visit.ask(QUESTION)
    visit.page.click("details.found > summary")
    visit.page.wait_for_selector(".found-body table")
    shown = visit.page.locator(".found-body").inner_text()
    for known in (QUESTION, "English", "search 3 ms", "Meaning", "Keywords", "0.500", "1.50"):
        assert known in shown


def test_a_written_answer_shows_its_model_and_the_prompt_that_it_was_written_from(visit: Visit) -> None:
    visit.page.select_option("#mode", "written")
    visit.ask(QUESTION)
    visit.page.click("details.found > summary")
    visit.page.wait_for_selector(".found-body details.prompt")
    assert "scripted-writer" in visit.page.locator(".found-body dl").inner_text()
    assert visit.page.locator(".found-body .prompt pre").first.is_hidden()
    visit.page.click(".found-body details.prompt > summary")
    assert "Answer from the quotes. <script>" in visit.page.locator(".prompt pre").first.inner_text()
    assert visit.page.locator(".prompt pre").last.inner_text() == QUESTION
    assert visit.page.evaluate("window.hacked") is None


def test_each_quote_carries_its_own_language_and_direction(visitors: Visitors) -> None:
    visit = visitors.open()
    visit.ask("การประชุมว่าด้วยแม่น้ำจัดขึ้นที่เชียงใหม่ในเดือนมีนาคม tổ chức")
    cards = visit.page.locator(".turn:last-child .evidence .card")
    assert {card.locator("blockquote").get_attribute("lang") for card in cards.all()} == {"th", "vi"}
    assert {card.locator("blockquote").get_attribute("dir") for card in cards.all()} == {"auto"}


def test_on_a_phone_the_quotes_stand_below_the_answer_and_the_reader_fills_the_screen(visitors: Visitors) -> None:
    visit = visitors.open(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    visit.ask(QUESTION)
    answer, card = (
        visit.page.locator(".turn .answer-text").bounding_box(),
        visit.page.locator(".turn .card").first.bounding_box(),
    )
    assert answer is not None and card is not None
    assert card["y"] >= answer["y"] + answer["height"]
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    visit.open_source(1)
    panel = visit.page.locator("#panel").bounding_box()
    assert panel is not None and (panel["width"], panel["height"]) == (360, 740)
    visit.page.tap("[data-do='reader.close']")
    assert visit.page.locator("#panel").is_hidden()
