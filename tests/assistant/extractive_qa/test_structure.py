"""A heading or lead-in line is quoted with its text, and an item with its lead-in line."""

from __future__ import annotations

import pytest

from assistant.extractive_qa.structure import headings, whole
from tests.assistant.extractive_qa.hits import hit, words

# ruff: noqa: E501  (a text and what is quoted of it are compared by eye on one line)
RULES = (
    "On the water\n\nNobody rows alone. Rowing is not allowed:\n\nafter sunset;\n\nin fog.\n\nCoxes carry a whistle."
)
NOTE = "หลังถอนฟัน\n\nกัดผ้าก๊อซให้แน่นนาน 1 ชั่วโมง แล้วคายทิ้ง หากเลือดยังซึมให้กัดผ้าก๊อซชิ้นใหม่\n\nใน 24 ชั่วโมงแรกห้ามทำสิ่งต่อไปนี้:\n- ดูดน้ำด้วยหลอด\n- สูบบุหรี่"
CARD = "Điều 1. Thẻ\n\nMọi người đều được làm thẻ. Khi làm thẻ bạn đọc xuất trình:\na) căn cước;\nb) một ảnh.\n\nThẻ có giá trị một năm."
POOL = "Nội quy\n\nNhững trường hợp sau không được xuống hồ:\n\nngười có bệnh ngoài da\n\nngười đã uống rượu bia\n\nTủ gửi đồ giá 5.000 đồng."


def quoted(text: str, language: str, begins: str) -> str:
    one = hit(text, language)
    span = next(each.span for each in one.sentences if words(one, each.span).startswith(begins))
    return words(one, whole(one, span))


@pytest.mark.parametrize(
    ("text", "language", "begins", "expected"),
    [
        (RULES, "en", "Rowing is", "Rowing is not allowed:\n\nafter sunset;\n\nin fog."),
        (RULES, "en", "in fog", "Rowing is not allowed:\n\nafter sunset;\n\nin fog."),
        (RULES, "en", "Coxes", "Coxes carry a whistle."),
        (RULES, "en", "On the water", "On the water\n\nNobody rows alone."),
        (NOTE, "th", "- ดูด", "ใน 24 ชั่วโมงแรกห้ามทำสิ่งต่อไปนี้:\n- ดูดน้ำด้วยหลอด\n- สูบบุหรี่"),
        (NOTE, "th", "หลังถอน", "หลังถอนฟัน\n\nกัดผ้าก๊อซให้แน่นนาน 1 ชั่วโมง แล้วคายทิ้ง หากเลือดยังซึมให้กัดผ้าก๊อซชิ้นใหม่"),
        (CARD, "vi", "Khi làm", "Khi làm thẻ bạn đọc xuất trình:\na) căn cước;\nb) một ảnh."),
        (CARD, "vi", "b)", "Khi làm thẻ bạn đọc xuất trình:\na) căn cước;\nb) một ảnh."),
        (CARD, "vi", "Thẻ có", "Thẻ có giá trị một năm."),
        (POOL, "vi", "người đã", "Những trường hợp sau không được xuống hồ:\n\nngười có bệnh ngoài da\n\nngười đã uống rượu bia"),
        ("May I bring a dog?\n\nOnly on a lead.\n\nIs there parking?\n\nNo.", "en", "May I", "May I bring a dog?\n\nOnly on a lead."),
        ("He named two aims. First, peace at home. Second, trade. He left for Hanoi.", "en", "He named", "He named two aims. First, peace at home. Second, trade."),
        ("The steps are as follows.\n\nPull the plug.\n\nEmpty the tank.", "en", "The steps", "The steps are as follows.\n\nPull the plug.\n\nEmpty the tank."),
    ],
)  # fmt: skip
def test_what_says_nothing_alone_is_quoted_with_its_text(text: str, language: str, begins: str, expected: str) -> None:
    assert quoted(text, language, begins) == expected


def test_a_paragraph_below_a_list_is_no_item_of_it() -> None:
    text = "โปรแกรม\n\nมีโปรแกรมให้เลือกดังนี้:\n\nข้าวขาว ใช้เวลา 40 นาที\n\nโจ๊ก ใช้เวลา 60 นาที\n\nเมื่อหุงเสร็จหม้อจะอุ่นข้าวเองไม่เกิน 12 ชั่วโมง ตั้งเวลาล่วงหน้าได้นานที่สุด 24 ชั่วโมงด้วยปุ่ม TIMER"
    assert quoted(text, "th", "โจ๊ก").endswith("โจ๊ก ใช้เวลา 60 นาที")


def test_an_announcement_brings_no_more_than_a_person_would_read() -> None:
    text = "The members are:\n\n" + "\n\n".join(f"member {number} of the first committee" for number in range(60))
    brought = quoted(text, "en", "The members")
    assert brought.startswith("The members are:\n\nmember 0 of")
    assert len(brought) <= 700
    assert quoted(text, "en", "member 55 ") == "member 55 of the first committee"


def test_items_of_a_list_are_no_headings() -> None:
    for text, language in ((RULES, "en"), (NOTE, "th"), (CARD, "vi"), (POOL, "vi")):
        assert headings(hit(text, language)) == {0}


def test_a_short_line_between_paragraphs_is_a_heading_and_a_row_of_a_table_is_none() -> None:
    one = hit("Fees\n\nThe fee is 640 kroner.\n\nGuests\n\nA guest pays 50 kroner.")
    assert headings(one) == {0, 2}
    assert headings(hit("Prices\n\nTicket: day | Adults: 40\n\nTicket: month | Adults: 600")) == {0}
