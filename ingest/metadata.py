"""Clean titles, names and dates that files state: one line, dates as ISO 8601, and None for meaningless ones."""

from __future__ import annotations

import datetime

import regex

from ingest.normalize import normalize_text
from ingest.words import words

NAME_LENGTH = 300
"""Code points of a title or speaker, from any source."""

_FILE_NAME = regex.compile(r"\S*\.(?:docx?|pptx?|xlsx?|pdf|indd|tex|rtf|odt|txt|html?|md)", regex.I)
_PRINTED = regex.compile(r"microsoft (?:word|powerpoint|excel) - .*", regex.I)
_NUMBERED = regex.compile(r"[\s_-]*\(?\d*\)?$")
_ISO = regex.compile(r"\s*(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?(?![\d-])")


def one_line(text: str | None) -> str | None:
    """Return a title or name on one line, without invisible characters; None if nothing is left."""
    if not text:
        return None
    return " ".join(normalize_text(text[: 2 * NAME_LENGTH]).text.split())[:NAME_LENGTH].strip() or None


def useful_title(text: str | None) -> str | None:
    """Return a title that a file states; None for "untitled", "Document1", a file name and the like."""
    title = one_line(text)
    if title is None or _FILE_NAME.fullmatch(title) or _PRINTED.fullmatch(title):
        return None
    return None if _NUMBERED.sub("", title.lower()).strip() in words("no_title") else title


def useful_name(text: str | None) -> str | None:
    """Return an author's name that a file states; None for "anonymous", "admin", a program and the like."""
    name = one_line(text)
    return None if name is None or name.lower() in words("unknown_authors") else name


def iso_date(value: object) -> str | None:
    """Return the ISO 8601 date at the beginning of `value`: ``2023``, ``2023-06`` or ``2023-06-14``.

    Accepts what YAML and office files contain (dates, numbers) as well as text.
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
