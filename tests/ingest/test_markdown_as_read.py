"""A Markdown file's text is what a careful person sees on the rendered page."""

from __future__ import annotations

from pathlib import Path

import pytest

from ingest.normalize import normalize
from ingest.read import read_document
from tests.ingest.reading import lines

THAI = "ราคาต่อวัน"
VIETNAMESE = "Giá mỗi ngày"
CHINESE = "每日价格"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ขั้นตอน\n๑. ก\n๒. ข\nต่อ\n๓. ค", ["ขั้นตอน", "๑. ก", "๒. ขต่อ", "๓. ค"]),
        ("ก) หนึ่ง\nข) สอง", ["ก) หนึ่ง", "ข) สอง"]),
        ("1.1 foo\n1.2 bar", ["1.1 foo", "1.2 bar"]),
        ("Text:\n2. x\n3. y", ["Text:", "2. x", "3. y"]),
        ("一、甲\n二、乙", ["一、甲", "二、乙"]),
        ("• x\n• y", ["• x", "• y"]),
        ("Born in\n1990. It was\ncold.", ["Born in 1990. It was cold."]),
        ("3) x\n4) y\n   1. z\n5) ~~no~~\n6) w", ["3) x", "4) y", "1. z", "6) w"]),
        ("1. ~~no~~\n\nAfter", ["After"]),
    ],
)
def test_every_item_of_a_list_is_a_paragraph_with_its_number(text: str, expected: list[str]) -> None:
    assert lines("a.md", text) == expected


def test_edits_are_carried_out_but_not_in_code() -> None:
    text = (
        f"It costs {{--350--}}{{++420++}} baht, {{~~{VIETNAMESE}~>{THAI}~~}}{{>>sure?<<}}, {{==high==}}, "
        "==so==, `{--code--}`.\n\n"
        "{--gone\n\ngone--}\n\n```\n{--code--}\n```\n\n%%no%% [[Page|shown]] a == b == c"
    )
    assert lines("a.md", text) == [
        f"It costs 420 baht, {THAI}, high, so, {{--code--}}.",
        "{--code--}",
        "shown a == b == c",
    ]


def test_tables_drawn_by_characters_keep_values_under_their_headers() -> None:
    grid = (
        "+---------+-------+------+\n| เรือ     | ราคา  | C    |\n+=========+=======+======+\n| อูน่า     | wide cell    |\n"
        "|         +-------+------+\n|         | 2     | 中文 |\n+---------+-------+------+\n"
    )
    assert lines("a.md", grid) == [
        "เรือ: อูน่า | ราคา: wide cell | C: wide cell",
        "เรือ: อูน่า | ราคา: 2 | C: 中文",
    ]
    misaligned = "+---+---+\n| เรือ | ราคา |\n+===+===+\n| อูน่า | 420 |\n+---+---+\n"
    assert lines("a.md", misaligned) == ["เรือ: อูน่า | ราคา: 420"]
    simple = "  Right     Left   Center\n-------     ------ --------\n     12     13\n    123            125\n\nText"
    assert lines("a.md", simple) == ["Right: 12 | Left: 13", "Right: 123 | Center: 125", "Text"]
    two_lines = (
        "----------------\n Boat   Price\n         (day)\n------- --------\n"
        " Una\n first   420\n\n Drina   900\n----------------\n"
    )
    assert lines("a.md", two_lines) == ["Boat: Una first | Price (day): 420", "Boat: Drina | Price (day): 900"]


def test_a_table_whose_headers_are_blank_is_a_list_of_names_and_values() -> None:
    assert lines("a.md", "| | |\n|-|-|\n| **Name** | Una |\n| **Built** | 1990 |\n") == ["Name: Una", "Built: 1990"]
    assert lines("a.md", "| | A |\n|-|-|\n| r | 3 |") == ["r | A: 3"]


def test_footnotes_are_marked_in_their_order_and_kept_whole() -> None:
    text = "Fee^[inline *note*] is[^x].\n\nMore[^x].\n\n[^x]: First\n\n    Second.\n"
    assert lines("a.md", text) == ["Fee [1] is [2].", "[1] inline note", "[2] First", "Second.", "More [2]."]


def test_what_programs_add_to_markdown_leaves_no_marks() -> None:
    text = (
        f"# {THAI} {{#id .c}}\n\n> [!WARNING]\n> Do not.\n\n- [x] ~~no~~\n- [ ] open\n- [x] ready\n\nTerm\n:   one\n:   two\n\n"
        '::: {.note}\n[x]{.u}\n:::\n\n::: tip Careful now\ny\n:::\n\n!!! note "Heads up"\n    z\n'
    )
    assert lines("a.md", text) == [
        THAI, "Warning", "Do not.", "☐ open", "☑ ready", "Term: one", "Term: two", "x", "Careful now", "y", "Heads up", "z",
    ]  # fmt: skip


def test_a_tilde_before_a_number_strikes_nothing_that_is_meant_as_a_range() -> None:
    text = f"{THAI} 350~420 หรือ 500~600, H~2~O, ~99~ 88, 10^6^, a^2 + b^2"
    assert lines("a.md", text) == [f"{THAI} 350~420 หรือ 500~600, H₂O, 88, 10⁶, a^2 + b^2"]


def test_tags_hide_what_they_enclose_and_nothing_else() -> None:
    text = (
        "Use <title> and <script>, <s>open, <ruby>東<rt>とう</rt></ruby>, <span hidden>no</span>480<sup>3</sup>.\n\n"
        f"<div style='display:none'>\n\nno\n\n</div>\n\n{CHINESE}\n{CHINESE}"
    )
    assert lines("a.md", text) == ["Use <title> and <script>, open, 東(とう), 480³.", CHINESE * 2]


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("---\nชื่อเรื่อง: น้ำ: คู่มือ\nผู้เขียน: ลาน\nวันที่: 2020-01-02\n---\n", ("น้ำ: คู่มือ", "ลาน", "2020-01-02")),
        ("---\ntiêu đề: Sông: sổ tay\ntác giả: An\nngày: 2020-01-02\n---\n", ("Sông: sổ tay", "An", "2020-01-02")),
        ("---\nہیڈنگ: اردو: متن\n---\n", (None, None, None)),
        ("---\n---\n", (None, None, None)),
        ("title: Una: a guide\nauthor: An\ndate: 2020-01-02\n", ("Una: a guide", "An", "2020-01-02")),
        ("Title:   Una\nKeywords: a,\n    b\n", ("Una", None, None)),
        ("% Una\n  a guide\n% An; Lan\n% 2020-01-02\n", ("Una a guide", "An; Lan", "2020-01-02")),
    ],
)
def test_what_a_file_says_of_itself_is_no_text(head: str, expected: tuple[str | None, ...]) -> None:
    document = read_document(Path("a.md"), f"{head}\n{VIETNAMESE}\n".encode())
    assert (document.title, document.author, document.published) == expected
    assert normalize(document.blocks).text == VIETNAMESE


@pytest.mark.parametrize("text", ["Note: this is text.", "title: only", "Date: 3 May\nWe met.", "100% sure"])
def test_a_first_line_that_is_text_stays(text: str) -> None:
    assert lines("a.md", f"{text}\n") == [text.replace("\n", " ")]
