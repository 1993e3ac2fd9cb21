"""The page works with the real assistant, the real library with its samples, and the real ingest."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, cast

import pytest

from assistant.answer.pipeline import Assistant
from assistant.server.app import application
from assistant.server.auth.scoped_access import Assistant as PageAssistant
from assistant.server.document_editor import DocumentEditor, ingest_into
from assistant.server.page.library_overview import LibraryOverview
from assistant.server.page.suggestions import suggest_next
from assistant.server.page_settings import PageSettings
from assistant.server.serve import bound, server
from assistant.types import Answer
from ingest.pipeline import ingest_paths
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.library import Library
from store.text.language import detect_language
from tests.chromium import LastingBrowser
from tests.ingest.files import pdf
from tests.page.conftest import Visit, Visitors
from tests.page.test_everyone import findings

THAI_ABOUT_A_VIETNAMESE_SOURCE = "ทวีปแอฟริกามีกี่ที่นั่งในคณะมนตรีสิทธิมนุษยชน"
ENGLISH = "When did the World Conference in Vienna take place?"
COMPARISON = (
    "Compare what the organizers and the observers say about the number of participants of the Riverside Roundtable"
)


@pytest.fixture(scope="module")
def library(new_sample_home: Callable[[], Path]) -> Iterator[Library]:
    with Library.open(new_sample_home()) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(library: Library) -> Iterator[str]:
    home = library.settings.home
    with closing(Conversations.open(home / FILE)) as kept, closing(bound("127.0.0.1", 0)) as listener:
        editor = DocumentEditor(library, ingest_into(library), home / "uploads")
        assistant = cast("PageAssistant", Assistant(library))
        ready = threading.Event()
        running = server(
            application(assistant, kept, PageSettings(), editor=editor, overview=LibraryOverview(library)), ready.set
        )
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        assert ready.wait(900)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        running.should_exit = True
        thread.join(10)


@pytest.fixture
def real(browser: LastingBrowser, address: str) -> Iterator[Visitors]:
    opened = Visitors(browser, address)
    yield opened
    opened.close()


def answer_of(visit: Visit) -> Answer:
    """The answer object behind the last turn, as the page exports it."""
    identity = visit.page.evaluate("new URL(location.href).searchParams.get('c')")
    content = visit.page.evaluate(f"fetch('attest/conversations/{identity}/export?form=json').then(r => r.text())")
    return Answer.model_validate(json.loads(content)["turns"][-1]["answer"])


def test_a_thai_question_about_a_vietnamese_document_opens_the_exact_words(real: Visitors, library: Library) -> None:
    visit = real.open(locale="th-TH")
    visit.ask(THAI_ABOUT_A_VIETNAMESE_SOURCE)
    answer = answer_of(visit)
    assert answer.answered
    assert answer.language == "th"
    item = next(item for item in answer.evidence if item.language == "vi")
    assert library.text(item.document.id, item.start, item.end) == item.quote
    shown = "".join(visit.open_source(item.key).all_inner_texts())
    assert shown == item.quote.replace("\n", "")
    assert visit.page.locator(".reader-head .title").inner_text() == item.document.title


def test_a_question_that_no_document_answers_is_not_answered(real: Visitors) -> None:
    visit = real.open()
    visit.ask("What is the boiling point of tungsten?")
    assert not answer_of(visit).answered
    assert visit.page.locator(".turn .mark").count() == 0
    assert visit.page.locator(".answer-text.abstained").inner_text().strip()


def test_every_quote_on_the_page_is_in_its_document_word_for_word(real: Visitors, library: Library) -> None:
    visit = real.open()
    visit.ask(ENGLISH)
    for item, quote in zip(
        answer_of(visit).evidence,
        visit.page.locator(".turn:last-child .evidence blockquote").all_text_contents(),
        strict=True,
    ):
        assert quote == item.quote == library.text(item.document.id, item.start, item.end)


def test_the_welcome_page_shows_what_the_library_is_about_and_opens_its_documents(real: Visitors) -> None:
    visit = real.open()
    page = visit.page
    page.wait_for_selector("#subjects .subject")
    counts = [int(count) for count in page.locator("#subjects small").all_inner_texts()]
    assert sum(counts) == 18
    page.click("#subjects .subject summary")
    assert findings(visit) == []
    page.click("#subjects .subject [data-do='document.open']")
    page.wait_for_selector(".reader .overview[open]")
    assert findings(visit) == []
    sentence = page.locator(".reader .overview .link").nth(1)
    said = sentence.inner_text()
    sentence.click()
    page.wait_for_selector(".reader[data-key='2'] mark.current")
    assert "".join(page.locator("mark.current").all_inner_texts()) == said


def test_an_uploaded_document_is_cited_and_a_removed_one_never_again(real: Visitors, tmp_path: Path) -> None:
    (tmp_path / "lighthouse.md").write_text(
        "# The lighthouse\n\nThe lighthouse of Kestrel Point was first lit on 3 May 1871 by Maud Ferry.\n",
        encoding="utf-8",
    )
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7\n1 0 obj\n<<")
    visit = real.open()
    page = visit.page
    page.click("#open-library")
    page.wait_for_selector("#document-list tr[data-document]")
    page.set_input_files("#picker", [str(path) for path in sorted(tmp_path.iterdir())])
    page.wait_for_selector("#intake [data-state='added']")
    page.wait_for_selector("#intake [data-state='failed'] .error")
    assert "broken.pdf" in page.locator("#intake [data-state='failed'] .name").inner_text()
    line = page.locator("tr[data-document]", has_text="lighthouse.md")
    line.wait_for()
    page.click("[data-do='view.close']")
    visit.ask("Who first lit the lighthouse of Kestrel Point?")
    assert "Maud Ferry" in page.locator(".turn").inner_text()

    page.click("#open-library")
    line.locator("[data-do='library.remove']").click()
    page.wait_for_selector(".toast.on")
    page.click("[data-do='view.close']")
    visit.ask("Who first lit the lighthouse of Kestrel Point?")
    assert "Maud Ferry" not in page.locator(".turn").last.inner_text()
    visit.open_source(1, ":first-child")
    assert "no longer in the library" in page.locator(".reader .notice").inner_text()
    assert "Maud Ferry" in page.locator(".lost").inner_text()


def test_a_pdf_shows_the_picture_of_its_page_with_the_quote_marked(
    real: Visitors, library: Library, tmp_path: Path
) -> None:
    beacon = "The beacon of Tern Island was built in 1902 by Ada Quill."
    path = tmp_path / "beacon.pdf"
    path.write_bytes(pdf([["A first page about nothing at all."], ["Beacons", beacon, "It is white and red."]]))
    assert not ingest_paths(library, [path]).failed
    visit = real.open()
    visit.ask("Who built the beacon of Tern Island, and when?")
    item = next(item for item in answer_of(visit).evidence if "Ada Quill" in item.quote)
    visit.open_source(item.key)
    visit.page.click(".picture summary")
    visit.page.wait_for_selector(".paper img")
    assert visit.page.locator(".paper img").get_attribute("alt") == "Page 2"
    picture, mark = visit.page.locator(".paper").bounding_box(), visit.page.locator(".paper i").first.bounding_box()
    assert picture is not None and mark is not None
    assert mark["width"] > 0.2 * picture["width"]
    assert mark["height"] < 0.06 * picture["height"]

    path.write_bytes(pdf([["Something else now."]]))
    visit.page.click("[data-do='reader.close']")
    visit.open_source(item.key)
    visit.page.wait_for_selector(".picture .notice")
    assert "moved or changed" in visit.page.locator(".picture .notice").inner_text()
    visit.errors.clear()  # the browser itself notes the refusal


def test_example_questions_of_the_samples_are_offered_and_answered(real: Visitors) -> None:
    visit = real.open()
    visit.page.wait_for_selector("#examples .suggestion")
    visit.page.locator("#examples .suggestion").first.click()
    visit.page.wait_for_selector(".turn[data-state=finished]")
    assert visit.page.locator(".turn .answer-text:not(.abstained)").inner_text()


@pytest.mark.parametrize(
    ("question", "language"),
    [
        ("When did the World Conference on Human Rights meet in Vienna?", "en"),
        ("โต๊ะกลมริมน้ำมีผู้เข้าร่วมทั้งหมดกี่คน", "th"),
        ("Việt Nam lần đầu trúng cử vào Hội đồng Nhân quyền khi nào?", "vi"),
    ],
)
def test_what_could_be_asked_next_is_in_the_questions_language(library: Library, question: str, language: str) -> None:
    answer = Assistant(library).answer(question)
    offered = suggest_next(library, answer, "en")
    assert offered
    for suggestion in offered:
        assert detect_language(suggestion) == language
        assert suggestion != question


def test_what_a_new_user_does_first(real: Visitors, tmp_path: Path) -> None:
    """Ask in two languages, open a source, compare two speakers, add a document, see what isn't answered."""
    folder = Path(os.environ.get("PICTURES", tmp_path))
    visit = real.open()
    page = visit.page

    def seen(step: str) -> None:
        page.mouse.move(700, 885)
        assert findings(visit) == [], step
        page.screenshot(path=folder / f"first-{step}.png")

    page.wait_for_selector("#examples .suggestion")
    seen("1-welcome")

    visit.ask(ENGLISH)
    assert "1993" in page.locator(".turn").inner_text()
    seen("2-english")

    page.click(".side [data-do='conversation.new']")
    visit.ask(THAI_ABOUT_A_VIETNAMESE_SOURCE)
    answer = answer_of(visit)
    assert answer.answered and answer.language == "th"
    item = next(item for item in answer.evidence if item.language == "vi")
    shown = "".join(visit.open_source(item.key).all_inner_texts())
    assert shown == item.quote.replace("\n", ""), "the words of the quote are marked in their document"
    seen("3-source")

    page.click(".side [data-do='conversation.new']")
    visit.ask(COMPARISON)
    compared = answer_of(visit)
    assert compared.kind == "comparison" and len(compared.sections) == 2
    sides = page.locator(".turn:last-child .side-by-side > .part")
    assert sides.locator("h3").all_inner_texts() == [section.title for section in compared.sections]
    assert len({item.document.speaker for item in compared.evidence}) > 1
    seen("4-comparison")

    page.click("#open-library")
    page.wait_for_selector("#document-list tr[data-document]")
    own = tmp_path / "ferry.md"
    own.write_text(
        "# The ferry\n\nThe ferry to Marten Island was first steered by Ines Vole in 1884.\n", encoding="utf-8"
    )
    page.set_input_files("#picker", str(own))
    page.locator("tr[data-document]", has_text="ferry.md").wait_for(timeout=60_000)
    seen("5-library")
    page.click(".side [data-do='conversation.new']")
    visit.ask("Who first steered the ferry to Marten Island?")
    assert "Ines Vole" in page.locator(".turn:last-child").inner_text()
    seen("6-own-document")

    page.click(".side [data-do='conversation.new']")
    visit.ask("What is the boiling point of tungsten?")
    assert not answer_of(visit).answered
    assert page.locator(".turn:last-child .answer-text.abstained").inner_text().strip()
    seen("7-not-answered")
    page.click("#open-library")
    page.locator("tr[data-document]", has_text="ferry.md").locator("[data-do='library.remove']").click()
    page.wait_for_selector(".toast.on")


def test_pictures_of_the_page(real: Visitors, tmp_path: Path) -> None:
    """Desktop, phone, dark, Thai: looked at by whoever sets PICTURES to a folder; some are in the README."""
    folder = Path(os.environ.get("PICTURES", tmp_path))
    small = {"width": 390, "height": 844}
    phone: dict[str, Any] = {"viewport": small, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
    looks: list[tuple[str, str, dict[str, Any]]] = [
        ("chat-desktop", THAI_ABOUT_A_VIETNAMESE_SOURCE, {"locale": "th-TH"}),
        ("chat-dark", "When was AICHR launched?", {"color_scheme": "dark"}),
        ("chat-english", "How many votes did Viet Nam get in the election of 2022?", {}),
        ("chat-phone", ENGLISH, phone),
    ]
    for name, question, options in looks:
        visit = real.open(**options)
        visit.ask(question)
        visit.page.wait_for_selector("#suggestions .suggestion")
        if name != "chat-phone":
            visit.open_source(answer_of(visit).evidence[0].key)
        visit.page.mouse.move(700, 880)
        visit.page.screenshot(path=folder / f"{name}.png")
        assert (folder / f"{name}.png").stat().st_size > 20_000
    visit = real.open()
    visit.page.click("#open-library")
    visit.page.wait_for_selector("#document-list tr[data-document]")
    visit.page.screenshot(path=folder / "library.png")
