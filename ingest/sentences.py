"""Text to sentences, in any script: spans that can be shown as a quote and read on their own.

Thai ends its sentences with nothing: a trained cutter (PyThaiNLP's CRF) finds clauses, and clauses are joined until
they are long enough to answer something. Other languages are cut by their marks (sentencex, which knows 200 of them),
and pieces that only an abbreviation ended are joined again. A piece that is too long to be read as a quote is cut at
a blank. `docs/decisions` has the measurements.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator

import regex

from store.types import Span

LONGEST = 500
"""Code points: a longer sentence is cut where a reader would pause."""
SHORTEST_UNMARKED = 80
"""Code points that clauses are joined to in scripts without sentence marks.

At 80 Thai pieces are as long as English sentences are; at 40 a third more answers are cut off from their subject."""
SHORTEST = 12
"""Code points: a shorter piece is an abbreviation, a number or an exclamation, and goes with its neighbor."""

_UNMARKED = {"th", "lo"}
_PAUSE = re.compile(r"[,;:،؛、，；：—–]\s*|\s+")
_LETTER = regex.compile(r"\p{L}")
_SPACE_FREE = regex.compile(r"[\p{Thai}\p{Lao}]")


def sentences(text: str, language: str) -> tuple[Span, ...]:
    """The sentences of a normalized text, in order, trimmed: between them is only white space.

    A line break always ends a sentence. No sentence begins or ends inside a grapheme.
    """
    found: list[Span] = []
    for line in re.finditer(r"[^\n]+", text):
        paragraph = _trim(text, line.start(), line.end())
        if paragraph.start < paragraph.end:
            found.extend(_in_paragraph(text, paragraph, language))
    return tuple(found)


def _in_paragraph(text: str, paragraph: Span, language: str) -> Iterator[Span]:
    words = paragraph.of(text)
    unmarked = language in _UNMARKED or len(_SPACE_FREE.findall(words)) * 2 > len(words)
    ends = _unmarked_ends(words) if unmarked else _marked_ends(words, language)
    shortest = SHORTEST_UNMARKED if unmarked else SHORTEST
    inside = set(_grapheme_starts(words))
    ends = [end for end in ends if end in inside or end == len(words)]
    for start, end in _joined(words, ends, shortest):
        for part_start, part_end in _cut(words, start, end):
            span = _trim(text, paragraph.start + part_start, paragraph.start + part_end)
            if span.start < span.end:
                yield span


def _marked_ends(words: str, language: str) -> list[int]:
    import sentencex

    return [int(boundary["end_index"]) for boundary in sentencex.get_sentence_boundaries(language, words)]


def _unmarked_ends(words: str) -> list[int]:
    from pythainlp.tokenize import sent_tokenize

    ends, position = [], 0
    for piece in sent_tokenize(words, engine="crfcut", keep_whitespace=True):
        position += len(piece)
        ends.append(position)
    if position != len(words):  # It drops what it can't read: then only blanks are sure.
        ends = [match.end() for match in re.finditer(r"\s+", words)] + [len(words)]
    return [end for end in ends if end == len(words) or not _splits_a_number(words, end)]


def _splits_a_number(words: str, end: int) -> bool:
    """Whether a number would lose what it counts or dates by, as in "พ.ศ. 2566"; the cutter ends clauses there."""
    after = words[end : end + 12].lstrip()
    return after[:1].isdecimal() or words[:end].rstrip().endswith(".")


def _joined(words: str, ends: list[int], shortest: int) -> Iterator[tuple[int, int]]:
    """Ranges between `ends`, each grown until it is long enough; what is left over goes with the one before."""
    ranges: list[tuple[int, int]] = []
    start = 0
    for end in ends:
        if len(words[start:end].strip()) >= shortest:
            ranges.append((start, end))
            start = end
    if start < len(words):
        if ranges and len(words[start:].strip()) < shortest:
            ranges[-1] = (ranges[-1][0], len(words))
        else:
            ranges.append((start, len(words)))
    yield from ranges


def _cut(words: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """A range in parts of at most `LONGEST`, cut at the pause nearest to the middle, else between graphemes."""
    if end - start <= LONGEST:
        yield start, end
        return
    middle = (start + end) // 2
    pauses = [match.end() for match in _PAUSE.finditer(words, start + 1, end) if match.end() < end]
    if not pauses:
        starts = [place for place in _grapheme_starts(words) if start < place < end]
        pauses = starts[bisect_left(starts, middle) :][:1] or starts[-1:]
    if not pauses:
        yield start, end
        return
    place = min(pauses, key=lambda pause: abs(pause - middle))
    yield from _cut(words, start, place)
    yield from _cut(words, place, end)


def _grapheme_starts(words: str) -> list[int]:
    return [match.start() for match in regex.finditer(r"\X", words)]


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Span(start, end)
