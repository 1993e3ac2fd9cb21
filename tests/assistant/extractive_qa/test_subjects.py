"""A text about another country, person or year isn't mistaken for the one that a question names."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.extractive_qa.candidates import read_passages
from assistant.extractive_qa.decisions import Ranking
from assistant.extractive_qa.subjects import Lacking, lacking, subject_of
from tests.assistant.extractive_qa.hits import found, hit

RUSSIA = "Nga bị đình chỉ ngày 7 tháng 4 năm 2022, với 93 phiếu thuận."
VIENNA = "The World Conference on Human Rights met in Vienna from 14 to 25 June 1993."
THAILAND = "ไทยเข้าเป็นสมาชิกสหประชาชาติเมื่อวันที่ 16 ธันวาคม พ.ศ. 2489"


@pytest.mark.parametrize(
    ("question", "text", "language"),
    [
        ("Libya bị đình chỉ với bao nhiêu phiếu?", RUSSIA, "vi"),
        ("How many votes suspended Libya?", RUSSIA, "vi"),
        ("When did Viet Nam join the United Nations?", THAILAND, "th"),
        ("Việt Nam gia nhập Liên hợp quốc khi nào?", THAILAND, "th"),
        ("เวียดนามเข้าเป็นสมาชิกสหประชาชาติเมื่อใด", THAILAND, "th"),
    ],
)
def test_a_text_about_another_country_lacks_what_is_asked_about(question: str, text: str, language: str) -> None:
    assert lacking(subject_of(question), hit(text, language)).names == 1


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize(
    ("question", "text", "language"),
    [
        ("How many votes suspended Russia?", RUSSIA, "vi"),
        ("รัสเซียถูกระงับเมื่อวันที่เท่าไร", RUSSIA, "vi"),
        ("Nga bị đình chỉ ngày nào?", RUSSIA, "vi"),
        ("When did Thailand join the United Nations?", THAILAND, "th"),
        ("Thái Lan gia nhập Liên hợp quốc năm 1946 phải không?", THAILAND, "th"),
        ("Hội nghị ở Viên năm 1993 kéo dài bao lâu?", VIENNA, "en"),
        ("การประชุมที่เวียนนา พ.ศ. 2536 มีกี่วัน", VIENNA, "en"),
    ],
)
def test_a_name_or_a_year_is_found_in_another_language_and_script(
    question: str, text: str, language: str, form: str
) -> None:
    question, text = unicodedata.normalize(form, question), unicodedata.normalize(form, text)  # type: ignore[arg-type]
    assert lacking(subject_of(question), hit(text, language)) == Lacking()


def test_another_year_is_lacking() -> None:
    assert lacking(subject_of("When did the conference of 1968 take place?"), hit(VIENNA, "en")).dates == 1


def test_what_stands_in_the_title_or_the_heading_is_there() -> None:
    said = "It joined on 20 September 1977."
    asked = subject_of("When did Viet Nam join?")
    assert lacking(asked, hit(said, "en")).names == 1
    assert lacking(asked, hit(said, "en", title="Viet Nam and the UN")) == Lacking()
    assert lacking(asked, hit(said, "en"), "Viet Nam") == Lacking()


@pytest.mark.parametrize(
    "question", ["", "???", "متى انعقد المؤتمر؟", "会议什么时候举行？", "👩‍👩‍👧 🇹🇭?", "when was it held"]
)
def test_a_question_without_names_lacks_nothing(question: str) -> None:
    assert lacking(subject_of(question), hit(RUSSIA, "vi")) == Lacking()


@given(st.sampled_from([RUSSIA, VIENNA, THAILAND]), st.integers(0, 14), st.integers(1, 15))
def test_words_taken_from_a_text_never_lack_a_name_in_it(text: str, start: int, count: int) -> None:
    piece = " ".join(text.split()[start : start + count])
    assert lacking(subject_of(f"{piece}?"), hit(text, "en")).names == 0


def test_the_passage_on_the_country_that_was_asked_about_comes_first() -> None:
    other = hit("Viet Nam joined the body on 20 September 1977.", "en", title="One")
    right = hit("ไทยเข้าเป็นสมาชิกเมื่อวันที่ 16 ธันวาคม พ.ศ. 2489", "th", title="Two", rank=2)
    both = found(other, right)
    ranking = Ranking(1.0, 0.0, 0.0, name=-1.0, date=-1.0)
    read = read_passages("When did Thailand join?", both, {}, None, ranking)
    assert read.ordered[0].hit.document.title == "Two"
    assert read.ordered[-1].lacks == Lacking(names=1)
