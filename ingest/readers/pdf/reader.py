"""Read PDF files into paragraphs, with PDFium in its own process.

A hostile or broken PDF can hang or crash its reader, or fill the memory. Here that only kills a separate process, with
limits on its memory and on the processor time per page. Pages with pictures and no text are counted, and read by
Tesseract if it is installed.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from typing import Any

from ingest.blocks import PAGE_START, Block, RawDocument
from ingest.limits import MAX_CHARACTERS, MAX_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.pdf.headers import with_headers
from ingest.readers.pdf.paragraphs import Page, paragraphs_of
from ingest.readers.pdf.rows import Line
from ingest.readers.pdf.running_heads import without_running_lines
from ingest.readers.pdf.sandbox import page_picture, page_records
from store.errors import ReadError

MAX_RECOGNIZED_PAGES = 500
"""Per file; the others are reported as pages without text."""

_SECONDS = 300.0
_WANTED = ("tha", "vie", "eng")


def read_pdf(data: bytes) -> RawDocument:
    """Return the paragraphs of a PDF file with the starts of its pages. Raises ReadError, with the reason."""
    records = page_records(data)
    metadata: dict[str, str] = next(records, {}).get("metadata", {})
    pages: list[Page] = []
    unread: list[int] = []
    characters = 0
    for number, record in enumerate(records, start=1):
        page = _page(record)
        pages.append(page)
        if not page.lines and record["has_pictures"]:
            unread.append(number)
        characters += sum(len(line.text) for line in page.lines)
        if characters > MAX_CHARACTERS:
            raise ReadError(
                "This PDF holds more than {limit} characters, which is the limit.",
                code="pdf_long",
                limit=f"{MAX_CHARACTERS:,}",
            )
    recognized = recognized_pages(data, unread)
    if not recognized and not any(page.lines for page in pages):
        raise ReadError(
            "This PDF has no text on its pages: it is probably a scan. Run text recognition (OCR) on it and try again.",
            code="pdf_scan",
        )
    pages, head = without_running_lines(pages)
    pages = with_headers(pages)
    return RawDocument(
        blocks=tuple(_with_recognized(pages, recognized)),
        media_type=READER.media_types[0],
        title=metadata.get("Title", "").strip() or None,
        author=metadata.get("Author", "").strip() or None,
        running_head=head,
        page_count=len(pages),
        pages_without_text=tuple(number for number in unread if number not in recognized),
        recognized_pages=tuple(sorted(recognized)),
    )


def _page(record: dict[str, Any]) -> Page:
    return Page(tuple(_line(**line) for line in record["lines"]), record["width"])


def _line(columns: list[list[float]], **values: Any) -> Line:  # noqa: ANN401 - JSON
    listed: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in values.items()
    }
    return Line(columns=tuple((left, right) for left, right in columns), **listed)


def _with_recognized(pages: list[Page], recognized: dict[int, str]) -> list[Block]:
    """Return the paragraphs of all pages, with recognized text at its page."""
    if not recognized:
        return paragraphs_of(pages)
    blocks: list[Block] = []
    start = 0
    for number in [*sorted(recognized), len(pages) + 1]:
        between = pages[start : number - 1]
        if between:
            blocks += paragraphs_of(between)
        if number in recognized:
            blocks.append(Block(PAGE_START + recognized[number]))
        start = number
    return blocks


def recognized_pages(data: bytes, numbers: Sequence[int]) -> dict[int, str]:
    """Return by number the text of those pages of a PDF, counted from 1, on which Tesseract finds any."""
    if not numbers or not ocr_languages():
        return {}
    found = {}
    for number in numbers[:MAX_RECOGNIZED_PAGES]:
        picture = page_picture(data, number)
        if picture is not None and (text := _recognized(picture)):
            found[number] = text
    return found


@cache
def ocr_languages() -> tuple[str, ...]:
    """Return which of the wanted languages Tesseract has here; none if it is not installed."""
    program = shutil.which("tesseract")
    if program is None:
        return ()
    try:
        listed = subprocess.run(  # noqa: S603 - the program that was found
            [program, "--list-langs"], capture_output=True, text=True, timeout=60, check=False
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    there = set(listed.stdout.split())
    return tuple(language for language in _WANTED if language in there)


def _recognized(picture: bytes) -> str:
    program = shutil.which("tesseract")
    if program is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the program that was found
            [program, "stdin", "stdout", "-l", "+".join(ocr_languages())],
            input=picture,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.decode("utf-8", "replace").replace("\f", "").strip() if done.returncode == 0 else ""


READER = Reader(
    name="PDF",
    suffixes=(".pdf",),
    media_types=("application/pdf",),
    max_bytes=MAX_FILE_BYTES,
    read=read_pdf,
    recognizes=lambda data: b"%PDF-" in data[:1024],
)
