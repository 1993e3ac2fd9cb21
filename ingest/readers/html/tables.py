"""Read the tables of a page into rows: cells with their spans, and which of them are headers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ingest.blocks import CELL_DIVIDER, Block
from ingest.readers.base import integer
from ingest.readers.html.visibility import Look
from ingest.readers.tables import Cell, table_blocks

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_MOST_SPAN = 1_000
_PARTS = {
    "table": "table",
    "tr": "row",
    "td": "cell",
    "th": "cell",
    "thead": "group",
    "tbody": "group",
    "tfoot": "group",
    "caption": "caption",
}
_PARTS_BY_ROLE = {
    "table": "table",
    "grid": "table",
    "treegrid": "table",
    "row": "row",
    "cell": "cell",
    "gridcell": "cell",
    "columnheader": "cell",
    "rowheader": "cell",
    "rowgroup": "group",
}
_PARTS_BY_DISPLAY = {
    "table": "table",
    "inline-table": "table",
    "table-row": "row",
    "table-cell": "cell",
    "table-row-group": "group",
    "table-header-group": "group",
    "table-footer-group": "group",
    "table-caption": "caption",
}
_LAYOUT_ROLES = frozenset(("presentation", "none"))
_OF_PAGE = "h1, h2, h3, ul, ol, pre, article, main, form"

_TWO_CELLS = "td ~ td, th ~ td, th ~ th, td ~ th"


@dataclass
class Table:
    """An open table. One that is only for layout has no rows."""

    is_layout: bool = False
    rows: list[list[Cell]] = field(default_factory=list)
    bold: set[tuple[int, int]] = field(default_factory=set)
    """Row and index of the cells whose whole text is bold."""
    groups: set[int] = field(default_factory=set)
    is_head: bool = False

    def begin_group(self, *, is_head: bool) -> None:
        """Begin a group of rows."""
        self.end_group()
        self.is_head = is_head

    def end_group(self) -> None:
        """End a group of rows: its cells don't extend beyond it."""
        start = max(self.groups, default=0)
        for number in range(start, len(self.rows)):
            left = len(self.rows) - number
            self.rows[number] = [replace(cell, rows=min(cell.rows, left)) for cell in self.rows[number]]
        self.groups.add(len(self.rows))
        self.is_head = False

    def begin_row(self) -> None:
        """Begin a row."""
        self.rows.append([])

    def add_cell(self, node: LexborNode, name: str, blocks: list[Block], *, is_bold: bool) -> None:
        """Add a cell with its content."""
        attributes = node.attributes
        text = " ".join(block.text.replace(CELL_DIVIDER, ", ") for block in blocks)
        if not self.rows:
            self.rows.append([])
        if is_bold and text.strip():
            self.bold.add((len(self.rows) - 1, len(self.rows[-1])))
        role, scope = attributes.get("role") or "", (attributes.get("scope") or "").lower()
        rows, columns = (
            integer(attributes.get(key) or attributes.get(f"aria-{key}"), 1) for key in ("rowspan", "colspan")
        )
        self.rows[-1].append(
            Cell(
                text,
                rows=min(max(rows, 1), _MOST_SPAN) if rows else _MOST_SPAN,
                columns=min(max(columns, 1), _MOST_SPAN),
                is_header=name == "th" or self.is_head or role in ("columnheader", "rowheader"),
                names_row=scope in ("row", "rowgroup") or role == "rowheader",
            )
        )

    def blocks(self) -> Iterator[Block]:
        """Yield the rows of a complete table."""
        self.end_group()
        if not any(cell.is_header and cell.text.strip() for row in self.rows for cell in row):
            self._mark_bold()
        yield from table_blocks(self.rows, groups=self.groups)

    def _mark_bold(self) -> None:
        """Mark bold cells as headers if only the first row, or the first cell of each row, is bold."""
        filled = {(r, c) for r, row in enumerate(self.rows) for c, cell in enumerate(row) if cell.text.strip()}
        wide = {place for place in filled if len(self.rows[place[0]]) == 1}
        filled -= wide
        marked = self.bold - wide
        first_row = {place for place in filled if place[0] == 0}
        first_column = {place for place in filled if place[1] == 0}
        if not marked or marked == filled or marked not in (first_row, first_column, first_row | first_column):
            return
        for row, place in marked | (self.bold & wide):
            self.rows[row][place] = replace(
                self.rows[row][place], is_header=True, names_row=row > 0 and (row, place) not in wide
            )


def table_part(node: LexborNode, name: str, look: Look) -> str:
    """Return which part of a table an element is, by its name, role or style; empty for none."""
    role = (node.attributes.get("role") or "").lower()
    if role in _PARTS_BY_ROLE:
        return _PARTS_BY_ROLE[role]
    return _PARTS.get(name) or _PARTS_BY_DISPLAY.get(look.display, "")


def is_data_table(node: LexborNode, name: str) -> bool:
    """Return whether a table contains data, rather than the layout of a page."""
    role = (node.attributes.get("role") or "").lower()
    if role in _LAYOUT_ROLES:
        return False
    if role in _PARTS_BY_ROLE:
        return True
    if name != "table":
        return node.css_first(_OF_PAGE) is None
    if any(_is_of(node, mark) for mark in node.css("th, thead, caption")[:50]):
        return node.css_first(_TWO_CELLS) is not None or node.css_first(_OF_PAGE) is None
    if any(inner.mem_id != node.mem_id for inner in node.css("table")) or node.css_first(_OF_PAGE) is not None:
        return False
    return node.css_first(_TWO_CELLS) is not None


def _is_of(table: LexborNode, part: LexborNode) -> bool:
    above = part.parent
    while above is not None and above.tag != "table":
        above = above.parent
    return above is not None and above.mem_id == table.mem_id
