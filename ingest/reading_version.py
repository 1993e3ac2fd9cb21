"""How a file becomes a document, as one number: stored with each document, it tells a later run what to read again."""

from __future__ import annotations

from functools import lru_cache
from hashlib import sha256

from ingest.parse import PREPARATION_VERSION
from ingest.sidecar import Source

_OPTION_BITS = 32


def first_current() -> int:
    """Return the least number that this version gives: documents with a lower one were read by an older version."""
    version = 0
    for part in PREPARATION_VERSION:
        version = version << 8 | part
    return version << _OPTION_BITS


@lru_cache(maxsize=1024)
def reading_version(source: Source, passage_tokens: int) -> int:
    """Return the number for this version, a budget of tokens and what `sources.yaml` says of a file."""
    options = sha256(repr((passage_tokens, source)).encode()).digest()[: _OPTION_BITS // 8]
    return first_current() | int.from_bytes(options, "big")
