"""A question that asks for several things is answered in each of its parts."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.extractive_qa.question_parts import MOST, parts_of

SEVERAL_WORDS = [
    ("When and where was it held?", ["When was it held?", "where was it held?"]),
    ("Who opened the room and when?", ["Who opened the room?", "opened the room and when?"]),
    (
        "Where was it held, and how many people came?",
        ["Where was it held?", "was it held, and how many people came?"],
    ),
    (
        "Trạm y tế do ai thành lập, ở đâu và khi nào?",
        ["Trạm y tế do ai thành lập?", "Trạm y tế thành lập, ở đâu?", "Trạm y tế thành lập và khi nào?"],
    ),
    ("สหกรณ์ก่อตั้งที่ไหน เมื่อไร และโดยใคร", ["สหกรณ์ก่อตั้งที่ไหน?", "สหกรณ์ก่อตั้งเมื่อไร?", "สหกรณ์ก่อตั้งโดยใคร?"]),
]
SEVERAL_THINGS = [
    (
        "How many seats, books and rooms does it have?",
        ["How many seats?", "How many books?", "How many rooms does it have?"],
    ),
    ("Trường có bao nhiêu lớp và giáo viên?", ["Trường có bao nhiêu lớp?", "Trường có bao nhiêu giáo viên?"]),
    ("ชมรมมีสมาชิกและกรรมการกี่คน", ["ชมรมมีสมาชิกกี่คน?", "กรรมการกี่คน?"]),
]
ONE_THING = [
    "When was the room opened?",
    "What happened when the roof collapsed?",
    "Who said that countries which pay late lose their vote?",
    "The fee, please",
    "Ai mở phòng đọc?",
    "ใครเป็นประธาน",
    "什么时候举行？",
    "متى عُقد الاجتماع؟",
    "🙂",
    "",
]


@pytest.mark.parametrize(("question", "parts"), SEVERAL_WORDS)
def test_each_word_that_asks_becomes_a_question_of_its_own(question: str, parts: list[str]) -> None:
    for form in ("NFC", "NFD"):
        found = parts_of(unicodedata.normalize(form, question))
        assert found is not None
        assert [unicodedata.normalize("NFC", each) for each in found.questions] == parts
        assert not found.amounts


@pytest.mark.parametrize(("question", "parts"), SEVERAL_THINGS)
def test_each_thing_that_is_counted_becomes_a_question_of_its_own(question: str, parts: list[str]) -> None:
    found = parts_of(question)
    assert found is not None
    assert list(found.questions) == parts
    assert found.amounts


@pytest.mark.parametrize("question", ONE_THING)
def test_a_question_for_one_thing_has_no_parts(question: str) -> None:
    assert parts_of(question) is None


@given(
    st.lists(
        st.sampled_from(["who", "when", " and ", ", ", "held", "ใคร", "ที่ไหน", " ", "ai", "ở đâu", " và ", "🙂", "何"])
    )
)
def test_any_question_has_no_parts_or_a_few_that_say_something(pieces: list[str]) -> None:
    found = parts_of("".join(pieces))
    if found is not None:
        assert 2 <= len(found.questions) <= MOST
        assert all(each.strip("? ") for each in found.questions)
