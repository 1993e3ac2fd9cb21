"""Conversations work: follow-ups are understood, and a new subject isn't mixed with the old one."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.dialogue.followup_rules import standalone
from assistant.types import Message

FORUM = "When was the Forum on Global Human Rights Governance held?"


def after(*turns: str) -> list[Message]:
    return [Message("user" if i % 2 == 0 else "assistant", text) for i, text in enumerate(turns)]


@pytest.mark.parametrize(
    ("turns", "question", "expected"),
    [
        (
            (FORUM, "In 2023."),
            "and how many came?",
            "Forum on Global Human Rights Governance: how many came?",
        ),
        (
            (FORUM, "In 2023."),
            "Where was it held?",
            "Where was Forum on Global Human Rights Governance held?",
        ),
        (
            ("การประชุมว่าด้วยข้าวจัดขึ้นเมื่อไหร่", "ปี 2566"),
            "แล้วใครเป็นเจ้าภาพ",
            "การประชุมว่าด้วยข้าวจัดขึ้น: ใครเป็นเจ้าภาพ",
        ),
        (
            ("Có bao nhiêu người tham dự diễn đàn năm 2021?", "400"),
            "còn năm 2023?",
            "Có bao nhiêu người tham dự diễn đàn năm 2023?",
        ),
        (
            ("Việt Nam lần đầu trúng cử vào Hội đồng khi nào?", "Ngày 12 tháng 11 năm 2013."),
            "Còn lần thứ hai thì sao?",
            "Việt Nam lần thứ hai trúng cử vào Hội đồng khi nào?",
        ),
        (("คันแรกสำหรับห้องไหน", "ห้อง 5/1"), "แล้วคันที่สองล่ะ", "คันที่สองสำหรับห้องไหน"),
        (
            ("When was the first bridge finished?", "In 1871."),
            "And the second?",
            "When was the second bridge finished?",
        ),
        (
            ("When was the first bridge finished?", "In 1871."),
            "What about the second tunnel?",
            "the second tunnel: When was the first bridge finished?",
        ),
        (
            ("Who chaired the Geneva workshop?", "Ms. Carla Mendes chaired it. [1]"),
            "What is her position?",
            "What is Carla Mendes's position?",
        ),
    ],
)
def test_a_follow_up_says_what_it_is_about(turns: tuple[str, ...], question: str, expected: str) -> None:
    assert standalone(question, after(*turns)) == expected


@pytest.mark.parametrize(
    "question",
    [
        "What is the capital of Mongolia?",
        "Thủ đô của Mông Cổ là gì?",
        "เมืองหลวงของมองโกเลียคืออะไร",
        "What causes rain?",
        "¿Cuál es la capital de Mongolia?",
    ],
)
def test_a_change_of_subject_drags_nothing_along(question: str) -> None:
    assert standalone(question, after(FORUM, "In 2023.")) == question


def test_a_subject_is_carried_over_several_turns() -> None:
    history = after(FORUM, "In 2023.", "and how many came?", "300.")
    assert "Forum on Global Human Rights Governance" in standalone("Who hosted it?", history)


def test_after_a_new_subject_follow_ups_are_about_the_new_one() -> None:
    history = after(FORUM, "In 2023.", "How tall is Mount Kora?", "3,100 metres.")
    assert standalone("Who climbed it first?", history) == "Who climbed Mount Kora first?"


@pytest.mark.parametrize("question", ["ราคาน้ำมันวันนี้เท่าไร", "ภูเขาสูงเท่าไร", "Hôm nay thời tiết Hà Nội thế nào?"])
def test_a_thing_whose_name_ends_in_a_pronoun_is_a_subject_of_its_own(question: str) -> None:
    assert standalone(question, after("โต๊ะกลมริมน้ำมีคนมากี่คน", "๑๒๐ คน")) == question


def test_a_first_question_is_left_as_it_is() -> None:
    assert standalone(" and how many came? ", []) == "and how many came?"


def test_decomposed_vietnamese_is_understood_like_composed() -> None:
    history = after("Có bao nhiêu người tham dự diễn đàn năm 2021?", "400")
    decomposed = unicodedata.normalize("NFD", "còn năm 2023?")
    assert standalone(decomposed, history) == standalone("còn năm 2023?", history)


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_question_breaks_it(first: str, answer: str, question: str) -> None:
    text = standalone(question, after(first, answer))
    assert text or not question.strip()
