"""Rules alone turn sentences into questions, before any reader checks them."""

from __future__ import annotations

import unicodedata

import pytest

from assistant.suggested_questions.generator import crossed_questions, questions_from
from assistant.suggested_questions.templates import languages, templates

SENTENCES = {
    "en": ("The bridge was opened to traffic in March 1998.", "When was the bridge opened to traffic?", "March 1998"),
    "en-who": ("Mara Lindqvist chaired the harbour committee.", "Who chaired the harbour committee?", "Mara Lindqvist"),
    "en-count": ("The library has 12 reading rooms.", "How many reading rooms does the library have?", "12"),
    "vi": ("Câu lạc bộ có 35 thành viên.", "Câu lạc bộ có bao nhiêu thành viên?", "35"),
    "th": ("สมาคมมีสมาชิก 35 คน", "สมาคมมีสมาชิกกี่คน", "35"),
    "th-date": ("โรงพยาบาลเปิดให้บริการเมื่อวันที่ 4 มีนาคม พ.ศ. 2541", "โรงพยาบาลเปิดให้บริการเมื่อไร", "4 มีนาคม พ.ศ. 2541"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_a_sentence_is_asked_for_what_it_says(name: str) -> None:
    sentence, question, answer = SENTENCES[name]
    rules = templates(name[:2])
    assert rules is not None
    made = {text: sentence[span.start : span.end] for _, text, span in questions_from(sentence, rules)}
    assert question in made
    assert answer in made[question] or made[question] in answer


@pytest.mark.parametrize("language", languages())
@pytest.mark.parametrize(
    "words", ["", "🌊🌊", "ความ", "第三届", "بيان 2021", "A¤B was held on 3 May 2001.", "¤ (((", "12"]
)
def test_no_sentence_of_any_script_breaks_the_rules(words: str, language: str) -> None:
    rules = templates(language)
    assert rules is not None
    for form in ("NFC", "NFD"):
        for _, text, span in questions_from(unicodedata.normalize(form, words), rules):
            assert "{" not in text
            assert 0 <= span.start < span.end <= len(words) + 8


def test_what_points_to_something_before_is_not_asked() -> None:
    rules = templates("en")
    assert rules is not None
    assert list(questions_from("It was held there on 3 May 2001.", rules)) == []


def test_a_language_without_rules_has_none() -> None:
    assert templates("sw") is None
    assert templates("en-GB") is not None


CROSSED = [
    ("th", "AICHR เปิดตัวเมื่อวันที่ 23 ตุลาคม พ.ศ. 2552 ที่ชะอำ", "en", "When was AICHR founded?"),
    ("th", "AICHR เปิดตัวเมื่อวันที่ 23 ตุลาคม พ.ศ. 2552 ที่ชะอำ", "vi", "AICHR được thành lập khi nào?"),
    ("vi", "ASEAN được thành lập ngày 8 tháng 8 năm 1967.", "th", "ASEAN ก่อตั้งขึ้นเมื่อไร"),
    ("en", "The Harbour Bridge Forum took place on 3 May 2021.", "th", "Harbour Bridge Forum จัดขึ้นเมื่อไร"),
    ("en", "The Harbour Bridge Forum took place on 3 May 2021.", "vi", "Harbour Bridge Forum diễn ra khi nào?"),
]


@pytest.mark.parametrize(("language", "words", "other", "question"), CROSSED)
def test_what_is_said_of_a_name_can_be_asked_in_another_language(
    language: str, words: str, other: str, question: str
) -> None:
    known, target = templates(language), templates(other)
    assert known and target
    made = {text: words[span.start : span.end] for _, text, span in crossed_questions(words, known, target)}
    assert question in made
    assert any(character.isdigit() for character in made[question])


@pytest.mark.parametrize(
    ("language", "words", "other"),
    [
        ("vi", "Hội đồng được thành lập ngày 12 tháng 5 năm 1997.", "en"),
        ("vi", "Quỹ ASEAN được thành lập ngày 12 tháng 5 năm 1997.", "th"),
        ("th", "กองทุน ASEAN ก่อตั้งเมื่อ พ.ศ. 2540", "en"),
        ("th", "สภาหมู่บ้านก่อตั้งเมื่อ พ.ศ. 2540", "en"),
        ("en", "It took place on 3 May 2021.", "th"),
        ("en", "The Harbour Bridge Forum took place on 3 May 2021.", "en"),
        ("th", "AICHR 🙂 เปิดตัวแล้ว", "en"),
    ],
)
def test_what_needs_a_translation_is_not_asked_in_another_language(language: str, words: str, other: str) -> None:
    known, target = templates(language), templates(other)
    assert known and target
    assert list(crossed_questions(words, known, target)) == []


def test_every_language_can_ask_what_any_other_says() -> None:
    known = filter(None, (templates(tag) for tag in languages()))
    kinds = [{name: each.kind for name, each in one.crossed.items()} for one in known]
    assert len(kinds) == len(languages())
    assert all(each == kinds[0] for each in kinds)
