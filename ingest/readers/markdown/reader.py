"""Markdown -> blocks: rendered as a web page and read as one, so that both are read by the same rules."""

from __future__ import annotations

from collections.abc import Mapping

import regex

from ingest.blocks import Block, RawDocument
from ingest.dates import iso_date
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.front_matter import front_matter
from ingest.readers.html.reader import html_blocks
from ingest.readers.markdown.edits import as_edited
from ingest.readers.markdown.parser import parser
from store.errors import ReadError

MARKS_IN_PARAGRAPH = 5_000
"""Beyond this many of one kind, a file is read as plain text: no person wrote it."""

_MARKS = ("[", "*", "_", "`", "<", "~", "&", "\\", "|", "^", "{", ":", "=", "%", "+")
_DEEP = regex.compile(r"^[ \t]*(?:>[ \t]?|[-*+][ \t]){100,}", regex.M)


def read_markdown(data: bytes) -> RawDocument:
    """Return the blocks of a Markdown file, and the title, author and date of its front matter."""
    source = decode(data).text.replace("\r\n", "\n").replace("\r", "\n")
    metadata, source = front_matter(source)
    if _DEEP.search(source):
        raise ReadError(
            "This file nests its lists or quotations more than {limit} deep, which is the limit.",
            code="lists_deep",
            limit=f"{MAX_NESTING:,}",
        )
    if _has_hostile_paragraph(source):
        return RawDocument((Block(source),), READER.media_types[0])
    return RawDocument(
        blocks=tuple(html_blocks(parser().render(as_edited(source)))),
        media_type=READER.media_types[0],
        title=_text(metadata, "title"),
        author=_text(metadata, "author") or _text(metadata, "authors") or _text(metadata, "speaker"),
        published=iso_date(metadata.get("date")) or iso_date(metadata.get("published")),
    )


def _has_hostile_paragraph(source: str) -> bool:
    """Return whether a paragraph holds so many marks that matching them would take the square of their number."""
    return any(
        len(paragraph) > MARKS_IN_PARAGRAPH and any(paragraph.count(mark) > MARKS_IN_PARAGRAPH for mark in _MARKS)
        for paragraph in source.split("\n\n")
    )


def _text(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    return value.strip() or None if isinstance(value, str) else None


READER = Reader(
    name="Markdown file",
    suffixes=(".md", ".markdown"),
    media_types=("text/markdown",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_markdown,
    is_certain=False,
)
