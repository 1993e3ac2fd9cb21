"""The page works for everyone: keyboard, screen reader, any width, light and dark, any direction, any script."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.page.conftest import Served, Visit, Visitors
from tests.page.scripted import document

if TYPE_CHECKING:
    from playwright.sync_api import Page

QUESTION = "How many villages have warning bells?"


def findings(visit: Visit) -> list[str]:
    """What axe finds serious or worse in our part of the page."""
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    # Axe reads styles through its own injected script, which the policy of the page would refuse.
    results = Axe().run(visit.page, context="#attest")
    return [
        f"{found['id']}: {found['nodes'][0]['html'][:120]}"
        for found in results.response["violations"]
        if found["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_has_no_serious_finding_from_the_welcome_to_the_reader(visitors: Visitors, scheme: str) -> None:
    visit = visitors.open(color_scheme=scheme)
    page = visit.page
    page.wait_for_selector("#examples .suggestion")
    assert findings(visit) == []
    visit.ask(f"{QUESTION} doubtful")
    page.wait_for_selector("#suggestions .suggestion")
    page.click("details.found > summary")
    page.wait_for_selector(".found-body table")
    page.focus(".mark[data-key='1']")
    assert findings(visit) == []
    visit.open_source(1)
    assert findings(visit) == []
    page.keyboard.press("Escape")
    page.click("#filters")
    page.wait_for_selector("#filter-documents .choice")
    assert findings(visit) == []


@pytest.mark.parametrize(("scheme", "locale"), [("light", "en-US"), ("dark", "th-TH"), ("light", "vi-VN")])
def test_axe_has_no_serious_finding_in_the_library_and_the_evaluation(
    visitors: Visitors, scheme: str, locale: str, tmp_path: Path
) -> None:
    visit = visitors.open(color_scheme=scheme, locale=locale)
    page = visit.page
    page.click("#open-library")
    page.wait_for_selector("#document-list tr[data-document]")
    (tmp_path / "picture.exe").write_bytes(b"MZ")
    page.set_input_files("#picker", str(tmp_path / "picture.exe"))
    page.wait_for_selector("#intake [data-state='failed']")
    visit.errors.clear()  # the browser itself notes the refusal
    page.click("#map > summary")
    page.wait_for_selector("#map figure")
    assert findings(visit) == []
    page.locator("[data-do='library.edit']").first.click()
    page.wait_for_selector("#edit-title")
    assert findings(visit) == []
    page.keyboard.press("Escape")
    page.click("#open-evaluation")
    page.wait_for_selector("#suite")
    assert findings(visit) == []


def test_axe_has_no_serious_finding_on_a_phone(visitors: Visitors) -> None:
    visit = visitors.open(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    visit.ask(QUESTION)
    assert findings(visit) == []
    visit.page.tap("[data-do='side.toggle']")
    visit.page.evaluate("Promise.all(document.getAnimations().map(animation => animation.finished))")
    assert findings(visit) == []


def cut_off(page: Page, selector: str) -> list[str]:
    """What sticks out of the window to the right."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    found: list[str] = page.evaluate(
        """selector => [...document.querySelectorAll(`#attest :is(${selector})`)].filter(e => {
            const box = e.getBoundingClientRect();
            return box.width && e.checkVisibility() && box.right > innerWidth + 1
                && !e.closest('.chips, .hidden-label, .table');
        }).map(e => e.outerHTML.slice(0, 80))""",
        selector,
    )
    return found


@pytest.mark.parametrize("width", [360, 768, 3840])
def test_the_library_and_the_evaluation_fit_from_a_phone_to_a_wall(visitors: Visitors, width: int) -> None:
    page = visitors.open(viewport={"width": width, "height": 900}, locale="vi-VN").page
    page.evaluate("document.querySelector('#open-library').click()")
    page.wait_for_selector("#document-list tr[data-document]")
    page.click("#map > summary")
    page.wait_for_selector("#map figure")
    assert cut_off(page, "#view *") == []
    page.evaluate("document.querySelector('#open-evaluation').click()")
    page.wait_for_selector("#suite")
    assert cut_off(page, "#view *") == []


@pytest.mark.parametrize("width", [360, 768, 1024, 1440, 2560, 3840])
def test_nothing_is_cut_off_or_overlaps_from_a_phone_to_a_wall(visitors: Visitors, width: int) -> None:
    visit = visitors.open(viewport={"width": width, "height": 900})
    visit.ask("hostile bell everyone listens")
    page = visit.page
    assert cut_off(page, ".turn *, .composer *, .bar *") == []
    boxes = [page.locator(selector).bounding_box() for selector in ("#scroll", "#composer")]
    assert boxes[0] is not None and boxes[1] is not None
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 1


def test_the_page_can_be_used_with_the_keyboard_alone(visit: Visit) -> None:
    page = visit.page
    page.keyboard.type(QUESTION)  # the question has the focus from the start
    page.keyboard.press("Enter")
    page.wait_for_selector(".turn[data-state=finished]")
    seen = set()
    page.locator(".skip").focus()
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.add(page.evaluate("document.activeElement.dataset.do || document.activeElement.id"))
    assert {
        "conversation.new",
        "conversation-search",
        "conversation.open",
        "conversation.rename",
        "turn.edit",
        "source.open",
        "turn.copy",
        "feedback.bad",
        "question",
        "send",
        "filters.open",
    } <= seen


def test_shortcuts_are_listed_under_the_question_mark_and_work(visit: Visit) -> None:
    page = visit.page
    page.locator("#scroll").focus()
    page.keyboard.press("?")
    page.wait_for_selector("#help-dialog[open]")
    assert "Send the question" in page.locator("#help-dialog").inner_text()
    page.keyboard.press("Escape")
    page.wait_for_selector("#help-dialog", state="hidden")
    page.locator("#scroll").focus()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.type("what is this / that?")  # in the box they are letters
    assert page.input_value("#question") == "what is this / that?"
    page.keyboard.press("Alt+k")
    assert page.evaluate("document.activeElement.id") == "conversation-search"
    page.keyboard.press("Alt+n")
    assert page.evaluate("document.activeElement.id") == "question"


def test_escape_stops_a_running_answer(visit: Visit, served: Served) -> None:
    served.assistant.released.clear()
    visit.page.fill("#question", "slowly warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .card")
    visit.page.keyboard.press("Escape")
    visit.page.wait_for_selector(".turn[data-state=stopped]")


def test_a_screen_reader_is_told_when_an_answer_is_there(visit: Visit) -> None:
    visit.ask(QUESTION)
    assert visit.page.locator("#announce[aria-live=polite]").inner_text() == "The answer is there, with 2 quotes."
    visit.ask("Zebra?")
    assert visit.page.locator("#announce").inner_text() == "The documents don't answer this."


def test_colors_follow_the_system_and_can_be_chosen(visit: Visit) -> None:
    def paper() -> str:
        return str(visit.page.evaluate("getComputedStyle(document.querySelector('#attest')).backgroundColor"))

    light = paper()
    visit.page.emulate_media(color_scheme="dark")
    dark = paper()
    assert light != dark
    visit.page.select_option("#theme", "light")
    assert paper() == light
    visit.page.emulate_media(color_scheme="light")
    visit.page.select_option("#theme", "dark")
    assert paper() == dark
    visit.page.reload()
    visit.page.wait_for_selector("#question")
    assert paper() == dark


def test_thai_and_vietnamese_have_room_for_their_marks(visit: Visit) -> None:
    visit.ask("การประชุมว่าด้วยแม่น้ำจัดขึ้นที่เชียงใหม่ในเดือนมีนาคม warning tổ chức")
    ratios = visit.page.evaluate(
        """Object.fromEntries([...document.querySelectorAll('.turn:last-child .evidence blockquote')].map(e => {
            const style = getComputedStyle(e);
            return [e.lang, parseFloat(style.lineHeight) / parseFloat(style.fontSize)];
        }))"""
    )
    assert ratios["th"] >= 1.7
    assert ratios["vi"] >= 1.6


def test_right_to_left_words_are_laid_out_from_the_right(visit: Visit) -> None:
    visit.ask("ما عدد القرى warning bells؟")
    question = visit.page.locator(".asked-text")
    assert question.evaluate("e => getComputedStyle(e).direction") == "rtl"
    visit.page.fill("#question", "سؤال آخر")
    assert visit.page.locator("#question").evaluate("e => getComputedStyle(e).direction") == "rtl"


def test_an_answer_from_an_arabic_document_is_laid_out_from_the_right(visit: Visit, served: Served) -> None:
    text = "بيان القرى\nقالت لجنة القرى إن الأجراس علقت في 34 قرية عام 2021.\n"
    library = served.assistant.library
    library.put(document("arabic", text, "ar", "لجنة القرى", "2021", "بيان القرى"), text)
    page = visit.page
    try:
        visit.ask("كم قرية علقت فيها الأجراس عام 2021؟")
        for selector in (".asked-text", ".turn:last-child .evidence blockquote", ".turn:last-child .evidence .title"):
            assert page.locator(selector).first.evaluate("e => getComputedStyle(e).direction") == "rtl", selector
        current = visit.open_source(1)
        shown = page.locator(".reader-text [lang=ar]").first
        assert shown.evaluate("e => getComputedStyle(e).direction") == "rtl"
        line, panel = current.bounding_box(), page.locator(".reader-text").bounding_box()
        assert line is not None and panel is not None
        assert line["x"] + line["width"] > panel["x"] + panel["width"] * 0.8, "it begins at the right"
    finally:
        library.remove("arabic")


def test_everything_in_the_library_can_be_done_with_the_keyboard(visit: Visit, served: Served) -> None:
    before = dict(served.assistant.library.kept)
    page = visit.page
    page.focus("#open-library")
    page.keyboard.press("Enter")
    page.wait_for_selector("#document-list tr[data-document]")
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.dataset.do || document.activeElement.id"))
        if seen[-1] == "library.edit":
            break
    assert {"drop", "web-address", "document-list-find", "library.read"} <= set(seen)
    page.keyboard.press("Enter")
    page.wait_for_selector("#ask-dialog[open]")
    page.keyboard.press("Control+a")
    page.keyboard.type("A name typed by keyboard")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr[data-document] >> text=A name typed by keyboard")
    page.keyboard.press("Escape")
    page.wait_for_selector("#view", state="hidden")
    served.assistant.library.kept = before


def test_no_font_comes_from_elsewhere_and_every_script_has_one(visit: Visit) -> None:
    visit.ask(QUESTION)
    loaded = visit.page.evaluate("[...document.fonts].filter(f => f.status == 'loaded').map(f => f.family)")
    assert loaded == []
    assert visit.foreign == []


@pytest.mark.parametrize("height", [480, 900])
def test_what_ends_a_dialog_is_always_in_sight(visitors: Visitors, height: int) -> None:
    page = visitors.open(viewport={"width": 1280, "height": height}, locale="th-TH").page
    page.click("#filters")
    page.wait_for_selector("#filter-documents .choice")
    box = page.locator("#filter-dialog .primary").bounding_box()
    assert box is not None
    assert page.evaluate(
        "([x, y]) => document.elementFromPoint(x, y).closest('#filter-dialog .primary') !== null",
        [box["x"] + box["width"] / 2, box["y"] + box["height"] / 2],
    )
