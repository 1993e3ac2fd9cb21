"""The process that reads one PDF: `python -m ingest.readers.pdf.process PATH`. Its memory is capped."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from ingest.limits import MAX_PAGES, MAX_PDF_MEMORY_BYTES
from ingest.readers.pdf.glyphs import page_glyphs
from ingest.readers.pdf.layout import lines_of
from ingest.readers.pdf.segments import segments_of


def main(path: str) -> None:
    """Print the metadata of a PDF, then each page, or an error, as lines of JSON."""
    _cap_memory()
    import pypdfium2

    _say({"ready": True})
    try:
        document = pypdfium2.PdfDocument(path)
        if len(document) > MAX_PAGES:
            _say({"error": "pdf_pages", "count": f"{len(document):,}"})
            return
        _say({"metadata": document.get_metadata_dict(skip_empty=True)})
        for index in range(len(document)):
            page = document[index]
            lines = lines_of(segments_of(page_glyphs(page)))
            _say({"lines": [line.to_json() for line in lines], "width": page.get_width()})
            page.close()
    except pypdfium2.PdfiumError as error:
        is_locked = "assword" in str(error) or "ecurity" in str(error)
        _say({"error": "pdf_locked" if is_locked else "pdf_damaged"})
    except MemoryError:
        _say({"error": "pdf_memory"})


def _cap_memory() -> None:
    with contextlib.suppress(ImportError, OSError, ValueError):  # Windows has no such limits.
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MAX_PDF_MEMORY_BYTES, MAX_PDF_MEMORY_BYTES))


def _say(record: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(record) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])
