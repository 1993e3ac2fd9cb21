"""A question that names a number or a code is answered from its own text, never from the text next to it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythainlp.util import num_to_thaiword

from assistant.extractive_qa.identifiers import (
    Identifier,
    begins_with,
    belongs,
    identifiers_in,
    kinds_in,
    names_alone,
    with_digits,
)
from tests.assistant.extractive_qa.hits import hit, words

CHARTER = "# Charter\n\nArticle 15\n\nNobody may be refused a passport.\n\nArticle 16\n\nFamilies are protected."
CODES = "E-1041: the drum is full. Call service.\n\nE-1043: the filter is blocked. Clean it first."
THAI = "ข้อ ๑๒ ประตูปิดเวลา 22.30 น.\n\nข้อ ๑๓ ห้ามเลี้ยงสัตว์ทุกชนิด"


def of(text: str, question: str, language: str = "en", title: str = "Notes") -> list[str]:
    """The sentences of `text` that belong to what `question` names."""
    one = hit(text, language, title=title)
    flags = belongs(one, "", identifiers_in(question))
    return [words(one, each.span) for each, its in zip(one.sentences, flags, strict=True) if its]


@pytest.mark.parametrize(
    ("text", "kind", "which"),
    [
        ("What does Article 15 say?", "provision", "15"),
        ("what about ARTICLE 15?", "provision", "15"),
        ("Article IV", "provision", "4"),
        ("section 21", "provision", "21"),
        ("ข้อ 13 ว่าอย่างไร", "provision", "13"),
        ("ข้อ๑๓", "provision", "13"),
        ("มาตรา ๗", "provision", "7"),
        ("Điều 4 quy định gì?", "provision", "4"),
        ("第十五条规定了什么", "provision", "15"),
        ("المادة 3", "provision", "3"),
        ("المادة ٣", "provision", "3"),
        ("step 3", "step", "3"),
        ("bước 2", "step", "2"),
        ("buổi 5", "session", "5"),
        ("What does E-1043 mean?", "E", "E1043"),
        ("E 1043", "E", "E1043"),
        ("What is in A/RES/60/251?", "A/RES", "A/RES/60/251"),
        ("NH-12", "NH", "NH12"),
        ("What does resolution 60/251 decide?", "resolution", "60/251"),
        ("nghị quyết số 60/251", "resolution", "60/251"),
        ("ข้อมติที่ ๖๐/๒๕๑", "resolution", "60/251"),
        ("Security Council resolution 2254", "resolution", "2254"),
    ],
)
def test_an_identifier_is_one_in_any_digits_and_spelling(text: str, kind: str, which: str) -> None:
    assert identifiers_in(text) == [Identifier(kind, which)]


@pytest.mark.parametrize(
    "text", ["COVID-19 in 2023", "on June 14, 2023", "more than 300 people", "30 ปี", "năm 2017", "👩‍👩‍👧 12", "in 1993"]
)
def test_years_amounts_and_words_are_no_identifiers(text: str) -> None:
    assert identifiers_in(text) == []


def in_english(number: int) -> str:
    small = [
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ]
    tens = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if number > 100:
        return f"one hundred and {in_english(number - 100)}"
    if number == 100:
        return "one hundred"
    if number < 20:
        return small[number - 1]
    return tens[number // 10 - 2] + (f"-{small[number % 10 - 1]}" if number % 10 else "")


def in_vietnamese(number: int) -> str:
    small = ["một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín"]
    if number >= 100:
        rest = number - 100
        return "một trăm" + (f" {'linh ' if rest < 10 else ''}{in_vietnamese(rest)}" if rest else "")
    if number < 10:
        return small[number - 1]
    tens, unit = divmod(number, 10)
    last = {0: "", 1: " mốt" if tens > 1 else " một", 5: " lăm"}.get(unit) or (f" {small[unit - 1]}" if unit else "")
    return ("mười" if tens == 1 else f"{small[tens - 1]} mươi") + last


@pytest.mark.parametrize("number", range(1, 200))
def test_a_part_is_named_in_words_as_in_digits(number: int) -> None:
    thai = num_to_thaiword(number)
    assert with_digits(f"What does article {in_english(number)} say?") == f"What does article {number} say?"
    assert with_digits(f"Điều {in_vietnamese(number)} quy định gì?") == f"Điều {number} quy định gì?"
    assert with_digits(f"มาตรา{thai}ว่าด้วยเรื่องอะไร") == f"มาตรา {number} ว่าด้วยเรื่องอะไร"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Section Twenty One", "Section 21"),
        ("paragraph two of article nineteen", "paragraph 2 of article 19"),
        ("Which rights does it name in chapter three?", "Which rights does it name in chapter 3?"),
        ("Khoản hai điều mười chín nói gì?", "Khoản 2 điều 19 nói gì?"),
        ("điều một trăm lẻ năm", "điều 105"),
        ("ข้อ ยี่สิบเอ็ด คืออะไร", "ข้อ 21 คืออะไร"),
        ("มาตราหนึ่ง", "มาตรา 1"),
    ],
)
def test_parts_in_words_are_found_where_they_stand(text: str, read: str) -> None:
    assert with_digits(text) == read


@pytest.mark.parametrize(
    "text",
    [
        "At which meeting two countries left?",
        "the meeting one of the ministers left",
        "What is two point five about?",
        "What does day one mean?",
        "section five six",
        "kỳ họp năm nào?",
        "Điều năm 2015",
        "hai phần ba là bao nhiêu",
        "một phần tư là gì",
        "Những điều hai nước thống nhất là gì?",
        "ข้อห้ามมีอะไรบ้าง",
        "อีกข้อหนึ่งคืออะไร",
        "ข้อใดข้อหนึ่ง",
        "ในบทหนึ่งของหนังสือ",
        "Article 19",
        "มาตรา ๑๙",
        "",
    ],
)
def test_other_number_words_stay(text: str) -> None:
    assert with_digits(text) == text


def test_an_article_has_the_sentences_below_its_heading_and_no_others() -> None:
    assert of(CHARTER, "What does Article 15 say?") == ["Article 15", "Nobody may be refused a passport."]
    assert of(CHARTER, "Article 16") == ["Article 16", "Families are protected."]
    assert of(CHARTER, "Article 17") == []


def test_a_code_has_its_paragraph() -> None:
    assert of(CODES, "What does E-1043 mean?") == ["E-1043: the filter is blocked.", "Clean it first."]


def test_thai_digits_and_arabic_digits_name_the_same_rule() -> None:
    for question in ("ข้อ 13 ว่าอย่างไร", "ข้อ ๑๓ ว่าอย่างไร", "What does Article 13 say?", "Điều 13 nói gì?"):
        assert "ห้ามเลี้ยงสัตว์" in "".join(of(THAI, question, "th"))
        assert "22.30" not in "".join(of(THAI, question, "th"))


def test_a_title_names_all_of_its_document() -> None:
    assert of("The Council has 47 seats.", "What did A/RES/60/251 do?", title="A/RES/60/251")
    assert not of("The Council has 47 seats.", "What did A/RES/60/251 do?", title="A/RES/60/215")


def test_what_is_missing_is_missing_among_others_of_its_kind_only() -> None:
    codes, letter = hit(CODES), hit("The letter was sent on 14 June.", rank=2)
    assert "E" in kinds_in([codes, letter], {})
    assert kinds_in([letter], {}) == set()
    assert "provision" in kinds_in([hit(CHARTER)], {})


@given(st.text(alphabet="aA1 -/.๑ข้อĐiều第条E–\u0301👩🏽\n", max_size=60))
def test_any_text_can_be_looked_through(text: str) -> None:
    for each in identifiers_in(text):
        assert each.text in text


RESOLUTIONS = "A/RES/60/251\n\nThe Council has 47 seats.\n\nA/RES/61/251\n\nThe building is renewed."


@pytest.mark.parametrize("question", ["resolution 60/251", "nghị quyết 60/251", "ข้อมติที่ 60/251", "A/RES/60/251"])
def test_a_resolution_is_the_code_that_ends_with_its_number(question: str) -> None:
    assert "The Council has 47 seats." in of(RESOLUTIONS, question)
    assert "The building is renewed." not in of(RESOLUTIONS, question)


def test_a_resolution_that_a_text_only_mentions_is_found_and_another_one_is_missing() -> None:
    text = "The Council was established by resolution 60/251. It has 47 seats."
    assert of(text, "A/RES/60/251") == ["The Council was established by resolution 60/251."]
    assert of(text, "resolution 62/251") == []
    assert "resolution" in kinds_in([hit(text)], {})


def test_two_codes_with_the_same_number_are_two() -> None:
    assert of("A/HRC/48/14\n\nThe Council met.", "What is A/RES/48/14?") == []


@pytest.mark.parametrize(
    "question",
    [
        "Article 24",
        "E-1402",
        "What does Article 15 say?",
        "ข้อ 20 ว่าอย่างไร",
        "มาตรา ๒๖ ว่าด้วยเรื่องอะไร",
        "Điều 19 quy định gì?",
    ],
)
def test_a_question_for_what_a_part_says_names_it_alone(question: str) -> None:
    assert names_alone(question)


@pytest.mark.parametrize(
    "question",
    ["What is this about?", "Who may vote under Article 21?", "ข้อ 20 ใช้เมื่อใด", "Điều 19 có hiệu lực khi nào?", ""],
)
def test_a_question_for_more_or_without_a_name_does_not(question: str) -> None:
    assert not names_alone(question)


def test_words_of_the_title_add_nothing_to_the_name() -> None:
    assert names_alone("What does Article 20 of the Bosut Charter say?", ["Charter of the Bosut cities"])
    assert not names_alone("What does Article 20 of the Bosut Charter say?")


def test_a_sentence_begins_with_what_it_explains() -> None:
    named = identifiers_in("What does E-1044 mean?")
    assert begins_with("E-1044: the water is too cold.", named)
    assert not begins_with("Call service if E-1044 comes back.", named)
