"""Read HTML files: all text that a reader of the page can see, in blocks, and the page's metadata.

Nothing is fetched: links and images stay unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.metadata import iso_date
from ingest.readers.base import Reader
from ingest.readers.html.blocks import Builder
from ingest.readers.html.formulas import is_drawn_formula, is_hidden_formula
from ingest.readers.html.generated import Counters
from ingest.readers.html.navigation import Navigation
from ingest.readers.html.notes import Notes, marked_note
from ingest.readers.html.styles import Declarations, Styles
from ingest.readers.html.visibility import OF_PAGE, Look, is_out_of_sight, is_struck, look_of
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
_INVISIBLE_NAMES = """
script style template noscript head title meta link iframe object embed svg canvas audio video datalist rp meter progress
select button
"""
_INVISIBLE = frozenset((*_INVISIBLE_NAMES.split(), "-comment", "!doctype", "-doctype", "_comment"))
_STRUCK = frozenset(("s", "del", "strike"))
_OTHER_SHEETS = "link[rel~=stylesheet i][href]"


def read_html(data: bytes) -> RawDocument:
    """Return the blocks and metadata of a page. Raises ReadError if it is nested too deep."""
    page = _parsed(html_source(data))
    metadata = _metadata(page)
    return RawDocument(
        blocks=_blocks(page),
        media_type=READER.media_types[0],
        title=_title(page, metadata),
        author=_first(metadata, "author", "article:author", "dc.creator", "dcterms.creator", "citation_author"),
        published=iso_date(_first(metadata, *_DATES)),
    )


def html_source(data: bytes) -> str:
    """Return the text of a page in its declared encoding, or in a plausible one."""
    match = _CHARSET.search(data[:4096])
    return decode(data, declared=match.group(1).decode("ascii", "ignore") if match else None, is_markup=True).text


def html_blocks(source: str) -> tuple[Block, ...]:
    """Return the blocks of a page or of a piece of one, in reading order. Raises ReadError if it is nested too deep."""
    return _blocks(_parsed(source))


def _parsed(source: str) -> LexborHTMLParser:
    from selectolax.lexbor import LexborHTMLParser

    _refuse_deep_nesting(source)
    return LexborHTMLParser(source)


def _blocks(page: LexborHTMLParser) -> tuple[Block, ...]:
    # A page with nothing but navigation is a page of links, so those are its text.
    return _Walk(page).blocks(page.root) or _Walk(page, with_navigation=True).blocks(page.root)


def _title(page: LexborHTMLParser, metadata: dict[str, str]) -> str | None:
    node = page.css_first("title")
    written = _SPACE.sub(" ", node.text(strip=True)) if node else None
    return _first(metadata, "og:title", "dc.title", "citation_title") or written or None


def _metadata(page: LexborHTMLParser) -> dict[str, str]:
    """Return the contents of the page's ``meta`` elements, by lower-case name; the first of a name counts."""
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
    """Raise ReadError before the parser sees the page, because its time is quadratic in the depth.

    Elements that end implicitly (``p``, ``li``, ``td``, ...) don't count; they only nest inside others.
    """
    depth = 0
    for match in _TAG.finditer(source):
        if match.group(2).lower() in _ENDS_BY_ITSELF:
            continue
        depth = max(0, depth - 1) if match.group(1) else depth + (not match.group(0).endswith("/>"))
        if depth > MAX_NESTING:
            raise _too_deep()


def _too_deep() -> ReadError:
    """Return the error for a page whose elements nest deeper than the limit."""
    return ReadError(
        "This page nests its elements more than {limit} deep, which is the limit.",
        code="page_deep",
        limit=f"{MAX_NESTING:,}",
    )


class _Walk:
    """Walks the elements of a page in order, without recursion, because a hostile page can nest deeper than any stack."""

    def __init__(self, page: LexborHTMLParser, *, with_navigation: bool = False) -> None:
        self._styles = Styles(page)
        self._navigation = None if with_navigation else Navigation(page)
        self._notes = Notes(page)
        self._counters = Counters()
        self._look_of_page = OF_PAGE if page.css_first(_OTHER_SHEETS) is None else Look()

    def blocks(self, root: LexborNode | None) -> tuple[Block, ...]:
        """Return the blocks of an element and its content."""
        builder = Builder()
        looks = [self._look_of_page]
        node = root
        while node is not None:
            look = self._enter(node, builder, looks[-1], len(looks))
            if look is not None:
                if node.first_child is not None and node.tag != "math":
                    looks.append(look)
                    if len(looks) > MAX_NESTING:
                        raise _too_deep()
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
        """Begin an element, or add a text; return its look if it must be left again, None if it is skipped."""
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
        """Return whether an element is not shown here, or isn't part of the page's content."""
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


READER = Reader(
    name="web page",
    suffixes=(".html", ".htm", ".xhtml"),
    media_types=("text/html", "application/xhtml+xml"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_html,
    recognizes=lambda data: _START.match(data[:4096]) is not None,
    is_certain=False,
)
