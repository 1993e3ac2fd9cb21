"""Define the reader of a file format; `ingest.readers` lists them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.blocks import RawDocument
from store.errors import ReadError


def integer(text: str | None, default: int) -> int:
    """Return a number from a file, or `default` if it is none."""
    try:
        return int((text or "").strip()[:9])
    except ValueError:
        return default


def too_deep(limit: int) -> ReadError:
    """Return the error for a file whose parts are nested more than `limit` deep."""
    return ReadError(
        "This file nests its parts more than {limit} deep, which is the limit.", code="nested_deep", limit=f"{limit:,}"
    )


def something_else(suffix: str) -> ReadError:
    """Return the error for a file whose name ends with `suffix`, but whose bytes have another format."""
    return ReadError(
        "This file is named {suffix} but is something else, or it is damaged at its beginning.",
        code="something_else",
        suffix=suffix,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """A file format: its name, how to recognize it, the size limit of its files, and the function that reads them."""

    name: str
    """The usual name for one file of it, in the singular: ``Word document``."""
    suffixes: tuple[str, ...]
    """File suffixes, in lower case; the first is the usual one."""
    media_types: tuple[str, ...]
    """The first is the one for its documents."""
    max_bytes: int
    read: Callable[[bytes], RawDocument]
    """Raises ReadError with one sentence about the problem."""
    recognizes: Callable[[bytes], bool] | None = None
    """Whether a file's bytes certainly have this format, whatever its name; None if bytes can't show it."""
    is_certain: bool = True
    """Whether the bytes of all its files show it; then a file whose bytes don't is refused, whatever its name."""
