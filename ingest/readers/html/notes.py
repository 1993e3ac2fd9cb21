"""Footnotes of a page: marks that link to a note, and the note's own element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MARKS = "sup a[href], a[role='doc-noteref'], a.footnote-ref, a.noteref, a.fnref"
_NOTE_ELEMENTS = frozenset(("li", "p", "div", "aside", "dd", "td", "section"))
_INLINE_TARGETS = frozenset(("a", "sup", "span", "b", "i", "em", "strong", "cite"))
_LONGEST_NOTE = 3_000
_MARK = regex.compile(r"^[\[(]?\s*([\p{L}\p{N}*†‡§¶]{1,6})\s*[\])]?$")
_LEADING_MARK = regex.compile(r"^\s*[\[(]?[\p{L}\p{N}*†‡§¶]{1,4}[\])]?[.:]?\s+(?=\S)")
_BACK_LINK = regex.compile(r"[↩↑⤴\ufe0e\ufe0f^]+\s*$|^\s*[↩↑⤴^]+\s*")


class Notes:
    """The footnotes of one page; each is given once."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._mark_of: dict[int, tuple[str, str]] = {}
        self._text_of: dict[str, str] = {}
        self._given: set[str] = set()
        self.elements: set[int] = set()
        """Ids in memory of the notes' own elements: their text stands where it is marked."""
        by_id: dict[str, LexborNode] | None = None
        for link in page.css(_MARKS):
            target = link.attributes.get("href") or ""
            mark = _MARK.match(link.text().strip())
            if not target.startswith("#") or mark is None:
                continue
            if by_id is None:
                by_id = {_name(node): node for node in page.css("[id], a[name]")}
            note = _note(by_id.get(target[1:]), link)
            if note is None:
                continue
            self._mark_of[link.mem_id] = (f"[{mark[1]}]", target)
            self._text_of.setdefault(target, _note_text(note, mark[1]))
            self.elements.add(note.mem_id)

    def mark(self, node: LexborNode) -> tuple[str, str] | None:
        """Return the mark that a link shows and its note's name, or None where it is no footnote mark."""
        return self._mark_of.get(node.mem_id)

    def text(self, name: str) -> str | None:
        """Return the text of a note; None where it was given before."""
        if name in self._given:
            return None
        self._given.add(name)
        return self._text_of.get(name)


def _name(node: LexborNode) -> str:
    return node.attributes.get("id") or node.attributes.get("name") or ""


def _note(node: LexborNode | None, link: LexborNode) -> LexborNode | None:
    while node is not None and node.tag in _INLINE_TARGETS:
        node = node.parent
    if node is None or node.tag not in _NOTE_ELEMENTS or len(node.text()) > _LONGEST_NOTE:
        return None
    above: LexborNode | None = link
    while above is not None:  # A link back from a note lies inside of what it points to.
        if above.mem_id == node.mem_id:
            return None
        above = above.parent
    # A note's link back to its mark points to the paragraph that the mark stands in.
    return None if _holds_mark(node, link) else node


def _holds_mark(node: LexborNode, link: LexborNode) -> bool:
    own = {parent.attributes.get("id") for parent in _ancestors(link)} - {None}
    marks = [mark for mark in node.css(_MARKS) if (mark.attributes.get("href") or "")[1:] in own]
    return bool(marks) and node.tag == "p" and not _starts_with(node, marks[0])


def _starts_with(node: LexborNode, mark: LexborNode) -> bool:
    return node.text().strip().startswith(mark.text().strip())


def _ancestors(node: LexborNode) -> list[LexborNode]:
    found = []
    above: LexborNode | None = node
    while above is not None:
        if isinstance(above.tag, str):
            found.append(above)
        above = above.parent
    return found[:8]


def _note_text(note: LexborNode, mark: str) -> str:
    text = _BACK_LINK.sub("", " ".join(note.text().split()))
    leading = _LEADING_MARK.match(text)
    return text[leading.end() :] if leading and mark in leading[0] else text
