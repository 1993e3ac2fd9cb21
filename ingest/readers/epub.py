"""Read EPUB books: their chapters in reading order, each read as a web page.

A mark in one chapter and its note in another are combined, as an e-book reader shows them. Numbers of printed pages
inside sentences are left out.
"""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

import regex

from ingest.blocks import Block, RawDocument
from ingest.limits import MAX_FILE_BYTES
from ingest.metadata import iso_date
from ingest.readers.archive import BROKEN, damaged_parts, names_part, opened_archive, parsed_part
from ingest.readers.base import Reader
from ingest.readers.html.reader import html_blocks, html_source

if TYPE_CHECKING:
    from lxml.etree import _Element
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_MODIFIED = "dcterms:modified"
_NO_DATE = "0101-01-01T00:00:00+00:00"
"""Calibre's value for a book without a date."""

_PAGES = ("application/xhtml+xml", "text/html")
_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_EMPTY = regex.compile(rf"<((?!(?:{_VOID})\b)[a-z][\w:-]*+)((?:\s[^<>]*?)?)/>")
_SAYS_MORE = regex.compile(r"noteref|pagebreak")
_PAGE_BREAKS = ("pagebreak", "doc-pagebreak")
_BACK = ("backlink", "doc-backlink", "referrer")
_MARK = ("noteref", "doc-noteref")
_LONGEST_LINK_BACK = 12

Chapters = dict[str, str]
"""The source of each chapter by its path in the archive."""


def read_epub(data: bytes) -> RawDocument:
    """Return the chapters of a book. Raises ReadError if it is damaged, encrypted or has no reading order."""
    with opened_archive(data) as archive:
        container = parsed_part(archive, "META-INF/container.xml")
        root = None if container is None else next(container.iter(f"{_CONTAINER}rootfile"), None)
        path = "" if root is None else root.get("full-path", "")
        package = parsed_part(archive, path) if path else None
        if package is None:
            raise damaged_parts()
        try:
            blocks = tuple(_blocks(archive, package, posixpath.dirname(path)))
        except BROKEN as error:
            raise damaged_parts() from error
    return RawDocument(
        blocks,
        READER.media_types[0],
        title=_said(package, "title"),
        author=_said(package, "creator"),
        published=_published(package),
    )


def _blocks(archive: zipfile.ZipFile, package: _Element, folder: str) -> Iterator[Block]:
    items = {item.get("id"): item for item in package.iter(f"{_OPF}item")}
    names = set(archive.namelist())
    chapters: Chapters = {}
    for reference in package.iter(f"{_OPF}itemref"):
        item = items.get(reference.get("idref"))
        if item is None or item.get("media-type") not in _PAGES or "nav" in (item.get("properties") or "").split():
            continue
        path = posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        if path in names:
            chapters[path] = as_html(html_source(archive.read(path)))
    blocks = [block for source in chapters.values() for block in html_blocks(source)]  # refuses too deep nesting
    if any(map(has_notes, chapters.values())):
        blocks = [block for source in with_notes(chapters).values() for block in html_blocks(source)]
    yield from blocks


def _published(package: _Element) -> str | None:
    """Return the author's date, not the day on which a program wrote the file, which Pandoc also stores."""
    written = {(meta.text or "").strip() for meta in package.iter(f"{_OPF}meta") if meta.get("property") == _MODIFIED}
    for date in package.iter(f"{_DC}date"):
        text = (date.text or "").strip()
        if date.get(f"{_OPF}event", "publication") == "publication" and text not in written | {_NO_DATE}:
            return iso_date(text)
    return None


def _said(package: _Element, name: str) -> str | None:
    element = next(package.iter(f"{_DC}{name}"), None)
    return (element.text or "").strip() or None if element is not None else None


def as_html(source: str) -> str:
    """Return a chapter with elements such as ``<title/>`` closed as in web pages; open ones swallow the text after them."""
    return _EMPTY.sub(r"<\1\2></\1>", source)


def has_notes(source: str) -> bool:
    """Return whether a chapter has marks of notes or numbers of printed pages."""
    return _SAYS_MORE.search(source) is not None


def with_notes(chapters: Chapters) -> Chapters:
    """Return the chapters with each note in the chapter that refers to it, and without page numbers."""
    from selectolax.lexbor import LexborHTMLParser

    pages = {path: LexborHTMLParser(source) for path, source in chapters.items()}
    notes: dict[tuple[str, str], str] = {}
    moved: dict[str, str] = {}
    for path, page in pages.items():
        for node in page.css("[epub\\:type], [role]"):
            if _is(node, _PAGE_BREAKS):
                node.decompose()
        for link in page.css("a[href]"):
            if not _is(link, _MARK):
                continue
            link.attrs["class"] = f"{link.attributes.get('class') or ''} noteref"
            place, _, name = unquote(link.attributes.get("href") or "").partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) if place else path
            if target == path or target not in pages or not name:
                continue
            if (target, name) not in notes and (words := _taken(pages[target], name)) is not None:
                notes[target, name] = words
                moved[path] = moved.get(path, "") + f'<aside id="{escape(f"{target}-{name}")}">{escape(words)}</aside>'
            link.attrs["href"] = f"#{target}-{name}"
    sources = {path: page.html or "" for path, page in pages.items()}
    return {path: source.replace("</body>", f"{moved.get(path, '')}</body>") for path, source in sources.items()}


def _taken(page: LexborHTMLParser, name: str) -> str | None:
    """Return the words of a note, and remove it from its chapter."""
    node = next((each for each in page.css("[id]") if each.attributes.get("id") == name), None)
    if node is None or node.tag in ("body", "html"):
        return None
    for link in node.css("a[href]"):
        if _is(link, _BACK) or ("#" in (link.attributes.get("href") or "") and len(link.text()) <= _LONGEST_LINK_BACK):
            link.decompose()
    words = node.text(separator=" ", strip=True)
    node.decompose()
    return words


def _is(node: LexborNode, kinds: tuple[str, ...]) -> bool:
    """Return whether an element has a kind, in the names of books or of web pages."""
    names = f"{node.attributes.get('epub:type') or ''} {node.attributes.get('role') or ''}".split()
    return any(kind in names for kind in kinds)


READER = Reader(
    name="EPUB book",
    suffixes=(".epub",),
    media_types=("application/epub+zip",),
    max_bytes=MAX_FILE_BYTES,
    read=read_epub,
    recognizes=lambda data: names_part(data[:200], b"application/epub+zip"),
)
