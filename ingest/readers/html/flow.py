"""Turn a flow of text into blocks: paragraphs, headings, numbered items, preformatted lines.

A page is a flow, and so is each cell of a table.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import regex

from ingest.blocks import FORCED_LINE_END, Block, BlockKind
from ingest.numerals import numeral
from ingest.scripts import shifted

_SPACE = regex.compile(r"[ \t\n\r\f]+")
_LINE_END_IN_CHINESE = regex.compile(
    r"(?<=[\p{Han}\p{Hira}\p{Kana}、。，．：；！？」』）]) *\n *(?=[\p{Han}\p{Hira}\p{Kana}「『（])"
)
_NOTHING = " \t\n\r\f\x85" + FORCED_LINE_END
_SYLLABLES = regex.compile(r"[\p{Hira}\p{Kana}\p{Bopo}]")


@dataclass(slots=True)
class ListOfItems:
    """An open list with its next number; without a style if it has bullets."""

    style: str | None
    value: int = 1
    step: int = 1
    end: str = "."
    """Follows each number."""

    def next_number(self, style: str | None, value: int | None) -> str:
        """Return the number of the next item, which may have its own style or value."""
        self.value = self.value if value is None else value
        shown = numeral(self.value, style) if style else ""
        self.value += self.step
        return f"{shown}{self.end} " if shown else ""


@dataclass(slots=True)
class Flow:
    """Collects text, and the complete blocks."""

    pieces: list[str] = field(default_factory=list)
    done: list[Block] = field(default_factory=list)
    lists: list[ListOfItems] = field(default_factory=list)
    label: str = ""
    """Text before the next text: an item's number, or an explained term."""
    headings: int = 0
    kept_lines: int = 0
    """The number of open blocks whose line ends all count."""
    is_all_bold: bool = True
    _shifted: list[int] = field(default_factory=list)
    _readings: list[list[str]] = field(default_factory=list)
    _terms: list[str] = field(default_factory=list)
    _term_start: int | None = None
    _is_term_used: bool = False

    def add_text(self, text: str, *, keeps_lines: bool = False, is_bold: bool = False) -> None:
        """Add text from the source."""
        if text.strip():
            self.is_all_bold = self.is_all_bold and is_bold
            if self.label:
                self.pieces.append(self.label)
                self.label = ""
        if keeps_lines:
            self.pieces.append(text.replace("\r\n", "\n").replace("\n", FORCED_LINE_END))
        else:
            self.pieces.append(_SPACE.sub(lambda run: "\n" if "\n" in run[0] else " ", text))

    def add_formula(self, text: str) -> None:
        """Add a formula; a fraction after a number is separated from it."""
        before = "".join(self.pieces[-1:])
        if text[:1].isdecimal() and before[-1:].isdecimal():
            self.add_gap()
        self.add_text(text)

    def add_gap(self) -> None:
        """Add a blank between two separate texts."""
        self.pieces.append(" ")

    def end_line(self) -> None:
        """End a line on purpose."""
        self.pieces.append(FORCED_LINE_END)

    def end_block(self) -> bool:
        """End the current block; return whether it had any content."""
        if self._term_start is not None:
            self.add_gap()
            return False
        text = _LINE_END_IN_CHINESE.sub("", "".join(self.pieces)).replace("\n", " ")
        self.pieces.clear()
        if not text.strip(_NOTHING):
            return False
        kind: BlockKind = "heading" if self.headings else "lines" if self.kept_lines else "paragraph"
        self.done.append(Block(text, kind))
        return True

    def begin_shift(self) -> None:
        """Begin raised or lowered text."""
        self._shifted.append(len(self.pieces))

    def end_shift(self, script: str) -> None:
        """End raised (``sup``) or lowered (``sub``) text."""
        start = self._shifted.pop() if self._shifted else len(self.pieces)
        text = "".join(self.pieces[start:])
        if not text.strip().startswith("["):
            self.pieces[start:] = [shifted(text, script)]

    def begin_ruby(self) -> None:
        """Begin letters with their reading above them."""
        self._readings.append([])

    def begin_reading(self) -> None:
        """Begin a reading."""
        self.begin_shift()

    def end_reading(self) -> None:
        """End a reading; it is kept until all letters are complete."""
        start = self._shifted.pop() if self._shifted else len(self.pieces)
        if self._readings:
            self._readings[-1].append("".join(self.pieces[start:]).strip())
            del self.pieces[start:]

    def end_ruby(self) -> None:
        """Add the readings in brackets after the letters."""
        readings = [text for text in (self._readings.pop() if self._readings else []) if text]
        if readings:
            between = "" if all(_SYLLABLES.match(text) for text in readings) else " "
            self.pieces.append(f" ({between.join(readings)}) " if between else f"({''.join(readings)})")

    def begin_term(self) -> None:
        """Begin an explained term; several may share an explanation."""
        if self._is_term_used:
            self._terms, self._is_term_used = [], False
        self._term_start = len(self.pieces)

    def end_term(self) -> None:
        """End a term."""
        text = " ".join("".join(self.pieces[self._term_start or 0 :]).replace(FORCED_LINE_END, " ").split())
        del self.pieces[self._term_start or 0 :]
        self._term_start = None
        if text:
            self._terms.append(text.rstrip(":："))

    def begin_explanation(self) -> None:
        """Begin the explanation of the last terms."""
        if self._terms:
            self.label = f"{', '.join(self._terms)}: "
            self._is_term_used = True

    def end_explanation(self) -> None:
        """End an explanation; a term without one remains alone."""
        self._is_term_used = self._is_term_used and not self.label
        self.label = ""

    def end_terms(self) -> None:
        """End a list of terms."""
        if self._terms and not self._is_term_used:
            self.done.append(Block(", ".join(self._terms), "paragraph"))
        self._terms, self._is_term_used = [], False
