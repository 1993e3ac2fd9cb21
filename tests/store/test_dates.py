"""Dates of any precision, as filters see them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.text.date_ranges import day_range, in_range


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


def test_a_year_as_upper_bound_admits_all_of_it() -> None:
    assert in_range("2023-12-31", None, "2023")
    assert not in_range("2024-01-01", None, "2023")


def test_a_document_without_a_date_passes_no_bound() -> None:
    assert not in_range(None, "1900", None)
    assert not in_range(None, None, "2100")
    assert in_range(None, None, None)


@given(day=st.dates(min_value=date(1000, 1, 1)), earlier=st.integers(0, 400), later=st.integers(0, 400))
def test_exact_days_compare_as_days_do(day: date, earlier: int, later: int) -> None:
    first = max(day.toordinal() - earlier, date(1000, 1, 1).toordinal())
    last = min(day.toordinal() + later, date.max.toordinal())
    bounds = date.fromordinal(first).isoformat(), date.fromordinal(last).isoformat()
    assert in_range(day.isoformat(), *bounds)
    if last < date.max.toordinal():
        outside = date.fromordinal(last) + timedelta(days=1)
        assert not in_range(outside.isoformat(), *bounds)
