"""A question is answered as it was meant, however it was typed, and a correct one stays unchanged."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pythainlp.util import eng_to_thai, thai_to_eng

from assistant.answer.pipeline import Assistant
from assistant.answer.spelling.input_methods import methods
from assistant.answer.spelling.speller import meant
from assistant.answer.spelling.syllables import TONES, Syllable, parse, spellings
from assistant.types import AskOptions
from evals.benchmarks.typing import KINDS, distorted, questions
from store.library import Library
from store.text.spellings import bare
from store.types import Filter

UN = "Việt Nam gia nhập Liên hợp quốc ngày nào?"


@pytest.fixture(scope="module")
def library(new_sample_home: Callable[[], Path]) -> Iterator[Library]:
    """With the shipped samples."""
    with Library.open(new_sample_home()) as library:
        yield library


def read(text: str, library: Library, where: Filter = Filter()) -> str:
    found = meant(unicodedata.normalize("NFC", text), library, where)
    return found.text if found else text


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("Viet Nam gia nhap Lien hop quoc ngay nao?", UN),
        ("Vieejt Nam gia nhaajp Lieen howjp quoocs ngayf naof?", UN),
        ("Vie6t5 Nam gia nha6p5 Lie6n ho7p5 quo6c1 nga2y na2o?", UN),
        ("Việt Nam gia nhập Liên hợp quốc ngáy nào?", UN),
        (unicodedata.normalize("NFD", "Việt Nam gia nhập Liên hợp quốc ngáy nào?"), UN),
        ("when was the vienna declaraton adoptd", "when was the vienna declaration adopted"),
        ("WHEN WAS THE VIENNA DECLARATON ADOPTED", "WHEN WAS THE VIENNA DECLARATION ADOPTED"),
    ],
)
def test_what_was_meant_is_read(library: Library, typed: str, right: str) -> None:
    assert read(typed, library) == right


def test_thai_in_latin_keys_and_english_in_thai_ones_are_read(library: Library) -> None:
    assert read(eng_to_thai("how many states took part"), library) == "how many states took part"
    assert read(thai_to_eng("ใครเป็นประธานคนแรก"), library) == "ใครเป็นประธานคนแรก"


@pytest.mark.parametrize(
    "right",
    [
        "When was the Universal Declaration adopted?",
        "What does error ER-1042 mean?",
        "error ER-1042",
        "H5N1 and COVID-19 in B2B markets, a1 and b2",
        "Who is Jürgen Rosevelt?",
        "Nấu phở bò Hà Nội cần những gia vị gì?",
        "Hội đồng Nhân quyền có bao nhiêu thành viên?",
        "ประธานคนแรกของ AICHR คือใคร",
        "เด็กมีสิทธิอะไรบ้าง",
        "Apa hasil pemungutan suara Dewan Hak Asasi Manusia?",
        "Berapa negara yang menjadi anggota dewan itu?",
        "Quand la déclaration a-t-elle été adoptée ?",
        "Wann wurde die Erklärung angenommen und wofür?",
        "世界人权宣言是什么时候通过的？",
        "متى اعتمد الإعلان العالمي؟",
        "test@example.org https://example.org/vietnam?q=dieenx",
        "🎉🎉🎉",
        "1948",
    ],
)
def test_what_is_right_stays_as_it_is(library: Library, right: str) -> None:
    assert read(right, library) == right


def test_no_question_of_the_suites_is_taken_for_something_else(library: Library) -> None:
    every = [case.turns[0].question for case in questions()]
    assert len(every) > 100
    assert [(text, read(text, library)) for text in every if read(text, library) != text] == []


@pytest.mark.parametrize(
    ("kind", "least"),
    [("no-marks", 0.6), ("telex", 0.9), ("vni", 0.9), ("thai-in-latin-keys", 0.7), ("english-in-thai-keys", 0.9)],
)
def test_most_distorted_questions_are_read_word_for_word(library: Library, kind: str, least: float) -> None:
    cases = distorted(kind, 30)
    assert {case.turn.language for case in cases} == {KINDS[kind][0]}
    right = [read(case.text, library).lower() == case.turn.question.lower() for case in cases]
    assert sum(right) >= least * len(right)


def test_an_answer_says_what_it_took_the_question_for_and_the_very_words_can_be_asked(library: Library) -> None:
    assistant = Assistant(library)
    answer = assistant.answer("viet nam gia nhap lien hop quoc ngay nao")
    assert answer.did_you_mean == answer.standalone_question == "việt nam gia nhập liên hợp quốc ngày nào"
    assert answer.question == "viet nam gia nhap lien hop quoc ngay nao"
    assert answer.language == "vi"
    assert any("20 tháng 9 năm 1977" in each.quote for each in answer.evidence)
    typed = assistant.answer("viet nam gia nhap lien hop quoc ngay nao", options=AskOptions(as_typed=True))
    assert typed.did_you_mean is None
    assert typed.standalone_question == typed.question


def test_a_question_that_is_right_is_searched_as_it_is(library: Library) -> None:
    answer = Assistant(library).answer("When was the Universal Declaration adopted?")
    assert answer.did_you_mean is None
    assert answer.standalone_question == answer.question


def test_words_of_a_hidden_collection_are_not_given_away(library: Library) -> None:
    assert read("declaraton on devlopment", library).split()[0] == "declaration"
    hidden = Filter(collections=("nobody-has-this",))
    assert library.spellings(["lien_hop"]) != {"lien_hop": {}}
    assert library.spellings(["lien_hop"], hidden) == {"lien_hop": {}}


LETTERS = st.sampled_from(["nghieng", "duong", "tuyen", "quoc", "gi", "gia", "hoa", "thuy", "dan", "nguoi", "khoai"])


@given(LETTERS)
def test_every_spelling_of_a_syllable_has_its_letters(letters: str) -> None:
    assert all(bare(each) == letters for each in spellings(letters))
    assert letters in set(spellings(letters))


@given(LETTERS, st.sampled_from(TONES))
def test_a_tone_stands_on_a_vowel(letters: str, tone: str) -> None:
    syllable = parse(letters)
    assert isinstance(syllable, Syllable)
    assert unicodedata.normalize("NFC", syllable.with_tone(tone)) == syllable.with_tone(tone)


@given(st.text(max_size=12))
def test_any_keys_are_decoded_or_left(keys: str) -> None:
    for method in methods():
        decoded = method.decode(keys.lower())
        assert decoded is None or parse(bare(decoded)) is not None
