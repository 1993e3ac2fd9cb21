"""Spellings that readers consider the same word are found as the same word."""

from __future__ import annotations

import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.text.fold import fold, plain

WRITTEN = st.text(
    st.characters(exclude_categories=["Cs"])
    | st.sampled_from(
        "กขคาำํ่้๊๋็์ aeiouyàáạảãòóọỏõùúụủũ\u0300\u0301\u0303\u0309\u0323\u0302\u0306ـًٌٍَُِّْٰ٠۱๒0123Đđ\u200d\u200bßİŉΐ"
    ),
    max_size=40,
)


@given(WRITTEN)
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(WRITTEN, st.sampled_from(["NFC", "NFD"]))
def test_composed_and_decomposed_text_is_the_same(text: str, form: Literal["NFC", "NFD"]) -> None:
    assert fold(unicodedata.normalize(form, text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("๒๕๖๖", "2566"),
        ("٢٠٢٣", "2023"),
        ("۲۰۲۳", "2023"),
        ("2０2３", "2023"),
        ("สํานัก", "สำนัก"),
        ("นํ้า", "น้ำ"),
        ("น้ํา", "น้ำ"),
        ("นำ้", "น้ำ"),
        ("hoà bình", "hòa bình"),
        ("HOÀ BÌNH", "hòa bình"),
        ("khoẻ", "khỏe"),
        ("thuỷ", "thủy"),
        ("quý", "qúy"),
        ("العَرَبِيَّة", "العربية"),
        ("الـعـربية", "العربية"),
        ("co\u00adoperate", "cooperate"),
        ("👩\u200d👧", "👩👧"),
        ("Straße", "STRASSE"),
    ],
)
def test_spellings_of_one_word_are_one(one: str, other: str) -> None:
    assert fold(one) == fold(other)


@pytest.mark.parametrize(("one", "other"), [("hoàn", "hóan"), ("ma", "mà"), ("น้ำ", "นา"), ("bán", "bản"), ("o", "ô")])
def test_different_words_stay_different(one: str, other: str) -> None:
    assert fold(one) != fold(other)


@given(st.text())
def test_plain_text_stays_as_it_is(text: str) -> None:
    assert plain(plain(text)) == plain(text)


def test_plain_text_keeps_case_and_tones_and_has_one_kind_of_quotation_marks_dashes_and_digits() -> None:
    for form in ("NFC", "NFD"):
        assert plain(unicodedata.normalize(form, "«Hoà  Bình» – “๒๕๖๖”, น้ำ 👩‍👧")) == '"Hoà Bình" - "2566", น้ำ 👩👧'
