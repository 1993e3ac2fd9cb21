"""A follow-up uses the subject of the conversation, across questions that name none and across languages."""

from __future__ import annotations

import pytest

from assistant.answer.dialogue.followup_readings import thread_of
from assistant.answer.dialogue.followup_rules import complete, swapped_thing
from assistant.types import Message

VIENNA = "When did the World Conference meet in Vienna?"


def test_the_subject_is_kept_through_questions_that_name_none() -> None:
    quote = "Representatives of 171 states took part."
    thread = thread_of(
        [
            Message("user", VIENNA),
            Message("assistant", f"According to the desk: “{quote}” [1]"),
            Message("user", "how many states took part?"),
            Message("assistant", "According to the desk: « Les représentants de 171 pays. » [1]"),
        ]
    )
    assert thread is not None
    assert thread.subject == VIENNA
    assert thread.quoted == ("Les représentants de 171 pays.", quote)


def test_a_short_answer_is_no_quote_beside_the_sentence_that_it_stands_in() -> None:
    quote = "It met in Vienna from 14 to 25 June 1993."
    answer = f"According to the desk: “14 to 25 June 1993” [1]\n\nAccording to the desk: “{quote}” [1]"
    thread = thread_of([Message("user", VIENNA), Message("assistant", answer)])
    assert thread is not None
    assert thread.quoted == (quote,)
    assert thread.short == ("14 to 25 June 1993",)


@pytest.mark.parametrize("marks", ["“{}”, “{}” [1]", "« {} », « {} » [1]", "「{}」、「{}」 [1]"])
def test_a_short_answer_of_several_words_is_told_apart_too(marks: str) -> None:
    quote = "It met in Vienna from 14 to 25 June 1993."
    answer = f"{marks.format('14 to 25 June 1993', 'Vienna')}\n\n“{quote}” [1]"
    thread = thread_of([Message("user", VIENNA), Message("assistant", answer)])
    assert thread is not None
    assert (thread.quoted, thread.short) == ((quote,), ("14 to 25 June 1993", "Vienna"))


def test_a_refusal_quotes_nothing_that_could_be_stayed_in() -> None:
    thread = thread_of(
        [Message("user", VIENNA), Message("assistant", "The nearest are: “A long title of a document”.")]
    )
    assert thread is not None
    assert thread.quoted == ()


def test_nothing_is_leaned_on_where_nothing_was_asked() -> None:
    assert thread_of([]) is None
    assert thread_of([Message("assistant", "Hello!")]) is None


@pytest.mark.parametrize(
    ("before", "follow_up", "whole"),
    [
        ("When did Thailand join the United Nations?", "And Viet Nam?", "When did Viet Nam join the United Nations?"),
        ("ไทยเข้าเป็นสมาชิกสหประชาชาติเมื่อไร", "แล้วเวียดนามล่ะ", "เวียดนามเข้าเป็นสมาชิกสหประชาชาติเมื่อไร"),
        ("ไทยเข้าเป็นสมาชิกสหประชาชาติเมื่อไร", "And what about Vietnam?", "Vietnamเข้าเป็นสมาชิกสหประชาชาติเมื่อไร"),
        (
            "When did Thailand join the United Nations?",
            "Còn Việt Nam thì sao?",
            "When did Việt Nam join the United Nations?",
        ),
        ("When did Viet Nam join the Council?", "แล้วไทยล่ะ", "When did ไทย join the Council?"),
        (
            "How many villagers came according to the organizers?",
            "And according to the observers?",
            "How many villagers came according to the observers?",
        ),
    ],
)
def test_what_is_named_takes_the_place_of_its_like_in_any_language(before: str, follow_up: str, whole: str) -> None:
    assert swapped_thing(follow_up, before) is not None
    assert complete(follow_up, before) == whole


@pytest.mark.parametrize(
    ("before", "follow_up", "whole"),
    [
        (
            "When is the Harbour Street Clinic open?",
            "And on Thursdays?",
            "When is the Harbour Street Clinic open on Thursdays?",
        ),
        ("Is the pool open on Mondays?", "And on Thursdays?", "Is the pool open on Thursdays?"),
        ("How much are the tickets?", "And for students?", "How much are the tickets for students?"),
        ("When did the conference meet in Vienna?", "And in Bangkok?", "When did the conference meet in Bangkok?"),
        ("Vé tháng giá bao nhiêu?", "Còn cho trẻ em?", "Vé tháng giá bao nhiêu cho trẻ em?"),
        ("คลินิกเปิดกี่โมง", "แล้ววันพุธล่ะ", "คลินิกเปิดกี่โมง วันพุธ?"),
        ("What does UNA-China say about trade?", "And about poverty?", "What does UNA-China say about poverty?"),
        ("UNA-China nói gì về chủ quyền?", "Còn về nghèo đói?", "UNA-China nói gì về nghèo đói?"),
        ("UNA-China พูดอะไรเกี่ยวกับอธิปไตย", "แล้วเรื่องความยากจนล่ะ", "UNA-China พูดอะไรเกี่ยวกับความยากจน"),
        ("What did Kofi  Annan say about trade?", "And Ban Ki-moon?", "What did Ban Ki-moon say about trade?"),
        ("Who spoke about trade in Norway?", "And on Monday?", "Who spoke about trade in Norway on Monday?"),
        ("What did she say about trade on 5 May?", "And about work?", "What did she say about work on 5 May?"),
        (
            "What information on Norway does the report on trade give?",
            "And on Sweden?",
            "What information on Sweden does the report on trade give?",
        ),
        ("Who leads the Red River Centre?", "And the Two Banks Institute?", "Who leads the Two Banks Institute?"),
    ],
)
def test_what_is_taken_up_in_any_language_is_put_into_the_question_before_it(
    before: str, follow_up: str, whole: str
) -> None:
    assert complete(follow_up, before) == whole
