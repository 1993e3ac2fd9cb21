"""Group glyphs into segments: pieces of a line without a wide gap, with blanks between words.

There is a blank if the room between two glyphs, measured from the advance width of the first, exceeds what the line's
own letter spacing explains. Raised and lowered small glyphs are superscripts and subscripts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

import regex

from ingest.readers.pdf.direction import RIGHT_TO_LEFT, logical_order
from ingest.readers.pdf.glyphs import STRUCK, Glyph
from ingest.scripts import lowered, raised

ROOM_FOR_BLANK = 0.17
"""Share of the letter size that must be free between two glyphs for a blank."""

USUAL_BEARING = 0.08
"""Share of the letter size between a group's ink and the next glyph, if a page has too few groups to measure it."""

WIDE_GAP = 1.5
"""Multiple of the letter size: a wider gap separates columns or cells."""

UNSPACED = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}\p{Han}\p{Hiragana}\p{Katakana}]")
_UNMARKED = ("।", "។", "၊", "၊", "，", "。", "、")
_MARK = regex.compile(r"^\p{Mn}+$")
_HYPHEN = "\x02"  # PDFium's sign for a hyphen at a line's end
_LONGEST_WORD = 12


@dataclass(frozen=True, slots=True)
class Word:
    """The text between two blanks of a segment."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a line. Lengths are in points, y grows upwards."""

    text: str
    left: float
    right: float
    baseline: float
    size: float
    first_word: float
    """Width of its first word; in scripts without blanks, of at most its first twelve glyphs."""
    is_bold: bool
    angle: int = 0
    fonts: frozenset[int] = frozenset()
    """Addresses of its fonts in PDFium's memory: equal for the same font of a file."""
    words: tuple[Word, ...] = ()
    """From left to right; empty if they can't be separated, as in scripts from right to left."""
    cell: int = 0
    """Number of its table cell, or 0."""
    grid: int = 0
    """Number, from 1, of the table that it represents; 0 for a piece of a line."""


@dataclass(slots=True)
class _Run:
    """Consecutively drawn glyphs of one line."""

    glyphs: list[Glyph] = field(default_factory=list)
    blanks: list[bool] = field(default_factory=list)
    """For each glyph, whether a blank was drawn before it."""
    struck_to: float = float("-inf")
    """The end of the ink of struck glyphs after the last one."""

    def add(self, glyph: Glyph, blank: bool) -> None:
        self.struck_to = float("-inf")
        self.glyphs.append(glyph)
        self.blanks.append(blank)

    def insert(self, place: int, mark: Glyph) -> None:
        self.glyphs.insert(place, mark)
        self.blanks.insert(place, False)


def segments_of(glyphs: Iterable[Glyph]) -> list[Segment]:
    """Return the segments of a page's glyphs, in drawing order."""
    glyphs = list(glyphs)
    bearings = _bearings(glyphs)
    runs = (part for run in _runs(glyphs) for part in _parted(run))
    return [segment for run in runs if (segment := _segment(run, bearings)) is not None]


def _runs(glyphs: list[Glyph]) -> Iterator[_Run]:
    run, blank = _Run(), False
    for glyph in glyphs:
        if not glyph.text.strip():
            # If the blank is drawn elsewhere, the order of the glyphs is not that of the line.
            blank = blank or not run.glyphs or abs(glyph.left - run.glyphs[-1].right) < WIDE_GAP * glyph.size
            if glyph.text == STRUCK and run.glyphs and run.glyphs[-1].baseline == glyph.baseline:
                run.struck_to = max(run.struck_to, glyph.right)
            continue
        if glyph.middle is not None and (base := _base_of(run, glyph)) is not None:
            run.insert(base + 1, glyph)
            continue
        if run.glyphs and not _continues(run, glyph):
            yield run
            run, blank = _Run(), False
        run.add(_after_struck(run, glyph), blank and bool(run.glyphs))
        blank = False
    if run.glyphs:
        yield run


def _after_struck(run: _Run, glyph: Glyph) -> Glyph:
    """Return a glyph as if nothing had been struck out before it."""
    if not run.glyphs or run.struck_to <= run.glyphs[-1].right:
        return glyph
    return replace(glyph, left=run.glyphs[-1].right + ROOM_FOR_BLANK * glyph.size)


def _base_of(run: _Run, mark: Glyph) -> int | None:
    """Return the last glyph of the cluster over or under which a mark is drawn; None if that is the last one.

    Some programs draw a mark at its own height, and PDFium then puts it after letters that come later.
    """
    if mark.middle is None or not run.glyphs or RIGHT_TO_LEFT.search(mark.text):
        return None
    near = 0.1 * mark.size
    number = len(run.glyphs) - 1
    while number and run.glyphs[number].middle is not None:
        number -= 1
    last = run.glyphs[number]
    if last.left - near <= mark.middle <= last.right + near or abs(last.baseline - mark.baseline) < 0.001:
        return None
    for place in range(number - 1, -1, -1):
        base = run.glyphs[place]
        is_here = base.left <= mark.middle <= base.right and abs(base.baseline - mark.baseline) < 0.5 * base.size
        if base.middle is None and is_here:
            return next(after - 1 for after in range(place + 1, number + 1) if run.glyphs[after].middle is None)
    return None


def _continues(run: _Run, glyph: Glyph) -> bool:
    """Return whether a glyph is on the same line as the run before it, without a wide gap."""
    last = run.glyphs[-1]
    if glyph.angle != last.angle or glyph.cell != last.cell:
        return False
    full = max(each.size for each in run.glyphs[-20:])
    anchor = next((each for each in reversed(run.glyphs) if each.size > 0.85 * full), last)
    shift = abs(glyph.baseline - anchor.baseline)
    larger, smaller = max(full, glyph.size), min(anchor.size, glyph.size)
    if shift > (0.6 if smaller < 0.85 * larger else 0.25) * larger:
        return False
    if RIGHT_TO_LEFT.search(last.text) or RIGHT_TO_LEFT.search(glyph.text) or _is_right_to_left(run):
        return _distance(last, glyph) < 12 * larger
    is_ligature = glyph.left == last.left
    return is_ligature or -larger < glyph.left - max(last.right, run.struck_to) < WIDE_GAP * larger


def _parted(run: _Run) -> Iterator[_Run]:
    """Yield the parts of a run from right to left between wide gaps, which the order of glyphs doesn't show there."""
    if not any(RIGHT_TO_LEFT.search(glyph.text) for glyph in run.glyphs):
        yield run
        return
    edges: list[list[float]] = []
    for glyph in sorted(run.glyphs, key=lambda glyph: glyph.left):
        if edges and glyph.left - edges[-1][1] < WIDE_GAP * glyph.size:
            edges[-1][1] = max(edges[-1][1], glyph.right)
        else:
            edges.append([glyph.left, glyph.right])
    for left, right in reversed(edges):
        part = _Run()
        for glyph, blank in zip(run.glyphs, run.blanks, strict=True):
            if left <= glyph.left <= right:
                part.add(glyph, blank and bool(part.glyphs))
        yield part


def _is_right_to_left(run: _Run) -> bool:
    return any(RIGHT_TO_LEFT.search(glyph.text) for glyph in run.glyphs[-30:])


def _distance(one: Glyph, other: Glyph) -> float:
    return max(other.left - one.right, one.left - other.right)


def _segment(run: _Run, bearings: dict[int, float]) -> Segment | None:
    size = _usual_size(run.glyphs)
    baseline = median(glyph.baseline for glyph in run.glyphs if glyph.size > 0.85 * size)
    glyphs, blanks = logical_order(run.glyphs, _blanks(run, bearings))
    text = "".join(_pieces(glyphs, blanks, size, baseline)).strip()
    if not text:
        return None
    return Segment(
        text=text,
        left=min(glyph.left for glyph in glyphs),
        right=max(glyph.right for glyph in glyphs),
        baseline=baseline,
        size=size,
        first_word=_first_word(glyphs, blanks),
        is_bold=2 * sum(glyph.bold for glyph in glyphs) > len(glyphs),
        angle=glyphs[0].angle,
        fonts=frozenset(glyph.font for glyph in glyphs),
        words=_words(text, glyphs, blanks),
        cell=glyphs[0].cell,
    )


def _words(text: str, glyphs: list[Glyph], blanks: list[bool]) -> tuple[Word, ...]:
    texts = text.split(" ")
    starts = [0, *(number for number, blank in enumerate(blanks) if blank and number)]
    if len(texts) != len(starts) or RIGHT_TO_LEFT.search(text):
        return ()
    pieces = [glyphs[start:end] for start, end in pairwise([*starts, len(glyphs)])]
    return tuple(
        Word(word, min(glyph.left for glyph in piece), max(glyph.right for glyph in piece))
        for word, piece in zip(texts, pieces, strict=True)
    )


def _usual_size(glyphs: list[Glyph]) -> float:
    counts: dict[float, int] = {}
    for glyph in glyphs:
        counts[round(glyph.size, 1)] = counts.get(round(glyph.size, 1), 0) + 1
    return max(counts, key=lambda size: (counts[size], size))


def _bearings(glyphs: list[Glyph]) -> dict[int, float]:
    """Return for each font the usual room, in letter sizes, between a group's ink and the next glyph."""
    rooms: dict[int, list[float]] = {}
    for before, after in pairwise(glyphs):
        if before.is_group and before.baseline == after.baseline and 0 < (room := _room(before, after)) < 1:
            rooms.setdefault(before.font, []).append(room)
    return {font: min(median(found), USUAL_BEARING * 2) for font, found in rooms.items() if len(found) > 4}


def _blanks(run: _Run, bearings: dict[int, float]) -> list[bool]:
    """Return for each glyph whether there is a blank before it."""
    rooms = [0.0]
    for before, after in pairwise(run.glyphs):
        bearing = bearings.get(before.font, USUAL_BEARING) if before.is_group else 0.0
        rooms.append(_room(before, after) - bearing)
    spacing = max(0.0, median(rooms[1:])) if len(rooms) > 3 else 0.0
    return [
        not _MARK.match(glyph.text) and (drawn or (room - spacing > ROOM_FOR_BLANK and glyph.text not in _UNMARKED))
        for glyph, drawn, room in zip(run.glyphs, run.blanks, rooms, strict=True)
    ]


def _room(before: Glyph, after: Glyph) -> float:
    """Return the free room between two glyphs in letter sizes, whichever is at the left."""
    return max(after.left - before.right, before.left - after.right) / max(before.size, after.size)


def _pieces(glyphs: list[Glyph], blanks: list[bool], size: float, baseline: float) -> Iterator[str]:
    number = 0
    while number < len(glyphs):
        shift = _shift(glyphs[number], size, baseline)
        end = number + 1
        while shift and end < len(glyphs) and not blanks[end] and _shift(glyphs[end], size, baseline) == shift:
            end += 1
        text = "".join(glyph.text.replace(_HYPHEN, "-") for glyph in glyphs[number:end])
        yield " " * blanks[number] + (raised(text) if shift > 0 else lowered(text) if shift < 0 else text)
        number = end


def _shift(glyph: Glyph, size: float, baseline: float) -> int:
    """Return 1 for a superscript, -1 for a subscript, otherwise 0."""
    if glyph.size > 0.85 * size:
        return 0
    height = (glyph.baseline - baseline) / size
    return 1 if height > 0.15 else -1 if height < -0.08 else 0


def _first_word(glyphs: list[Glyph], blanks: list[bool]) -> float:
    end = 1
    while end < len(glyphs) and not blanks[end]:
        if end >= _LONGEST_WORD and UNSPACED.search(glyphs[end].text):
            break
        end += 1
    return max(glyph.right for glyph in glyphs[:end]) - min(glyph.left for glyph in glyphs[:end])
