"""Read PowerPoint presentations (.pptx): the text, tables and notes of each slide, without hidden slides."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from ingest.blocks import FORCED_LINE_END, PAGE_START, Block, RawDocument
from ingest.limits import MAX_FILE_BYTES
from ingest.numerals import numeral
from ingest.readers.archive import damaged_parts, names_part, opened_archive
from ingest.readers.base import Reader
from ingest.readers.docx.equations import equation
from ingest.readers.docx.names import M
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import shifted

if TYPE_CHECKING:
    from pptx.presentation import Presentation

_A = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
_MATH = "{http://schemas.microsoft.com/office/drawing/2010/main}m"
_COUNTED = ("slidenum", "datetime")
"""Fields with a slide's number or the current date."""

_RUNNING = ("DATE", "FOOTER", "SLIDE_NUMBER", "HEADER")
_NUMBERS = {
    "arabic": "decimal", "alphaLc": "lowerLetter", "alphaUc": "upperLetter", "romanLc": "lowerRoman",
    "romanUc": "upperRoman", "thaiAlpha": "thaiLetters", "thaiNum": "thaiNumbers", "hindiNum": "hindiNumbers",
}  # fmt: skip
_WRITTEN = {"Period": "{}.", "ParenR": "{})", "ParenBoth": "({})", "Plain": "{}"}


def read_pptx(data: bytes) -> RawDocument:
    """Return the text of a presentation, slide by slide. Raises ReadError if it is damaged or encrypted."""
    opened_archive(data).close()
    import pptx
    from pptx.exc import PythonPptxError

    try:
        presentation = pptx.Presentation(io.BytesIO(data))
        blocks = tuple(_blocks(presentation))
        properties = presentation.core_properties
    except (KeyError, ValueError, PythonPptxError, zipfile.BadZipFile, SyntaxError, AttributeError, TypeError) as error:
        raise damaged_parts() from error
    return RawDocument(blocks, READER.media_types[0], title=properties.title or None, author=properties.author or None)


def _blocks(presentation: Presentation) -> Iterator[Block]:
    starts = ""
    for slide in presentation.slides:
        starts += PAGE_START
        if slide._element.get("show") == "0":
            continue
        for block in _slide(slide):
            yield Block(starts + block.text, block.kind)
            starts = ""


def _slide(slide: Any) -> Iterator[Block]:  # noqa: ANN401 - python-pptx has no types
    title = slide.shapes.title
    if title is not None and title.has_text_frame and (text := " ".join(_paragraphs(title.text_frame))):
        yield Block(text.replace(FORCED_LINE_END, " "), "heading")
    for shape in _shapes(slide.shapes):
        if title is not None and shape.shape_id == title.shape_id:
            continue
        if shape.has_text_frame:
            yield from (Block(text, "paragraph") for text in _paragraphs(shape.text_frame))
        elif getattr(shape, "has_table", False) and shape.has_table:
            yield from _table(shape.table)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        yield from (Block(text, "paragraph") for text in _paragraphs(frame))


def _shapes(shapes: Any) -> Iterator[Any]:  # noqa: ANN401 - python-pptx has no types
    """Yield shapes, including those in groups, except running heads, feet and numbers."""
    waiting = [*_alternatives(shapes), *list(shapes)[::-1]]
    while waiting:
        shape = waiting.pop()
        if next(shape._element.iter(f"{_P}cNvPr")).get("hidden") in ("1", "true"):
            continue
        if hasattr(shape, "shapes"):
            waiting.extend(list(shape.shapes)[::-1])
        elif not (shape.is_placeholder and shape.placeholder_format.type is not None and _is_running(shape)):
            yield shape


def _alternatives(shapes: Any) -> Iterator[Any]:  # noqa: ANN401 - python-pptx has no types
    """Yield the shapes that newer programs show, such as those with equations; python-pptx ignores them."""
    from pptx.shapes.autoshape import Shape

    for choice in shapes._spTree.iterchildren(f"{_MC}AlternateContent"):
        for element in list(choice.iterchildren(f"{_MC}Choice"))[:1]:
            yield from (Shape(each, shapes) for each in element.iterchildren(f"{_P}sp"))


def _is_running(shape: Any) -> bool:  # noqa: ANN401 - python-pptx has no types
    return shape.placeholder_format.type.name in _RUNNING


def _table(table: Any) -> Iterator[Block]:  # noqa: ANN401 - python-pptx has no types
    rows = [
        [
            Cell(" ".join(_paragraphs(cell.text_frame)), rows=cell.span_height, columns=cell.span_width)
            for cell in row.cells
            if not cell.is_spanned
        ]
        for row in table.rows
    ]
    return table_blocks(rows, header_rows=1 if table.first_row and len(rows) > 1 else None)


def _paragraphs(frame: Any) -> Iterator[str]:  # noqa: ANN401 - python-pptx has no types
    """Yield the paragraphs of a text frame with their automatic numbers."""
    counts: dict[tuple[int, str], int] = {}
    for paragraph in frame.paragraphs:
        text = _text(paragraph._p).strip()
        properties = paragraph._p.find(f"{_A}pPr")
        numbering = None if properties is None else properties.find(f"{_A}buAutoNum")
        level = paragraph.level or 0
        counts = {key: count for key, count in counts.items() if key[0] <= level}
        if numbering is None:
            counts = {key: count for key, count in counts.items() if key[0] < level}
        elif text:
            kind = numbering.get("type", "arabicPeriod")
            start = int(numbering.get("startAt", "1"))
            counts[level, kind] = counts.get((level, kind), start - 1) + 1
            text = f"{_number(counts[level, kind], kind)} {text}"
        if text:
            yield text


def _number(value: int, kind: str) -> str:
    style = next((name for prefix, name in _NUMBERS.items() if kind.startswith(prefix)), "decimal")
    pattern = next((written for suffix, written in _WRITTEN.items() if kind.endswith(suffix)), "{}.")
    return pattern.format(numeral(value, style))


def _text(paragraph: Any) -> str:  # noqa: ANN401 - an element of lxml
    pieces: list[tuple[str, str]] = []
    for element in paragraph.iterchildren(f"{_A}r", f"{_A}br", f"{_A}fld", _MATH):
        if element.tag == f"{_A}br":
            pieces.append((FORCED_LINE_END, ""))
            continue
        if element.tag == _MATH:
            pieces += ((equation(each), "") for each in element.iter(f"{M}oMath"))
            continue
        if (element.get("type") or "").startswith(_COUNTED):
            continue
        properties = element.find(f"{_A}rPr")
        strike = None if properties is None else properties.get("strike")
        if strike in (None, "noStrike"):
            baseline = 0 if properties is None else int(properties.get("baseline") or 0)
            shift = "superscript" if baseline > 0 else "subscript" if baseline < 0 else ""
            pieces.append((element.findtext(f"{_A}t") or "", shift))
    return "".join(
        shifted("".join(text for text, _ in group), shift) for shift, group in groupby(pieces, itemgetter(1))
    )


READER = Reader(
    name="PowerPoint presentation",
    suffixes=(".pptx",),
    media_types=("application/vnd.openxmlformats-officedocument.presentationml.presentation",),
    max_bytes=MAX_FILE_BYTES,
    read=read_pptx,
    recognizes=lambda data: names_part(data, b"ppt/presentation.xml"),
)
