"""Read a file into blocks of text: open it safely, detect its format by content and name, call the reader.

Readers live in `ingest.readers`. Nothing here follows a link, waits on a device, or reads beyond a limit.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from ingest.blocks import RawDocument
from ingest.limits import MAX_CHARACTERS, in_words
from ingest.readers import BY_SUFFIX, MAX_FILE_BYTES, SUFFIXES, reader_of
from ingest.readers.archive import ZIP_START
from ingest.readers.base import Reader, something_else
from ingest.readers.text import READER as TEXT
from store.errors import ReadError

READERS_VERSION = 7
"""Version of what the readers take from a file, and of how encodings are recognized."""

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def formats_in_words() -> str:
    """Return the suffixes of all readable files, as in a sentence: ``.csv, .docx and .txt``."""
    suffixes = sorted(SUFFIXES)
    return f"{', '.join(suffixes[:-1])} and {suffixes[-1]}"


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a regular file within the limits. Raises ReadError, with the reason."""
    reader = BY_SUFFIX.get(path.suffix.lower())
    limit = MAX_FILE_BYTES if reader is None else reader.max_bytes
    try:
        # Not blocking: opening a named pipe would wait forever for a writer.
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
    """Return the blocks and metadata of the file at `path`, with its bytes as `data` if they were already read.

    Raises ReadError with one sentence for the reason: empty, binary, encrypted, damaged, too large, without text, of
    unknown format, or in no sensible encoding.
    """
    if data is None:
        data = read_bytes(path)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise ReadError("This file is empty.", code="empty")
    reader = _reader(path, data)
    if len(data) > reader.max_bytes:
        raise ReadError(
            "This file is {size} long; the limit is {limit}.",
            code="file_large",
            size=in_words(len(data)),
            limit=in_words(reader.max_bytes),
        )
    document = reader.read(data)
    if sum(len(block.text) for block in document.blocks) > MAX_CHARACTERS:
        raise ReadError(
            "This file holds more than {limit} characters, which is the limit.",
            code="text_long",
            limit=f"{MAX_CHARACTERS:,}",
        )
    if not any(block.text.strip() for block in document.blocks):
        raise ReadError("This file has no text in it.", code="no_text")
    return document


def _reader(path: Path, data: bytes) -> Reader:
    """Return the reader of a file. Raises ReadError, with the format's name, for an unreadable one."""
    suffix = path.suffix.lower()
    reader = reader_of(suffix, data)
    if data.startswith(_OLE):
        if "EncryptedPackage".encode("utf-16-le") in data:
            raise ReadError("This document is encrypted: remove its password and try again.", code="locked")
        raise ReadError(
            "This is a document of an old Office program: save it as .docx or .pdf and try again.", code="old_office"
        )
    if data.startswith(ZIP_START) and (reader is None or reader.recognizes is None or not reader.recognizes(data)):
        if b"word/" in data and suffix == ".docx":
            return BY_SUFFIX[".docx"]
        if b"content.xml" in data and suffix == ".odt":
            return BY_SUFFIX[".odt"]
        raise ReadError("This is a zip archive, not a text: unpack it, or save it as .docx or .pdf.", code="zip")
    if reader is None:
        return TEXT  # Any text can be read, under any name.
    if reader.is_certain and reader.recognizes is not None and not reader.recognizes(data):
        raise something_else(suffix)
    return reader
