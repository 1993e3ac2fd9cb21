"""Find the lines that a PDF page draws: those that strike text, those of fractions, and those between table cells.

Text above and below a short line in the middle of another line of text is one piece: ``1/2``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import regex

from ingest.readers.pdf.glyphs import STRUCK, Glyph
from ingest.readers.pdf.segments import Segment

if TYPE_CHECKING:
    from pypdfium2 import PdfPage

THICKEST = 3.0
"""Points: a taller rectangle is an area with edges, not a line."""

SHORTEST = 2.0
"""Points."""

MOST_POINTS = 20_000
"""Of all paths of a page; of a drawing with more, only a part is examined."""

STRIKE_HEIGHTS = (0.15, 0.5)
"""Where a line that strikes text crosses it, in letter sizes above the baseline."""

THICKEST_STRIKE = 0.15
"""Multiple of the letter size."""

LONGEST_FRACTION = 12.0
"""Multiple of the letter size."""

NEAR_FRACTION = 1.5
"""Multiple of the letter size between the fraction and its line."""

_SIMPLE = regex.compile(r"^[\p{L}\p{N}.,]+$")


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line, or an edge of an area. Lengths are in points, y grows upwards."""

    left: float
    right: float
    y: float
    thickness: float | None
    """None for the edge of an area."""


@dataclass(frozen=True, slots=True)
class Upright:
    """A vertical line, or an edge of an area. Lengths are in points, y grows upwards."""

    bottom: float
    top: float
    x: float


def page_rules(page: PdfPage) -> tuple[list[Rule], list[Upright]]:
    """Return the horizontal lines of `page` with the places that readers struck out, and its vertical lines."""
    rules, uprights = list[Rule](), list[Upright]()
    for points, is_filled, width in _drawn(page):
        rules += _rules_of(points, is_filled, width)
        turned = _rules_of([(y, x) for x, y in points], is_filled, width)
        uprights += (Upright(line.left, line.right, line.y) for line in turned if line.right - line.left >= SHORTEST)
    return [rule for rule in (*rules, *_annotated(page)) if rule.right - rule.left >= SHORTEST], uprights


def without_struck(glyphs: Iterable[Glyph], rules: Iterable[Rule]) -> list[Glyph]:
    """Return the glyphs with those that a line strikes out emptied; they still fill their place on the line."""
    lines = [rule for rule in rules if rule.thickness is not None]
    return [
        replace(glyph, text=STRUCK) if glyph.angle == 0 and any(_strikes(line, glyph) for line in lines) else glyph
        for glyph in glyphs
    ]


def _strikes(line: Rule, glyph: Glyph) -> bool:
    height = (line.y - glyph.baseline) / glyph.size
    if not STRIKE_HEIGHTS[0] <= height <= STRIKE_HEIGHTS[1] or (line.thickness or 0) > THICKEST_STRIKE * glyph.size:
        return False
    middle = (glyph.left + glyph.right) / 2
    return line.left <= middle <= line.right


def _drawn(page: PdfPage) -> Iterator[tuple[list[tuple[float, float]], bool, float | None]]:
    """Yield the corners of each visible path, whether it is filled, and the width of its stroke, if any."""
    from pypdfium2 import raw

    left = MOST_POINTS
    for number in range(raw.FPDFPage_CountObjects(page)):
        item = raw.FPDFPage_GetObject(page, number)
        if raw.FPDFPageObj_GetType(item) != raw.FPDF_PAGEOBJ_PATH:
            continue
        fill, stroke = ctypes.c_int(), ctypes.c_int()
        raw.FPDFPath_GetDrawMode(item, ctypes.byref(fill), ctypes.byref(stroke))
        count = raw.FPDFPath_CountSegments(item)
        left -= count
        if left < 0:
            return
        if fill.value or stroke.value:
            width = ctypes.c_float()
            raw.FPDFPageObj_GetStrokeWidth(item, ctypes.byref(width))
            for points in _subpaths(item, count):
                yield points, bool(fill.value), width.value if stroke.value else None


def _subpaths(item: Any, count: int) -> Iterator[list[tuple[float, float]]]:  # noqa: ANN401 - a pointer of PDFium
    """Yield the corners of each part of a path, in coordinates of the page."""
    from pypdfium2 import raw

    matrix = raw.FS_MATRIX()
    raw.FPDFPageObj_GetMatrix(item, ctypes.byref(matrix))
    points: list[tuple[float, float]] = []
    for number in range(count):
        segment = raw.FPDFPath_GetPathSegment(item, number)
        x, y = ctypes.c_float(), ctypes.c_float()
        raw.FPDFPathSegment_GetPoint(segment, ctypes.byref(x), ctypes.byref(y))
        if raw.FPDFPathSegment_GetType(segment) == raw.FPDF_SEGMENT_MOVETO and points:
            yield points
            points = []
        points.append(
            (
                matrix.a * x.value + matrix.c * y.value + matrix.e,
                matrix.b * x.value + matrix.d * y.value + matrix.f,
            )
        )
        if raw.FPDFPathSegment_GetClose(segment) and points:
            points.append(points[0])
    if points:
        yield points


def _rules_of(points: list[tuple[float, float]], is_filled: bool, width: float | None) -> Iterator[Rule]:
    bottom, top = min(y for _, y in points), max(y for _, y in points)
    if top - bottom <= THICKEST:
        thickness = max(top - bottom, width or 0.0)
        yield Rule(min(x for x, _ in points), max(x for x, _ in points), (top + bottom) / 2, thickness)
        return
    for (one, height), (other, end) in pairwise(points):
        if abs(height - end) < 0.5:
            thickness_of_edge = None if is_filled or width is None else width
            yield Rule(min(one, other), max(one, other), height, thickness_of_edge)


def _annotated(page: PdfPage) -> Iterator[Rule]:
    from pypdfium2 import raw

    for number in range(raw.FPDFPage_GetAnnotCount(page)):
        note = raw.FPDFPage_GetAnnot(page, number)
        if raw.FPDFAnnot_GetSubtype(note) == raw.FPDF_ANNOT_STRIKEOUT:
            for index in range(raw.FPDFAnnot_CountAttachmentPoints(note)):
                corners = raw.FS_QUADPOINTSF()
                raw.FPDFAnnot_GetAttachmentPoints(note, index, ctypes.byref(corners))
                xs = (corners.x1, corners.x2, corners.x3, corners.x4)
                ys = (corners.y1, corners.y2, corners.y3, corners.y4)
                yield Rule(min(xs), max(xs), min(ys) + 0.4 * (max(ys) - min(ys)), 0.0)
        raw.FPDFPage_CloseAnnot(note)


def with_fractions(segments: Sequence[Segment], rules: Sequence[Rule]) -> list[Segment]:
    """Return `segments` with each fraction as one segment, at the height of its line."""
    found = list(segments)
    for rule in rules:
        near = [each for each in found if each.angle == 0 and abs(each.baseline - rule.y) < 2 * each.size]
        own = [each for each in near if rule.left - 1.5 <= each.left and each.right <= rule.right + 1.5]
        above = [each for each in own if 0 < each.baseline - rule.y < 0.7 * each.size]
        below = [each for each in own if 0.5 * each.size < rule.y - each.baseline < 1.4 * each.size]
        line = next((each for each in near if each not in own and _is_beside(each, rule)), None)
        if len(above) != 1 or len(below) != 1 or line is None or rule.right - rule.left > LONGEST_FRACTION * line.size:
            continue
        text = f"{_grouped(above[0].text)}/{_grouped(below[0].text)}"
        whole = replace(
            above[0],
            text=text,
            left=rule.left,
            right=rule.right,
            baseline=line.baseline,
            size=line.size,
            first_word=rule.right - rule.left,
            words=(),
        )
        found = [each for each in found if each not in (above[0], below[0])] + [whole]
    return found


def _is_beside(segment: Segment, rule: Rule) -> bool:
    """Return whether a rule is at the middle height of a piece of a line, and close to its end or beginning."""
    height = (rule.y - segment.baseline) / segment.size
    apart = max(rule.left - segment.right, segment.left - rule.right)
    return 0.1 < height < 0.5 and -0.1 * segment.size < apart < NEAR_FRACTION * segment.size


def _grouped(text: str) -> str:
    return text if _SIMPLE.match(text) else f"({text})"
