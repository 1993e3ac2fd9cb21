"""EPUB books -> their chapters in reading order, each read as a web page."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote

from ingest.blocks import Block, RawDocument
from ingest.dates import iso_date
from ingest.limits import MAX_FILE_BYTES
from ingest.readers.archive import BROKEN, damaged_parts, names_part, opened_archive, parsed_part
from ingest.readers.base import Reader
from ingest.readers.epub_notes import Chapters, as_html, has_notes, with_notes
from ingest.readers.html.reader import html_blocks, html_source

if TYPE_CHECKING:
    from lxml.etree import _Element

_OPF = "{http://www.idpf.org/2007/opf}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_CONTAINER = "{urn:oasis:names:tc:opendocument:xmlns:container}"
_MODIFIED = "dcterms:modified"
_NO_DATE = "0101-01-01T00:00:00+00:00"
"""What Calibre writes for a book without a date."""

_PAGES = ("application/xhtml+xml", "text/html")


def read_epub(data: bytes) -> RawDocument:
    """Return the chapters of a book. Raises ReadError where it is damaged, encrypted or has no reading order."""
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
    blocks = [block for source in chapters.values() for block in html_blocks(source)]  # refuses what is nested too deep
    if any(map(has_notes, chapters.values())):
        blocks = [block for source in with_notes(chapters).values() for block in html_blocks(source)]
    yield from blocks


def _published(package: _Element) -> str | None:
    """Return the date that the author gave; not the day on which a program wrote the file, as Pandoc notes it."""
    written = {(meta.text or "").strip() for meta in package.iter(f"{_OPF}meta") if meta.get("property") == _MODIFIED}
    for date in package.iter(f"{_DC}date"):
        text = (date.text or "").strip()
        if date.get(f"{_OPF}event", "publication") == "publication" and text not in written | {_NO_DATE}:
            return iso_date(text)
    return None


def _said(package: _Element, name: str) -> str | None:
    element = next(package.iter(f"{_DC}{name}"), None)
    return (element.text or "").strip() or None if element is not None else None


READER = Reader(
    name="EPUB book",
    suffixes=(".epub",),
    media_types=("application/epub+zip",),
    max_bytes=MAX_FILE_BYTES,
    read=read_epub,
    recognizes=lambda data: names_part(data[:200], b"application/epub+zip"),
)
