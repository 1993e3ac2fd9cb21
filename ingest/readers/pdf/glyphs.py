"""Extract the glyphs of a PDF page: their characters, positions and extents.

PDFium also supplies blanks and line ends that it infers; they are left out here, because they depend on the font.
Chromium and others draw a Thai or Lao letter and its marks as separate objects and attach the letters to all of them as
their "actual text". PDFium then repeats that text; here each such group is one glyph.
"""

from __future__ import annotations

import ctypes
import math
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import regex

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

UNKNOWN = "\ufffd"
"""Stands for a glyph without a meaning in the file."""

STRUCK = ""
"""Stands for a struck-out glyph."""

_PRESENTATION_FORMS = regex.compile(r"[\ufb00-\ufb06\ufb13-\ufb17\ufb1d-\ufdff\ufe70-\ufefc]")
_MARK = regex.compile(r"^\p{M}+$")
_BOLD = 600


@dataclass(frozen=True, slots=True)
class Glyph:
    """One character, or a group of them at one position on the page. Lengths are in points, y grows upwards."""

    text: str
    left: float
    right: float
    """The start of the next glyph; for a group, the end of its ink."""
    baseline: float
    size: float
    font: int
    is_group: bool
    angle: int
    """Degrees, a multiple of 90, by which the text is turned; the coordinates are already turned back."""
    bold: bool
    blank_before: bool
    """Whether PDFium infers a blank before it."""
    middle: float | None = None
    """For a separate combining mark: the middle of its ink."""
    content: int = -1
    """Number of its marked content, by which the structure of a tagged file refers to it."""
    cell: int = 0
    """Number of its table cell, from 1, if lines or tags show it; otherwise 0."""


def page_glyphs(page: PdfPage) -> list[Glyph]:
    """Return the glyphs of `page` in PDFium's order, which is the logical order within a line of any script."""
    text = page.get_textpage()
    try:
        return without_repeats(_Reading(page, text).glyphs())
    finally:
        text.close()


def without_repeats(glyphs: Iterable[Glyph]) -> list[Glyph]:
    """Return glyphs without repeated groups: letters of zero width at the position of a mark."""
    glyphs, kept = list(glyphs), list[Glyph]()
    number = 0
    while number < len(glyphs):
        end = number
        while end < len(glyphs) and _is_thin(glyphs[end]) and glyphs[end].left == glyphs[number].left:
            end += 1
        text = "".join(glyph.text for glyph in glyphs[number:end])
        if text and any(_is_said_again(glyph, text, glyphs[number].left) for glyph in kept[-6:]):
            number = end
            continue
        kept.append(glyphs[number])
        number += 1
    return kept


def _is_said_again(group: Glyph, text: str, left: float) -> bool:
    """Return whether a text at a position repeats a group; a single mark does so only at the group's own position."""
    if not group.is_group or group.text != text:
        return False
    return not _MARK.match(text) or group.left - group.size / 4 <= left <= group.right + group.size / 4


def _is_thin(glyph: Glyph) -> bool:
    return not glyph.is_group and glyph.right - glyph.left < 0.01 * glyph.size


class _Reading:
    """One pass over the characters of a page."""

    def __init__(self, page: PdfPage, text: PdfTextPage) -> None:
        from pypdfium2 import raw

        self._raw = raw
        self._page = page
        self._text = text
        self._groups: dict[int, int] = {}  # text object -> the marked content with its actual text, or 0
        self._fonts: dict[int, int] = {}
        self._ink: dict[int, tuple[float, float]] | None = None

    def glyphs(self) -> list[Glyph]:
        found: list[Glyph] = []
        seen: set[int] = set()
        index, blank, count = 0, False, self._text.count_chars()
        while index < count:
            if self._raw.FPDFText_IsGenerated(self._text, index) == 1:
                blank = True
                index += 1
                continue
            item = self._raw.FPDFText_GetTextObject(self._text, index)
            group = self._group_of(item)
            end = index + 1
            if group:
                place = _address(item)
                while end < count and self._place_of(end) == place:
                    end += 1
                if group in seen:
                    index = end
                    continue
                seen.add(group)
            elif 0xD800 <= self._code(index) < 0xDC00 and end < count:
                end += 1
            found.append(self._glyph(index, end, item, group, blank))
            index, blank = end, False
        return found

    def _code(self, index: int) -> int:
        return int(self._raw.FPDFText_GetUnicode(self._text, index))

    def _glyph(self, index: int, end: int, item: Any, group: int, blank: bool) -> Glyph:  # noqa: ANN401 - PDFium
        matrix = self._raw.FS_MATRIX()
        self._raw.FPDFText_GetMatrix(self._text, index, ctypes.byref(matrix))
        size = self._raw.FPDFText_GetFontSize(self._text, index) * math.hypot(matrix.c, matrix.d)
        angle = round(math.degrees(math.atan2(matrix.b, matrix.a)) / 90) % 4 * 90
        x, y = ctypes.c_double(), ctypes.c_double()
        self._raw.FPDFText_GetCharOrigin(self._text, index, ctypes.byref(x), ctypes.byref(y))
        box = self._raw.FS_RECTF()
        self._raw.FPDFText_GetLooseCharBox(self._text, index, ctypes.byref(box))
        left, right, baseline = _turned(angle, x.value, y.value, box)
        if group and angle == 0:
            first, last = self._reach().get(group, (left, right))
            left, right = min(left, first), max(right, last)
        text = _letters([self._code(number) for number in range(index, end)])
        if text.isdecimal() and angle == 0 and not group:
            baseline, size = self._as_drawn(index, baseline, size)
        place = _address(item)
        if place not in self._fonts:
            self._fonts[place] = _address(self._raw.FPDFTextObj_GetFont(item)) if place else 0
        return Glyph(
            text=text,
            left=left,
            right=right,
            baseline=baseline,
            size=max(size, 0.1),
            font=self._fonts[place],
            is_group=bool(group),
            angle=angle,
            bold=self._raw.FPDFText_GetFontWeight(self._text, index) >= _BOLD,
            blank_before=blank,
            middle=self._middle(index) if angle == 0 and not group and _MARK.match(text) else None,
            content=self._raw.FPDFPageObj_GetMarkedContentID(item) if place else -1,
        )

    def _as_drawn(self, index: int, baseline: float, size: float) -> tuple[float, float]:
        """Return baseline and size of a digit, because a font may have its own raised and lowered digits."""
        _, _, bottom, top = self._ink_of(index)
        if top > bottom and (bottom - baseline > 0.2 * size or top - baseline < 0.4 * size):
            return bottom, 1.4 * (top - bottom)
        return baseline, size

    def _middle(self, index: int) -> float | None:
        left, right, _, _ = self._ink_of(index)
        return (left + right) / 2 if right > left else None

    def _ink_of(self, index: int) -> tuple[float, float, float, float]:
        """Return the left, right, lower and upper edge of a character's ink; zeros if it has none."""
        edges = [ctypes.c_double() for _ in range(4)]
        self._raw.FPDFText_GetCharBox(self._text, index, *(ctypes.byref(edge) for edge in edges))
        left, right, bottom, top = (edge.value for edge in edges)
        return left, right, bottom, top

    def _place_of(self, index: int) -> int:
        return _address(self._raw.FPDFText_GetTextObject(self._text, index))

    def _group_of(self, item: Any) -> int:  # noqa: ANN401 - a pointer of PDFium
        place = _address(item)
        if place not in self._groups:
            self._groups[place] = self._mark_of(item) if place else 0
        return self._groups[place]

    def _mark_of(self, item: Any) -> int:  # noqa: ANN401 - a pointer of PDFium
        for number in range(self._raw.FPDFPageObj_CountMarks(item)):
            mark = self._raw.FPDFPageObj_GetMark(item, number)
            if self._raw.FPDFPageObjMark_GetParamValueType(mark, b"ActualText") == self._raw.FPDF_OBJECT_STRING:
                return _address(mark)
        return 0

    def _reach(self) -> dict[int, tuple[float, float]]:
        """Return where the ink of each group begins and ends, with all of its objects."""
        if self._ink is None:
            self._ink = {}
            for number in range(self._raw.FPDFPage_CountObjects(self._page)):
                item = self._raw.FPDFPage_GetObject(self._page, number)
                if group := self._mark_of(item):
                    edges = [ctypes.c_float() for _ in range(4)]
                    self._raw.FPDFPageObj_GetBounds(item, *(ctypes.byref(edge) for edge in edges))
                    first, last = self._ink.get(group, (edges[0].value, edges[2].value))
                    self._ink[group] = (min(first, edges[0].value), max(last, edges[2].value))
        return self._ink


def _turned(angle: int, x: float, y: float, box: Any) -> tuple[float, float, float]:  # noqa: ANN401 - PDFium
    """Return left, right and baseline as if the page were turned so that the text is upright."""
    match angle:
        case 90:
            return y, max(y, box.top), -x
        case 180:
            return -x, max(-x, -box.left), -y
        case 270:
            return -y, max(-y, -box.bottom), x
        case _:
            return x, max(x, box.right), y


def _letters(codes: list[int]) -> str:
    """Return code points as text: surrogate pairs joined, ligatures and Arabic forms as plain letters."""
    text = (
        "".join(chr(code) if code else UNKNOWN for code in codes)
        .encode("utf-16-le", "surrogatepass")
        .decode("utf-16-le", "replace")
    )
    return _PRESENTATION_FORMS.sub(lambda match: unicodedata.normalize("NFKC", match[0]), text)


def _address(pointer: Any) -> int:  # noqa: ANN401 - a pointer of PDFium
    return (ctypes.cast(pointer, ctypes.c_void_p).value or 0) if pointer else 0
