"""Define the reader of a file format; `ingest.readers` lists them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ingest.blocks import RawDocument
from store.errors import ReadError


def integer(text: str | None, default: int) -> int:
    """Return a number as a file writes it, or `default` where it is none."""
    try:
        return int((text or "").strip()[:9])
    except ValueError:
        return default


def too_deep(limit: int) -> ReadError:
    """Return the error of a file whose parts lie in each other more than `limit` deep."""
    return ReadError(
        "This file nests its parts more than {limit} deep, which is the limit.", code="nested_deep", limit=f"{limit:,}"
    )


def something_else(suffix: str) -> ReadError:
    """Return the error of a file whose name ends with `suffix`, but whose bytes are of no such format."""
    return ReadError(
        "This file is named {suffix} but is something else, or it is damaged at its beginning.",
        code="something_else",
        suffix=suffix,
    )


@dataclass(frozen=True, slots=True)
class Reader:
    """A file format: how it is called and recognized, how large its files may be, and what reads them."""

    name: str
    """As people call one file of it, in the singular: ``Word document``."""
    suffixes: tuple[str, ...]
    """Endings of file names, in lower case; the first is the usual one."""
    media_types: tuple[str, ...]
    """The first is the one that its documents get."""
    max_bytes: int
    read: Callable[[bytes], RawDocument]
    """Raises ReadError with one sentence that names what is wrong."""
    recognizes: Callable[[bytes], bool] | None = None
    """Whether a file's bytes are surely of this format, whatever its name; None where bytes can't show it."""
    is_certain: bool = True
    """Whether each file of this format shows it: then a file that doesn't is refused, whatever its name."""
