"""Limit the cost of a single file. The error for a file above a limit names the limit."""

from __future__ import annotations

MAX_FILE_BYTES = 256 * 2**20
"""Size of a PDF or .docx file, which is mostly pictures."""

MAX_TEXT_FILE_BYTES = 32 * 2**20
"""Size of a .txt, .md or .html file: about 10,000 pages."""

MAX_CHARACTERS = 16_000_000
"""Length of the text of one document, in any format."""

MAX_DECOMPRESSED_BYTES = 512 * 2**20
"""All parts of a .docx file together."""

MAX_PART_BYTES = 64 * 2**20
"""One XML part of a .docx file, decompressed."""

MAX_COMPRESSION_RATIO = 200
"""For an XML part of a .docx file; normal ones stay under 40."""

MAX_PARTS = 10_000
"""Parts of a .docx file."""

MAX_NESTING = 2_000
"""Depth of HTML elements and of Markdown lists and quotations."""

MAX_CELLS = 2_000_000
"""Cells in all tables of one file."""

MAX_PAGES = 20_000
"""Pages of a PDF file."""

MAX_PAGE_SECONDS = 5.0
"""For one page of a PDF file, and for opening it."""

MAX_PDF_MEMORY_BYTES = 2 * 2**30
"""Address space of the process that reads a PDF file."""


def in_words(count: int) -> str:
    """Return a number of bytes in words, such as ``32 MB``."""
    return f"{count / 2**20:,.0f} MB" if count >= 2**20 else f"{count / 2**10:,.0f} KB"
