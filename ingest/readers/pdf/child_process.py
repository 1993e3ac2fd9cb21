"""Read one PDF in a process: ``python -m ingest.readers.pdf.child_process pages``, with the file on standard input.

It prints one JSON object per line: the metadata, then each page, or an error. ``picture N`` prints page N, from 1, as
PNG. Its memory is limited, and so is the processor time between two lines.
"""

from __future__ import annotations

import contextlib
import io
import json
import signal
import sys
from typing import TYPE_CHECKING, Any

from ingest.limits import MAX_PAGE_SECONDS, MAX_PAGES, MAX_PDF_MEMORY_BYTES
from ingest.readers.pdf.glyphs import UNKNOWN, page_glyphs
from ingest.readers.pdf.layout import lines_of
from ingest.readers.pdf.ruled_grids import ruled_grids
from ingest.readers.pdf.ruled_lines import page_rules, with_fractions, without_struck
from ingest.readers.pdf.segments import segments_of
from ingest.readers.pdf.tagged_grids import tagged_grids

if TYPE_CHECKING:
    from pypdfium2 import PdfDocument, PdfPage

RESOLUTION = 300
"""Dots per inch of a picture for text recognition."""

MOST_PIXELS = 40_000_000
UNREADABLE_SHARE = 0.3
"""Share of a page's glyphs: if more have no meaning in the file, the page counts as one without text."""


def main(arguments: list[str]) -> None:
    """Read the PDF on standard input according to `arguments`."""
    _cap_memory()
    import pypdfium2

    _allow_seconds(4 * MAX_PAGE_SECONDS)
    try:
        document = pypdfium2.PdfDocument(sys.stdin.buffer.read())
        if len(document) > MAX_PAGES:
            _say({"error": "pdf_pages", "count": f"{len(document):,}"})
        elif arguments[0] == "picture":
            _draw(document[int(arguments[1]) - 1])
        else:
            _read(document)
    except pypdfium2.PdfiumError as error:
        is_locked = "assword" in str(error) or "ecurity" in str(error)
        _say({"error": "pdf_locked" if is_locked else "pdf_damaged"})
    except MemoryError:
        _say({"error": "pdf_memory"})


def _read(document: PdfDocument) -> None:
    _say({"metadata": document.get_metadata_dict(skip_empty=True)})
    for index in range(len(document)):
        _allow_seconds(MAX_PAGE_SECONDS)
        page = document[index]
        glyphs = page_glyphs(page)
        if sum(glyph.text == UNKNOWN for glyph in glyphs) > UNREADABLE_SHARE * len(glyphs):
            glyphs, has_pictures = [], True
        else:
            has_pictures = _has_pictures(page)
        rules, uprights = page_rules(page)
        glyphs, tagged = tagged_grids(page, without_struck(glyphs, rules))
        glyphs, ruled = ruled_grids(glyphs, rules, uprights)
        segments = with_fractions(segments_of(glyphs), rules)
        lines = [line.to_json() for line in lines_of(segments, rules, [*tagged, *ruled])]
        _say({"lines": lines, "width": page.get_width(), "has_pictures": has_pictures})
        page.close()


def _has_pictures(page: PdfPage) -> bool:
    from pypdfium2 import raw

    return any(True for _ in page.get_objects(filter=(raw.FPDF_PAGEOBJ_IMAGE,), max_depth=3))


def _draw(page: PdfPage) -> None:
    area = page.get_width() * page.get_height()
    scale = min(RESOLUTION / 72, (MOST_PIXELS / max(area, 1.0)) ** 0.5)
    out = io.BytesIO()
    page.render(scale=scale, grayscale=True).to_pil().save(out, "PNG")
    sys.stdout.buffer.write(out.getvalue())


def _cap_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_PDF_MEMORY_BYTES, MAX_PDF_MEMORY_BYTES))


def _allow_seconds(seconds: float) -> None:
    """End this process when it has used this much more processor time."""
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_PROF, seconds)


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
