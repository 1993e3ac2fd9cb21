"""Control the process that reads a PDF: its output, and its time.

It gets the file's bytes, never its path, so that text and checksum are of the same bytes. The limit per page is
processor time, so other load on the machine doesn't matter.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from ingest.limits import MAX_PAGE_SECONDS, MAX_PAGES, MAX_PDF_MEMORY_BYTES
from store.errors import ReadError

_SILENT_SECONDS = 300.0
"""Seconds without output, after which even a process that uses no processor time is stopped."""


def page_records(data: bytes) -> Iterator[dict[str, Any]]:
    """Yield the metadata of a PDF, then its pages. Raises ReadError when its reader fails or hangs."""
    process = _started("pages")
    threading.Thread(target=_feed, args=(process, data), daemon=True).start()
    lines: Queue[bytes | None] = Queue(maxsize=64)
    threading.Thread(target=_pump, args=(process, lines), daemon=True).start()
    try:
        while (line := lines.get(timeout=_SILENT_SECONDS)) is not None:
            record = json.loads(line)
            if "error" in record:
                raise _error_of(record)
            yield record
        if (code := process.wait()) != 0:
            if code == -getattr(signal, "SIGPROF", 0):
                raise _too_slow()
            raise ReadError("This PDF is damaged: its reader broke off. Use an undamaged copy.", code="pdf_broken")
    except Empty as error:
        raise _too_slow() from error
    finally:
        _end(process)
        with contextlib.suppress(Empty):  # The pump may be waiting for room.
            while True:
                lines.get_nowait()


def page_picture(data: bytes, number: int) -> bytes | None:
    """Return a page, counted from 1, as a picture in PNG; None if it can't be drawn."""
    process = _started("picture", str(number))
    try:
        picture, _ = process.communicate(data, timeout=_SILENT_SECONDS)
    except (subprocess.TimeoutExpired, OSError):
        return None
    finally:
        _end(process)
    return picture if process.returncode == 0 and picture.startswith(b"\x89PNG") else None


def _too_slow() -> ReadError:
    return ReadError(
        "This PDF took more than {seconds} seconds for one page, which is the limit.",
        code="pdf_slow",
        seconds=f"{MAX_PAGE_SECONDS:.0f}",
    )


def _error_of(record: dict[str, Any]) -> ReadError:
    """Return the error that the reading process reports."""
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


def _started(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - this very interpreter and module
        [sys.executable, "-m", "ingest.readers.pdf.child_process", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).resolve().parents[3],
    )


def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
    if process.stdin:
        with contextlib.suppress(OSError, ValueError), process.stdin:
            process.stdin.write(data)


def _pump(process: subprocess.Popen[bytes], lines: Queue[bytes | None]) -> None:
    if process.stdout:
        with contextlib.suppress(OSError, ValueError), process.stdout:
            for line in process.stdout:
                lines.put(line)
    lines.put(None)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
