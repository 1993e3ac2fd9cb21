"""Return the paragraphs of a file as Attest's reader finds them."""

from __future__ import annotations

from pathlib import Path

from ingest.normalize import normalize
from ingest.read import read_document


def lines(name: str, content: bytes | str) -> list[str]:
    """Return the paragraphs of a file."""
    document = read_document(Path(name), content.encode() if isinstance(content, str) else content)
    return [line for line in normalize(document.blocks).text.split("\n") if line]
