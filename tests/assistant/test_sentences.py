"""Sentences of a streamed text are whole, with their markers, however the text arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.sentence_stream import sentences_of

TEXTS = [
    "The bridge is 420.5 meters long [1]. It opened on 3 May. [2] Dr. J. Smith said so. It is U.S. made! Yes?",
    "ฟอรัมจัดขึ้นเมื่อวันที่ 14 มิ.ย. พ.ศ. 2566 [1] มีผู้เข้าร่วม 300 คน [2]",
    "Gần 400 đại biểu đã dự [1]. Ông Volker Türk (Áo) nói [2][3]. \n\n- Một dòng [1]\n- Hai dòng",
    "会议于2023年举行。[1]参加者300人。[2]",
    "1. First [1].\n2. Second 🎉 [2, 3].",
]


def test_markers_stay_with_the_sentence_that_they_close() -> None:
    assert list(sentences_of([TEXTS[0]]))[:2] == ["The bridge is 420.5 meters long [1]. ", "It opened on 3 May. [2] "]
    assert list(sentences_of([TEXTS[3]])) == ["会议于2023年举行。[1]", "参加者300人。[2]"]


def test_abbreviations_and_decimals_end_nothing() -> None:
    assert len(list(sentences_of([TEXTS[0]]))) == 5
    assert len(list(sentences_of(["Mr. Nguyen met Prof. A. B. Tran at 3.30 in Ho Chi Minh City."]))) == 1


def test_thai_sentences_end_at_their_markers() -> None:
    assert list(sentences_of([TEXTS[1]])) == [
        "ฟอรัมจัดขึ้นเมื่อวันที่ 14 มิ.ย. พ.ศ. 2566 [1] ",
        "มีผู้เข้าร่วม 300 คน [2]",
    ]


@pytest.mark.parametrize("text", TEXTS)
@given(data=st.data())
def test_it_makes_no_difference_how_the_text_arrives(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=12)))
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert list(sentences_of(pieces)) == list(sentences_of([text]))


@given(st.lists(st.text(alphabet='ab .!?\n[12]ก。เ\u0301"')))
def test_nothing_is_lost_or_added(pieces: list[str]) -> None:
    assert "".join(sentences_of(pieces)) == "".join(pieces)
