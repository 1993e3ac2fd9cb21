"""A name is given in the asker's language as a document gives it in brackets, and not at all if that is uncertain."""

from __future__ import annotations

import pytest

from assistant.answer.bracketed_names import Pair, in_language, pairs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("รายงานขององค์การอนามัยโลก (World Health Organization) ระบุว่า", Pair("องค์การอนามัยโลก", "World Health Organization")),
        ("นายหม่า เจาซวี่ (Ma Zhaoxu) กล่าวเปิดงาน", Pair("หม่า เจาซวี่", "Ma Zhaoxu")),
        ("Bà Hồ Văn Lệ (Hu Wenli) chủ trì sự kiện.", Pair("Hồ Văn Lệ", "Hu Wenli")),
        ("Năm 2006 Hội đồng Nhân quyền (HRC) ra đời.", Pair("Hội đồng Nhân quyền", "HRC")),
        ("the World Health Organization (องค์การอนามัยโลก) said", Pair("World Health Organization", "องค์การอนามัยโลก")),
        ("có Tổ chức Theo dõi Nhân quyền (Human Rights Watch)", Pair("Tổ chức Theo dõi Nhân quyền", "Human Rights Watch")),
    ],
)  # fmt: skip
def test_a_name_in_brackets_is_the_one_before_them(text: str, expected: Pair) -> None:
    assert list(pairs(text)) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Ruth Adeyemi (chair) opened the meeting.",
        "Viện Quản trị So sánh (hư cấu)",
        "Viện Nghiên cứu về Hòa bình (Peace Research Institute)",
        "ông Lý Minh (UNDP) phát biểu",
        "โรงแรมริมน้ำ (Chiang Mai)",
        "นายสมชาย ใจดี (Bangkok Post)",
        "ที่ประชุมซึ่งจัดโดยหน่วยงานต่าง ๆ (United Nations)",
        "ในปีนั้น (2023)",
    ],
)
def test_what_is_no_name_or_may_be_a_part_of_one_is_left_out(text: str) -> None:
    assert list(pairs(text)) == []


def test_each_asker_gets_what_is_in_their_language() -> None:
    thai = ["องค์การอนามัยโลก (World Health Organization) ตั้งที่เจนีวา"]
    assert in_language("องค์การอนามัยโลก", "en", thai) == {"องค์การอนามัยโลก": "World Health Organization"}
    assert in_language("the World Health Organization", "th", thai) == {"World Health Organization": "องค์การอนามัยโลก"}
    assert in_language("องค์การอนามัยโลก", "ar", thai) == {}
    assert in_language("World Health Organization", "en", thai) == {}
    vietnamese = ["Tổ chức Y tế Thế giới (World Health Organization) và Ông Lưu Hân Sinh (Liu Xinsheng)"]
    assert in_language("World Health Organization", "vi", vietnamese) == {
        "World Health Organization": "Tổ chức Y tế Thế giới"
    }
    assert in_language("ông Lưu Hân Sinh", "en", vietnamese) == {"Lưu Hân Sinh": "Liu Xinsheng"}
    assert in_language("ông Lưu Hân", "en", vietnamese) == {}
