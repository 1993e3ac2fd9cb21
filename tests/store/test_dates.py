"""Dates are found as dates, in whatever language and calendar they are written."""

from __future__ import annotations

import itertools
import unicodedata
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.text.dates import DATE_TERM, date_terms, dates_in
from store.text.fold import plain

DAY = {"date:2023-06-14", "day:06-14", "month:2023-06", "year:2023"}


@pytest.mark.parametrize(
    "written",
    [
        "14 June 2023",
        "June 14, 2023",
        "June 14th, 2023",
        "the 14th of June 2023",
        "14 มิถุนายน พ.ศ. 2566",
        "๑๔ มิถุนายน ๒๕๖๖",
        "วันที่ 14 มิ.ย. 2566",
        "ngày 14 tháng 6 năm 2023",
        "14 tháng sáu, 2023",
        "14 juin 2023",
        "14 de junio de 2023",
        "14. Juni 2023",
        "14 июня 2023",
        "١٤ يونيو ٢٠٢٣",
        "2023年6月14日",
        "2023년 6월 14일",
        "2023-06-14",
        "14/06/2023",
        "14.6.2023",
    ],
)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_day_is_one_in_every_language_and_calendar(written: str, form: Literal["NFC", "NFD"]) -> None:
    assert date_terms(unicodedata.normalize(form, f"... {written} ...")) >= DAY


def test_a_year_of_the_buddhist_era_is_the_gregorian_one() -> None:
    assert date_terms("พ.ศ. 2566") == date_terms("ปี ค.ศ. 2023") == {"year:2023"}


def test_a_month_without_a_day_or_year_says_nothing() -> None:
    assert date_terms("It may march on; tháng sau, เดือนมิถุนายน") == frozenset()


def test_a_month_with_its_year_is_no_day() -> None:
    assert date_terms("tháng 6 năm 2023") == date_terms("June 2023") == {"month:2023-06", "year:2023"}


@pytest.mark.parametrize("written", ["31/31/2023", "2023-13-40", "0 June", "31 June 2023", "99 มิถุนายน"])
def test_what_no_calendar_has_is_no_day(written: str) -> None:
    assert not any(term.startswith(("date:", "day:")) for term in date_terms(written))


@pytest.mark.parametrize("number", ["12,023", "1.2023", "20231", "3.14", "1000000"])
def test_a_number_is_no_year(number: str) -> None:
    assert date_terms(f"{number} people") == frozenset()


def test_which_number_is_the_month_is_left_open() -> None:
    assert date_terms("6/7/2023") >= {"date:2023-06-07", "date:2023-07-06"}


@given(st.text(max_size=60) | st.text(st.sampled_from("0123456789๐๕٢/-., June มิ.ย.tháng 6năm 年月日"), max_size=60))
def test_any_text_gives_dates_or_nothing(text: str) -> None:
    assert all(DATE_TERM.match(term) for term in date_terms(text))


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("from 14 to 25 June 1993", {(1993, 6, 14), (1993, 6, 25)}),
        ("วันที่ 18 และ 19 พฤศจิกายน 2565", {(2022, 11, 18), (2022, 11, 19)}),
        ("في 23 سبتمبر 1932", {(1932, 9, 23)}),
        ("2023. június 14.", {(2023, 6, 14)}),
        ("5月29日", {(None, 5, 29)}),
        ("February 17, March 9, and July 14, 2005", {(None, 2, 17), (None, 3, 9), (2005, 7, 14)}),
        ("3 out of 5, set out 1999 steps, 2 led lamps", {(1999, None, None)}),
        ("20 set 2023", {(2023, 9, 20)}),
        ("31 June 2023", {(2023, 6, 31)}),
    ],
)
def test_each_date_is_read_as_its_writer_meant_it(text: str, readings: set[tuple[int | None, ...]]) -> None:
    assert {each for mention in dates_in(text) for each in mention.alternatives} == readings


@given(st.text(max_size=60) | st.text(st.sampled_from("0123456789/-., JuneMayมิ.ย.tháng 6năm 年月日İ"), max_size=60))
def test_dates_lie_in_their_text_and_never_overlap(text: str) -> None:
    spans = sorted({(mention.start, mention.end) for mention in dates_in(plain(text))})
    assert all(0 <= start < end <= len(plain(text)) for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in itertools.pairwise(spans))
