"""Dates of any precision work in filters."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.text.date_ranges import day_range


@pytest.mark.parametrize(
    ("published", "days"),
    [
        ("2023", (20230101, 20231231)),
        ("2023-06", (20230601, 20230630)),
        ("2024-02", (20240201, 20240229)),
        ("2023-06-14", (20230614, 20230614)),
        ("2023-06-14T09:30:00Z", (20230614, 20230614)),
    ],
)
def test_a_date_covers_the_days_that_it_can_mean(published: str, days: tuple[int, int]) -> None:
    assert day_range(published) == days


@pytest.mark.parametrize("published", ["", "June 2023", "2023-13", "2023-02-30", "14-06-2023", "23", "๒๐๒๓", "0000"])
def test_what_is_no_date_is_refused(published: str) -> None:
    with pytest.raises(ValueError, match=r"2023|day"):
        day_range(published)


@given(st.dates(), st.dates())
def test_exact_days_compare_as_days_do(day: date, other: date) -> None:
    assert (day_range(day.isoformat()) < day_range(other.isoformat())) == (day < other)


@given(st.dates())
def test_a_month_and_a_year_hold_each_of_their_days(day: date) -> None:
    for precision in (4, 7, 10):
        first, last = day_range(day.isoformat()[:precision])
        assert first <= day_range(day.isoformat())[0] <= last
