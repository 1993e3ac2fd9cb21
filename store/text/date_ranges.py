"""Represent dates of any precision as ranges of days, so that filters can compare them as integers."""

from __future__ import annotations

import calendar
import re

_ISO = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?:[T ].*)?", re.ASCII)

_BARE = re.compile(r"\d{4}(?:-\d{2}){0,2}", re.ASCII)


def day_range(published: str) -> tuple[int, int]:
    """Return the first and last day that an ISO 8601 date or prefix can mean, as yyyymmdd integers.

    >>> day_range("2023-06")
    (20230601, 20230630)

    Raises ValueError for anything else.
    """
    match = _ISO.fullmatch(published.strip())
    if not match:
        raise ValueError(f"{published!r} is not a date like 2023, 2023-06 or 2023-06-14.")
    year, month, day = (int(part) if part else None for part in match.groups())
    first_month, last_month = (month, month) if month else (1, 12)
    if year is None or year < 1 or not 1 <= first_month <= 12:
        raise ValueError(f"{published!r} is not a date like 2023, 2023-06 or 2023-06-14.")
    days = calendar.monthrange(year, last_month)[1]
    first_day, last_day = (day, day) if day else (1, days)
    if not 1 <= first_day <= days:
        raise ValueError(f"{published!r} names a day that its month doesn't have.")
    return year * 10_000 + first_month * 100 + first_day, year * 10_000 + last_month * 100 + last_day


def is_date(text: object) -> bool:
    """Return whether `text` is a year, a month or a day that exists, and nothing more.

    >>> is_date("2023-06"), is_date("2023-06-31"), is_date("2023-06-14T08:00")
    (True, False, False)
    """
    if not isinstance(text, str) or not _BARE.fullmatch(text):
        return False
    try:
        day_range(text)
    except ValueError:
        return False
    return True
