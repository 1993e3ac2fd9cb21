"""Find the footnotes of a page: marks that link to a note, and the note's own element."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_MARKS = "sup a[href], a[role='doc-noteref'], a.footnote-ref, a.noteref, a.fnref"
_NOTE_ELEMENTS = frozenset(("li", "p", "div", "aside", "dd", "td", "section"))
_INLINE_TARGETS = frozenset(("a", "sup", "span", "b", "i", "em", "strong", "cite"))
_LONGEST_NOTE = 3_000
_MARK = regex.compile(r"^[\[(]?\s*([\p{L}\p{N}*†‡§¶]{1,6})\s*[\])]?$")
_LEADING_MARK = regex.compile(r"^\s*[\[(]?[\p{L}\p{N}*†‡§¶]{1,4}[\])]?[.:]?\s+(?=\S)")
_BACK_LINK = regex.compile(r"(?:\s*[↩↑⤴^][\ufe0e\ufe0f]?)+\s*$|^\s*[↩↑⤴^]+\s*")


class Notes:
    """The footnotes of one page; each is given once."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._marks: dict[int, tuple[str, LexborNode]] = {}
        self._given: set[int] = set()
        self.elements: set[int] = set()
        """Ids in memory of the notes' own elements, whose text appears at their mark."""
        by_id: dict[str, LexborNode] | None = None
        links = [*page.css(_MARKS), *(sup.parent for sup in page.css("a[href^='#'] > sup") if sup.parent is not None)]
        for link in links:
            target = link.attributes.get("href") or ""
            mark = _MARK.match(link.text().strip())
            if not target.startswith("#") or mark is None:
                continue
            if by_id is None:
                by_id = {_name(node): node for node in page.css("[id], a[name]")}
            note = _note(by_id.get(target[1:]), link)
            if note is not None:
                for each in (link, link.parent):  # The brackets around a mark may be outside its link.
                    if each is link or (each is not None and each.tag == "sup" and _MARK.match(each.text().strip())):
                        self._marks[each.mem_id] = (mark[1], note)
                self.elements.add(note.mem_id)

    def mark(self, node: LexborNode) -> str | None:
        """Return a link's mark, in brackets, or None if it isn't a footnote mark."""
        found = self._marks.get(node.mem_id)
        return f"[{found[0]}]" if found else None

    def take(self, link: LexborNode) -> LexborNode | None:
        """Return the element of the note that a link refers to; None if it was already taken."""
        note = self._marks[link.mem_id][1]
        if note.mem_id in self._given:
            return None
        self._given.add(note.mem_id)
        return note


def marked_note(mark: str, blocks: tuple[Block, ...]) -> list[Block]:
    """Return a note's blocks after its mark, without its own mark and without the links back."""
    texts = [text for block in blocks if (text := _BACK_LINK.sub("", " ".join(block.text.split())))]
    if not texts:
        return []
    leading = _LEADING_MARK.match(texts[0])
    if leading and mark.strip("[]") in leading[0]:
        texts[0] = texts[0][leading.end() :]
    return [Block(text, "paragraph") for text in (f"{mark} {texts[0]}", *texts[1:])]


def _name(node: LexborNode) -> str:
    return node.attributes.get("id") or node.attributes.get("name") or ""


def _note(node: LexborNode | None, link: LexborNode) -> LexborNode | None:
    while node is not None and node.tag in _INLINE_TARGETS:
        node = node.parent
    if node is None or node.tag not in _NOTE_ELEMENTS or len(node.text()) > _LONGEST_NOTE:
        return None
    above: LexborNode | None = link
    while above is not None:  # A link back from a note is inside its target.
        if above.mem_id == node.mem_id:
            return None
        above = above.parent
    # A note's link back to its mark leads to the paragraph with the mark.
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
