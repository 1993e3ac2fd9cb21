"""The tree of a page -> blocks: all text that a reader of the page can see, and none of its scripts and styles.

The tree is walked without recursion, because a hostile page can nest deeper than any stack.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from ingest.blocks import Block
from ingest.limits import MAX_NESTING
from ingest.readers.html.blocks import Builder
from ingest.readers.html.formulas import is_drawn_formula, is_hidden_formula
from ingest.readers.html.generated import Counters
from ingest.readers.html.look import OF_PAGE, Look, is_out_of_sight, is_struck, look_of
from ingest.readers.html.navigation import Navigation
from ingest.readers.html.notes import Notes, marked_note
from ingest.readers.html.styles import Declarations, Styles
from store.errors import ReadError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_INVISIBLE_NAMES = """
script style template noscript head title meta link iframe object embed svg canvas audio video datalist rp meter progress
select button
"""
_INVISIBLE = frozenset((*_INVISIBLE_NAMES.split(), "-comment", "!doctype", "-doctype", "_comment"))
_STRUCK = frozenset(("s", "del", "strike"))
_OTHER_SHEETS = "link[rel~=stylesheet i][href]"


def page_blocks(page: LexborHTMLParser, sheets: Iterable[str] = ()) -> tuple[Block, ...]:
    """Return the blocks of a page in reading order; `sheets` are style sheets that belong to it.

    Raises ReadError for a page that is nested beyond reason.
    """
    walk = _Walk(page, tuple(sheets))
    # A page of nothing but navigation is a page of links: then those are its text.
    return walk.blocks(page.root) or _Walk(page, tuple(sheets), with_navigation=True).blocks(page.root)


def too_deep_page() -> ReadError:
    """Return the error of a page whose elements nest deeper than the limit."""
    return ReadError(
        "This page nests its elements more than {limit} deep, which is the limit.",
        code="page_deep",
        limit=f"{MAX_NESTING:,}",
    )


class _Walk:
    """Goes through the elements of a page in order."""

    def __init__(self, page: LexborHTMLParser, sheets: tuple[str, ...], *, with_navigation: bool = False) -> None:
        self._styles = Styles(page, sheets)
        self._navigation = None if with_navigation else Navigation(page)
        self._notes = Notes(page)
        self._counters = Counters()
        is_whole = bool(sheets) or page.css_first(_OTHER_SHEETS) is None
        self._look_of_page = OF_PAGE if is_whole else Look()

    def blocks(self, root: LexborNode | None) -> tuple[Block, ...]:
        """Return the blocks of an element and all that is in it."""
        builder = Builder()
        looks = [self._look_of_page]
        node = root
        while node is not None:
            look = self._enter(node, builder, looks[-1], len(looks))
            if look is not None:
                if node.first_child is not None and node.tag != "math":
                    looks.append(look)
                    if len(looks) > MAX_NESTING:
                        raise too_deep_page()
                    node = node.first_child
                    continue
                self._leave(node, builder, look, len(looks))
            while node is not None and (node.next is None or len(looks) == 1):
                if len(looks) == 1:
                    return builder.finish()
                node = node.parent
                if node is not None:
                    look = looks.pop()
                    self._leave(node, builder, look, len(looks))
            node = None if node is None else node.next
        return builder.finish()

    def _enter(self, node: LexborNode, builder: Builder, around: Look, depth: int) -> Look | None:
        """Begin an element, or add a text; return its look where it is to be left again, None where it is passed over."""
        name = node.tag or ""
        if name == "-text":
            if around.shows_text:
                builder.add_text(node.text_content or "", around)
            return None
        declared = self._styles.of(node) if name not in _INVISIBLE else {}
        if self._styles.adds_text and declared.get("display") != "none":
            self._counters.enter(declared, depth)
        if name in _STRUCK or is_struck(declared):
            builder.pass_over(node, name)
            return None
        if self._is_left_out(node, name, declared):
            return None
        if is_hidden_formula(node, declared):
            declared = {}
        if name in ("a", "sup") and (mark := self._notes.mark(node)) is not None:
            self._add_note(node, mark, builder)
            return None
        look = look_of(node, name, declared, around)
        builder.enter(node, name, look)
        if self._styles.adds_text and (text := self._added(node, "before", depth)):
            builder.add_before(text, look, is_item=name == "li")
        return look

    def _leave(self, node: LexborNode, builder: Builder, look: Look, depth: int) -> None:
        if self._styles.adds_text:
            if text := self._added(node, "after", depth):
                builder.add_text(text, look)
            self._counters.leave(depth)
        builder.leave(node, node.tag or "", look)

    def _added(self, node: LexborNode, place: str, depth: int) -> str:
        """Return the text that a style sheet adds to an element."""
        declared = self._styles.of(node, place)
        if not declared or is_out_of_sight(declared):
            return ""
        self._counters.enter(declared, depth + 1)
        return self._counters.text(declared, node.attributes)

    def _is_left_out(self, node: LexborNode, name: str, declared: Declarations) -> bool:
        """Return whether an element is not shown here, or is no part of what the page says."""
        if name in _INVISIBLE or node.mem_id in self._notes.elements:
            return True
        if is_out_of_sight(declared) and not is_hidden_formula(node, declared):
            return True
        attributes = node.attributes
        if attributes.get("aria-hidden") == "true" and is_drawn_formula(node):
            return True
        if "hidden" in attributes or (name == "dialog" and "open" not in attributes):
            return True
        return self._navigation is not None and self._navigation.holds(node, name, declared)

    def _add_note(self, link: LexborNode, mark: str, builder: Builder) -> None:
        builder.add_note_mark(mark)
        note = self._notes.take(link)
        if note is not None and len(builder.notes) < 1000:
            builder.notes.extend(marked_note(mark, self._inner_blocks(note)))

    def _inner_blocks(self, note: LexborNode) -> tuple[Block, ...]:
        """Return the blocks in an element, without its own number."""
        self._notes.elements.discard(note.mem_id)
        blocks = self.blocks(note)
        self._notes.elements.add(note.mem_id)
        return blocks
