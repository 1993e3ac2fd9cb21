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

from ingest.dates import pdf_date
from ingest.formats.pdf_text import page_text
from ingest.limits import MAX_CHARACTERS, MAX_PAGE_SECONDS, MAX_PAGES, MAX_PDF_MEMORY_BYTES
from ingest.raw import PAGE_START, Block, RawDocument
from store.errors import ReadError

_START_SECONDS = 20.0
"""For the process to start, on a busy machine."""


def read_pdf(path: Path) -> RawDocument:
    """The pages of a PDF file, each begun by `PAGE_START`. Raises ReadError, naming what is wrong."""
    records = _records(path)
    head = next(records, {})
    pages: list[str] = []
    characters = 0
    for record in records:
        pages.append(record["page"])
        characters += len(record["page"])
        if characters > MAX_CHARACTERS:
            raise ReadError(f"This PDF holds more than {MAX_CHARACTERS:,} characters, which is the limit.")
    if not any(page.strip() for page in pages):
        raise ReadError(
            "This PDF has no text on its pages: it is probably a scan. Run text recognition (OCR) on it and try again."
        )
    metadata: dict[str, str] = head.get("metadata", {})
    return RawDocument(
        blocks=(Block("\n".join(PAGE_START + page for page in pages)),),
        media_type="application/pdf",
        title=metadata.get("Title", "").strip() or None,
        author=metadata.get("Author", "").strip() or None,
        published=pdf_date(metadata.get("CreationDate", "")),
    )


def _records(path: Path) -> Iterator[dict[str, Any]]:
    """What the reading process says, one JSON object a line. Raises ReadError when it fails or hangs."""
    process = subprocess.Popen(  # noqa: S603 - this very interpreter and module
        [sys.executable, "-m", "ingest.formats.pdf", str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[2],
    )
    lines: Queue[bytes | None] = Queue(maxsize=64)
    reading = threading.Thread(target=_pump, args=(process, lines), daemon=True)
    reading.start()
    try:
        seconds = _START_SECONDS
        while (line := lines.get(timeout=seconds)) is not None:
            record = json.loads(line)
            if "error" in record:
                raise ReadError(record["error"])
            seconds = MAX_PAGE_SECONDS
            if "ready" not in record:
                yield record
        if process.wait() != 0:
            raise ReadError("This PDF is damaged: its reader broke off. Use an undamaged copy.")
    except Empty as error:
        raise ReadError(
            f"This PDF took more than {MAX_PAGE_SECONDS:.0f} seconds for one page, which is the limit."
        ) from error
    finally:
        process.kill()
        process.wait()
        with contextlib.suppress(Empty):  # The pump may be waiting for room.
            while True:
                lines.get_nowait()


def _pump(process: subprocess.Popen[bytes], lines: Queue[bytes | None]) -> None:
    if process.stdout:
        with process.stdout:
            for line in process.stdout:
                lines.put(line)
    lines.put(None)


def _main(path: str) -> None:
    """The reading process: prints metadata, then each page, or an error, as lines of JSON."""
    _cap_memory()
    import pypdfium2

    _say({"ready": True})
    try:
        document = pypdfium2.PdfDocument(path)
        if len(document) > MAX_PAGES:
            _say({"error": f"This PDF has {len(document):,} pages; the limit is {MAX_PAGES:,}."})
            return
        _say({"metadata": document.get_metadata_dict(skip_empty=True)})
        for index in range(len(document)):
            page = document[index]
            _say({"page": page_text(page)})
            page.close()
    except pypdfium2.PdfiumError as error:
        _say({"error": _reason(str(error))})
    except MemoryError:
        _say({"error": f"This PDF needs more than {MAX_PDF_MEMORY_BYTES >> 30} GB of memory, which is the limit."})


def _reason(message: str) -> str:
    if "assword" in message or "ecurity" in message:
        return "This PDF is encrypted: remove its password and try again."
    return "This PDF is damaged or cut off: it can't be opened. Use an undamaged copy."


def _cap_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_PDF_MEMORY_BYTES, MAX_PDF_MEMORY_BYTES))


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    _main(sys.argv[1])
