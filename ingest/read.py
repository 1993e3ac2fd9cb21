"""A file -> its text in blocks: opens it safely, tells its format by content and name, calls the reader.

Readers live in `ingest.formats`. Nothing here follows a link, waits on a device, or reads beyond a limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

import regex

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.formats.docx import read_docx
from ingest.formats.html import read_html
from ingest.formats.markdown import read_markdown
from ingest.limits import MAX_CHARACTERS, MAX_FILE_BYTES, MAX_TEXT_FILE_BYTES, in_words
from ingest.readers.pdf.reader import read_pdf
from store.errors import ReadError

READERS_VERSION = 2
"""Of what the readers take from a file, and of how encodings are told."""

SUFFIXES = frozenset((".txt", ".text", ".md", ".markdown", ".html", ".htm", ".xhtml", ".pdf", ".docx"))
"""What a folder is searched for, in lower case."""

_HTML_START = regex.compile(
    rb"\A(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--.{0,2000}?-->\s*)*<(?:!doctype\s+html|html|head|body)\b",
    regex.I | regex.S,
)
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def read_bytes(path: Path) -> bytes:
    """The bytes of a regular file within the limits. Raises ReadError, naming the reason."""
    limit = MAX_FILE_BYTES if path.suffix.lower() in (".pdf", ".docx") else MAX_TEXT_FILE_BYTES
    try:
        # Not blocking: opening a named pipe would wait for a writer for ever.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except OSError as error:
        raise ReadError(
            "This file can't be opened: {reason}.",
            code="not_opened",
            reason=(error.strerror or "unknown reason").lower(),
        ) from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ReadError("This is not a file but a device or a folder.", code="not_file")
    with os.fdopen(descriptor, "rb") as file:
        if status.st_size > limit:
            raise ReadError(
                "This file is {size} long; the limit is {limit}.",
                code="file_large",
                size=in_words(status.st_size),
                limit=in_words(limit),
            )
        try:
            data = file.read(limit + 1)
        except OSError as error:
            raise ReadError(
                "This file can't be read: {reason}.",
                code="not_read",
                reason=(error.strerror or "unknown reason").lower(),
            ) from error
    if len(data) > limit:
        raise ReadError(
            "This file grew beyond {limit} while it was read, which is the limit.", code="grew", limit=in_words(limit)
        )
    return data


def read_document(path: Path, data: bytes | None = None) -> RawDocument:
    """The blocks and metadata of the file at `path`, whose bytes are `data` if they were read already.

    Raises ReadError with one sentence that names the reason: empty, binary, encrypted, damaged, too large,
    without text, or in no encoding that makes sense.
    """
    if data is None:
        data = read_bytes(path)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise ReadError("This file is empty.", code="empty")
    document = _reader(path, data)
    if sum(len(block.text) for block in document.blocks) > MAX_CHARACTERS:
        raise ReadError(
            "This file holds more than {limit} characters, which is the limit.",
            code="text_long",
            limit=f"{MAX_CHARACTERS:,}",
        )
    if not any(block.text.strip() for block in document.blocks):
        raise ReadError("This file has no text in it.", code="no_text")
    return document


def _reader(path: Path, data: bytes) -> RawDocument:
    suffix = path.suffix.lower()
    if b"%PDF-" in data[:1024]:
        return read_pdf(path)
    if data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        if b"word/" not in data or suffix in (".xlsx", ".pptx", ".odt", ".epub", ".zip"):
            raise ReadError("This is a zip archive, not a text: unpack it, or save it as .docx or .pdf.", code="zip")
        return read_docx(data)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ReadError("This document is encrypted: remove its password and try again.", code="locked")
        raise ReadError(
            "This is a document of an old Office program: save it as .docx or .pdf and try again.", code="old_office"
        )
    if suffix in (".pdf", ".docx"):
        raise ReadError(
            "This file is named {suffix} but is something else, or it is damaged at its beginning.",
            code="something_else",
            suffix=suffix,
        )
    if suffix in (".html", ".htm", ".xhtml") or _HTML_START.match(data[:4096]):
        return read_html(_html_source(data))
    text = decode(data).text
    if suffix in (".md", ".markdown"):
        return read_markdown(text)
    return RawDocument((Block(text),), "text/plain")


_CHARSET = regex.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]+)", regex.I)


def _html_source(data: bytes) -> str:
    match = _CHARSET.search(data[:4096])
    return decode(data, declared=match.group(1).decode("ascii", "ignore") if match else None).text
