"""Open zip archives of documents, and check their size before parsing anything in them.

No part may unpack to more than its limit, whatever sizes the archive claims.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from typing import TYPE_CHECKING

from ingest.limits import MAX_COMPRESSION_RATIO, MAX_DECOMPRESSED_BYTES, MAX_PART_BYTES, MAX_PARTS, in_words
from store.errors import ReadError

if TYPE_CHECKING:
    from lxml.etree import _Element

ZIP_START = (b"PK\x03\x04", b"PK\x05\x06")
_CHUNK = 1 << 20
_MARKUP = (".xml", ".rels", ".xhtml", ".html", ".htm", ".opf", ".ncx")
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError)


def opened_archive(data: bytes) -> zipfile.ZipFile:
    """Return the archive of a document, with its size checked.

    Raises ReadError if it is damaged, encrypted or unpacks beyond a limit.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError) as error:
        raise ReadError("This document is damaged or cut off: use an undamaged copy.", code="word_damaged") from error
    if len(parts) > MAX_PARTS:
        raise ReadError(
            "This document has {count} parts; the limit is {limit}.",
            code="word_many",
            count=f"{len(parts):,}",
            limit=f"{MAX_PARTS:,}",
        )
    if any(part.flag_bits & 1 for part in parts):
        raise ReadError("This document is encrypted: remove its password and try again.", code="word_locked")
    total = 0
    for part in parts:
        total += _unpacked(archive, part, MAX_DECOMPRESSED_BYTES - total)
    return archive


def damaged_parts() -> ReadError:
    """Return the error for a document whose archive is intact, but whose parts can't be read."""
    return ReadError("This document is damaged: its parts can't be read. Use an undamaged copy.", code="word_parts")


def names_part(data: bytes, part: bytes) -> bool:
    """Return whether bytes are a zip archive that names a part, without opening it."""
    return data.startswith(ZIP_START) and part in data


def parsed_part(archive: zipfile.ZipFile, part: str) -> _Element | None:
    """Return the root of an XML part, without expanding entities; None if there is no such part."""
    from lxml import etree

    try:
        return parsed_xml(archive.read(part))
    except KeyError:
        return None
    except (etree.XMLSyntaxError, *BROKEN) as error:
        raise damaged_parts() from error


def parsed_xml(source: bytes) -> _Element:
    """Return the root of an XML document, without expanding entities. Raises lxml's XMLSyntaxError."""
    from lxml import etree

    return etree.fromstring(source, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


def _unpacked(archive: zipfile.ZipFile, part: zipfile.ZipInfo, left: int) -> int:
    """Return the size of `part` in bytes, counted while unpacking it."""
    is_markup = part.filename.lower().endswith(_MARKUP)
    limit = min(left, MAX_PART_BYTES) if is_markup else left
    size = 0
    try:
        with archive.open(part) as stream:
            while chunk := stream.read(_CHUNK):
                size += len(chunk)
                if size > limit:
                    raise ReadError(
                        "This document unpacks to more than {limit} in its part “{part}”, which is the limit.",
                        code="word_large",
                        limit=in_words(limit),
                        part=part.filename[:80],
                    )
                if is_markup and size > _CHUNK and size > MAX_COMPRESSION_RATIO * max(part.compress_size, 1):
                    raise ReadError(
                        "This document unpacks to more than {ratio} times its size, which is the limit: "
                        "it looks like a zip bomb.",
                        code="word_bomb",
                        ratio=MAX_COMPRESSION_RATIO,
                    )
    except BROKEN as error:
        raise ReadError("This document is damaged or cut off: use an undamaged copy.", code="word_damaged") from error
    return size
