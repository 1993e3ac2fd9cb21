"""Define blocks: a reader's output for a file before normalization, with the metadata that the file states."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["text", "laid out", "paragraph", "heading", "lines"]

FORCED_LINE_END = "\u2028"
"""Inside a paragraph: the end of a line that ends here on purpose."""

CELL_DIVIDER = " | "
"""Separates the cells of a table's row."""

PAGE_START = "\f"
"""Marks where a page begins, in formats with pages."""


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a document.

    ``text``: lines whose ends may mean nothing, as in a plain text file. ``paragraph``, ``heading``: line ends inside
    mean nothing, except `FORCED_LINE_END`. ``laid out``: a paragraph of a format without headings, as on a PDF page; it
    may contain `PAGE_START`. ``lines``: every line end is meant.
    """

    text: str
    kind: BlockKind = "text"


@dataclass(frozen=True, slots=True)
class RawDocument:
    """The blocks of a file in reading order, and its own metadata, None if unknown."""

    blocks: tuple[Block, ...]
    media_type: str
    title: str | None = None
    author: str | None = None
    published: str | None = None
    """ISO 8601, as precise as the file states it."""
    running_head: str | None = None
    """The text at the top of every page, if it was left out of the blocks."""
    notices: tuple[str, ...] = ()
    """Sentences about parts that could not be read."""
    page_count: int = 0
    pages_without_text: tuple[int, ...] = ()
    """Numbers of pages, from 1, that show something but have no text."""
    recognized_pages: tuple[int, ...] = ()
    """Numbers of pages, from 1, whose text was recognized from their picture."""
