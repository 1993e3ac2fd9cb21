"""The elements of a page in order -> blocks: paragraphs, headings, numbered items, rows of tables."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from ingest.blocks import FORCED_LINE_END, Block, BlockKind
from ingest.numerals import numeral
from ingest.readers.html.notes import Notes
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import lowered, raised

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code data dfn em font i img input ins kbd label mark q rb ruby rt s samp small span
strong sub sup time tt u var wbr nobr -text math mi mn mo ms mtext mrow msup msub mfrac mstyle semantics mpadded
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_SPACE = regex.compile(r"[ \t\n\r\f]+")
_LIST_STYLE = regex.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", regex.I)
_MOST_SPAN = 1_000


@dataclass(slots=True)
class _List:
    """A list that is open: what its next item is numbered with; nothing where it has bullets."""

    style: str | None
    value: int = 1
    step: int = 1


@dataclass(slots=True)
class _Table:
    """A table that is open."""

    rows: list[list[Cell]] = field(default_factory=list)
    cell: LexborNode | None = None
    body_rows: int = 0


@dataclass
class Builder:
    """Collects text, and gives a block whenever one is complete."""

    notes: Notes | None = None
    pieces: list[str] = field(default_factory=list)
    done: list[Block] = field(default_factory=list)
    lists: list[_List] = field(default_factory=list)
    shifted: list[int] = field(default_factory=list)
    pending_notes: list[str] = field(default_factory=list)
    table: _Table | None = None
    number: str = ""
    term: str = ""
    in_term: bool = False
    headings: int = 0
    preformatted: int = 0

    def add_text(self, text: str) -> None:
        """Add text as it stands in the source."""
        if self.number and text.strip():
            self.pieces.append(self.number)
            self.number = ""
        self.pieces.append(text if self.preformatted and self.table is None else _SPACE.sub(" ", text))

    def enter(self, node: LexborNode, name: str) -> None:
        """Begin an element."""
        if name in ("sup", "sub") or _script_of(node):
            self.shifted.append(len(self.pieces))
        if self.table is not None:
            self._enter_in_table(node, name)
            return
        if name == "br":
            self.pieces.append("\n" if self.preformatted else FORCED_LINE_END)
        elif name not in _INLINE:
            self.end_block()
        if name in ("ol", "ul", "menu"):
            self.lists.append(_list(node, name))
        elif name == "li":
            self.number = self._next_number(node)
        elif name == "dt":
            self.term, self.in_term = "", True
        elif name == "dd" and self.term:
            self.number = f"{self.term}: "
        elif name == "table" and _is_data_table(node):
            self.table = _Table()
        elif name == "rt":
            self.pieces.append(" (")
        self.headings += name in HEADINGS
        self.preformatted += name == "pre"

    def leave(self, node: LexborNode, name: str) -> None:
        """End an element."""
        if name in ("sup", "sub") or _script_of(node):
            self._shift(node, name)
        if self.table is not None:
            self._leave_in_table(node, name)
            return
        if name == "rt":
            self.pieces.append(")")
        if name == "dt":
            self._end_term()
        elif name not in _INLINE and name != "br":
            self.end_block()
        if name in ("ol", "ul", "menu") and self.lists:
            self.lists.pop()
        elif name == "dl":
            self.term = ""
        self.headings -= name in HEADINGS
        self.preformatted -= name == "pre"

    def add_note_mark(self, mark: str, name: str) -> None:
        """Add a footnote's mark; the note itself follows the block."""
        if self.pieces and not self.pieces[-1].endswith((" ", "\n")):
            self.pieces.append(" ")
        self.pieces.append(mark)
        text = self.notes.text(name) if self.notes else None
        if text:
            self.pending_notes.append(f"{mark} {text}")

    def end_block(self) -> None:
        """End the block that is growing."""
        text = "".join(self.pieces)
        self.pieces.clear()
        if text.strip(" \t\n\r\f" + FORCED_LINE_END):
            kind: BlockKind = "heading" if self.headings else "lines" if self.preformatted else "paragraph"
            self.done.append(Block(text, kind))
            self._end_notes()

    def take(self) -> Iterator[Block]:
        """Yield the blocks that are complete."""
        yield from self.done
        self.done.clear()

    def _end_notes(self) -> None:
        self.done.extend(Block(note, "paragraph") for note in self.pending_notes)
        self.pending_notes.clear()

    def _next_number(self, node: LexborNode) -> str:
        if not self.lists or self.lists[-1].style is None:
            return ""
        current = self.lists[-1]
        current.value = _integer(node.attributes.get("value"), current.value)
        shown = numeral(current.value, current.style or "decimal")
        current.value += current.step
        return f"{shown}. " if shown else ""

    def _end_term(self) -> None:
        self.term = " ".join("".join(self.pieces).split()).rstrip(":")
        self.pieces.clear()
        self.in_term = False

    def _shift(self, node: LexborNode, name: str) -> None:
        start = self.shifted.pop() if self.shifted else len(self.pieces)
        text = "".join(self.pieces[start:])
        if text.strip().startswith("["):
            return
        del self.pieces[start:]
        is_sub = name == "sub" or _script_of(node) == "sub"
        self.pieces.append(lowered(text) if is_sub else raised(text))

    def _enter_in_table(self, node: LexborNode, name: str) -> None:
        table = self.table
        if table is None:
            return
        if name == "tr":
            table.rows.append([])
        elif name in ("td", "th"):
            self.pieces.clear()
            table.cell = node
        elif name == "caption":
            self.pieces.clear()
        elif name == "br" or name not in _INLINE:
            self.pieces.append(" ")

    def _leave_in_table(self, node: LexborNode, name: str) -> None:
        table = self.table
        if table is None:
            return
        if name in ("td", "th") and table.cell is not None:
            if not table.rows:
                table.rows.append([])
            table.rows[-1].append(_cell(node, name, "".join(self.pieces)))
            table.cell = None
            self.pieces.clear()
        elif name == "caption":
            self.table = None
            self.end_block()
            self.table = table
        elif name == "table":
            self.table = None
            self.pieces.clear()
            self.done.extend(table_blocks(table.rows))
            self._end_notes()
        elif name not in _INLINE:
            self.pieces.append(" ")


def _script_of(node: LexborNode) -> str | None:
    """Return ``sup`` or ``sub`` for the second part of a formula's power or index."""
    parent = node.parent
    if parent is None or parent.tag not in ("msup", "msub") or node.next is not None:
        return None
    return "sup" if parent.tag == "msup" else "sub"


def _list(node: LexborNode, name: str) -> _List:
    attributes = node.attributes
    match = _LIST_STYLE.search(attributes.get("style") or "")
    style = match[1].lower() if match else None
    if name != "ol":
        counted = style not in (None, "none", "disc", "circle", "square", "inherit", "initial")
        return _List(style if counted else None)
    style = style or attributes.get("type") or "decimal"
    if style in ("none", "disc", "circle", "square"):
        return _List(None)
    items = sum(1 for child in node.iter() if child.tag == "li")
    is_reversed = "reversed" in attributes
    start = _integer(attributes.get("start"), items if is_reversed else 1)
    return _List(style, start, -1 if is_reversed else 1)


def _cell(node: LexborNode, name: str, text: str) -> Cell:
    rows, columns = (_integer(node.attributes.get(key), 1) for key in ("rowspan", "colspan"))
    return Cell(
        text,
        rows=min(max(rows, 1), _MOST_SPAN) if rows else _MOST_SPAN,
        columns=min(max(columns, 1), _MOST_SPAN),
        is_header=name == "th",
    )


def _is_data_table(node: LexborNode) -> bool:
    """Return whether a table holds data rather than the layout of a page."""
    if (node.attributes.get("role") or "") in ("presentation", "none") or node.css_first("table table") is not None:
        return False
    if node.css_first("h1, h2, h3, ul, ol, pre, article") is not None and node.css_first("th") is None:
        return False
    return node.css_first("td ~ td, th ~ td, th ~ th, td ~ th") is not None


def _integer(value: str | None, default: int) -> int:
    try:
        return int((value or "").strip()[:9])
    except ValueError:
        return default
