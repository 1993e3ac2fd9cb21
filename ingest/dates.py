"""Dates as files write them -> ISO 8601, only as precise as they are, or None where they aren't dates."""

from __future__ import annotations

import datetime

import regex

_ISO = regex.compile(r"\s*(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d-])")


def iso_date(value: object) -> str | None:
    """Return the ISO 8601 date at the beginning of `value`: ``2023``, ``2023-06`` or ``2023-06-14``.

    Takes what YAML and office files yield (dates, numbers) as well as text.
    """
    if isinstance(value, datetime.datetime):
        return value.date().isoformat()
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, bool) or not isinstance(value, int | str):
        return None
    match = _ISO.match(str(value))
    if match is None:
        return None
    year, month, day = match.groups()
    try:
        datetime.date(int(year), int(month or 1), int(day or 1))
    except ValueError:
        return None
    return "-".join(part for part in (year, month, day) if part)
