"""Word documents (.docx) -> blocks: paragraphs, tables, text boxes and notes, without deleted text.

A .docx file is a zip archive of XML, so it is weighed before it is opened: no part may unpack to more
than its limit, whatever it says of itself. python-docx opens it with entities switched off.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ingest.blocks import FORCED_LINE_END, Block, RawDocument
from ingest.limits import (
    MAX_COMPRESSION_RATIO,
    MAX_DECOMPRESSED_BYTES,
    MAX_PART_BYTES,
    MAX_PARTS,
    in_words,
)
from store.errors import ReadError

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml.etree import _Element

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_SKIPPED = frozenset(
    (f"{_W}del", f"{_W}moveFrom", "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback")
)
_MARKS = {f"{_W}tab": " ", f"{_W}br": FORCED_LINE_END, f"{_W}cr": FORCED_LINE_END, f"{_W}noBreakHyphen": "-"}
_NOBODY = frozenset(("", "python-docx", "microsoft office user", "user", "unknown", "admin", "administrator"))
_TEMPLATE_YEAR = 2013  # python-docx stamps its template's date on what it makes
_CHUNK = 1 << 20


def read_docx(data: bytes) -> RawDocument:
    """The blocks and core properties of a Word document. Raises ReadError, naming what is wrong."""
    _weigh(data)
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(io.BytesIO(data))
        blocks = tuple(_blocks(document))
    except (KeyError, ValueError, PackageNotFoundError, zipfile.BadZipFile, SyntaxError, AttributeError) as error:
        raise ReadError(
            "This Word document is damaged: its parts can't be read. Use an undamaged copy.", code="word_parts"
        ) from error
    properties = document.core_properties
    author = (properties.author or "").strip()
    created = properties.created
    return RawDocument(
        blocks=blocks,
        media_type="application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        title=(properties.title or "").strip() or None,
        author=author if author.lower() not in _NOBODY else None,
        published=created.date().isoformat() if created and created.year != _TEMPLATE_YEAR else None,
    )


def _weigh(data: bytes) -> None:
    """Raise ReadError unless the archive unpacks to a reasonable size. Nothing is kept of what is unpacked."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ReadError(
            "This Word document is damaged or cut off: use an undamaged copy.", code="word_damaged"
        ) from error
    with archive:
        if len(parts) > MAX_PARTS:
            raise ReadError(
                "This Word document has {count} parts; the limit is {limit}.",
                code="word_many",
                count=f"{len(parts):,}",
                limit=f"{MAX_PARTS:,}",
            )
        if any(part.flag_bits & 1 for part in parts):
            raise ReadError("This Word document is encrypted: remove its password and try again.", code="word_locked")
        total = 0
        for part in parts:
            total += _unpacked(archive, part, MAX_DECOMPRESSED_BYTES - total)


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """The size of `part` in bytes, counted while it is unpacked: what the archive says may be a lie."""
    is_xml = part.filename.lower().endswith((".xml", ".rels"))
    limit = min(left, MAX_PART_BYTES) if is_xml else left
    size = 0
    try:
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise ReadError(
                        "This Word document unpacks to more than {limit} in its part “{part}”, which is the limit.",
                        code="word_large",
                        limit=in_words(limit),
                        part=part.filename[:80],
                    )
                if is_xml and size > _CHUNK and size > MAX_COMPRESSION_RATIO * max(part.compress_size, 1):
                    raise ReadError(
                        "This Word document unpacks to more than {ratio} times its size, which is the limit: "
                        "it looks like a zip bomb.",
                        code="word_bomb",
                        ratio=MAX_COMPRESSION_RATIO,
                    )
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise ReadError(
            "This Word document is damaged or cut off: use an undamaged copy.", code="word_damaged"
        ) from error
    return size


def _blocks(document: WordDocument) -> Iterator[Block]:
    headings = {style.style_id for style in document.styles if _names_heading(style.name or "")}
    yield from _body(document.element.body, headings)
    for part in document.part.package.iter_parts():
        if str(part.partname) in ("/word/footnotes.xml", "/word/endnotes.xml"):
            yield from _notes(part.blob)


def _names_heading(name: str) -> bool:
    return name.lower() in ("title", "subtitle") or name.lower().startswith("heading")


def _body(body: _Element, headings: set[str]) -> Iterator[Block]:
    """Paragraphs in order; a row of a table is one line, its cells divided by ``|``."""
    skipped: _Element | None = None
    cells: list[str] = []
    for element, entering in _steps(body):
        if skipped is not None:
            skipped = None if element is skipped else skipped
        elif entering and element.tag in _SKIPPED:
            skipped = element
        elif entering and element.tag == f"{_W}tr" and not _inside(element, "tr"):
            cells = []
        elif entering and element.tag == f"{_W}tc" and not _inside(element, "tc"):
            cells.append("")
        elif entering and element.tag == f"{_W}p":
            text = _text(element)
            if _inside(element, "tc"):
                cells[-1] = f"{cells[-1]} {text}".strip()
            elif text.strip():
                yield Block(text, "heading" if _style(element) in headings else "paragraph")
        elif not entering and element.tag == f"{_W}tr" and not _inside(element, "tr"):
            if line := " | ".join(cell for cell in cells if cell):
                yield Block(line, "paragraph")
            cells = []


def _steps(root: _Element) -> Iterator[tuple[_Element, bool]]:
    """Every element below `root` on entering (True) and leaving (False); the tree's own walk, no recursion."""
    from lxml import etree

    for event, element in etree.iterwalk(root, events=("start", "end")):
        if isinstance(element.tag, str):
            yield element, event == "start"


def _inside(element: _Element, name: str) -> bool:
    return next(element.iterancestors(f"{_W}{name}"), None) is not None


def _text(paragraph: _Element) -> str:
    """The words of one paragraph: not those of a text box inside it, and nothing that was deleted."""
    pieces = []
    for element in paragraph.iter():
        if element.tag == f"{_W}t":
            piece = element.text or ""
        elif element.tag in _MARKS:
            piece = _MARKS[element.tag]
        else:
            continue
        owner = next(element.iterancestors(f"{_W}p"), None)
        if owner is paragraph and not any(ancestor.tag in _SKIPPED for ancestor in element.iterancestors()):
            pieces.append(piece)
    return "".join(pieces)


def _style(paragraph: _Element) -> str | None:
    style = paragraph.find(f"{_W}pPr/{_W}pStyle")
    return style.get(f"{_W}val") if style is not None else None


def _notes(blob: bytes) -> Iterator[Block]:
    from lxml import etree

    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    for paragraph in etree.fromstring(blob, parser).iter(f"{_W}p"):
        if (text := _text(paragraph)).strip():
            yield Block(text, "paragraph")
