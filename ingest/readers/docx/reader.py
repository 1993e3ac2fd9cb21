"""Read Word documents (.docx) into blocks: numbered paragraphs, tables, text boxes and notes, without deleted text.

python-docx opens the archive, after a check of its size, without expanding entities.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import regex

from ingest.blocks import Block, RawDocument
from ingest.limits import MAX_FILE_BYTES
from ingest.readers.archive import damaged_parts, names_part, opened_archive, parsed_xml
from ingest.readers.base import Reader, integer
from ingest.readers.docx.names import LEFT_OUT, W, is_on, value
from ingest.readers.docx.numbering import Numbering
from ingest.readers.docx.runs import Runs
from ingest.readers.tables import Cell, table_blocks

if TYPE_CHECKING:
    from docx.document import Document as WordDocument
    from lxml.etree import _Element

_CONTENTS = regex.compile(r"^(?:toc|table of figures)\b", regex.I)


def read_docx(data: bytes) -> RawDocument:
    """Return the blocks and core properties of a Word document. Raises ReadError, with the reason."""
    opened_archive(data).close()
    import docx
    from docx.opc.exceptions import PackageNotFoundError

    try:
        document = docx.Document(io.BytesIO(data))
        blocks = tuple(_blocks(document))
    except (KeyError, ValueError, PackageNotFoundError, zipfile.BadZipFile, SyntaxError, AttributeError) as error:
        raise damaged_parts() from error
    properties = document.core_properties
    return RawDocument(
        blocks=blocks,
        media_type=READER.media_types[0],
        title=(properties.title or "").strip() or None,
        author=(properties.author or "").strip() or None,
    )


@dataclass(slots=True)
class _Table:
    """An open table. Cells merged downwards grow while their rows are added."""

    rows: list[list[Cell]] = field(default_factory=list)
    column: int = 0
    text: str = ""
    header_rows: int = 0
    growing: dict[int, tuple[int, int]] = field(default_factory=dict)
    """By column, the row and index in it of the cell that is merged downwards."""
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The parts that a document's body refers to."""

    headings: frozenset[str]
    contents: frozenset[str]
    numbering: Numbering
    runs: Runs
    carried: list[str] = field(default_factory=list)
    """Words of paragraphs with a deleted end, which continue in the next one."""


def _blocks(document: WordDocument) -> Iterator[Block]:
    parts = {str(part.partname): part for part in document.part.package.iter_parts()}
    styles = document.styles.element
    names = {style.get(f"{W}styleId", ""): value(style, "name") or "" for style in styles.iter(f"{W}style")}
    numbering = parts.get("/word/numbering.xml")
    notes: dict[tuple[str, str], str] = {}
    for kind in ("footnote", "endnote"):
        if (part := parts.get(f"/word/{kind}s.xml")) is not None:
            notes |= _notes(parsed_xml(part.blob), kind)
    yield from _body(
        document.element.body,
        _Parts(
            headings=frozenset(name for name, shown in names.items() if _names_heading(shown)),
            contents=frozenset(name for name, shown in names.items() if _CONTENTS.match(shown)),
            numbering=Numbering(None if numbering is None else parsed_xml(numbering.blob), styles),
            runs=Runs(styles, notes),
        ),
    )


def _names_heading(name: str) -> bool:
    return name.lower() in ("title", "subtitle") or name.lower().startswith("heading")


def _body(body: _Element, parts: _Parts) -> Iterator[Block]:
    """Yield paragraphs, and rows of tables, in order."""
    skipped: _Element | None = None
    tables: list[_Table] = []
    for element, entering in _steps(body):
        if skipped is not None:
            skipped = None if element is skipped else skipped
        elif entering and (element.tag in LEFT_OUT or _is_left_out(element)):
            skipped = element
        elif element.tag == f"{W}tbl":
            if entering:
                tables.append(_Table())
            else:
                yield from _end_table(tables)
        elif entering and element.tag == f"{W}p":
            yield from _paragraph(element, parts, tables)
        elif tables and element.tag in (f"{W}tr", f"{W}tc"):
            _step_in_table(tables[-1], element, entering)


def _is_left_out(element: _Element) -> bool:
    """Return whether a row or cell was deleted with tracked changes or is hidden, or a form field is empty."""
    if element.tag == f"{W}tr":
        properties = element.find(f"{W}trPr")
        return is_on(properties, "del") is not None or bool(is_on(properties, "hidden"))
    if element.tag == f"{W}sdt":
        return bool(is_on(element.find(f"{W}sdtPr"), "showingPlcHdr"))
    return element.tag == f"{W}tc" and element.find(f"{W}tcPr/{W}cellDel") is not None


def _paragraph(element: _Element, parts: _Parts, tables: list[_Table]) -> Iterator[Block]:
    style = value(element, "pPr/pStyle")
    if style in parts.contents:
        return
    if parts.runs.is_struck(element):
        if not parts.runs.is_deleted(element):
            parts.numbering.of(element)  # Struck text keeps its number, because the numbers after it depend on it.
        return
    number = parts.numbering.of(element)
    text = parts.runs.text(element)
    if element.find(f"{W}pPr/{W}rPr/{W}del") is not None and element.getnext() is not None:
        parts.carried.append(f"{number} {text.lstrip()}" if number else text)
        return
    notes, parts.runs.marked = parts.runs.marked, []
    if parts.carried:
        text, number = "".join((*parts.carried, text)), ""
        parts.carried.clear()
    if number and text.strip():
        text = f"{number} {text.lstrip()}"
    if tables and next(element.iterancestors(f"{W}tc", f"{W}txbxContent"), element).tag == f"{W}tc":
        tables[-1].text = f"{tables[-1].text} {text}".strip()
        tables[-1].notes += notes
        return
    if text.strip():
        yield Block(text, "heading" if style in parts.headings else "paragraph")
    yield from (Block(note, "paragraph") for note in notes)


def _step_in_table(table: _Table, element: _Element, entering: bool) -> None:
    if element.tag == f"{W}tr":
        if entering:
            before = integer(value(element, "trPr/gridBefore"), 0)
            table.rows.append([Cell("", columns=before)] if 0 < before < 100 else [])
            table.column = before
            is_header = element.find(f"{W}trPr/{W}tblHeader") is not None
            table.header_rows += is_header and table.header_rows == len(table.rows) - 1
        return
    if not table.rows:
        return
    if entering:
        table.text = ""
        return
    columns = max(1, min(integer(value(element, "tcPr/gridSpan"), 1), 1_000))
    merged = element.find(f"{W}tcPr/{W}vMerge")
    row = len(table.rows) - 1
    continues = merged is not None and merged.get(f"{W}val") != "restart" and table.column in table.growing
    if continues:
        origin, place = table.growing[table.column]
        table.rows[origin][place] = replace(table.rows[origin][place], rows=row - origin + 1)
    else:
        table.growing.pop(table.column, None)
        if merged is not None:
            table.growing[table.column] = (row, len(table.rows[row]))
        table.rows[row].append(Cell(table.text, columns=columns))
    table.column += columns
    table.text = ""


def _end_table(tables: list[_Table]) -> Iterator[Block]:
    table = tables.pop()
    blocks = list(table_blocks(table.rows, header_rows=table.header_rows or None))
    if tables:
        inner = "; ".join(block.text for block in blocks)
        tables[-1].text = f"{tables[-1].text} {inner}".strip()
        tables[-1].notes += table.notes
        return
    yield from blocks
    yield from (Block(note, "paragraph") for note in table.notes)


def _steps(root: _Element) -> Iterator[tuple[_Element, bool]]:
    """Yield every element below `root` on entering (True) and leaving (False), without recursion."""
    from lxml import etree

    for event, element in etree.iterwalk(root, events=("start", "end")):
        if isinstance(element.tag, str):
            yield element, event == "start"


def _notes(root: _Element, kind: str) -> dict[tuple[str, str], str]:
    """Return the notes of a part by kind and id, without the separator lines."""
    runs = Runs(None, {})
    found = {}
    for note in root.iter(f"{W}{kind}"):
        if note.get(f"{W}type") in ("separator", "continuationSeparator", "continuationNotice"):
            continue
        texts = (runs.text(paragraph).strip() for paragraph in note.iter(f"{W}p"))
        if text := " ".join(text for text in texts if text):
            found[kind, note.get(f"{W}id", "")] = text
    return found


READER = Reader(
    name="Word document",
    suffixes=(".docx",),
    media_types=("application/vnd.openxmlformats-officedocument.wordprocessingml.document",),
    max_bytes=MAX_FILE_BYTES,
    read=read_docx,
    recognizes=lambda data: names_part(data, b"word/document.xml"),
)
