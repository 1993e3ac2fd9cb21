"""A short answer includes the qualifying words around those that the reader finds."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.short_answer import asks_yes_or_no, qualified
from assistant.types import Evidence, Source
from store.types import Span

OFFSET = 1000
"""Where the quote begins in its document."""

BESIDE = [
    ("en", "It was attended by more than 300 people.", "300 people", "more than 300 people"),
    ("en", "Members pay at least 5 dollars.", "5 dollars", "at least 5 dollars"),
    ("en", "Loans last no longer than 12 months.", "12 months", "no longer than 12 months"),
    ("en", "Children of 12 or older may enter.", "12", "12 or older"),
    ("en", "Return it before 1 May 2024.", "1 May 2024", "before 1 May 2024"),
    ("en", "The deposit is not refundable.", "refundable", "not refundable"),
    (
        "en",
        "The pool is open every day except on public holidays; dogs stay out.",
        "every day",
        "every day except on public holidays",
    ),
    ("th", "มีผู้เข้าร่วมมากกว่า 300 คน มาจากหลายประเทศ", "300 คน", "มากกว่า 300 คน"),
    ("th", "ยืมได้ไม่เกิน 12 เดือน", "12 เดือน", "ไม่เกิน 12 เดือน"),
    ("th", "อายุ 60 ปีขึ้นไปเข้าฟรี", "60 ปี", "60 ปีขึ้นไป"),
    ("th", "เปิดทุกวัน ยกเว้นวันจันทร์", "ทุกวัน", "ทุกวัน ยกเว้นวันจันทร์"),
    ("vi", "Cần ít nhất 5 người.", "5 người", "ít nhất 5 người"),
    ("vi", "Hợp đồng không quá 12 tháng.", "12 tháng", "không quá 12 tháng"),
    ("vi", "Trẻ từ 6 tuổi trở lên phải mua vé.", "6 tuổi", "6 tuổi trở lên"),
    ("vi", "Mở cửa mọi ngày, trừ thứ hai.", "mọi ngày", "mọi ngày, trừ thứ hai"),
    ("vi-NFD", unicodedata.normalize("NFD", "Cần trước 5 ngày."), "5", "5"),
]
APART = [
    ("en", "The bridge over 12 rivers.", "The bridge", "The bridge"),
    ("en", "Sales rose to 300.", "300", "300"),
    ("en", "It is not far; 300 people live there.", "300 people", "300 people"),
    ("th", "มีผู้เข้าร่วม 300 คน", "300 คน", "300 คน"),
    ("vi", "Có 300 người dự.", "300 người", "300 người"),
    ("ar", "حضر أكثر من 300 شخص.", "300 شخص", "300 شخص"),
    ("zh", "有三百多人参加🙂。", "三百", "三百"),
]


def quote_of(language: str, words: str) -> Evidence:
    source = Source(id="d", title="t", language=language, uri="d.txt", sha256="0" * 64)
    return Evidence(
        key=1,
        document=source,
        passage_id="p",
        start=OFFSET,
        end=OFFSET + len(words),
        quote=words,
        language=language,
        score=1.0,
    )


@pytest.mark.parametrize(("language", "words", "read", "given"), BESIDE + APART)
def test_what_bounds_negates_or_limits_an_answer_is_a_part_of_it(
    language: str, words: str, read: str, given: str
) -> None:
    at = OFFSET + words.index(read)
    span = qualified(Span(at, at + len(read)), quote_of(language, words))
    assert words[span.start - OFFSET : span.end - OFFSET] == given


@given(st.sampled_from(["en", "th", "vi", "ar"]), st.text(min_size=1), st.data())
def test_a_span_only_grows_and_stays_in_its_quote(language: str, words: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(words) - 1))
    end = data.draw(st.integers(start + 1, len(words)))
    read = Span(OFFSET + start, OFFSET + end)
    grown = qualified(read, quote_of(language, words))
    assert OFFSET <= grown.start <= read.start < read.end <= grown.end <= OFFSET + len(words)


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("May I take paracetamol before the operation?", "en", True),
        ("Can you tell me when it opens?", "en", False),
        ("When does it open?", "en", False),
        ("เช่ารถได้ไหม", "th", True),
        ("บอกได้ไหมว่าเปิดกี่โมง", "th", False),
        ("Trẻ em có phải trả tiền không?", "vi", True),
        (unicodedata.normalize("NFD", "Có được hút thuốc không?"), "vi", True),
        ("Bao nhiêu tiền?", "vi", False),
        ("可以带狗吗？", "zh", False),
    ],
)
def test_a_question_for_yes_or_no_has_no_short_answer(question: str, language: str, expected: bool) -> None:
    assert asks_yes_or_no(question, language) == expected
