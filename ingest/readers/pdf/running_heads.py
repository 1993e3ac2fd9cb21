"""Find running heads, feet and page numbers: lines that repeat at the same place of several pages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import regex

from ingest.readers.pdf.paragraphs import Page
from ingest.readers.pdf.rows import Line

OUTERMOST = 4
"""Lines at the top and at the bottom of a page that may be running ones."""

LEAST_SHARE = 0.3
"""Share of the pages on which a line must repeat; at least on two."""

_NUMBER = regex.compile(r"\p{Nd}{1,5}|\b[ivxlc]{1,8}\b")
_ADDRESS = regex.compile(r"^(?:https?|file)://\S+ 1/1$")
_PRINTED_ON = regex.compile(r"^\p{Nd}{1,4}[/.-]\p{Nd}{1,2}[/.-]\p{Nd}{1,4},? \p{Nd}{1,2}[:.]\p{Nd}{2}")
_LETTER = regex.compile(r"\p{L}")
_ROMAN = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


def without_running_lines(pages: Sequence[Page]) -> tuple[list[Page], str | None]:
    """Return `pages` without their running heads, feet and page numbers, and the head of the first page, if any."""
    if len(pages) < 2:
        return [_without_printed(page) for page in pages], None
    found: Counter[tuple[int, str]] = Counter()
    for number, page in enumerate(pages):
        found.update({signature for line in _outermost(page) for signature in _signatures(line, number)})
    least = max(2, LEAST_SHARE * len(pages))
    head: str | None = None
    kept = []
    for number, page in enumerate(pages):
        running = [
            line
            for line in _outermost(page)
            if any(found[signature] >= least for signature in _signatures(line, number))
        ]
        if number == 0:
            head = next((line.text for line in running if len(_LETTER.findall(line.text)) > 7), None)
        kept.append(replace(page, lines=tuple(line for line in page.lines if line not in running)))
    return kept, head


def _without_printed(page: Page) -> Page:
    """Return a single page without a browser's additions: the date and title, the address and "1/1"."""
    lines = sorted(page.lines, key=lambda line: -line.baseline)
    if len(lines) < 3 or not _ADDRESS.match(lines[-1].text):
        return page
    around = [lines[-1], *(lines[:1] if _PRINTED_ON.match(lines[0].text) else ())]
    return replace(page, lines=tuple(line for line in page.lines if line not in around))


def _outermost(page: Page) -> list[Line]:
    """Return the lines that may be running ones, but no rows of a table, whose header repeats on each page."""
    lines = sorted((line for line in page.lines if not line.cells), key=lambda line: -line.baseline)
    return lines[:OUTERMOST] + lines[max(OUTERMOST, len(lines) - OUTERMOST) :]


def _signatures(line: Line, page: int) -> Iterator[tuple[int, str]]:
    """Yield the position and text of a line, also with one of its numbers relative to the page."""
    place = round(line.baseline / 4)
    if _LETTER.search(_NUMBER.sub("", line.text)):
        yield place, line.text
    for match in list(_NUMBER.finditer(line.text))[:4]:
        relative = _value(match[0]) - page
        yield place, f"{line.text[: match.start()]}\0{relative}\0{line.text[match.end() :]}"


def _value(number: str) -> int:
    if number.isdecimal():
        return int(number)
    values = [_ROMAN[letter] for letter in number]
    return sum(-value if value < max(values[place:]) else value for place, value in enumerate(values))
