"""Written answers on the page work with the small model itself, and stop soon on request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pytest

from assistant.answer.pipeline import Assistant
from assistant.llm.gguf import GgufLLM
from assistant.llm.install import find_installed
from assistant.server.app import application
from assistant.server.document_editor import DocumentEditor
from assistant.server.page_settings import PageSettings
from assistant.server.serve import bound, server
from assistant.types import Answer
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.library import Library
from tests.page.conftest import Visit, Visitors
from tests.page.test_real import answer_of

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import Assistant as PageAssistant
    from tests.chromium import LastingBrowser

pytestmark = pytest.mark.hard
QUESTIONS = {
    "en-US": ("How many states abstained in the vote on the Universal Declaration?", "en"),
    "th-TH": ("ทวีปแอฟริกามีกี่ที่นั่งในคณะมนตรีสิทธิมนุษยชน", "th"),
    "vi-VN": ("Có bao nhiêu quốc gia dự hội nghị Viên năm 1993?", "vi"),
}
MINUTES = 900_000
"""Milliseconds: two busy cores may be many times slower than idle ones."""


@pytest.fixture(scope="module")
def llm() -> GgufLLM:
    pytest.importorskip("xllamacpp")
    path = find_installed()
    if path is None:
        pytest.skip("The small language model is not installed; `attest models install` gets it.")
    return GgufLLM(path=str(path))


@pytest.fixture(scope="module")
def library(new_sample_home: Callable[[], Path]) -> Iterator[Library]:
    with Library.open(new_sample_home()) as opened:
        yield opened


@pytest.fixture(scope="module")
def address(library: Library, llm: GgufLLM) -> Iterator[str]:
    home = library.settings.home
    assistant = Assistant(library, lambda: llm, "written")
    assistant.prepare_writing()
    with closing(Conversations.open(home / FILE)) as kept, closing(bound("127.0.0.1", 0)) as listener:
        settings = PageSettings(written_mode=True)
        ready = threading.Event()
        app = application(
            cast("PageAssistant", assistant), kept, settings, editor=DocumentEditor(library, None, Path(home))
        )
        running = server(app, ready.set)
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


def begin(visit: Visit, question: str) -> None:
    """Ask, and wait until the quotes are there and the model is at work."""
    visit.page.fill("#question", question)
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector("#stop", state="visible")


def until_at_work(llm: GgufLLM) -> None:
    """Wait until an answer is being written."""
    end = time.monotonic() + 900
    while not llm._turn.locked():
        assert time.monotonic() < end, "nothing was asked of the model"
        time.sleep(0.02)


@pytest.mark.parametrize("locale", QUESTIONS)
def test_an_answer_is_written_in_the_language_of_the_question_with_quotes_that_open(
    real: Visitors, library: Library, locale: str
) -> None:
    question, language = QUESTIONS[locale]
    visit = real.open(locale=locale)
    visit.context.set_default_timeout(MINUTES)
    visit.ask(question)
    answer: Answer = answer_of(visit)
    assert answer.answered
    assert answer.language == language
    # Written, or the quotes with a word on why: never nothing.
    assert answer.mode == "written" or {notice.code for notice in answer.notices} & {"incomplete", "model_unavailable"}
    for claim in answer.claims:
        assert answer.text[claim.start : claim.end] == claim.text or claim.support == "unsupported"
    for item in answer.evidence:
        assert library.text(item.document.id, item.start, item.end) == item.quote
    visit.open_source(int(visit.page.locator(".turn .mark").first.get_attribute("data-key") or 0))


def test_quotes_are_on_the_page_while_the_model_still_reads(real: Visitors, llm: GgufLLM) -> None:
    visit = real.open()
    begin(visit, QUESTIONS["en-US"][0])
    until_at_work(llm)
    visit.page.wait_for_function("document.body.innerText.includes('eight abstained')")
    assert llm._turn.locked(), "the model was done before the quotes were on the page"
    visit.page.click("#stop")


@pytest.mark.parametrize("how", ["stop", "close"])
def test_stopping_or_closing_the_page_frees_the_model_before_it_has_written_to_its_end(
    real: Visitors, llm: GgufLLM, library: Library, how: str
) -> None:
    visit = real.open()
    begin(visit, "What did the Vienna conference of 1993 decide, and how many states took part in it?")
    until_at_work(llm)
    if how == "stop":
        visit.page.click("#stop")
    else:
        visit.page.close()
        real.visits.remove(visit)
    with llm._turn:
        assert not llm.spent, "the model wrote on to its end"
