"""Windows contain whole sentences with their positions, below the heading that a person would see."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.extractive_qa.windows import WINDOW, windows_of
from tests.assistant.extractive_qa.hits import hit, words

TEXTS = {
    "en": "Fees\n\nThe fee is 640 kroner. Half of it for students. Boats are booked a week ahead.\n\nGuests\n\nA guest pays 50.",
    "th": "ค่าธรรมเนียม\n\nค่าไฟหน่วยละ 7 บาท ค่าน้ำเดือนละ 150 บาท\n\nข้อ ๓ ห้ามเลี้ยงสัตว์ทุกชนิด",
    "vi": unicodedata.normalize(
        "NFC", "Học phí là 850.000 đồng. Lớp nhận tối đa 15 học viên.\n\nĐăng ký trước ngày 25 tháng 4."
    ),
    "ar": "الرسوم خمسون. تُدفع كل شهر.\n\nالضيوف يدفعون النصف.",
    "zh": "会费六百元。学生半价。\n\n客人每次五十元。",
    "emoji": "👩‍👩‍👧‍👦 came 🇹🇭. Then 🏳️‍🌈 left; 𠮷 stayed.",
}


@pytest.mark.parametrize("language", TEXTS)
@given(data=st.data(), times=st.integers(1, 12))
def test_a_window_has_whole_sentences_at_their_places(language: str, data: st.DataObject, times: int) -> None:
    one = hit("\n\n".join([TEXTS[language]] * times), language)
    chosen = data.draw(st.sets(st.integers(0, len(one.sentences) - 1), min_size=1))
    windows = windows_of([one], {0: sorted(chosen)}, {})
    covered: list[int] = []
    for window in windows:
        for number, span in enumerate(window.sentences, start=window.first):
            covered.append(number)
            place = one.sentences[number].span
            assert span.of(window.text) == words(one, place)
            assert span.start + window.offset == place.start
        assert len(window.text) <= WINDOW + 110 or len(window.sentences) == 1
    assert len(covered) == len(set(covered))
    assert chosen <= set(covered)


def test_a_window_begins_with_the_heading_above_it() -> None:
    one = hit(TEXTS["en"])
    last = len(one.sentences) - 1
    (window,) = windows_of([one], {0: [last]}, {})
    assert "Guests" in window.text
    far = hit("The fee is 640 kroner. " * 60)
    (window,) = windows_of([far], {0: [50]}, {far.passage.id: "Fees"})
    assert window.text.startswith("Fees\nThe fee")


def test_a_row_of_a_table_is_read_alone() -> None:
    rows = ["สินค้า: กาว | ราคา: 6", "Món: dầu | Giá: 9", "Item: oak | Price: 31"]
    one = hit("\n".join(["Prices of the shop.", *rows, "They hold until May."]))
    windows = windows_of([one], {0: [1, 2, 3, 4]}, {})
    assert [window.text for window in windows] == [*rows, "They hold until May."]
    (prose, *rest) = windows_of([one], {0: [0, 2]}, {})
    assert prose.text == "Prices of the shop."
    assert [window.text for window in rest] == rows[1:2]
