"""HTML files -> blocks and what the page says of itself. Nothing is fetched: links and images stay where they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block, RawDocument
from ingest.dates import iso_date
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.html.page import page_blocks, too_deep_page

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser

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


def html_blocks(source: str, page: LexborHTMLParser | None = None, sheets: Iterable[str] = ()) -> Iterator[Block]:
    """Yield the blocks of a page or of a piece of one, in reading order; `sheets` are style sheets that belong to it."""
    if page is None:
        from selectolax.lexbor import LexborHTMLParser

        _refuse_deep_nesting(source)
        page = LexborHTMLParser(source)
    yield from page_blocks(page, sheets)


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
            raise too_deep_page()


READER = Reader(
    name="web page",
    suffixes=(".html", ".htm", ".xhtml"),
    media_types=("text/html", "application/xhtml+xml"),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_html,
    recognizes=lambda data: _START.match(data[:4096]) is not None,
    is_certain=False,
)
