"""HTML -> blocks: all text that a reader of the page can see, and none of its scripts and styles.

The tree is walked without recursion, because a hostile page can nest deeper than any stack. Nothing
is fetched: links, images and style sheets stay where they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from ingest.blocks import FORCED_LINE_END, Block, BlockKind, RawDocument
from ingest.dates import iso_date
from ingest.limits import MAX_NESTING
from store.errors import ReadError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_INVISIBLE_NAMES = """
script style template noscript head title meta link iframe object embed svg math canvas audio video datalist rp
select
"""
_INVISIBLE = frozenset(_INVISIBLE_NAMES.split())
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_INLINE_NAMES = """
a abbr acronym b bdi bdo big cite code data del dfn em font i img input ins kbd label mark q rb ruby rt s samp
small span strike strong sub sup time tt u var wbr nobr -text
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_HIDDEN_STYLE = regex.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", regex.I)
_TAG = regex.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*+)[^<>]*+>")
_ENDS_BY_ITSELF_NAMES = """
p li td th tr dt dd option thead tbody tfoot colgroup br hr img input meta link area base col embed source track
wbr html body head rt rp
"""
_ENDS_BY_ITSELF = frozenset(_ENDS_BY_ITSELF_NAMES.split())
_SPACE = regex.compile(r"[ \t\n\r\f]+")


def read_html(source: str) -> RawDocument:
    """The blocks and metadata of a page. Raises ReadError for one that is nested beyond reason."""
    from selectolax.lexbor import LexborHTMLParser

    _refuse_deep_nesting(source)
    page = LexborHTMLParser(source)
    metadata = _metadata(page)
    return RawDocument(
        blocks=tuple(html_blocks(source, page)),
        media_type="text/html",
        title=_title(page, metadata),
        author=_first(metadata, "author", "article:author", "dc.creator"),
        published=iso_date(
            _first(metadata, "article:published_time", "date", "dc.date", "dcterms.date", "pubdate", "datepublished")
        ),
    )


def html_blocks(source: str, page: LexborHTMLParser | None = None) -> Iterator[Block]:
    """The blocks of a page or of a piece of one, in reading order."""
    if page is None:
        from selectolax.lexbor import LexborHTMLParser

        _refuse_deep_nesting(source)
        page = LexborHTMLParser(source)
    building = _Building()
    for step, node, name in _walk(page.root):
        if name == "-text":
            if step == "enter":
                building.add_text(node.text_content or "")
        elif step == "enter":
            building.enter(name)
        else:
            building.leave(name)
        yield from building.take()
    building.end_block()
    yield from building.take()


@dataclass
class _Building:
    """The block that is growing, and those that are done."""

    pieces: list[str] = field(default_factory=list)
    done: list[Block] = field(default_factory=list)
    headings: int = 0
    preformatted: int = 0
    cells: int = 0
    rows: int = 0

    def add_text(self, text: str) -> None:
        self.pieces.append(text if self.preformatted else _SPACE.sub(" ", text))

    def enter(self, name: str) -> None:
        if name == "br":
            self.pieces.append("\n" if self.preformatted else FORCED_LINE_END)
        elif name in ("td", "th") and self.rows:
            self.pieces.append(" | " if self.cells else "")
            self.cells += 1
        elif name not in _INLINE and not self.rows:
            self.end_block()
        elif name in ("tr", "p", "div", "li") and self.rows:
            self.pieces.append(" ")
        if name == "tr":
            self.rows += 1
            self.cells = 0
        self.headings += name in _HEADINGS
        self.preformatted += name == "pre"

    def leave(self, name: str) -> None:
        if name == "tr":
            self.rows -= 1
        if name not in _INLINE and name not in ("td", "th", "br") and not self.rows:
            self.end_block()
        self.headings -= name in _HEADINGS
        self.preformatted -= name == "pre"

    def end_block(self) -> None:
        text = "".join(self.pieces)
        self.pieces.clear()
        if text.strip(" \t\n\r\f|" + FORCED_LINE_END):
            kind: BlockKind = "heading" if self.headings else "lines" if self.preformatted else "paragraph"
            self.done.append(Block(text, kind))

    def take(self) -> Iterator[Block]:
        yield from self.done
        self.done.clear()


def _walk(root: LexborNode | None) -> Iterator[tuple[str, LexborNode, str]]:
    """Every visible node as ``(enter or leave, node, tag)``, in document order."""
    node, depth = root, 0
    while node is not None:
        name = node.tag or ""
        descend = False
        if not _is_hidden(node, name):
            yield "enter", node, name
            descend = node.first_child is not None
            if not descend:
                yield "leave", node, name
        if descend:
            depth += 1
            if depth > MAX_NESTING:
                raise ReadError(
                    "This page nests its elements more than {limit} deep, which is the limit.",
                    code="page_deep",
                    limit=f"{MAX_NESTING:,}",
                )
            node = node.first_child
            continue
        while node is not None and node.next is None:
            node, depth = node.parent, depth - 1
            if node is None or depth < 0:
                return
            yield "leave", node, node.tag or ""
        node = node.next if node is not None else None


def _is_hidden(node: LexborNode, name: str) -> bool:
    if name in _INVISIBLE or name in ("-comment", "!doctype", "-doctype", "_comment"):
        return True
    if name == "-text":
        return False
    attributes = node.attributes
    return "hidden" in attributes or bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def _title(page: LexborHTMLParser, metadata: dict[str, str]) -> str | None:
    node = page.css_first("title")
    written = _SPACE.sub(" ", node.text(strip=True)) if node else None
    return _first(metadata, "og:title", "dc.title", "citation_title") or written or None


def _metadata(page: LexborHTMLParser) -> dict[str, str]:
    """What the page's ``meta`` elements say, by name in lower case; the first of a name counts."""
    found: dict[str, str] = {}
    for node in page.css("meta"):
        attributes = node.attributes
        name = attributes.get("name") or attributes.get("property") or attributes.get("itemprop") or ""
        if content := (attributes.get("content") or "").strip():
            found.setdefault(name.lower(), content)
    return found


def _first(metadata: dict[str, str], *names: str) -> str | None:
    return next((metadata[name] for name in names if name in metadata), None)


def _refuse_deep_nesting(source: str) -> None:
    """Raise ReadError before the parser sees it: its time grows with the square of the depth.

    Elements that end by themselves (``p``, ``li``, ``td``, ...) don't count; they nest only inside others.
    """
    depth = 0
    for match in _TAG.finditer(source):
        if match.group(2).lower() in _ENDS_BY_ITSELF:
            continue
        depth = max(0, depth - 1) if match.group(1) else depth + (not match.group(0).endswith("/>"))
        if depth > MAX_NESTING:
            raise ReadError(
                "This page nests its elements more than {limit} deep, which is the limit.",
                code="page_deep",
                limit=f"{MAX_NESTING:,}",
            )
