"""Pack spans, vectors and sums into the catalog's blobs. Little-endian on every machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from store.types import ParsedDocument, Span

BLOCK = 4096
"""Code points in one block of stored text."""


def pack_spans(spans: Iterable[Span], origin: int) -> bytes:
    """Pack spans relative to `origin`, eight bytes each. Raises ValueError if one begins before it."""
    flat = [offset - origin for span in spans for offset in (span.start, span.end)]
    if flat and min(flat) < 0:
        raise ValueError("A span begins before its origin.")
    return np.asarray(flat, dtype="<u4").tobytes()


def unpack_spans(blob: bytes, origin: int) -> tuple[Span, ...]:
    """Unpack the output of `pack_spans`."""
    flat = np.frombuffer(blob, dtype="<u4").astype(np.int64) + origin
    return tuple(Span(int(start), int(end)) for start, end in flat.reshape(-1, 2))


def pack_vectors(passage: NDArray[np.float32], sentences: NDArray[np.float32]) -> bytes:
    """Pack a passage's vector ``(d,)`` and its sentences' ``(n, d)`` as float16 rows ``(1 + n, d)``."""
    return np.vstack([passage[None, :], sentences.reshape(-1, passage.shape[0])]).astype("<f2").tobytes()


def unpack_vectors(blob: bytes, dimensions: int) -> NDArray[np.float32]:
    """Return rows ``(1 + n, d)`` in float32: row 0 the passage, then its sentences."""
    return np.frombuffer(blob, dtype="<f2").reshape(-1, dimensions).astype(np.float32)


def unpack_passage_vector(blob: bytes, dimensions: int) -> NDArray[np.float32]:
    """Return only row 0, ``(d,)``."""
    return np.frombuffer(blob, dtype="<f2", count=dimensions).astype(np.float32)


def pack_sum(total: NDArray[np.float64]) -> bytes:
    """Pack a sum of float16 vectors, ``(d,)``.

    Float64 holds it exactly: every float16 of magnitude at most 1 is a whole multiple of 2**-24, so
    sums stay exact up to 2**29 vectors, in any order of additions and subtractions.
    """
    return total.astype("<f8").tobytes()


def unpack_sum(blob: bytes) -> NDArray[np.float64]:
    """Unpack the output of `pack_sum`."""
    return np.frombuffer(blob, dtype="<f8").astype(np.float64)


def blocks(text: str) -> list[str]:
    """Cut the text into pieces of `BLOCK` code points, the last one shorter; one empty piece for ''."""
    return [text[start : start + BLOCK] for start in range(0, len(text), BLOCK)] or [""]


def text_sha256(text: str) -> str:
    """Hash the text in UTF-8; hexadecimal. Raises UnicodeEncodeError for unpaired surrogates."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def content_digest(text: str, heading: str | None, sentences: Sequence[Span]) -> bytes:
    """Hash the embedded parts of a passage to sixteen bytes: text, heading, and sentence positions.

    `sentences` are relative to `text`.
    """
    digest = hashlib.sha256()
    for part in (text, heading or "", "" if heading is None else "heading"):
        encoded = part.encode("utf-8")
        digest.update(len(encoded).to_bytes(8, "little") + encoded)
    digest.update(pack_spans(sentences, 0))
    return digest.digest()[:16]


def version_digest(parsed: ParsedDocument) -> str:
    """Hash a text and its division into passages to twelve hexadecimal digits: equal documents need no work."""
    digest = hashlib.sha256(parsed.document.text_sha256.encode())
    for passage in parsed.passages:
        heading = passage.heading or Span(0, 0)
        digest.update(f"|{passage.start} {passage.end} {passage.language} {heading}".encode())
        digest.update(pack_spans(passage.sentences, passage.start))
    return digest.hexdigest()[:12]
