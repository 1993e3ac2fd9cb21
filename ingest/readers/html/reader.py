"""HTML -> blocks: all text that a reader of the page can see, and none of its scripts and styles.

The tree is walked without recursion, because a hostile page can nest deeper than any stack. Nothing
is fetched: links, images and style sheets stay where they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block, RawDocument
from ingest.dates import iso_date
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.html.blocks import Builder
from ingest.readers.html.notes import Notes
from ingest.readers.html.visibility import hidden_by_style_sheet, is_hidden, is_navigation
from store.errors import ReadError

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_START = regex.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    regex.I | regex.S,
)
_CHARSET = regex.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", regex.I)
_DATES = (
    "article:published_time", "date", "dc.date", "dcterms.date", "dcterms.issued", "citation_publication_date",
    "pubdate", "datepublished",
)  # fmt: skip
_TAG = regex.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*+)[^<>]*+>")
_ENDS_BY_ITSELF_NAMES = """
p li td th tr dt dd option thead tbody tfoot colgroup br hr img input meta link area base col embed source track
wbr html body head rt rp
"""
_ENDS_BY_ITSELF = frozenset(_ENDS_BY_ITSELF_NAMES.split())
_SPACE = regex.compile(r"[ \t\n\r\f]+")


def read_html(data: bytes) -> RawDocument:
    """Return the blocks and metadata of a page. Raises ReadError for one that is nested beyond reason."""
    from selectolax.lexbor import LexborHTMLParser

    source = html_source(data)
    _refuse_deep_nesting(source)
    page = LexborHTMLParser(source)
    metadata = _metadata(page)
    return RawDocument(
        blocks=tuple(html_blocks(source, page)),
        media_type=READER.media_types[0],
        title=_title(page, metadata),
        author=_first(metadata, "author", "article:author", "dc.creator", "dcterms.creator", "citation_author"),
        published=iso_date(_first(metadata, *_DATES)),
    )


def html_source(data: bytes) -> str:
    """Return the text of a page in the encoding that it names, or in the one that makes sense."""
    match = _CHARSET.search(data[:4096])
    return decode(data, declared=match.group(1).decode("ascii", "ignore") if match else None, is_markup=True).text


def html_blocks(source: str, page: LexborHTMLParser | None = None) -> Iterator[Block]:
    """Yield the blocks of a page or of a piece of one, in reading order."""
    if page is None:
        from selectolax.lexbor import LexborHTMLParser

        _refuse_deep_nesting(source)
        page = LexborHTMLParser(source)
    hidden = hidden_by_style_sheet(page)
    blocks = tuple(_blocks(page, hidden, with_navigation=False))
    # A page of nothing but navigation is a page of links: then those are its text.
    yield from blocks or _blocks(page, hidden, with_navigation=True)


def _blocks(page: LexborHTMLParser, hidden: frozenset[int], *, with_navigation: bool) -> Iterator[Block]:
    notes = Notes(page)
    builder = Builder(notes)

    def is_left_out(node: LexborNode, name: str) -> bool:
        if is_hidden(node, name, hidden) or node.mem_id in notes.elements:
            return True
        return not with_navigation and name != "-text" and is_navigation(node, name)

    in_mark = False
    for step, node, name in _walk(page.root, is_left_out):
        if name == "-text":
            if step == "enter" and not in_mark:
                builder.add_text(node.text_content or "")
        elif name == "a" and (mark := notes.mark(node)) is not None:
            in_mark = step == "enter"
            if in_mark:
                builder.add_note_mark(*mark)
        elif step == "enter":
            builder.enter(node, name)
        else:
            builder.leave(node, name)
        yield from builder.take()
    builder.end_block()
    yield from builder.take()


def _walk(
    root: LexborNode | None, is_left_out: Callable[[LexborNode, str], bool]
) -> Iterator[tuple[str, LexborNode, str]]:
    """Yield every node that is not left out as ``(enter or leave, node, tag)``, in document order."""
    node, depth = root, 0
    while node is not None:
        name = node.tag or ""
        descend = False
        if not is_left_out(node, name):
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


READER = Reader(
    name="web page",
    suffixes=(".html", ".htm", ".xhtml"),
    media_types=("text/html", "application/xhtml+xml"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_html,
    recognizes=lambda data: _START.match(data[:4096]) is not None,
    is_certain=False,
)
