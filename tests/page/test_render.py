"""The answer's HTML has its own words, escaped, with markers only for sources that can be opened."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.server.kept_turns import history_of
from assistant.server.page.answer_text import answer_text
from assistant.server.page.export import FORMATS, as_json, exported, filename
from assistant.server.page.turn_html import confidence_words, turn_article
from assistant.server.strings import languages, strings
from assistant.types import Answer, AskOptions, Claim, Evidence, Finished, Source
from store.catalog.conversations import Conversation, Turn, TurnState
from tests.page.scripted import HOSTILE, STATEMENT, ScriptedAssistant

WORDS = strings("en")


def quote(key: int, words: str, title: str = "T") -> Evidence:
    source = Source(id="d", title=title, language="th", sha256="0")
    return Evidence(
        key=key, document=source, passage_id="p", start=0, end=len(words), quote=words, language="th", score=1
    )


def plain(fragment: str) -> str:
    fragment = re.sub(r'<span class="why">.*?</span>', "", fragment)
    return html.unescape(re.sub(r"<[^>]*>", "", fragment))


@given(
    st.text(alphabet=st.one_of(st.sampled_from('[12]<>&"“” \nน้ำa'), st.characters(codec="utf-8"))),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60), st.sampled_from(["quoted", "unsupported"])), max_size=4),
)
def test_no_word_of_an_answer_is_lost_or_doubled_and_none_becomes_markup(
    text: str, spans: list[tuple[int, int, str]]
) -> None:
    text = text.replace("\r", " ")
    claims = [
        Claim(text=text[a:b], start=a, end=min(b, len(text)), citations=(1,), support=support)  # type: ignore[arg-type]
        for a, b, support in spans
        if a < min(b, len(text))
    ]
    shown = answer_text(text, claims, [quote(1, "น้ำ"), quote(2, "<b>")], WORDS)
    tags = set(re.findall(r"</?([a-z0-9]+)", shown))
    assert tags <= {"p", "span", "q", "button"}
    wanted = "".join(line for line in re.sub(r"\[([12])\]", r"\1", text).split("\n") if line.strip())
    assert re.sub(r"\s", "", plain(shown)) == re.sub(r"\s", "", wanted)


def test_a_marker_without_evidence_stays_plain_text() -> None:
    shown = answer_text("One [1], none [7].", (), [quote(1, "One")], WORDS)
    assert shown.count('class="mark"') == 1
    assert "none [7]." in shown


def test_the_quoted_words_stand_apart_from_the_frame_around_them() -> None:
    text = "According to S: “The bell.” [1]"
    claim = Claim(text=text, start=0, end=len(text), citations=(1,), support="quoted")
    shown = answer_text(text, [claim], [quote(1, "The bell.")], WORDS)
    assert '“<q lang="th" data-key="1">The bell.</q>”' in shown


@pytest.mark.parametrize("language", languages())
def test_confidence_is_said_in_words_of_falling_strength(language: str) -> None:
    words = strings(language)
    base = answer_to("bells")
    said = [confidence_words(base.model_copy(update={"confidence": level}), words) for level in (0.95, 0.8, 0.5, 0.1)]
    assert len(set(said)) == 4
    assert not any(character.isdigit() for sentence in said for character in sentence)


def answer_to(question: str) -> Answer:
    *_, last = ScriptedAssistant().ask(question, (), AskOptions())
    assert isinstance(last, Finished)
    return last.answer


def turn_with(answer: Answer | None, question: str = "q") -> Turn:
    state: TurnState = "finished" if answer else "failed"
    return Turn("t", "c", None, question, "{}", state, answer.to_json() if answer else None, "2024-01-01")


def test_a_turn_holds_no_markup_of_its_document() -> None:
    article = turn_article(turn_with(answer_to("hostile bell everyone"), HOSTILE), WORDS)
    assert "<script" not in article
    assert "<img" not in article
    assert html.escape(HOSTILE) in article


def test_history_holds_only_finished_turns() -> None:
    assert history_of([turn_with(None), turn_with(answer_to("warning bells"))])[0].text == "q"
    assert len(history_of([turn_with(None)])) == 0


CONVERSATION = Conversation("c", "o", f"Bells {HOSTILE}", "2024-01-01", "2024-01-01", "t")


@pytest.mark.parametrize("form", FORMATS)
def test_an_exported_conversation_holds_questions_answers_quotes_and_no_live_markup(form: str) -> None:
    turns = [turn_with(answer_to("hostile bell warning villages"), HOSTILE), turn_with(None, "unanswered")]
    content = exported(CONVERSATION, turns, form, WORDS)  # type: ignore[arg-type]
    assert "34 villages have one today" in content
    assert "unanswered" in content
    if form == "html":
        assert "<script" not in content and "<img" not in content
    if form == "md":
        assert not re.search(r"(?<!\\)<(script|img)", content)
        start = STATEMENT.index("The first warning")
        assert f"({start}\u2013" in content


def test_the_json_export_holds_every_answer_whole() -> None:
    answer = answer_to("warning bells")
    (turn,) = as_json(CONVERSATION, [turn_with(answer)])["turns"]
    assert Answer.model_validate(turn["answer"]) == answer
    for item in turn["answer"]["evidence"]:
        text = ScriptedAssistant().library.text(item["document"]["id"])
        assert text[item["start"] : item["end"]] == item["quote"]


@pytest.mark.parametrize(
    ("title", "name"),
    [("../../etc/passwd", "etc-passwd.md"), ("น้ำท่วม 2021?", "น้ำท่วม-2021.md"), ("///", "conversation.md")],
)
def test_a_file_name_is_only_a_name(title: str, name: str) -> None:
    assert filename(Conversation("c", "o", title, "", "", None), "md") == name
