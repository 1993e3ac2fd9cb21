"""Read OpenDocument texts (.odt): numbered paragraphs, tables and notes, without what is deleted, struck or hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from ingest.blocks import FORCED_LINE_END, Block, RawDocument
from ingest.limits import MAX_FILE_BYTES, MAX_NESTING
from ingest.numerals import numeral
from ingest.readers.archive import BROKEN, damaged_parts, names_part, opened_archive, parsed_part
from ingest.readers.base import Reader, too_deep
from ingest.readers.html.reader import html_blocks
from ingest.readers.odt.styles import (
    DRAW,
    META,
    OFFICE,
    TABLE,
    TEXT,
    Level,
    TextStyle,
    integer,
    list_levels,
    text_styles,
)
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import shifted

if TYPE_CHECKING:
    import zipfile

    from lxml.etree import _Element

_LINK = "{http://www.w3.org/1999/xlink}href"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LEFT_OUT = frozenset(
    (
        f"{TEXT}tracked-changes",
        f"{OFFICE}annotation",
        f"{TEXT}table-of-content",
        f"{TEXT}sequence-decls",
        f"{TEXT}hidden-text",
        f"{TEXT}hidden-paragraph",
        f"{OFFICE}forms",
        f"{TEXT}alphabetical-index",
        f"{TEXT}table-index",
        f"{TEXT}illustration-index",
        "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}title",
        "{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}desc",
    )
)
_FORMULA = regex.compile(r"<math\b")
_PARAGRAPHS = (f"{TEXT}p", f"{TEXT}h")
_MOST_REPEATED = 1_000
_FOLDED = ("collapse", "filter")


@dataclass
class _Reading:
    """One pass over a document."""

    styles: dict[str, TextStyle]
    lists: dict[str, dict[int, Level]]
    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    formulas: dict[str, str] = field(default_factory=dict)
    """The text of embedded formulas by their folder in the archive."""
    notes: list[str] = field(default_factory=list)
    """Text after its paragraph: footnotes, and texts in frames."""


def read_odt(data: bytes) -> RawDocument:
    """Return the blocks of an OpenDocument text. Raises ReadError if it is damaged or encrypted."""
    with opened_archive(data) as archive:
        content = parsed_part(archive, "content.xml")
        shared = parsed_part(archive, "styles.xml")
        meta = parsed_part(archive, "meta.xml")
        formulas = _formulas(archive)
    if content is None:
        raise damaged_parts()
    roots = [root for root in (shared, content) if root is not None]
    reading = _Reading(text_styles(roots), list_levels(roots), formulas=formulas)
    body = content.find(f"{OFFICE}body/{OFFICE}text")
    return RawDocument(
        tuple(_blocks(body, reading, 0)) if body is not None else (),
        READER.media_types[0],
        title=_said(meta, f"{_DC}title"),
        author=_said(meta, f"{META}initial-creator") or _said(meta, f"{_DC}creator"),
    )


def _formulas(archive: zipfile.ZipFile) -> dict[str, str]:
    """Return the text of the formulas that a document embeds, in the form of web pages."""
    found = {}
    for name in archive.namelist()[:_MOST_REPEATED]:
        folder, _, part = name.rpartition("/")
        if part == "content.xml" and folder:
            try:
                source = archive.read(name).decode("utf-8", "replace")
            except BROKEN as error:
                raise damaged_parts() from error
            if (start := _FORMULA.search(source)) is not None:
                found[folder] = " ".join(block.text for block in html_blocks(f"<p>{source[start.start() :]}"))
    return found


def _said(meta: _Element | None, name: str) -> str | None:
    element = None if meta is None else next(meta.iter(name), None)
    return (element.text or "").strip() or None if element is not None else None


def _blocks(parent: _Element, reading: _Reading, depth: int) -> Iterator[Block]:
    _refuse_deep(depth)
    for element in parent:
        if not isinstance(element.tag, str) or element.tag in _LEFT_OUT:
            continue
        if element.tag in _PARAGRAPHS:
            text = _words(element, reading).strip()
            if text:
                yield Block(text, "heading" if element.tag == f"{TEXT}h" else "paragraph")
            yield from _taken_notes(reading)
        elif element.tag == f"{TEXT}list":
            yield from _list_blocks(element, reading, depth, None, 1)
        elif element.tag == f"{TABLE}table":
            yield from _table(element, reading, depth)
            yield from _taken_notes(reading)
        elif element.get(f"{TEXT}display") != "none":
            yield from _blocks(element, reading, depth + 1)


def _refuse_deep(depth: int) -> None:
    if depth > MAX_NESTING // 10:
        raise too_deep(MAX_NESTING // 10)


def _taken_notes(reading: _Reading) -> Iterator[Block]:
    yield from (Block(note, "paragraph") for note in reading.notes)
    reading.notes.clear()


def _list_blocks(element: _Element, reading: _Reading, depth: int, style: str | None, level: int) -> Iterator[Block]:
    _refuse_deep(depth)
    style = element.get(f"{TEXT}style-name") or style
    counts = reading.counts.setdefault(style or "", {})
    if element.get(f"{TEXT}continue-numbering") != "true" and element.get(f"{TEXT}continue-list") is None:
        counts.pop(level, None)
    for item in element.iterchildren(f"{TEXT}list-item", f"{TEXT}list-header"):
        number = ""
        if item.tag == f"{TEXT}list-item":
            number = _next_number(reading, style, level, item.get(f"{TEXT}start-value"))
        for child in item:
            if child.tag == f"{TEXT}list":
                yield from _list_blocks(child, reading, depth + 1, style, level + 1)
            elif child.tag in _PARAGRAPHS and (text := _words(child, reading).strip()):
                yield Block(f"{number} {text}".strip(), "heading" if child.tag == f"{TEXT}h" else "paragraph")
                number = ""
                yield from _taken_notes(reading)


def _next_number(reading: _Reading, style: str | None, level: int, start: str | None) -> str:
    levels = reading.lists.get(style or "", {})
    if level not in levels:
        return ""
    counts = reading.counts[style or ""]
    first = integer(start, levels[level].start) if start is not None or level not in counts else counts[level] + 1
    counts[level] = first
    for below in [each for each in counts if each > level]:
        del counts[below]
    shown = range(max(1, level - levels[level].shown + 1), level + 1)
    numbers = [numeral(counts.get(each, levels[each].start), levels[each].style) for each in shown if each in levels]
    text = ".".join(number for number in numbers if number)
    return f"{levels[level].prefix}{text}{levels[level].suffix}" if text else ""


def _table(table: _Element, reading: _Reading, depth: int) -> Iterator[Block]:
    _refuse_deep(depth)
    rows: list[list[Cell]] = []
    headers = 0
    for row in table.iter(f"{TABLE}table-row"):
        if next(row.iterancestors(f"{TABLE}table"), None) is not table or row.get(f"{TABLE}visibility") in _FOLDED:
            continue
        cells: list[Cell] = []
        for cell in row.iterchildren(f"{TABLE}table-cell"):
            text = "; ".join(block.text for block in _blocks(cell, reading, depth + 1))
            columns = integer(cell.get(f"{TABLE}number-columns-spanned"), 1)
            made = Cell(text, integer(cell.get(f"{TABLE}number-rows-spanned"), 1), columns)
            cells += [made] * min(
                integer(cell.get(f"{TABLE}number-columns-repeated"), 1), _MOST_REPEATED if text else 50
            )
        rows.append(cells)
        headers += next(row.iterancestors(f"{TABLE}table-header-rows"), None) is not None
    return table_blocks(rows, header_rows=headers or None)


def _words(paragraph: _Element, reading: _Reading) -> str:
    """Return the words of a paragraph; notes are added to the reading, each with its mark."""
    if _is_off(reading, paragraph.get(f"{TEXT}style-name")):
        return ""
    return "".join(_pieces(paragraph, reading, 0))


def _pieces(parent: _Element, reading: _Reading, depth: int) -> Iterator[str]:
    _refuse_deep(depth)
    yield _collapsed(parent.text)
    for element in parent:
        if isinstance(element.tag, str) and element.tag not in _LEFT_OUT:
            yield from _piece(element, reading, depth)
        yield _collapsed(element.tail)


def _piece(element: _Element, reading: _Reading, depth: int) -> Iterator[str]:
    if element.tag in (f"{TEXT}s", f"{TEXT}tab"):
        yield " "
    elif element.tag == f"{TEXT}line-break":
        yield FORCED_LINE_END
    elif element.tag == f"{TEXT}note":
        mark = "".join(element.itertext(f"{TEXT}note-citation")) or "*"
        body = element.find(f"{TEXT}note-body")
        yield f" [{mark}]"
        if body is not None:
            inner = _Reading(reading.styles, reading.lists, formulas=reading.formulas)
            text = " ".join(block.text for block in _blocks(body, inner, depth + 1))
            reading.notes.append(f"[{mark}] {text}")
    elif element.tag.startswith(DRAW) and any(child.tag in (*_PARAGRAPHS, f"{TEXT}list") for child in element):
        reading.notes += (block.text for block in list(_blocks(element, reading, depth + 1)))
    elif element.tag == f"{DRAW}object":
        yield reading.formulas.get((element.get(_LINK) or "").removeprefix("./").rstrip("/"), "")
    elif element.tag == f"{TEXT}ruby-text":
        yield f"({''.join(_pieces(element, reading, depth + 1))})"
    elif element.tag == f"{TEXT}span":
        style = element.get(f"{TEXT}style-name")
        if not _is_off(reading, style):
            text = "".join(_pieces(element, reading, depth + 1))
            shift = _inherited(reading, style, "shift")
            yield shifted(text, str(shift))
    else:
        yield from _pieces(element, reading, depth + 1)


def _is_off(reading: _Reading, style: str | None) -> bool:
    return bool(_inherited(reading, style, "is_off"))


def _inherited(reading: _Reading, name: str | None, what: str) -> object:
    for _ in range(20):
        style = reading.styles.get(name or "")
        if style is None:
            return None
        if (value := getattr(style, what)) is not None:
            return value
        name = style.parent
    return None


def _collapsed(text: str | None) -> str:
    if not text:
        return ""
    words = " ".join(text.split())
    return f"{' ' * text[:1].isspace()}{words}{' ' * (bool(words) and text[-1:].isspace())}"


READER = Reader(
    name="OpenDocument text",
    suffixes=(".odt",),
    media_types=("application/vnd.oasis.opendocument.text",),
    max_bytes=MAX_FILE_BYTES,
    read=read_odt,
    recognizes=lambda data: names_part(data[:200], b"application/vnd.oasis.opendocument.text"),
)
