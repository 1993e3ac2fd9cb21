"""Draw a PDF's page with a quote marked on it, by PDFium in its own process.

A hostile or broken PDF can hang or crash the program that draws it, so it runs in a separate process with limited
time and memory. PDFium isn't thread-safe either; one process per picture needs no locks.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import subprocess
import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from assistant.server.strings import Strings
from store.errors import ReadError
from store.types import Document, Span

WIDTH = 1100
"""Pixels of a picture: sharp in a column of the page, some hundred kilobytes."""
SECONDS = 20.0
MEMORY_BYTES = 2 * 1024**3
_SHORTEST = 12
"""Characters of a quote that must match to mark a place, because a quote may continue on the next page."""


@dataclass(frozen=True, slots=True)
class Paper:
    """A page as a picture; boxes are left, top, width and height as fractions of the page."""

    png_base64: str
    boxes: tuple[tuple[float, float, float, float], ...]


def has_paper(document: Document) -> bool:
    """Return whether there may be pictures of this document's pages."""
    return document.media_type == "application/pdf" and bool(document.pages)


def paper(document: Document, span: Span, quote: str) -> Paper:
    """Return the page on which `span` begins. Raises ReadError if the file is gone, changed, or can't be drawn."""
    path = Path(document.uri)
    if not path.is_file() or _sha256(path) != document.original_sha256:
        raise ReadError("The file of this document has been moved or changed since it was added.", code="moved")
    number = document.page_of(span.start) or 1
    request = json.dumps({"path": str(path), "page": number - 1, "quote": quote})
    try:
        done = subprocess.run(
            [sys.executable, "-m", "assistant.server.page.pdf_preview"],
            input=request,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
            cwd=Path(__file__).resolve().parents[3],
        )
    except (subprocess.SubprocessError, OSError) as error:
        raise ReadError("This page can't be drawn; its text is shown instead.", code="not_drawn") from error
    drawn = json.loads(done.stdout)
    return Paper(drawn["png"], tuple((box[0], box[1], box[2], box[3]) for box in drawn["boxes"]))


def paper_html(drawn: Paper, number: int, words: Strings) -> str:
    """Return the picture, with the quote's lines marked over it."""
    marks = "".join(
        f'<i style="left:{left:.2%};top:{top:.2%};width:{width:.2%};height:{height:.2%}"></i>'
        for left, top, width, height in drawn.boxes
    )
    label = escape(words("reader.page", page=number))
    return f'<div class="paper"><img src="data:image/png;base64,{drawn.png_base64}" alt="{label}">{marks}</div>'


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def located(page: Sequence[str], quote: str) -> range:
    """Return which characters of a page are the quote; empty if it isn't there.

    Blanks, hyphens and the composition of letters don't count, because they differ between a page and its text. A quote
    that continues on the next page is found by its beginning.
    """
    folded, origins = "", list[int]()
    for place, character in enumerate(page):
        for part in _folded(character):
            folded += part
            origins.append(place)
    wanted = _folded(quote)
    for length in (len(wanted), len(wanted) // 2, len(wanted) // 4):
        if length < min(_SHORTEST, len(wanted)) or not length:
            break
        start = folded.find(wanted[:length])
        if start >= 0:
            end = start + length
            while end < len(folded) and end - start < len(wanted) and folded[end] == wanted[end - start]:
                end += 1
            return range(origins[start], origins[end - 1] + 1)
    return range(0)


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(c for c in decomposed if not c.isspace() and unicodedata.category(c) not in ("Cc", "Cf", "Pd"))


def _draw(path: str, page_number: int, quote: str) -> dict[str, Any]:
    """Draw a page, in the drawing process."""
    import base64
    import io

    import pypdfium2
    from pypdfium2 import raw

    page = pypdfium2.PdfDocument(path)[page_number]
    width, height = page.get_size()
    picture = io.BytesIO()
    # A page may claim any length, so its longer side is limited.
    page.render(scale=min(WIDTH / width, 3 * WIDTH / height)).to_pil().convert("RGB").quantize(64).save(picture, "PNG")
    text = page.get_textpage()
    characters = [chr(raw.FPDFText_GetUnicode(text.raw, place) or 32) for place in range(text.count_chars())]
    boxes = [text.get_charbox(place, loose=True) for place in located(characters, quote)]
    return {
        "png": base64.b64encode(picture.getvalue()).decode(),
        "boxes": [
            (left / width, 1 - top / height, (right - left) / width, (top - bottom) / height)
            for left, bottom, right, top in _lines(boxes)
        ],
    }


def _lines(boxes: Sequence[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    """Return boxes of characters (left, bottom, right, top), joined to one for each line."""
    lines: list[tuple[float, float, float, float]] = []
    for left, bottom, right, top in boxes:
        if right <= left or top <= bottom:
            continue
        if lines and lines[-1][1] < (bottom + top) / 2 < lines[-1][3]:
            before = lines[-1]
            lines[-1] = (min(before[0], left), min(before[1], bottom), max(before[2], right), max(before[3], top))
        else:
            lines.append((left, bottom, right, top))
    return lines


def _main() -> None:
    with contextlib.suppress(ImportError):  # not on Windows, where only the time is limited
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    request = json.load(sys.stdin)
    json.dump(_draw(request["path"], request["page"], request["quote"]), sys.stdout)


if __name__ == "__main__":
    _main()
