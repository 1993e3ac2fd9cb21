"""Each kind of answer has its own form, the same on the page, in Markdown and in HTML."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer_layout import layout_of, marked
from assistant.server.page.evidence_html import evidence_list
from assistant.server.page.export import exported
from assistant.server.page.turn_html import PartialAnswer, draft_body, turn_article
from assistant.server.strings import strings
from assistant.types import Answer, AnswerSpan, Mode, Section, ShortAnswer
from store.catalog.conversations import Conversation, Turn
from tests.page import answers
from tests.page.conftest import Served, Visit, Visitors
from tests.page.test_everyone import findings

WORDS = strings("en")
CONVERSATION = Conversation("c", "o", "Rivers", "2024-01-01", "2024-01-01", "t")


def turn_of(answer: Answer) -> Turn:
    return Turn("t", "c", None, answer.question, "{}", "finished", answer.to_json(), "2024-01-01")


def shown(answer: Answer, form: str) -> str:
    """The answer as the page or an export shows it."""
    if form == "page":
        return turn_article(turn_of(answer), WORDS)
    return exported(CONVERSATION, [turn_of(answer)], form, WORDS)  # type: ignore[arg-type]


def plain(content: str) -> str:
    """Its words without markup, in the order in which they are read."""
    content = re.sub(r"</?mark\b[^>]*>", "", content)
    text = html.unescape(re.sub(r"<style>.*?</style>|<[^>]+>", " ", content))
    return " ".join(re.sub(r"[\\*#>]", "", text).split())


FORMS = pytest.mark.parametrize("form", ["page", "md", "html"])


@FORMS
@pytest.mark.parametrize("answer", answers.ALL.values(), ids=answers.ALL)
def test_every_quote_is_there_word_for_word_and_once(answer: Answer, form: str) -> None:
    content = plain(shown(answer, form))
    for item in answer.evidence:
        assert content.count(item.quote) == 1


@FORMS
def test_the_short_answer_comes_first_then_its_sentence_then_the_rest(form: str) -> None:
    content = shown(answers.SHORT, form)
    short, whole = content.index("34 villages"), plain(content)
    assert short < content.index("The first warning bells")
    assert whole.index(answers.BELLS.quote) < whole.index("More quotes (2)") < whole.index(answers.KEEP.quote)
    assert "River Council: “The first …”" not in content, "the frames of the text stand over the quotes already"


@FORMS
def test_without_a_short_answer_each_quote_stands_under_the_name_of_who_says_it(form: str) -> None:
    content = plain(shown(answers.QUOTED, form))
    order = [content.index(each) for each in ("River Council", answers.KEEP.quote, answers.BELLS.quote)]
    assert order == sorted(order)
    assert content.count("River Council") == 2


@pytest.mark.parametrize("mode", ["quotes", "written"])
def test_a_draft_shows_what_is_written_but_no_quote_twice(mode: Mode) -> None:
    draft = PartialAnswer(answers.QUOTED.evidence, answers.QUOTED.text, (), "en", mode)
    words = plain(draft_body(draft, WORDS, "ask.writing") + evidence_list(draft.evidence, WORDS))
    assert words.count(answers.KEEP.quote) == (1 if mode == "quotes" else 2)


def test_the_words_that_answer_are_marked_inside_their_quote() -> None:
    page = shown(answers.VIETNAMESE, "page")
    assert page.count('<mark class="answering">') == 2
    assert '<mark class="answering">Cần Thơ</mark>' in page
    assert re.search(r'<p class="short-answer"[^>]*lang="vi"><strong>Cần Thơ</strong> <button class="mark"', page)
    assert "**Cần Thơ**" in shown(answers.VIETNAMESE, "md").split("> ")[1]


@FORMS
def test_a_list_is_numbered_and_says_how_many_there_are(form: str) -> None:
    assert "3 of 7 shown" in plain(shown(answers.LIST, form))
    assert ('<ol class="cards numbered">' in shown(answers.LIST, form)) == (form != "md")


@FORMS
def test_a_comparison_has_a_part_for_each_side_and_says_where_nothing_is_said(form: str) -> None:
    content = plain(shown(answers.COMPARISON, form))
    order = [content.index(each) for each in (answers.BELLS.quote, answers.FUND.quote, "The documents say nothing")]
    assert order == sorted(order)
    assert content.index("More quotes (1)") > order[-1]
    assert ("side-by-side" in shown(answers.COMPARISON, form)) == (form != "md")


@FORMS
def test_a_quote_that_serves_both_sides_stands_with_its_document_unless_a_side_has_no_other(form: str) -> None:
    both = (Section(title="River Council", keys=(1, 2, 3)), Section(title="Quỹ Dòng Sông", keys=(1, 2)))
    content = plain(shown(answers.COMPARISON.model_copy(update={"sections": both}), form))
    in_order = (answers.BELLS.quote, answers.FLOODS.quote, answers.FUND.quote)
    assert [content.count(each) for each in in_order] == [1, 1, 1]
    assert sorted(in_order, key=content.index) == list(in_order)
    alike = (Section(title="Bells", keys=(1,)), Section(title="Floods", keys=(1,)))
    content = plain(shown(answers.OVERVIEW.model_copy(update={"sections": alike}), form))
    assert content.count(answers.BELLS.quote) == 2
    assert "The documents say nothing" not in content


@FORMS
def test_an_overview_is_by_section(form: str) -> None:
    content = plain(shown(answers.OVERVIEW, form))
    order = [content.index(each) for each in ("Bells", answers.KEEP.quote, "Floods", answers.FLOODS.quote)]
    assert order == sorted(order)


@FORMS
def test_a_library_answer_names_its_documents_and_their_number(form: str) -> None:
    content = plain(shown(answers.LIBRARY, form))
    assert "3 of 4 documents shown" in content
    for title, *_ in answers.SOURCES.values():
        assert title in content
    if form == "page":
        assert shown(answers.LIBRARY, form).count('data-do="document.open"') == 3


@FORMS
def test_talk_has_neither_quotes_nor_confidence(form: str) -> None:
    content = plain(shown(answers.TALK, form))
    assert "You're welcome" in content
    assert WORDS("confidence.high") not in content
    assert 'class="card"' not in shown(answers.TALK, form)


@FORMS
def test_where_the_documents_do_not_say_the_nearest_quote_is_shown_as_such(form: str) -> None:
    content = plain(shown(answers.NOT_SAID, form))
    nearest = content.index("Nearest quote, which does not answer the question")
    assert content.index("The documents don't say") < nearest < content.index(answers.BELLS.quote)
    assert content.index(answers.BELLS.quote) < content.index("More quotes (1)")


@FORMS
def test_what_was_asked_is_shown_where_it_is_not_what_was_typed(form: str) -> None:
    assert "Asked as: How many villages have warning bells?" in plain(shown(answers.SHORT, form))
    assert "Asked as" not in plain(shown(answers.THAI, form))


def test_a_span_that_proves_nothing_marks_nothing() -> None:
    wrong = AnswerSpan(key=1, start=answers.BELLS.start, end=answers.BELLS.start + 3, text="xyz")
    assert marked(answers.BELLS, [wrong]) == [(answers.BELLS.quote, False)]
    absent = answers.SHORT.model_copy(
        update={"short_answer": ShortAnswer(spans=(wrong.model_copy(update={"key": 9}),), confidence=1)}
    )
    assert layout_of(absent).short == ()


@given(
    st.text(alphabet="aน้ำếệ👩‍🌾\n ", min_size=1),
    st.lists(st.tuples(st.integers(0, 20), st.integers(0, 20)), max_size=4),
)
def test_marking_loses_and_doubles_no_word(quote: str, ranges: list[tuple[int, int]]) -> None:
    item = answers.BELLS.model_copy(update={"quote": quote, "start": 5, "end": 5 + len(quote)})
    spans = [AnswerSpan(key=1, start=5 + a, end=5 + b, text=quote[a:b]) for a, b in ranges]
    assert "".join(piece for piece, _ in marked(item, spans)) == quote


def opened(visitors: Visitors, served: Served, *shown_answers: Answer, **options: Any) -> Visit:
    """A browser on a conversation of these answers."""
    kept = served.conversations
    conversation, parent = kept.start("somebody", "Forms").id, None
    for answer in shown_answers:
        parent = kept.ask(conversation, parent, answer.question).id
        kept.close_turn(parent, "finished", answer.to_json())
    visit = visitors.open(f"?c={conversation}", **options)
    visit.page.wait_for_selector(".turn")
    return visit


def test_beside_the_answer_stands_its_source_opened_at_the_words(visitors: Visitors, served: Served) -> None:
    visit = opened(visitors, served, answers.SHORT)
    visit.page.wait_for_selector("#panel-reader mark.current")
    assert visit.page.locator("#panel-reader mark.current").inner_text() == answers.BELLS.quote
    assert visit.page.evaluate("document.activeElement.id") == "question", "the focus stays where it was"
    assert visit.page.locator("#panel .card").count() == 0
    assert not visit.page.locator(".more-quotes .card").first.is_visible()
    visit.page.locator(".more-quotes > summary").focus()
    visit.page.keyboard.press("Enter")
    visit.page.locator(".more-quotes .card").first.wait_for()


def test_the_words_that_were_typed_can_be_asked_as_they_are(visitors: Visitors, served: Served) -> None:
    visit = opened(visitors, served, answers.THAI, answers.SHORT)
    visit.page.click("[data-do='turn.verbatim']")
    visit.page.wait_for_function("() => document.querySelectorAll('.turn[data-state=finished]').length == 2")
    visit.page.wait_for_selector(".versions")
    question, history, _ = served.assistant.asked[-1]
    assert (question, history) == (answers.SHORT.question, ())


@pytest.mark.parametrize(
    ("locale", "options"),
    [
        ("en-US", {}),
        ("th-TH", {"color_scheme": "dark"}),
        ("vi-VN", {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}),
    ],
)
def test_axe_finds_nothing_in_any_form(
    visitors: Visitors, served: Served, locale: str, options: dict[str, Any]
) -> None:
    visit = opened(visitors, served, *answers.ALL.values(), locale=locale, **options)
    if "viewport" not in options:
        visit.page.wait_for_selector("#panel-reader mark.current")
    assert visit.page.locator(".turn[data-state=finished]:visible").count() == len(answers.ALL)
    assert findings(visit) == []
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
