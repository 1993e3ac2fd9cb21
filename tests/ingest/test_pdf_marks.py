"""Marks of Thai and Lao letters in a PDF are with their own letter, however the program drew them."""

from __future__ import annotations

import unicodedata

import pytest

from ingest.readers.pdf.glyphs import Glyph, without_repeats
from ingest.readers.pdf.segments import segments_of


def drawn(text: str) -> list[Glyph]:
    """The glyphs of a line: letters 5 points wide, marks without width at the right edge of theirs."""
    glyphs: list[Glyph] = []
    left = 0.0
    for character in text:
        is_mark = unicodedata.category(character) == "Mn"
        right = left if is_mark else left + 5
        middle = left - 2.5 if is_mark else None
        glyphs.append(Glyph(character, left, right, 100, 10, 1, False, 0, False, False, middle))
        left = right
    return glyphs


@pytest.mark.parametrize("text", ["จัดตั้งกองทุนใหม่", "การประชุมครั้งต่อไป", "ຫຼາຍຂຶ້ນໃນປີໜ້າ"])
@pytest.mark.parametrize("later", [1, 4, 99])
def test_a_mark_that_was_drawn_later_and_a_little_lower_is_put_back(text: str, later: int) -> None:
    glyphs = drawn(text)
    tone = next(number for number, glyph in enumerate(glyphs) if glyph.text in "้້")
    moved = glyphs.pop(tone)
    lower = Glyph(moved.text, moved.left, moved.right, 99.4, 10, 1, False, 0, False, False, moved.middle)
    glyphs.insert(min(tone + later, len(glyphs)), lower)
    assert "".join(segment.text for segment in segments_of(glyphs)) == text


@pytest.mark.parametrize("text", ["จัดตั้งกองทุนใหม่", "ປີໜ້າ", "Bảo tàng"])
def test_marks_that_are_drawn_in_order_stay(text: str) -> None:
    assert segments_of(drawn(text))[0].text == text


def test_letters_that_are_said_again_without_any_width_are_left_out() -> None:
    group = Glyph("ตั้", 0, 5, 100, 10, 1, True, 0, False, False)
    again = [Glyph(character, 9, 9, 99.4, 10, 1, False, 0, False, False) for character in "ตั้"]
    rest = Glyph("ง", 5, 10, 100, 10, 1, False, 0, False, False)
    assert without_repeats([group, rest, *again]) == [group, rest]
    assert without_repeats([rest, *again]) == [rest, *again]


def test_a_mark_is_kept_where_another_one_like_it_was_a_group_just_before() -> None:
    letters = [
        Glyph(letter, 5.0 * n, 5.0 * n + 5, 100, 10, 1, False, 0, False, False) for n, letter in enumerate("ใหผตอง")
    ]
    group = Glyph("้", 10, 10, 100, 10, 1, True, 0, False, False)
    mark = Glyph("้", 20, 20, 100, 10, 1, False, 0, False, False, 18.0)
    glyphs = [*letters[:2], group, *letters[2:4], mark, *letters[4:]]
    assert segments_of(without_repeats(glyphs))[0].text == "ให้ผต้อง"


def test_no_blank_stands_before_a_mark() -> None:
    glyphs = drawn("วันที่")
    apart = [*glyphs[:-1], Glyph(" ", 25, 25, 100, 10, 1, False, 0, False, False), glyphs[-1]]
    assert segments_of(apart)[0].text == "วันที่"
