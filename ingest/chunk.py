"""Group sentences into passages, the units of search, sized in the embedding model's own tokens.

A passage consists of whole sentences of one section. A paragraph that fits is not cut; short paragraphs share a
passage; a long one is cut into parts of about equal size, so that none is very short. A heading begins its section's
first passage, and the others refer to it. A lead-in line ("Rowing is not allowed:") begins the passage with its items,
and never ends one. The passages of a document cover all of it: between them is only white space.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import takewhile

import regex

from ingest.sentences import halves, sentences
from store.text.language import UNKNOWN, detect_language
from store.types import Chunk, Span

SPLITTING_VERSION = 3
"""Version of how sentences and passages are cut."""

PASSAGE_TOKENS = 200
"""Tokens in a passage, at most; a single longer sentence is cut."""
LONGEST_HEADING = 100
"""Code points: a longer line is a paragraph, whatever it ends with."""
LONGEST_TITLE = 180
"""For the first line of a text."""
LONGEST_HEADINGS = 200
"""Code points of consecutive headings, such as a title and a subtitle, to count as one."""
DETECTABLE = 120
"""Code points that a passage needs to have a language different from its document's."""

_SENTENCE_MARK = regex.compile(r"[.!?。！？။។।።؟۔…;:,，、；：][\"”»’')\]」』]*$")
_ANNOUNCEMENT = regex.compile(r"(?:[:：]|(?:ดังนี้|ดังต่อไปนี้))\s*$")
_QUESTION = regex.compile(r"[?？؟]\s*$")
_ENDED = regex.compile(r"[.!?。！？।։።؟۔…][\"”»’')\]」』]*$")
_BULLET = regex.compile(r"[-–—•·‣▪◦*●○■□►✓✔]\s|.*\s\|\s")


@dataclass(frozen=True, slots=True)
class _Unit:
    """A sentence with its number of tokens and its paragraph."""

    span: Span
    tokens: int
    paragraph: int
    is_heading: bool
    opens: bool
    """Whether it says little without the text after it: a heading, a lead-in line, a question on its own line."""


def chunk(
    text: str,
    language: str,
    *,
    count_tokens: Callable[[str], int],
    passage_tokens: int = PASSAGE_TOKENS,
    headings: frozenset[int] | None = None,
) -> tuple[Chunk, ...]:
    """Return the passages of a normalized text, in order.

    `headings` are the offsets of lines that the file's format marks as headings; None for formats without headings,
    such as plain text: then short lines without a mark at their end count as headings.
    """
    passages: list[Chunk] = []
    for heading, section in _sections(_units(text, language, count_tokens, passage_tokens, headings)):
        for number, group in enumerate(_groups(section, passage_tokens)):
            start, end = group[0].span.start, group[-1].span.end
            passages.append(
                Chunk(
                    start=start,
                    end=end,
                    language=_language_of(text[start:end], language),
                    sentences=tuple(unit.span for unit in group),
                    heading=heading if number else None,
                )
            )
    return tuple(passages)


def _units(
    text: str, language: str, count_tokens: Callable[[str], int], budget: int, headings: frozenset[int] | None
) -> Iterator[_Unit]:
    """Yield sentences in order, none longer than `budget` unless a single grapheme is; each has its line."""
    lines = [match.span() for match in regex.finditer(r"[^\n]+", text) if match[0].strip()]
    for number, (start, end) in enumerate(lines):
        line = text[start:end]
        followed = number + 1 < len(lines)
        is_heading = followed and (
            start in headings if headings is not None else _looks_like_heading(line, is_first=number == 0)
        )
        before = text[slice(*lines[number - 1])] if number else ""
        for sentence in sentences(line, language):
            opens = followed and (is_heading or _opens(line, sentence, before))
            for span, tokens in _within(line, sentence, count_tokens, budget):
                yield _Unit(Span(start + span.start, start + span.end), tokens, number, is_heading, opens)


def _within(line: str, span: Span, count_tokens: Callable[[str], int], budget: int) -> Iterator[tuple[Span, int]]:
    """Yield `span` in parts of at most `budget` tokens, halved at pauses until they fit."""
    tokens = count_tokens(span.of(line))
    if tokens <= budget or (parts := halves(line, span)) is None:
        yield span, tokens
        return
    for part in parts:
        yield from _within(line, part, count_tokens, budget)


def _looks_like_heading(line: str, *, is_first: bool) -> bool:
    line = line.strip()
    if len(line) > (LONGEST_TITLE if is_first else LONGEST_HEADING) or _BULLET.match(line):
        return False
    return not _SENTENCE_MARK.search(line)


def _opens(line: str, sentence: Span, before: str) -> bool:
    """Return whether the last sentence of a line says little without the next line; `before` is the previous line."""
    if line[sentence.end :].strip():
        return False
    if _ANNOUNCEMENT.search(line):
        return True
    is_alone = not line[: sentence.start].strip()
    names = _looks_like_heading(line, is_first=False) and _ENDED.search(before.strip())
    return is_alone and bool(names or _QUESTION.search(line))


def _sections(units: Iterable[_Unit]) -> Iterator[tuple[Span | None, list[_Unit]]]:
    """Yield units by section, each with its heading's span; consecutive headings begin one section."""
    heading: Span | None = None
    section: list[_Unit] = []
    for unit in units:
        if unit.is_heading and section and not section[-1].is_heading:
            yield heading, section
            heading, section = None, []
        if unit.is_heading:
            fits = heading is not None and unit.span.end - heading.start <= LONGEST_HEADINGS
            heading = Span(heading.start, unit.span.end) if fits and heading else unit.span
        section.append(unit)
    if section:
        yield heading, section


def _groups(section: list[_Unit], budget: int) -> Iterator[list[_Unit]]:
    """Yield a section in groups of at most `budget` tokens: paragraphs combined, long ones cut evenly."""
    group: list[_Unit] = []
    used = 0
    for paragraph in _paragraphs(section):
        size = sum(unit.tokens for unit in paragraph)
        whole, opening = _without_opening(group)
        if whole and used + size > budget:
            yield whole
            group, used = opening, sum(unit.tokens for unit in opening)
        if used + size <= budget:
            group = [*group, *paragraph]
            used += size
            continue
        *parts, last = _even_parts([*group, *paragraph], math.ceil((used + size) / budget), budget)
        yield from parts
        whole, group = _without_opening(last)
        used = sum(unit.tokens for unit in group)
        if whole:
            yield whole
    if group:
        yield group


def _without_opening(units: list[_Unit]) -> tuple[list[_Unit], list[_Unit]]:
    """Return units without those at their end that introduce the next text, and these."""
    opening = list(takewhile(lambda unit: unit.opens, reversed(units)))[::-1]
    return units[: len(units) - len(opening)], opening


def _paragraphs(section: list[_Unit]) -> Iterator[list[_Unit]]:
    paragraph: list[_Unit] = []
    for unit in section:
        if paragraph and unit.paragraph != paragraph[-1].paragraph:
            yield paragraph
            paragraph = []
        paragraph.append(unit)
    if paragraph:
        yield paragraph


def _even_parts(units: list[_Unit], parts: int, budget: int) -> Iterator[list[_Unit]]:
    """Yield `units` in about `parts` parts of equal size, none over `budget` unless a single unit is."""
    target = sum(unit.tokens for unit in units) / parts
    part: list[_Unit] = []
    used = 0
    for unit in units:
        # Cut where the part is closest to its target.
        if part and (used + unit.tokens > budget or used + unit.tokens / 2 > target):
            whole, opening = _without_opening(part)
            taken = sum(each.tokens for each in opening)
            if whole and taken + unit.tokens <= budget:
                yield whole
                part, used = opening, taken
            elif used + unit.tokens > budget:
                yield part
                part, used = [], 0
        part.append(unit)
        used += unit.tokens
    if part:
        yield part


def _language_of(words: str, language: str) -> str:
    """Return the language of a passage if it clearly differs from its document's: both halves must show it."""
    if len(words) < DETECTABLE:
        return language
    detected = detect_language(words)
    if detected in (UNKNOWN, language):
        return language
    middle = len(words) // 2
    return detected if detect_language(words[:middle]) == detected == detect_language(words[middle:]) else language
