"""Join the lines of all pages into paragraphs, by left edge, line pitch and the width of the next word.

A line continues in the next one if the next word would not have fit; this needs no mark of a script. A paragraph may
continue in the next column or on the next page.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from ingest.blocks import FORCED_LINE_END, PAGE_START, Block
from ingest.lines import LIST_ITEM, UNSPACED
from ingest.readers.pdf.hyphens import LINE_END_HYPHEN, without_line_end_hyphens
from ingest.readers.pdf.rows import Line

PARAGRAPH_GAP = 1.3
"""Multiple of the usual line pitch that ends a paragraph."""

INDENT = 4.0
"""Multiple of the letter size: the largest indent or outdent of a paragraph's first line."""

ALIKE = 0.12
"""Share by which the letter sizes of one paragraph's lines may differ."""

NARROWEST = 12.0
"""Multiple of the letter size: the least width of a column of running text."""

WIDEST_SCRIPT = 1.6
"""Multiple of the usual line pitch for their size: the largest in any script."""

PARAGRAPH_END = "\n\n"

RAGGED_SHARE = 0.4
"""Share of a column's lines that must be full for it to be running text."""

_RIGHT_TO_LEFT = regex.compile(r"^\P{L}*[\p{Hebrew}\p{Arabic}\p{Syriac}\p{Thaana}\p{Nko}]")
_SENTENCE_END = regex.compile(r"[.!?:;。！？：；។။।۔؟…][\"'”’»)\]」』⁰¹²³⁴⁵⁶⁷⁸⁹]*$")
_LETTER = regex.compile(r"\p{L}")
_HYPHEN = regex.compile(r"(?<=\p{L})[-‐\u00ad]$")


_Pitches = dict[tuple[int, str], float]


@dataclass(frozen=True, slots=True)
class Page:
    """The lines of one page in reading order, and its width in points."""

    lines: tuple[Line, ...]
    width: float


def paragraphs_of(pages: Sequence[Page]) -> list[Block]:
    """Return the text of `pages` as blocks of running text, with `PAGE_START` where a page begins."""
    texts = without_line_end_hyphens(list(_texts(pages)))
    return [Block(text, "laid out") for text in texts]


def _texts(pages: Sequence[Page]) -> Iterator[str]:
    pitch, edges = _usual_pitches(pages), _right_edges(pages)
    pieces: list[str] = []
    above: Line | None = None
    starts = ""
    for page in pages:
        starts += PAGE_START
        for number, line in enumerate(page.lines):
            if above is None:
                separator = ""
            elif above.cells or line.cells:
                separator = PARAGRAPH_END
            elif number == 0 or line.region != above.region:
                separator = _over_a_gap(above, line, edges.get(_column(above)))
            else:
                separator = _within_column(page.lines, number, edges.get(_column(line)), pitch)
            if separator == PARAGRAPH_END:
                yield "".join(pieces)
                pieces, separator = [], ""
            elif separator == LINE_END_HYPHEN:
                pieces[-1] = pieces[-1][:-1]
            pieces += (separator, starts, line.text)
            starts, above = "", line
    if pieces or starts:
        yield "".join((*pieces, starts))


def _usual_pitches(pages: Sequence[Page]) -> _Pitches:
    """Return the usual distance of two baselines, by letter size, and by size and script: that of the closest quarter.

    Fonts of some scripts, such as Thai with its stacked marks, have wider lines than others on the same page.
    """
    found: dict[tuple[int, str], list[float]] = {}
    for page in pages:
        for above, below in pairwise(page.lines):
            pitch = above.baseline - below.baseline
            if above.region == below.region and pitch > 0 and _are_alike(above, below):
                found.setdefault((round(below.size), ""), []).append(pitch)
                if (script := _script(below.text)) and script == _script(above.text):
                    found.setdefault((round(below.size), script), []).append(pitch)
    return {key: sorted(pitches)[len(pitches) // 4] for key, pitches in found.items()}


def _usual_pitch(line: Line, pitches: _Pitches) -> float:
    overall = pitches.get((round(line.size), ""), 1.2 * line.size)
    return min(pitches.get((round(line.size), _script(line.text)), overall), WIDEST_SCRIPT * overall)


def _script(text: str) -> str:
    """Return the name of the script of most letters of a line, such as "THAI"; empty if it has none."""
    scripts = [unicodedata.name(letter, "").split(" ")[0] for letter in _LETTER.findall(text[:200])[:40]]
    return max(set(scripts), key=lambda script: (scripts.count(script), script), default="")


def _are_alike(above: Line, below: Line) -> bool:
    return abs(above.size - below.size) <= ALIKE * max(above.size, below.size)


def _column(line: Line) -> tuple[int, int]:
    """Return a key for columns of the same kind on all pages: the left edge of the region."""
    return line.region_left, round(line.size)


def _right_edges(pages: Sequence[Page]) -> dict[tuple[int, int], float]:
    """Return the right edges of columns with running text; columns with irregular line ends are missing."""
    columns: dict[tuple[int, int], list[tuple[Line, Line, float]]] = {}
    for page in pages:
        for above, below in pairwise(page.lines):
            if above.region == below.region and _are_alike(above, below):
                columns.setdefault(_column(above), []).append((above, below, page.width))
    edges = {}
    for column, pairs in columns.items():
        edge = max(line.right for above, below, _ in pairs for line in (above, below))
        start, size = column
        full = sum(1 for above, below, _ in pairs if _is_full(above, below, edge))
        is_running = full > 1 and full >= RAGGED_SHARE * len(pairs) and edge - start > NARROWEST * size
        is_wide = edge - start > 0.8 * (max(width for _, _, width in pairs) - 2 * start)
        if is_running or is_wide:
            edges[column] = edge
    return edges


def _is_full(above: Line, below: Line, edge: float) -> bool:
    """Return whether the first word of `below` would not have fit on the line above it."""
    blank = 0.0 if UNSPACED.match(below.text) and UNSPACED.match(above.text[-1:]) else 0.2 * above.size
    return above.right + blank + below.first_word > edge - 0.1 * above.size


def _within_column(lines: Sequence[Line], number: int, edge: float | None, pitch: _Pitches) -> str:
    """Return the separator between a line and the one above it: nothing, a blank, a line end or an empty line."""
    above, below = lines[number - 1], lines[number]
    usual = _usual_pitch(below, pitch)
    distance = above.baseline - below.baseline
    if distance > PARAGRAPH_GAP * usual or not _are_alike(above, below):
        return PARAGRAPH_END
    if distance <= 0 or not _is_set_together(above, below):
        return FORCED_LINE_END
    if _goes_on(above, below, edge):
        return _joint(above, below)
    if edge is None or not _is_full_before(above, below, edge, lines):
        return FORCED_LINE_END
    if LIST_ITEM.match(below.text) and (_SENTENCE_END.search(above.text) or LIST_ITEM.match(above.text)):
        return FORCED_LINE_END
    return _joint(above, below)


def _goes_on(above: Line, below: Line, edge: float | None) -> bool:
    """Return whether a lower-case letter shows that a sentence continues, although its line may not be full."""
    if not below.text[:1].islower() or _SENTENCE_END.search(above.text) or LIST_ITEM.match(below.text):
        return False
    far = edge is not None and above.right - above.left > (edge - above.region_left) / 2
    return far or _HYPHEN.search(above.text) is not None


def _is_full_before(above: Line, below: Line, edge: float, lines: Sequence[Line]) -> bool:
    if not _RIGHT_TO_LEFT.match(above.text):
        return _is_full(above, below, edge)
    # Such lines end at the left.
    start = min(line.left for line in lines if line.region == above.region)
    return above.left - 0.2 * above.size - below.first_word < start + 0.1 * above.size


def _is_set_together(above: Line, below: Line) -> bool:
    """Return whether two lines begin at the same edge, apart from the indent of a first line or a list's mark."""
    if _RIGHT_TO_LEFT.match(above.text):
        return abs(above.right - below.right) < INDENT * below.size
    return abs(above.left - below.left) < INDENT * below.size or _are_centered(above, below)


def _are_centered(above: Line, below: Line) -> bool:
    return abs((above.left + above.right) - (below.left + below.right)) < below.size


def _over_a_gap(above: Line, below: Line, edge: float | None) -> str:
    """Return the separator between the last line of a column or page and the first of the next."""
    if not _are_alike(above, below) or _SENTENCE_END.search(above.text) or LIST_ITEM.match(below.text):
        return PARAGRAPH_END
    goes_on = below.text[:1].islower() or _RIGHT_TO_LEFT.match(above.text)
    if goes_on or (edge is not None and _is_full(above, below, edge)):
        return _joint(above, below)
    return PARAGRAPH_END


def _joint(above: Line, below: Line) -> str:
    """Return the separator between two lines of one paragraph."""
    if _HYPHEN.search(above.text) and regex.match(r"\p{L}", below.text):
        return LINE_END_HYPHEN
    if UNSPACED.match(above.text[-1:]) and UNSPACED.match(below.text):
        return ""
    return " "
