"""The text of a PDF page as PDFium has it, each cluster of letters once, an empty line between paragraphs.

Chromium and others draw the marks of a Thai or Lao letter as objects of their own, and say the letters
together as the "actual text" of all of them. Where PDFium has put these objects in another order it gives that
text again for each, with a blank that it supposes between them: here the copies are left out, and the blank
stays only where there is room for one. An empty line stands where more room is between two lines than usual on
the page.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from itertools import pairwise, zip_longest
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pypdfium2 import PdfPage, PdfTextPage

ROOM_FOR_BLANK = 0.16
"""Of the height of a letter: what must be free between two for a blank."""


PARAGRAPH_GAP = 1.3
"""Times the usual distance of two lines: what tells a paragraph's end."""


def page_text(page: PdfPage) -> str:
    """The words of `page`, line by line."""
    text = page.get_textpage()
    try:
        reading = _Reading(page, text)
        lines = _unicode(reading.characters()).replace("\r\n", "\n").split("\n")
        return "\n".join(_with_gaps(lines, reading.heights))
    finally:
        text.close()


def _unicode(characters: list[int]) -> str:
    """Code points as a string; two halves of one character, as PDFium may give them, become one."""
    return "".join(map(chr, characters)).encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _with_gaps(lines: list[str], heights: list[float | None]) -> Iterator[str]:
    """`lines` with an empty one where a paragraph ends, told by the lines' heights on the page."""
    known = [height for height in heights if height is not None]
    steps = sorted(upper - lower for upper, lower in pairwise(known) if upper > lower)
    usual = steps[len(steps) // 2] if steps else 0.0
    last: float | None = None
    for line, height in zip_longest(lines, heights[: len(lines)]):
        if last is not None and height is not None and last - height > PARAGRAPH_GAP * usual:
            yield ""
        yield line
        last = height if height is not None else last


class _Reading:
    """One pass over the characters of a page, in PDFium's order."""

    def __init__(self, page: PdfPage, text: PdfTextPage) -> None:
        from pypdfium2 import raw

        self._raw = raw
        self._page = page
        self._text = text
        self._owners: dict[int, int] = {}  # object -> the marked content around it that has an actual text, or 0
        self._first: dict[int, int] = {}  # marked content -> the object that gave its text first
        self._ends: dict[int, float] | None = None  # marked content -> how far right it reaches
        self.heights: list[float | None] = [None]
        """For each line, where its first letter stands on the page; None for an empty line."""

    def characters(self) -> list[int]:
        """All characters but copies, as code points; fills `heights`."""
        kept: list[int] = []
        previous: int | None = None  # the last character that was drawn and kept
        doubtful = False  # whether a blank may or may not follow
        for index in range(self._text.count_chars()):
            code = self._raw.FPDFText_GetUnicode(self._text, index)
            if self._raw.FPDFText_IsGenerated(self._text, index) == 1:
                if code == ord(" ") and (doubtful or self._owner_of(previous)):
                    doubtful = True
                else:
                    doubtful = False
                    kept.append(code)
                    if code == ord("\n"):
                        self.heights.append(None)
                continue
            if self._is_copy(index):
                doubtful = True
                continue
            if doubtful and previous is not None and self._has_room(previous, index):
                kept.append(ord(" "))
            doubtful = False
            kept.append(code)
            if code == ord("\n"):
                self.heights.append(None)
            elif self.heights[-1] is None and code > ord(" "):
                self.heights[-1] = float(self._box(index).bottom)
            previous = index
        return kept

    def _is_copy(self, index: int) -> bool:
        place = self._object_of(index)
        owner = self._owner_of(index)
        return bool(owner) and self._first.setdefault(owner, place) != place

    def _object_of(self, index: int) -> int:
        return _address(self._raw.FPDFText_GetTextObject(self._text, index))

    def _owner_of(self, index: int | None) -> int:
        if index is None:
            return 0
        item = self._raw.FPDFText_GetTextObject(self._text, index)
        place = _address(item)
        if place and place not in self._owners:
            self._owners[place] = self._mark_of(item)
        return self._owners.get(place, 0)

    def _mark_of(self, item: Any) -> int:  # noqa: ANN401 - a pointer of PDFium
        for number in range(self._raw.FPDFPageObj_CountMarks(item)):
            mark = self._raw.FPDFPageObj_GetMark(item, number)
            kind = self._raw.FPDFPageObjMark_GetParamValueType(mark, b"ActualText")
            if kind == self._raw.FPDF_OBJECT_STRING:
                return _address(mark)
        return 0

    def _has_room(self, left: int, right: int) -> bool:
        """Whether a blank fits between two characters that are on one line."""
        before, after = self._box(left), self._box(right)
        end = max(before.right, self._reach().get(self._owner_of(left), before.right))
        return bool(after.left - end > ROOM_FOR_BLANK * (after.top - after.bottom))

    def _box(self, index: int) -> Any:  # noqa: ANN401 - a structure of PDFium
        box = self._raw.FS_RECTF()
        self._raw.FPDFText_GetLooseCharBox(self._text, index, ctypes.byref(box))
        return box

    def _reach(self) -> dict[int, float]:
        """How far right each marked content with an actual text is drawn, all of its objects together."""
        if self._ends is None:
            self._ends = {}
            for number in range(self._raw.FPDFPage_CountObjects(self._page)):
                item = self._raw.FPDFPage_GetObject(self._page, number)
                if owner := self._mark_of(item):
                    edges = [ctypes.c_float() for _ in range(4)]
                    self._raw.FPDFPageObj_GetBounds(item, *(ctypes.byref(edge) for edge in edges))
                    self._ends[owner] = max(self._ends.get(owner, 0.0), edges[2].value)
        return self._ends


def _address(pointer: Any) -> int:  # noqa: ANN401 - a pointer of PDFium
    return ctypes.cast(pointer, ctypes.c_void_p).value or 0
