"""Wrong input gives one clear sentence on the page, without losing anything and without a traceback."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import Any

import pytest

from assistant.answer.question import clean_question
from assistant.server.api.choices import checked_options
from assistant.server.error_messages import error_message
from assistant.server.strings import languages, strings
from store.errors import RequestError
from tests.page.conftest import Visit


def test_a_blank_question_gets_one_sentence_and_is_not_asked(visit: Visit) -> None:
    for question in ("", "   ", "\n\n\t", "\u200b\u200b", "\u3000"):
        visit.page.fill("#question", question)
        visit.page.press("#question", "Enter")
        assert visit.page.locator("#problem").inner_text() == "Type a question first."
        assert visit.page.locator(".turn").count() == 0
        visit.page.fill("#question", "warning bells")
        assert visit.page.locator("#problem").is_hidden()


def test_a_question_of_a_million_characters_gets_one_sentence_at_once(visit: Visit) -> None:
    visit.page.fill("#question", "ก" * 1_000_000)
    visit.page.press("#question", "Enter")
    assert visit.page.locator("#problem").inner_text() == (
        "The question has 1,000,000 characters; the most is 20,000. Please shorten it."
    )
    assert visit.page.locator(".turn").count() == 0
    visit.ask("warning bells")


def test_a_question_a_little_too_long_is_kept_to_be_shortened(visit: Visit) -> None:
    visit.page.fill("#question", "ก" * 20_001)
    visit.page.press("#question", "Enter")
    assert "20,001 characters" in visit.page.locator("#problem").inner_text()
    assert visit.page.input_value("#question") == "ก" * 20_001
    assert visit.page.locator(".turn").count() == 0


def test_control_characters_are_dropped(visit: Visit) -> None:
    visit.page.evaluate("document.querySelector('#question').value = 'warning\\u0007 bells'")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn[data-state='finished']")
    assert visit.page.locator("#problem").is_hidden()


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"question": ""}, "The question is empty"),
    ({"question": "\u0000\u0007"}, "The question is empty"),
    ({"question": "?!"}, "The question is empty"),
    ({"question": "x" * 1_000_000}, "1,000,000 characters"),
    ({"question": 7}, "The question is empty"),
    ({"question": "q", "options": {"mode": "magic"}}, "reload the page"),
    ({"question": "q", "options": {"max_quotes": 10**9}}, "reload the page"),
    ({"question": "q", "options": {"filter": {"languages": "vi"}}}, "reload the page"),
    ({"question": "q", "options": {"filter": {"published_from": "yesterday"}}}, "like 2023, 2023-06"),
    ({"question": "q", "options": {"filter": {"published_to": "2023-99"}}}, "a day that exists"),
    ({"question": "q", "options": {"filter": {"published_to": "2023-02-30"}}}, "a day that exists"),
    ({"question": "q", "conversation": "no-such-conversation"}, "not kept here"),
]


def test_dates_that_do_not_exist_are_pointed_at_before_anything_is_asked(visit: Visit) -> None:
    page = visit.page
    page.click("#filters")
    for first, last, wrong, sentence in (
        ("2023-99", "", "from", "a day that exists"),
        ("2023-02-30", "", "from", "a day that exists"),
        ("", "last year", "to", "a day that exists"),
        ("2023", "2022", "to", "before the first"),
        ("2023-06", "2023-05-31", "to", "before the first"),
    ):
        page.fill("#filter-published_from", first)
        page.fill("#filter-published_to", last)
        page.click("#filter-dialog .primary")
        said = page.evaluate("name => document.querySelector('#filter-published_' + name).validationMessage", wrong)
        assert sentence in said
        assert page.locator("#filter-dialog[open]").count() == 1
    page.fill("#filter-published_from", "2024-02-29")
    page.fill("#filter-published_to", "2024")
    page.click("#filter-dialog .primary")
    page.wait_for_selector("#filter-dialog", state="hidden")
    assert page.locator("#filters-count").inner_text() == "1 chosen"


def test_the_server_refuses_what_a_page_would_not_send(visit: Visit) -> None:
    page = visit.page
    for ticket, (payload, sentence) in enumerate(REFUSED):
        page.evaluate(
            """async ([ticket, payload]) => {
                const { state } = await import(new URL('attest/static/state.js', document.baseURI).href);
                const { send } = await import(new URL('attest/static/chat.js', document.baseURI).href);
                const article = document.createElement('article');
                document.querySelector('#thread').append(article);
                document.querySelector('#problem').hidden = true;
                state.running = {ticket, article, question: 'kept', conversation: null};
                send(state.running, {ticket, ...payload});
            }""",
            [str(ticket), payload],
        )
        page.wait_for_selector("#problem:not([hidden])")
        assert sentence in page.locator("#problem").inner_text()
        assert page.input_value("#question") == "kept"


def test_an_error_of_a_model_is_its_sentence_and_the_question_can_be_asked_again(visit: Visit) -> None:
    visit.page.fill("#question", "modelfails bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn .problem")
    assert visit.page.locator(".turn .problem").inner_text() == (
        "The language model broke off; ask again, or choose quotes."
    )
    assert visit.page.locator("[data-do='turn.again']").is_visible()


def test_an_unexpected_error_shows_a_reference_and_no_traceback(visit: Visit) -> None:
    visit.page.fill("#question", "explode")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn .problem")
    shown = visit.page.locator(".turn .problem").inner_text()
    assert "the log tells more under" in shown
    assert "secret" not in visit.page.content()
    assert "Traceback" not in visit.page.content()


def test_a_server_that_is_gone_is_said_so_and_the_question_is_kept(visit: Visit) -> None:
    visit.page.evaluate(
        "import(new URL('attest/static/chat.js', document.baseURI).href).then(chat => chat.setPatience(200))"
    )
    visit.context.set_offline(True)
    visit.page.fill("#question", "warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert "can't be reached" in visit.page.locator("#problem").inner_text()
    assert visit.page.input_value("#question") == "warning bells"
    visit.context.set_offline(False)
    visit.errors.clear()  # the browser itself notes the failed request


def test_a_proxy_that_finds_no_server_is_asked_again_and_then_it_is_said_and_the_question_is_kept(visit: Visit) -> None:
    asked: list[str] = []

    def refuse(route: Any) -> None:
        asked.append(route.request.post_data or "")
        route.fulfill(status=502, body="<h1>Bad Gateway</h1>", content_type="text/html")

    visit.page.route("**/attest/ask*", refuse)
    visit.page.fill("#question", "warning bells")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector("#problem:not([hidden])")
    assert len(asked) > 1
    assert len(set(asked)) == 1
    assert "Please ask again in a moment" in visit.page.locator("#problem").inner_text()
    assert visit.page.input_value("#question") == "warning bells"
    visit.page.unroute("**/attest/ask*")
    visit.page.route("**/attest/ask*", refuse, times=1)
    visit.ask("warning bells")
    visit.errors.clear()  # the browser itself notes the refusal


@pytest.mark.parametrize("language", languages())
def test_each_refusal_is_said_in_the_language_of_the_interface(language: str) -> None:
    words = strings(language)

    def refusal(attempt: Callable[[], object]) -> str:
        with pytest.raises(RequestError) as refused:
            attempt()
        return error_message(refused.value, words)

    said = {
        refusal(lambda: clean_question("x" * 5, 4)),
        refusal(lambda: clean_question(" \n", 4)),
        refusal(lambda: checked_options({"answer_language": "<script>"})),
        refusal(lambda: checked_options({"filter": {"published_from": "2023-02-30"}})),
    }
    assert len(said) == 4
    assert not any("{" in sentence for sentence in said)
    if language != "en":
        assert words("error.question_empty") in said


@pytest.mark.parametrize(
    "question", ["ฟอรัม\u200bใต้?", "👩\u200d👩\u200d👧 ai?", "نیم\u200cفاصله", "line\nline", "Diễn đàn?"]
)
def test_joiners_line_breaks_and_decomposed_letters_are_no_control_characters(question: str) -> None:
    assert clean_question(f"  {question} ", 100) == unicodedata.normalize("NFC", question)
