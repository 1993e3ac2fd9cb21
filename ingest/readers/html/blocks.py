"""Turn the elements of a page into blocks, in order: paragraphs, headings, numbered items, rows of tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block
from ingest.readers.html.flow import Flow, ListOfItems
from ingest.readers.html.formulas import formula_text
from ingest.readers.html.tables import Table, is_data_table, table_part
from ingest.readers.html.visibility import Look

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LISTS = frozenset(("ol", "ul", "menu"))
_BULLETS = frozenset(("none", "disc", "circle", "square", "disclosure-open", "disclosure-closed"))
_GLOBAL = frozenset(("inherit", "initial", "unset", "revert", "inside", "outside"))
_STYLE_NAME = regex.compile(r"^[a-z][a-z-]*$")
_TYPES = {"1": "decimal", "a": "a", "A": "A", "i": "i", "I": "I"}
_MARKED_FIELDS = frozenset(("checkbox", "radio"))
_SILENT_FIELDS = frozenset(("hidden", "button", "submit", "reset", "image", "file", "password", "color", "range"))


@dataclass
class Builder:
    """Makes blocks from elements and text, in the order of the page."""

    done: list[Block] = field(default_factory=list)
    notes: list[Block] = field(default_factory=list)
    """Footnotes that were marked, until the block or table with their marks is complete."""
    _flows: list[Flow] = field(default_factory=lambda: [Flow()])
    _tables: list[Table] = field(default_factory=list)

    @property
    def flow(self) -> Flow:
        """The flow that text is added to: the page, or the open cell."""
        return self._flows[-1]

    def add_text(self, text: str, look: Look) -> None:
        """Add text from the source."""
        self.flow.add_text(text, keeps_lines=look.keeps_lines, is_bold=look.is_bold)

    def add_before(self, text: str, look: Look, *, is_item: bool) -> None:
        """Add a style sheet's text before an element; before an item it is a number."""
        if is_item:
            self.flow.label += f"{text} "
        else:
            self.add_text(text, look)

    def add_note_mark(self, mark: str) -> None:
        """Add a footnote's mark, separated from the word before it."""
        pieces = self.flow.pieces
        if pieces and not pieces[-1].endswith((" ", "\n")):
            self.flow.add_gap()
        self.flow.add_text(mark)

    def enter(self, node: LexborNode, name: str, look: Look) -> None:
        """Begin an element."""
        if look.stands_apart and look.is_inline:
            self.flow.add_gap()
        if _shift_of(name, look):
            self.flow.begin_shift()
        if part := table_part(node, name, look):
            self._enter_table_part(part, node, name)
        elif name == "br":
            self.flow.end_line()
        elif not look.is_inline:
            self._end_block()
        enter = _ENTER.get(name)
        if enter is not None:
            enter(self.flow, node, look)
        self.flow.headings += name in HEADINGS
        self.flow.kept_lines += look.keeps_lines and not look.is_inline

    def leave(self, node: LexborNode, name: str, look: Look) -> None:
        """End an element."""
        leave = _LEAVE.get(name)
        if name == "li" or not look.is_inline:
            self._end_block()
        self.flow.headings -= name in HEADINGS
        self.flow.kept_lines -= look.keeps_lines and not look.is_inline
        if leave is not None:
            leave(self.flow)
        if part := table_part(node, name, look):
            self._leave_table_part(part, node, name)
        if script := _shift_of(name, look):
            self.flow.end_shift(script)
        if look.stands_apart and look.is_inline:
            self.flow.add_gap()

    def pass_over(self, node: LexborNode, name: str) -> None:
        """Leave out a struck-out element, but count it if it is a list item."""
        if name == "li" and self.flow.lists:
            self.flow.lists[-1].next_number(None, _integer(node.attributes.get("value")))

    def finish(self) -> tuple[Block, ...]:
        """Return all blocks."""
        while self._tables:
            self._leave_table_part("table", None, "")
        self._end_block()
        return tuple(self.done)

    def _end_block(self) -> None:
        if self.flow.end_block() and not self._tables:
            self._give()

    def _give(self) -> None:
        self.done += [*self._flows[0].done, *self.notes]
        self._flows[0].done.clear()
        self.notes.clear()

    def _enter_table_part(self, part: str, node: LexborNode, name: str) -> None:
        if part == "table":
            self._end_block()
            self._tables.append(Table(is_layout=not is_data_table(node, name)))
            return
        table = self._tables[-1] if self._tables else None
        if table is None or table.is_layout:
            self._end_block()
        elif part == "row":
            table.begin_row()
        elif part == "group":
            table.begin_group(is_head=name == "thead")
        else:
            self._flows.append(Flow())

    def _leave_table_part(self, part: str, node: LexborNode | None, name: str) -> None:
        table = self._tables[-1] if self._tables else None
        if table is None or (table.is_layout and part != "table"):
            self._end_block()
        elif part == "table":
            self._tables.pop()
            self.flow.done.extend(table.blocks())
            if not self._tables:
                self._give()
        elif part == "group":
            table.end_group()
        elif part in ("cell", "caption") and len(self._flows) > 1:
            flow = self._flows.pop()
            flow.end_block()
            if part == "caption":
                self.flow.done += flow.done
            elif node is not None:
                table.add_cell(node, name, flow.done, is_bold=flow.is_all_bold)


def _shift_of(name: str, look: Look) -> str:
    return name if name in ("sup", "sub") else look.shift if look.is_inline else ""


def _enter_list(flow: Flow, node: LexborNode, look: Look) -> None:
    attributes = node.attributes
    style = _style(look) or ("" if node.tag != "ol" else _TYPES.get(attributes.get("type") or "", "decimal"))
    items = sum(1 for child in node.iter() if child.tag == "li")
    is_reversed = "reversed" in attributes
    first = _integer(attributes.get("start"))
    start = first if first is not None else items if is_reversed else 1
    end = attributes.get("data-list-end") or "."
    flow.lists.append(ListOfItems(None if style in _BULLETS else style, start, -1 if is_reversed else 1, end[:1]))


def _leave_list(flow: Flow) -> None:
    if flow.lists:
        flow.lists.pop()


def _enter_item(flow: Flow, node: LexborNode, look: Look) -> None:
    if not flow.lists:
        return
    style = _style(look) or _TYPES.get(node.attributes.get("type") or "") or flow.lists[-1].style
    number = flow.lists[-1].next_number(None if style in _BULLETS else style, _integer(node.attributes.get("value")))
    flow.label += number


def _style(look: Look) -> str:
    """Return a style sheet's numbering style."""
    if "symbols(" in look.list_style or '"' in look.list_style or "'" in look.list_style:
        return "none"
    names = [part for part in look.list_style.split() if _STYLE_NAME.match(part) and part not in _GLOBAL]
    return names[0] if names else ""


def _leave_item(flow: Flow) -> None:
    flow.label = ""


def _enter_field(flow: Flow, node: LexborNode, look: Look) -> None:
    """Show the content of a form field: a tick, or its words."""
    attributes = node.attributes
    kind = (attributes.get("type") or "text").lower()
    if kind in _MARKED_FIELDS:
        flow.label += "☑ " if "checked" in attributes else "☐ "
    elif kind not in _SILENT_FIELDS and (value := attributes.get("value")):
        flow.add_gap()
        flow.add_text(f"{value} ")


def _integer(value: str | None) -> int | None:
    try:
        return int((value or "").strip()[:9])
    except ValueError:
        return None


_ENTER: dict[str, Callable[[Flow, LexborNode, Look], None]] = {
    **dict.fromkeys(_LISTS, _enter_list),
    "li": _enter_item,
    "dt": lambda flow, node, look: flow.begin_term(),
    "dd": lambda flow, node, look: flow.begin_explanation(),
    "ruby": lambda flow, node, look: flow.begin_ruby(),
    "rt": lambda flow, node, look: flow.begin_reading(),
    "q": lambda flow, node, look: flow.add_text("“"),
    "math": lambda flow, node, look: flow.add_formula(formula_text(node)),
    "input": _enter_field,
}
_LEAVE: dict[str, Callable[[Flow], None]] = {
    **dict.fromkeys(_LISTS, _leave_list),
    "li": _leave_item,
    "dt": lambda flow: flow.end_term(),
    "dd": lambda flow: flow.end_explanation(),
    "dl": lambda flow: flow.end_terms(),
    "ruby": lambda flow: flow.end_ruby(),
    "rt": lambda flow: flow.end_reading(),
    "q": lambda flow: flow.add_text("”"),
}
