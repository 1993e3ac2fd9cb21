"""Read the words of a Word paragraph: nothing deleted, struck or hidden; superscripts, symbols, marks of notes."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from ingest.blocks import FORCED_LINE_END
from ingest.readers.docx.equations import equation
from ingest.readers.docx.names import LEFT_OUT, M, W, is_on, value
from ingest.scripts import shifted

if TYPE_CHECKING:
    from lxml.etree import _Element

_MARKS = {f"{W}tab": " ", f"{W}br": FORCED_LINE_END, f"{W}cr": FORCED_LINE_END, f"{W}noBreakHyphen": "-"}
_REFERENCES = (f"{W}footnoteReference", f"{W}endnoteReference")
_EQUATION = f"{M}oMath"
_SYM = f"{W}sym"
_RUBY = f"{W}rt"
_OFF = ("strike", "dstrike", "vanish", "webHidden")
_GREEK = dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True)) | dict(
    zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True)
)
_SYMBOL = _GREEK | {
    0xA2: "′", 0xA3: "≤", 0xA5: "∞", 0xAB: "↔", 0xAC: "←", 0xAD: "↑", 0xAE: "→", 0xAF: "↓", 0xB0: "°", 0xB1: "±",
    0xB2: "″", 0xB3: "≥", 0xB4: "×", 0xB5: "∝", 0xB6: "∂", 0xB7: "•", 0xB8: "÷", 0xB9: "≠", 0xBA: "≡", 0xBB: "≈",
    0xBC: "…", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCC: "⊂", 0xCE: "∈", 0xCF: "∉", 0xD1: "∇", 0xD6: "√",
    0xD7: "⋅", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xE5: "∑", 0xF2: "∫",
}  # fmt: skip
_WINGDINGS = {
    0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0x6C: "●", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x76: "❖", 0xA7: "▪",
    0xA8: "☐", 0xAB: "★", 0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE8: "➔", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒",
    0xFE: "☑",
}  # fmt: skip
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS}


class Runs:
    """Reads paragraphs, with their document's character styles, and its notes by kind and number."""

    def __init__(self, styles: _Element | None, notes: dict[tuple[str, str], str]) -> None:
        self._styles = {} if styles is None else {style.get(f"{W}styleId"): style for style in styles.iter(f"{W}style")}
        self._notes = notes
        self._numbers: dict[tuple[str, str], int] = {}
        self.marked: list[str] = []
        """Notes marked since this was last emptied, each with its mark."""

    def text(self, paragraph: _Element) -> str:
        """Return the words of one paragraph, without those of a text box inside it."""
        pieces = self._pieces(paragraph)
        return "".join(
            shifted("".join(text for text, _ in group), shift) for shift, group in groupby(pieces, itemgetter(1))
        )

    def is_struck(self, paragraph: _Element) -> bool:
        """Return whether a paragraph has words, and all of them are deleted, struck or hidden."""
        return any(element.tag in (f"{W}t", f"{W}delText") for element in paragraph.iter()) and not self.text(paragraph)

    def is_deleted(self, paragraph: _Element) -> bool:
        """Return whether a paragraph that `is_struck` was deleted, or is hidden; Word doesn't count these."""
        struck = (
            element
            for element in paragraph.iter(f"{W}t")
            if not any(a.tag in LEFT_OUT for a in element.iterancestors())
        )
        runs = (next(element.iterancestors(f"{W}r"), None) for element in struck)
        return all(run is None or self._is_on(run, "vanish") for run in runs)

    def _pieces(self, paragraph: _Element) -> Iterator[tuple[str, str | None]]:
        known: dict[_Element, tuple[bool, str | None]] = {}
        readings: dict[_Element, list[_Element]] = {}
        for element in paragraph.iter(f"{W}t", _EQUATION, _SYM, *_MARKS, *_REFERENCES):
            above = list(_up_to(element, paragraph))
            if not above or any(each.tag in LEFT_OUT or each.tag == _EQUATION or _is_prompt(each) for each in above):
                continue
            run = next((each for each in above if each.tag == f"{W}r"), None)
            if element.tag == _EQUATION:
                yield equation(element), None
                continue
            if run is None:
                continue
            if run not in known:
                known[run] = self._formatting(run)
            is_off, shift = known[run]
            reading = next((each for each in above if each.tag == _RUBY), None)
            if is_off or (reading is not None and reading in readings):
                continue
            if reading is not None:
                # Ruby comes before its word in the file, and above it on the page.
                readings[reading] = []
                base = reading.getnext()
                words = "".join(base.itertext(f"{W}t")) if base is not None else ""
                yield f"{words}({''.join(reading.itertext(f'{W}t'))})", shift
            elif any(each.tag == f"{W}rubyBase" for each in above):
                continue
            elif element.tag in _REFERENCES:
                yield self._mark(element), None
            elif element.tag == _SYM:
                yield symbol(element.get(f"{W}font"), element.get(f"{W}char")), shift
            elif piece := _MARKS.get(element.tag, element.text or ""):
                yield piece, shift

    def _formatting(self, run: _Element) -> tuple[bool, str | None]:
        """Return whether to skip a run, and how it is shifted."""
        shift = next((each for part in self._chain(run) if (each := value(part, "vertAlign")) is not None), None)
        return any(self._is_on(run, name) for name in _OFF), None if shift == "baseline" else shift

    def _is_on(self, run: _Element, name: str) -> bool:
        return next((on for each in self._chain(run) if (on := is_on(each, name)) is not None), False)

    def _chain(self, run: _Element) -> list[_Element | None]:
        """Return the formatting sources of a run: itself, its character style, its paragraph's style."""
        properties = run.find(f"{W}rPr")
        paragraph = next(run.iterancestors(f"{W}p"), None)
        styles = value(properties, "rStyle"), value(paragraph, "pPr/pStyle")
        return [properties, *(each for name in styles for each in self._inherited(self._styles.get(name)))]

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


def _up_to(element: _Element, paragraph: _Element) -> Iterator[_Element]:
    """Yield the elements around one, up to its paragraph; none if it belongs to a nested paragraph."""
    above = []
    for each in element.iterancestors():
        above.append(each)
        if each is paragraph:
            yield from above
            return
        if each.tag == f"{W}p":
            return


def _is_prompt(element: _Element) -> bool:
    """Return whether an element is an empty form field, which shows what to enter."""
    return element.tag == f"{W}sdt" and bool(is_on(element.find(f"{W}sdtPr"), "showingPlcHdr"))


def symbol(font: str | None, code: str | None) -> str:
    """Return the character for a code in a symbol font; empty if it is unknown.

    >>> symbol("Symbol", "F061")
    'α'
    """
    try:
        number = int(code or "", 16)
    except ValueError:
        return ""
    return _FONTS.get((font or "").lower(), {}).get(number & 0xFF, "")
