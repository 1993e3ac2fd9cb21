"""Make the ids of documents and passages, in one place."""

from __future__ import annotations

from hashlib import sha256

LENGTH = 12
"""Hexadecimal digits of a document's id and of a version."""


def document_id(uri: str, attempt: int = 0) -> str:
    """Return the id for a document that is first added under `uri`; with `attempt`, the next one if that is taken."""
    return sha256(f"{uri}\0{attempt}".encode() if attempt else uri.encode()).hexdigest()[:LENGTH]


def passage_id(document: str, version: str, ordinal: int) -> str:
    """Return the id of a passage, which is unique among all versions of all documents."""
    return f"{document}.{version}.{ordinal}"


def document_of(passage: str) -> str:
    """Return the id of the document that a passage belongs to."""
    return passage.partition(".")[0]
