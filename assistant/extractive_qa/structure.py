"""Relate the lines of a passage: headings, lead-in lines, and the items that follow them.

A heading says nothing without its text, a lead-in line ("Rowing is not allowed:") nothing without its items, and an
item ("after sunset") may say the opposite without its lead-in line. So they are quoted together. Stored text has lost
its list markers, so items are recognized by their position and by how they end.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from itertools import pairwise, takewhile

import regex

from assistant.verify.language_rules import LanguageRules, rules_of
from store.types import Hit, Span

LONGEST_HEADING = 100
"""Code points; 60 in scripts without blanks and marks, where a short paragraph looks the same."""
LONGEST_ITEM = 160
"""Code points of an item that no mark distinguishes from a paragraph."""
SHORT_ITEM = 60
"""Code points. A longer line, if it is also three times as long as any item before it, is a paragraph."""
LONGEST_TOGETHER = 700
"""Code points to quote together."""
TITLES = 3
"""Lines at the beginning of a passage that are headings: a title, a line below it, and a section's. More are a list."""
_MARK = regex.compile(
    r"""[-–—•·‣▪◦*●○■□►✓✔]\s | [(\[]?(?:\p{Nd}{1,2}|\p{L}|[ivxIVX]{1,4})[.)\]]\s | [①-⑳]\s?
    | [(（]?[一二三四五六七八九十]{1,2}[、)）.]""",
    regex.VERBOSE,
)
"""The beginning of an item."""
_ANNOUNCES = regex.compile(r"[:：]\s*$")
_ASKS = regex.compile(r"[?？]\s*$")
_CONTINUES = regex.compile(r"[,;，；、]\s*(?:\p{L}{1,4})?\s*$")
"""The end of an item that another one follows."""
_CELL_DIVIDER = " | "


@dataclass(frozen=True, slots=True)
class _Line:
    """A sentence with its context."""

    words: str
    opens: bool
    """Whether it begins its line."""
    closes: bool
    """Whether it ends its line, and another line follows."""
    longest_heading: int

    @property
    def is_whole(self) -> bool:
        """Return whether it is its whole line, as far as the passage shows."""
        return self.opens and self.closes

    @property
    def is_unmarked(self) -> bool:
        """Return whether it ends without punctuation."""
        return not unicodedata.category(self.words[-1]).startswith("P") or self.words.endswith((")", "]", "”", '"'))

    @property
    def could_be_heading(self) -> bool:
        """Return whether it is a short line with more text below, without an end mark, and not a table's row."""
        whole = self.is_whole and len(self.words) <= self.longest_heading and not is_row(self.words)
        return whole and not unicodedata.category(self.words[-1]).startswith("P")


def is_row(words: str) -> bool:
    """Return whether a sentence is a row of a table."""
    return _CELL_DIVIDER in words


def is_heading(hit: Hit, span: Span) -> bool:
    """Return whether a sentence of a passage is a heading that names the text below it."""
    return next(number for number, each in enumerate(hit.sentences) if each.span == span) in headings(hit)


def headings(hit: Hit) -> frozenset[int]:
    """Return which sentences of a passage are headings.

    Passages end where a heading begins, so headings are at the beginning of a passage; other consecutive short lines
    are a list. In a file whose format has no headings, one may be between paragraphs that end with marks.
    """
    lines = _lines(hit)
    leading = sum(1 for _ in takewhile(lambda line: line.could_be_heading, lines))
    if hit.passage.heading is not None:  # It continues the text below a heading.
        leading = 0
    found = set(range(leading if leading <= TITLES else 1))
    rules = rules_of(hit.passage.language)
    if _is_spaced(rules):
        found |= {
            number
            for number, line in enumerate(lines)
            if number > leading
            and line.could_be_heading
            and not _MARK.match(line.words)
            and not (lines[number - 1].could_be_heading or lines[number + 1].could_be_heading)
            and not _announces(lines[number - 1].words, rules)
            and not _CONTINUES.search(lines[number - 1].words)
        }
    return frozenset(found)


def whole(hit: Hit, span: Span) -> Span:
    """Return what to quote for a sentence: with its items, text or lead-in line; otherwise only itself."""
    number = next(place for place, each in enumerate(hit.sentences) if each.span == span)
    lines, named = _lines(hit), headings(hit)
    if number in named:
        first = number
        last = next((place for place in range(number + 1, len(lines)) if place not in named), number)
        last = _end_of(hit, lines, last)
    else:
        first, last = next(
            (
                (opener, end)
                for opener in range(number, -1, -1)
                if opener not in named and number <= (end := _end_of(hit, lines, opener)) and end > opener
            ),
            (number, number),
        )
    return _fitting(hit, first, number, last)


def _fitting(hit: Hit, first: int, number: int, last: int) -> Span:
    """Return the longest span from the sentence `first` through `number`, up to `last`, that fits; else its own."""
    spans = [each.span for each in hit.sentences]
    fitting = [end for end in range(number, last + 1) if spans[end].end - spans[first].start <= LONGEST_TOGETHER]
    return Span(spans[first].start, spans[fitting[-1]].end) if fitting else spans[number]


def _end_of(hit: Hit, lines: list[_Line], opener: int) -> int:
    """Return the last sentence after a lead-in line, or after a question on its own line; `opener` for others."""
    line, first = lines[opener], opener + 1
    if first >= len(lines):
        return opener
    if _ASKS.search(line.words):
        return first if line.is_whole else opener
    rules = rules_of(hit.passage.language)
    if rules is not None and (counted := _end_of_count(lines, opener, rules.pattern("counts"))) > opener:
        return counted
    if not _announces(line.words, rules):
        return opener
    last = first
    while last + 1 < len(lines) and _goes_on(lines, first, last + 1, rules):
        last += 1
    return last


def _end_of_count(lines: list[_Line], opener: int, counts: regex.Pattern[str]) -> int:
    """Return the last of the sentences that begin with "First", "Second" after one that doesn't, on the same line."""
    first = opener + 1
    if counts.match(lines[opener].words) or not counts.match(lines[first].words) or lines[first].opens:
        return opener
    rest = range(first, len(lines))
    same_line = list(takewhile(lambda place: place == first or not lines[place].opens, rest))
    return max(place for place in same_line if counts.match(lines[place].words))


def _goes_on(lines: list[_Line], first: int, number: int, rules: LanguageRules | None) -> bool:
    """Return whether a sentence is another item of the list that begins with the sentence `first`."""
    begun, before, line = lines[first], lines[number - 1], lines[number]
    if not begun.opens or _announces(line.words, rules):
        return False
    if _MARK.match(begun.words):
        # The rest of an item is on its line.
        return not line.opens or bool(_MARK.match(line.words))
    longest = max(len(each.words) for each in lines[first:number])
    if len(line.words) > min(LONGEST_ITEM, max(SHORT_ITEM, 3 * longest)):
        return False
    if not (line.opens and before.closes and begun.closes):
        return False
    if _CONTINUES.search(begun.words):
        return bool(_CONTINUES.search(before.words))
    is_alone = line.closes or number == len(lines) - 1
    return is_alone and begun.is_unmarked == line.is_unmarked


def _announces(words: str, rules: LanguageRules | None) -> bool:
    return bool(_ANNOUNCES.search(words) or (rules is not None and rules.pattern("announces").search(words)))


def _is_spaced(rules: LanguageRules | None) -> bool:
    return rules is None or rules.is_spaced


def _lines(hit: Hit) -> list[_Line]:
    spans = [each.span for each in hit.sentences]
    start = hit.passage.start
    longest = LONGEST_HEADING if _is_spaced(rules_of(hit.passage.language)) else LONGEST_HEADING * 3 // 5
    gaps = [hit.text[one.end - start : other.start - start] for one, other in pairwise(spans)]
    return [
        _Line(
            _words(hit, span),
            number == 0 or "\n" in gaps[number - 1],
            number < len(gaps) and "\n" in gaps[number],
            longest if number else LONGEST_HEADING,
        )
        for number, span in enumerate(spans)
    ]


def _words(hit: Hit, span: Span) -> str:
    return hit.text[span.start - hit.passage.start : span.end - hit.passage.start]
