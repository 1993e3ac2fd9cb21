"""List the file formats that Attest reads. To add one, add a module here and one line in `READERS`."""

from __future__ import annotations

from ingest.readers import csv, eml, epub, json, pptx, rtf, text, xlsx
from ingest.readers.base import Reader
from ingest.readers.docx import reader as docx
from ingest.readers.html import reader as html
from ingest.readers.markdown import reader as markdown
from ingest.readers.odt import reader as odt
from ingest.readers.pdf import reader as pdf

READERS: tuple[Reader, ...] = (
    text.READER,
    markdown.READER,
    html.READER,
    pdf.READER,
    docx.READER,
    odt.READER,
    rtf.READER,
    epub.READER,
    pptx.READER,
    xlsx.READER,
    csv.READER,
    json.READER,
    eml.READER,
)

BY_SUFFIX = {suffix: reader for reader in READERS for suffix in reader.suffixes}

SUFFIXES = frozenset(BY_SUFFIX)
"""Suffixes of the files that are searched for in a folder, in lower case."""

MAX_FILE_BYTES = max(reader.max_bytes for reader in READERS)


def reader_of(suffix: str, data: bytes) -> Reader | None:
    """Return the reader of a file by its bytes, or else by its suffix; None for a format without a reader."""
    for reader in READERS:
        if reader.recognizes is not None and reader.recognizes(data):
            return reader
    return BY_SUFFIX.get(suffix.lower())
