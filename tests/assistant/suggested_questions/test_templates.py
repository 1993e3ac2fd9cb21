"""What sentences are asked for: by rules alone, before any reader is asked."""

from __future__ import annotations

import unicodedata

import pytest

from assistant.suggested_questions.generator import questions_from
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
