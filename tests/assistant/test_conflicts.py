"""Documents with different numbers or dates are distinguished from ones that say the same in other words."""

from __future__ import annotations

import pytest

from assistant.answer.conflicts import differ


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("๑๒๐ คน", "74 người"),
        ("120 participants", "74 người dự"),
        ("14 June 2023", "15 มิถุนายน พ.ศ. 2566"),
        ("ngày 20 tháng 9 năm 1977", "1976"),
    ],
)
def test_other_numbers_and_dates_differ(one: str, other: str) -> None:
    assert differ(one, other)
    assert differ(other, one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("120", "๑๒๐ คน"),
        ("14 June 2023", "14 มิถุนายน พ.ศ. 2566"),
        ("in June 2023", "ngày 14 tháng 6 năm 2023"),
        ("fifty-two people", "52 người"),
        ("Paris", "48"),
        ("12 May 2020", "12 people"),
        ("🌊", "北京"),
        ("", ""),
    ],
)
def test_what_may_be_the_same_or_is_of_another_kind_does_not(one: str, other: str) -> None:
    assert not differ(one, other)
    assert not differ(other, one)
