"""Machine translations on the page can be chosen and stopped; they are shown with a label, saved and exported."""

from __future__ import annotations

import pytest

from assistant.server.api.choices import checked_options
from assistant.server.page.evidence_html import evidence_list, language_name
from assistant.server.page.export import FORMATS, exported
from assistant.server.page.turn_html import turn_article
from assistant.server.strings import Strings, languages, strings
from assistant.types import Answer, AskOptions, Finished
from store.catalog.conversations import Conversation, Turn
from store.errors import QuestionError
from tests.page.conftest import Served, Visit, Visitors
from tests.page.scripted import HOSTILE, ScriptedAssistant, translation_of

QUESTION = "How many villages have warning bells?"


def translated() -> Answer:
    options = AskOptions(answer_language="th", translate=True)
    *_, last = ScriptedAssistant().ask(QUESTION, options=options)
    assert isinstance(last, Finished)
    return last.answer


def chosen(served: Served) -> bool:
    """What was asked for with the latest question; the page asks others by itself, to suggest them."""
    asked = [options for question, _, options in served.assistant.asked if question == QUESTION]
    # Suggestions are looked for by quotes alone.
    return [options for options in asked if options.mode is None][-1].translate


def label_in(words: Strings) -> str:
    """What stands over a translation from English to Thai."""
    source, target = (language_name(tag, words.language) for tag in ("en", "th"))
    return words("evidence.translation", source=source, target=target)


def choose(visit: Visit) -> None:
    visit.page.select_option("#answer-language", "th")
    visit.page.check("#translate")


@pytest.mark.parametrize("locale", ["en-US", "th-TH", "vi-VN"])
def test_a_chosen_translation_stands_under_its_quote_with_its_label_also_after_a_reload(
    visitors: Visitors, served: Served, locale: str
) -> None:
    visit = visitors.open(locale=locale)
    words = strings(locale[:2])
    assert visit.page.locator("#translate-chip").inner_text() == words("translate")
    choose(visit)
    visit.ask(QUESTION)
    assert chosen(served)
    for _ in range(2):
        card = visit.page.locator(".turn:last-child .evidence .card").first
        quote, made = card.locator("blockquote"), card.locator(".translation p")
        assert "34 villages" in quote.inner_text()
        assert made.inner_text().startswith("ترجمة الاقتباس 1 <script>")
        assert (made.get_attribute("lang"), made.get_attribute("dir")) == ("th", "auto")
        assert made.evaluate("element => getComputedStyle(element).direction") == "rtl"
        label = card.locator(".translation small").inner_text()
        assert label == label_in(words)
        assert visit.page.locator(".turn .notice[data-code=translated]").count() == 1
        assert "[" in visit.page.locator(".turn .notice[data-code=incomplete]").inner_text()
        assert "ترجمة" not in visit.page.locator(".turn .answer-text").inner_text()
        assert visit.page.locator(".turn:last-child .evidence .card").last.locator(".translation").count() == 0
        visit.page.reload()
        visit.page.wait_for_selector(".turn:last-child .evidence .card")
        assert visit.page.is_checked("#translate")
    assert visit.page.evaluate("window.hacked") is None


def test_nothing_is_translated_unless_it_is_chosen(visit: Visit, served: Served) -> None:
    assert not visit.page.is_checked("#translate")
    visit.page.select_option("#answer-language", "th")
    visit.ask(QUESTION)
    assert not chosen(served)
    assert visit.page.locator(".translation").count() == 0


def test_a_marker_shows_the_translation_too_and_copying_leaves_it_out(visit: Visit) -> None:
    choose(visit)
    visit.ask(QUESTION)
    visit.page.locator(".turn .mark").first.hover()
    assert visit.page.locator("#hover .translation small").inner_text()
    assert visit.page.locator("#hover blockquote").inner_text()
    visit.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit.page.click("[data-do='turn.copy']")
    visit.page.wait_for_selector(".toast.on")
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    assert "34 villages" in copied
    assert "ترجمة" not in copied


def test_an_opened_document_stays_open_while_translations_arrive_and_stopping_ends_them(
    visit: Visit, served: Served
) -> None:
    served.assistant.closed.clear()
    served.assistant.released.clear()
    choose(visit)
    visit.page.fill("#question", f"unhurried {QUESTION}")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .translation")
    assert strings("en")("ask.translating") in visit.page.locator(".turn .busy").inner_text()
    visit.open_source(1)
    visit.page.wait_for_timeout(1000)
    assert visit.page.locator("#panel-reader mark.current").count()
    visit.page.click("#stop")
    assert served.assistant.closed.wait(900)
    whole_but_for_translations(visit)
    visit.page.wait_for_timeout(300)
    visit.page.reload()
    whole_but_for_translations(visit)


def whole_but_for_translations(visit: Visit) -> None:
    """The answer is there with what was translated by then, and can be used as any other."""
    visit.page.wait_for_selector(".turn[data-state=finished]")
    assert visit.page.locator(".turn:last-child .evidence .translation").count() == 1
    assert visit.page.locator(".turn .notice[data-code=translated]").count() == 1
    assert strings("en")("ask.translating.stopped") in visit.page.locator(".turn").inner_text()
    assert strings("en")("ask.stopped") not in visit.page.locator(".turn").inner_text()
    assert "very likely hold the answer" in visit.page.locator(".confidence").inner_text()
    assert visit.page.locator(".turn [data-do='turn.copy']").is_visible()
    assert visit.page.locator(".turn .busy").count() == 0


def test_a_whole_answer_stays_on_the_page_where_the_server_is_lost_while_it_translates(
    visit: Visit, served: Served
) -> None:
    served.assistant.released.clear()
    choose(visit)
    visit.page.fill("#question", f"unhurried {QUESTION}")
    visit.page.press("#question", "Enter")
    visit.page.wait_for_selector(".turn:last-child .evidence .translation")
    visit.page.evaluate(
        """async () => {
            const { state } = await import(new URL('attest/static/state.js', document.baseURI).href);
            state.running.leaving.abort();  // the line is cut, and nobody pressed the button
        }"""
    )
    whole_but_for_translations(visit)
    assert visit.page.locator("#problem").is_visible()
    assert visit.page.input_value("#question") == ""


def test_a_whole_answer_is_not_lost_where_its_translation_fails_as_nobody_foresaw(visit: Visit) -> None:
    choose(visit)
    visit.ask(f"mistranslated {QUESTION}")
    for _ in range(2):
        visit.page.wait_for_selector(".turn[data-state=finished]")
        assert "34 villages" in visit.page.locator(".turn .answer-text").inner_text()
        assert visit.page.locator(".turn:last-child .evidence .translation").count() >= 1
        assert strings("en")("ask.translating.stopped") in visit.page.locator(".turn").inner_text()
        assert "secret" not in visit.page.locator(".turn").inner_text()
        visit.page.reload()


@pytest.mark.parametrize("language", languages())
def test_every_export_holds_translations_with_their_label(language: str) -> None:
    answer, words = translated(), strings(language)
    turn = Turn("t", "c", None, QUESTION, "{}", "finished", answer.to_json(), "2024-01-01")
    conversation = Conversation("c", "o", "Bells", "2024-01-01", "2024-01-01", "t")
    label = label_in(words)
    for form in FORMATS:
        content = exported(conversation, [turn], form, words)
        assert content.count("ترجمة الاقتباس 1") == 1
        if form == "json":
            assert '"translation": "ترجمة' in content
            assert '"code": "translated"' in content
        else:
            assert content.index(label) < content.index("ترجمة الاقتباس 1")
            assert "<script" not in content.replace("\\<script", "")


def test_a_translation_never_becomes_markup() -> None:
    answer = translated()
    assert any(item.translation == translation_of(item) for item in answer.evidence)
    turn = Turn("t", "c", None, QUESTION, "{}", "finished", answer.to_json(), "2024-01-01")
    for shown in (turn_article(turn, strings("en")), evidence_list(answer.evidence, strings("en"), language='"><b>')):
        assert HOSTILE not in shown
        assert "<b>" not in shown


@pytest.mark.parametrize("wish", ["yes", 1, None, [True]])
def test_only_yes_or_no_is_taken_as_the_choice(wish: object) -> None:
    with pytest.raises(QuestionError):
        checked_options({"translate": wish})
    assert checked_options({}).translate is False
