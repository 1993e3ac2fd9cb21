"""OpenDocument texts (.odt) -> numbered paragraphs, tables and notes, without what is deleted, struck or hidden."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ingest.blocks import FORCED_LINE_END, Block, RawDocument
from ingest.limits import MAX_FILE_BYTES, MAX_NESTING
from ingest.numerals import numeral
from ingest.readers.archive import damaged_parts, names_part, opened_archive, parsed_part
from ingest.readers.base import Reader, too_deep
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

_NS = "urn:oasis:names:tc:opendocument:xmlns:"
_TEXT, _TABLE, _STYLE, _OFFICE = (f"{{{_NS}{name}:1.0}}" for name in ("text", "table", "style", "office"))
_META = f"{{{_NS}meta:1.0}}"
_DC = "{http://purl.org/dc/elements/1.1/}"
_LEFT_OUT = frozenset(
    (
        f"{_TEXT}tracked-changes",
        f"{_OFFICE}annotation",
        f"{_TEXT}table-of-content",
        f"{_TEXT}sequence-decls",
        f"{_TEXT}hidden-text",
        f"{_TEXT}hidden-paragraph",
        f"{_OFFICE}forms",
    )
)
_PARAGRAPHS = (f"{_TEXT}p", f"{_TEXT}h")
_MOST_REPEATED = 1_000


@dataclass(frozen=True, slots=True)
class _Style:
    """What a style says of its text; None where its parent decides."""

    parent: str | None = None
    is_off: bool | None = None
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class _Level:
    style: str
    prefix: str
    suffix: str
    start: int
    shown: int


@dataclass
class _Reading:
    """One pass over a document."""

    styles: dict[str, _Style]
    lists: dict[str, dict[int, _Level]]
    counts: dict[str, dict[int, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def read_odt(data: bytes) -> RawDocument:
    """Return the blocks of an OpenDocument text. Raises ReadError where it is damaged or encrypted."""
    with opened_archive(data) as archive:
        content = parsed_part(archive, "content.xml")
        shared = parsed_part(archive, "styles.xml")
        meta = parsed_part(archive, "meta.xml")
    if content is None:
        raise damaged_parts()
    roots = [root for root in (shared, content) if root is not None]
    reading = _Reading(_styles(roots), _lists(roots))
    body = content.find(f"{_OFFICE}body/{_OFFICE}text")
    return RawDocument(
        tuple(_blocks(body, reading, 0)) if body is not None else (),
        READER.media_types[0],
        title=_said(meta, f"{_DC}title"),
        author=_said(meta, f"{_META}initial-creator") or _said(meta, f"{_DC}creator"),
    )


def _said(meta: _Element | None, name: str) -> str | None:
    element = None if meta is None else next(meta.iter(name), None)
    return (element.text or "").strip() or None if element is not None else None


def _styles(roots: list[_Element]) -> dict[str, _Style]:
    found = {}
    for root in roots:
        for style in root.iter(f"{_STYLE}style"):
            properties = style.find(f"{_STYLE}text-properties")
            said = {} if properties is None else dict(properties.attrib)
            line, display = said.get(f"{_STYLE}text-line-through-style"), said.get(f"{_TEXT}display")
            position = said.get(f"{_STYLE}text-position")
            is_off = None if line is None and display is None else line not in (None, "none") or display == "none"
            found[style.get(f"{_STYLE}name", "")] = _Style(
                style.get(f"{_STYLE}parent-style-name"), is_off, None if position is None else _shift(str(position))
            )
    return found


def _shift(position: str) -> str:
    """Return ``super``, ``sub`` or nothing for a text position such as ``super 58%`` or ``33% 58%``."""
    first = position.split(maxsplit=1)[0] if position.split() else ""
    if first in ("super", "sub"):
        return first
    return "sub" if first.startswith("-") else "" if first in ("0%", "") else "super"


def _lists(roots: list[_Element]) -> dict[str, dict[int, _Level]]:
    found: dict[str, dict[int, _Level]] = {}
    for root in roots:
        for style in root.iter(f"{_TEXT}list-style"):
            levels = found.setdefault(style.get(f"{_STYLE}name", ""), {})
            for level in style.iterchildren(f"{_TEXT}list-level-style-number"):
                levels[_integer(level.get(f"{_TEXT}level"), 1)] = _Level(
                    style=_number_style(level.get(f"{_STYLE}num-format") or ""),
                    prefix=level.get(f"{_STYLE}num-prefix") or "",
                    suffix=level.get(f"{_STYLE}num-suffix") or "",
                    start=_integer(level.get(f"{_TEXT}start-value"), 1),
                    shown=_integer(level.get(f"{_TEXT}display-levels"), 1),
                )
    return found


def _number_style(written: str) -> str:
    return "decimal" if written == "1" else written or "none"


def _blocks(parent: _Element, reading: _Reading, depth: int) -> Iterator[Block]:
    _refuse_deep(depth)
    for element in parent:
        if not isinstance(element.tag, str) or element.tag in _LEFT_OUT:
            continue
        if element.tag in _PARAGRAPHS:
            text = _words(element, reading).strip()
            if text:
                yield Block(text, "heading" if element.tag == f"{_TEXT}h" else "paragraph")
            yield from _taken_notes(reading)
        elif element.tag == f"{_TEXT}list":
            yield from _list_blocks(element, reading, depth, None, 1)
        elif element.tag == f"{_TABLE}table":
            yield from _table(element, reading, depth)
            yield from _taken_notes(reading)
        elif element.get(f"{_TEXT}display") != "none":
            yield from _blocks(element, reading, depth + 1)


def _refuse_deep(depth: int) -> None:
    if depth > MAX_NESTING // 10:
        raise too_deep(MAX_NESTING // 10)


def _taken_notes(reading: _Reading) -> Iterator[Block]:
    yield from (Block(note, "paragraph") for note in reading.notes)
    reading.notes.clear()


def _list_blocks(element: _Element, reading: _Reading, depth: int, style: str | None, level: int) -> Iterator[Block]:
    _refuse_deep(depth)
    style = element.get(f"{_TEXT}style-name") or style
    counts = reading.counts.setdefault(style or "", {})
    if element.get(f"{_TEXT}continue-numbering") != "true" and element.get(f"{_TEXT}continue-list") is None:
        counts.pop(level, None)
    for item in element.iterchildren(f"{_TEXT}list-item", f"{_TEXT}list-header"):
        number = ""
        if item.tag == f"{_TEXT}list-item":
            number = _next_number(reading, style, level, item.get(f"{_TEXT}start-value"))
        for child in item:
            if child.tag == f"{_TEXT}list":
                yield from _list_blocks(child, reading, depth + 1, style, level + 1)
            elif child.tag in _PARAGRAPHS and (text := _words(child, reading).strip()):
                yield Block(f"{number} {text}".strip(), "heading" if child.tag == f"{_TEXT}h" else "paragraph")
                number = ""
                yield from _taken_notes(reading)


def _next_number(reading: _Reading, style: str | None, level: int, start: str | None) -> str:
    levels = reading.lists.get(style or "", {})
    if level not in levels:
        return ""
    counts = reading.counts[style or ""]
    first = _integer(start, levels[level].start) if start is not None or level not in counts else counts[level] + 1
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
    for row in table.iter(f"{_TABLE}table-row"):
        if next(row.iterancestors(f"{_TABLE}table"), None) is not table:
            continue
        cells: list[Cell] = []
        for cell in row.iterchildren(f"{_TABLE}table-cell"):
            text = "; ".join(block.text for block in _blocks(cell, reading, depth + 1))
            columns = _integer(cell.get(f"{_TABLE}number-columns-spanned"), 1)
            made = Cell(text, _integer(cell.get(f"{_TABLE}number-rows-spanned"), 1), columns)
            cells += [made] * min(
                _integer(cell.get(f"{_TABLE}number-columns-repeated"), 1), _MOST_REPEATED if text else 50
            )
        rows.append(cells)
        headers += next(row.iterancestors(f"{_TABLE}table-header-rows"), None) is not None
    return table_blocks(rows, header_rows=headers or None)


def _words(paragraph: _Element, reading: _Reading) -> str:
    """Return the words of a paragraph; notes go to the reading, each with its mark."""
    if _is_off(reading, paragraph.get(f"{_TEXT}style-name")):
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
    if element.tag in (f"{_TEXT}s", f"{_TEXT}tab"):
        yield " "
    elif element.tag == f"{_TEXT}line-break":
        yield FORCED_LINE_END
    elif element.tag == f"{_TEXT}note":
        mark = "".join(element.itertext(f"{_TEXT}note-citation")) or "*"
        body = element.find(f"{_TEXT}note-body")
        yield f" [{mark}]"
        if body is not None:
            inner = _Reading(reading.styles, reading.lists)
            text = " ".join(block.text for block in _blocks(body, inner, depth + 1))
            reading.notes.append(f"[{mark}] {text}")
    elif element.tag == f"{_TEXT}span":
        style = element.get(f"{_TEXT}style-name")
        if not _is_off(reading, style):
            text = "".join(_pieces(element, reading, depth + 1))
            shift = _inherited(reading, style, "shift")
            yield raised(text) if shift == "super" else lowered(text) if shift == "sub" else text
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


def _integer(text: str | None, default: int) -> int:
    try:
        return max(1, min(int((text or "")[:6]), 100_000))
    except ValueError:
        return default


READER = Reader(
    name="OpenDocument text",
    suffixes=(".odt",),
    media_types=("application/vnd.oasis.opendocument.text",),
    max_bytes=MAX_FILE_BYTES,
    read=read_odt,
    recognizes=lambda data: names_part(data[:200], b"application/vnd.oasis.opendocument.text"),
)
