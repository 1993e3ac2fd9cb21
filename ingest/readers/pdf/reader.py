"""PDF -> pages of text, read by PDFium in a process of its own.

A hostile or broken PDF can hang or crash its reader, or fill the memory. Here that kills a process that
holds nothing else: its memory is capped, and so is the time of each page.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from ingest.blocks import RawDocument
from ingest.dates import pdf_date
from ingest.limits import MAX_CHARACTERS, MAX_PAGE_SECONDS, MAX_PAGES, MAX_PDF_MEMORY_BYTES
from ingest.readers.pdf.layout import Line
from ingest.readers.pdf.paragraphs import Page, paragraphs_of
from ingest.readers.pdf.running import without_running_lines
from store.errors import ReadError

_START_SECONDS = 20.0
"""For the process to start, on a busy machine."""


def read_pdf(path: Path) -> RawDocument:
    """The pages of a PDF file, each begun by `PAGE_START`. Raises ReadError, naming what is wrong."""
    records = _records(path)
    opening = next(records, {})
    pages: list[Page] = []
    characters = 0
    for record in records:
        page = Page(tuple(Line(**line) for line in record["lines"]), record["width"])
        pages.append(page)
        characters += sum(len(line.text) for line in page.lines)
        if characters > MAX_CHARACTERS:
            raise ReadError(
                "This PDF holds more than {limit} characters, which is the limit.",
                code="pdf_long",
                limit=f"{MAX_CHARACTERS:,}",
            )
    if not any(page.lines for page in pages):
        raise ReadError(
            "This PDF has no text on its pages: it is probably a scan. Run text recognition (OCR) on it and try again.",
            code="pdf_scan",
        )
    pages, _head = without_running_lines(pages)
    metadata: dict[str, str] = opening.get("metadata", {})
    return RawDocument(
        blocks=tuple(paragraphs_of(pages)),
        media_type="application/pdf",
        title=metadata.get("Title", "").strip() or None,
        author=metadata.get("Author", "").strip() or None,
        published=pdf_date(metadata.get("CreationDate", "")),
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """What the reading process says, one JSON object a line. Raises ReadError when it fails or hangs."""
    process = subprocess.Popen(  # noqa: S603 - this very interpreter and module
        [sys.executable, "-m", "ingest.readers.pdf.process", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[3],
    )
    lines: Queue[bytes | None] = Queue(maxsize=64)
    reading = threading.Thread(target=_pump, args=(process, lines), daemon=True)
    reading.start()
    try:
        seconds = _START_SECONDS
        while (line := lines.get(timeout=seconds)) is not None:
            record = json.loads(line)
            if "error" in record:
                raise _error_of(record)
            seconds = MAX_PAGE_SECONDS
            if "ready" not in record:
                yield record
        if process.wait() != 0:
            raise ReadError("This PDF is damaged: its reader broke off. Use an undamaged copy.", code="pdf_broken")
    except Empty as error:
        raise ReadError(
            "This PDF took more than {seconds} seconds for one page, which is the limit.",
            code="pdf_slow",
            seconds=f"{MAX_PAGE_SECONDS:.0f}",
        ) from error
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(Empty):  # The pump may be waiting for room.
            while True:
                lines.get_nowait()


def _error_of(record: dict[str, Any]) -> ReadError:
    """What the reading process says went wrong."""
    if record["error"] == "pdf_pages":
        count, limit = record["count"], f"{MAX_PAGES:,}"
        return ReadError(
            "This PDF has {count} pages; the limit is {limit}.", code="pdf_pages", count=count, limit=limit
        )
    if record["error"] == "pdf_memory":
        limit = f"{MAX_PDF_MEMORY_BYTES >> 30} GB"
        return ReadError(
            "This PDF needs more than {limit} of memory, which is the limit.", code="pdf_memory", limit=limit
        )
    if record["error"] == "pdf_locked":
        return ReadError("This PDF is encrypted: remove its password and try again.", code="pdf_locked")
    return ReadError("This PDF is damaged or cut off: it can't be opened. Use an undamaged copy.", code="pdf_damaged")


def _pump(process: subprocess.Popen[bytes], lines: Queue[bytes | None]) -> None:
    if process.stdout:
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
    lines.put(None)
