"""The words of a Word paragraph: nothing deleted, struck or hidden, raised figures as superscripts, marks of notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from ingest.blocks import FORCED_LINE_END
from ingest.readers.docx.names import LEFT_OUT, M, W, is_on, value
from ingest.scripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARKS = {f"{W}tab": " ", f"{W}br": FORCED_LINE_END, f"{W}cr": FORCED_LINE_END, f"{W}noBreakHyphen": "-"}
_REFERENCES = (f"{W}footnoteReference", f"{W}endnoteReference")
_TEXTS = (f"{W}t", f"{M}t")
_OFF = ("strike", "dstrike", "vanish", "webHidden")
_SHIFTS = {f"{M}sup": "superscript", f"{M}sub": "subscript"}


class Runs:
    """Reads paragraphs, with the character styles of their document and its notes by kind and number."""

    def __init__(self, styles: _Element | None, notes: dict[tuple[str, str], str]) -> None:
        self._styles = {} if styles is None else {style.get(f"{W}styleId"): style for style in styles.iter(f"{W}style")}
        self._notes = notes
        self._numbers: dict[tuple[str, str], int] = {}
        self.marked: list[str] = []
        """Notes that were marked since this was emptied, each with its mark."""

    def text(self, paragraph: _Element) -> str:
        """Return the words of one paragraph, without those of a text box inside it."""
        pieces = self._pieces(paragraph)
        return "".join(
            _shifted("".join(text for text, _ in group), shift) for shift, group in groupby(pieces, _shift_of)
        )

    def is_struck(self, paragraph: _Element) -> bool:
        """Return whether a paragraph has words, and all of them are deleted, struck or hidden."""
        return any(element.tag in (*_TEXTS, f"{W}delText") for element in paragraph.iter()) and not self.text(paragraph)

    def _pieces(self, paragraph: _Element) -> Iterator[tuple[str, str | None]]:
        hidden: dict[_Element, tuple[bool, str | None]] = {}
        for element in paragraph.iter():
            if element.tag in _TEXTS:
                piece = element.text or ""
            elif element.tag in _MARKS:
                piece = _MARKS[element.tag]
            elif element.tag in _REFERENCES:
                piece = ""
            else:
                continue
            if next(element.iterancestors(f"{W}p"), None) is not paragraph:
                continue
            if any(ancestor.tag in LEFT_OUT for ancestor in element.iterancestors()):
                continue
            run = next(element.iterancestors(f"{W}r", f"{M}r"), None)
            if run is None:
                continue
            if run not in hidden:
                hidden[run] = self._formatting(run)
            is_off, shift = hidden[run]
            if is_off:
                continue
            if element.tag in _REFERENCES:
                yield self._mark(element), None
            elif piece:
                yield piece, shift

    def _formatting(self, run: _Element) -> tuple[bool, str | None]:
        """Return whether a run is not to be read, and how it is shifted."""
        properties = run.find(f"{W}rPr")
        style = self._styles.get(value(properties, "rStyle"))
        chain = [properties, *self._inherited(style)]
        is_off = any(next((on for each in chain if (on := is_on(each, name)) is not None), False) for name in _OFF)
        shift = next((each for part in chain if (each := value(part, "vertAlign")) is not None), None)
        for ancestor in run.iterancestors():
            shift = _SHIFTS.get(ancestor.tag, shift)
            if ancestor.tag == f"{W}p":
                break
        return is_off, None if shift == "baseline" else shift

    def _inherited(self, style: _Element | None) -> list[_Element | None]:
        found: list[_Element | None] = []
        while style is not None and len(found) < 10:
            found.append(style.find(f"{W}rPr"))
            style = self._styles.get(value(style, "basedOn"))
        return found

    def _mark(self, reference: _Element) -> str:
        kind = "footnote" if reference.tag == _REFERENCES[0] else "endnote"
        key = (kind, reference.get(f"{W}id", ""))
        is_new = key not in self._numbers
        number = self._numbers.setdefault(key, len(self._numbers) + 1)
        if is_new and (text := self._notes.get(key)):
            self.marked.append(f"[{number}] {text}")
        return f" [{number}]"


def _shift_of(piece: tuple[str, str | None]) -> str | None:
    return piece[1]


def _shifted(text: str, shift: str | None) -> str:
    return raised(text) if shift == "superscript" else lowered(text) if shift == "subscript" else text
