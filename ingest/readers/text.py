"""Read plain text into one block, in any plausible encoding."""

from __future__ import annotations

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader


def read_text(data: bytes) -> RawDocument:
    """Return a text as one block. Raises ReadError if its encoding is unknown or it is no text."""
    return RawDocument((Block(decode(data).text),), "text/plain")


READER = Reader(
    name="text",
    suffixes=(".txt", ".text", ".rst", ".log"),
    media_types=("text/plain",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_text,
    is_certain=False,
)
