"""Markdown -> blocks, without its marks: CommonMark with tables, and YAML front matter as metadata."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import regex
import yaml

from ingest.blocks import FORCED_LINE_END, Block, RawDocument
from ingest.dates import iso_date
from ingest.formats.html import html_blocks
from ingest.limits import MAX_NESTING
from store.errors import ReadError

if TYPE_CHECKING:
    from markdown_it.token import Token

MARKS_IN_PARAGRAPH = 5_000
"""Beyond this many of one kind, a file is read as plain text: no person wrote it."""

_FRONT_MATTER = regex.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", regex.S)
_INLINE_TAG = regex.compile(r"<!--.*?-->|</?[a-zA-Z][^<>]*>", regex.S)
_DEEP = regex.compile(r"^[ \t]*(?:>[ \t]?|[-*+][ \t]){100,}", regex.M)


def read_markdown(source: str) -> RawDocument:
    """The blocks of a Markdown text; `title`, `author` and `date` of its front matter."""
    from markdown_it import MarkdownIt

    source = source.replace("\r\n", "\n").replace("\r", "\n")
    metadata, source = _front_matter(source)
    if _DEEP.search(source):
        raise ReadError(
            "This file nests its lists or quotations more than {limit} deep, which is the limit.",
            code="lists_deep",
            limit=f"{MAX_NESTING:,}",
        )
    if _has_hostile_paragraph(source):
        return RawDocument((Block(source),), "text/markdown")
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").enable("strikethrough")
    return RawDocument(
        blocks=tuple(_blocks(parser.parse(source))),
        media_type="text/markdown",
        title=_text(metadata, "title"),
        author=_text(metadata, "author") or _text(metadata, "speaker"),
        published=iso_date(metadata.get("date")) or iso_date(metadata.get("published")),
    )


def _has_hostile_paragraph(source: str) -> bool:
    """Whether a paragraph holds so many marks that matching them would take the square of their number."""
    return any(
        len(paragraph) > MARKS_IN_PARAGRAPH
        and any(paragraph.count(mark) > MARKS_IN_PARAGRAPH for mark in ("[", "*", "_", "`", "<", "~", "&", "\\", "|"))
        for paragraph in source.split("\n\n")
    )


def _front_matter(source: str) -> tuple[dict[str, object], str]:
    match = _FRONT_MATTER.match(source)
    if match is None:
        return {}, source
    try:
        metadata = yaml.safe_load(match.group(1))
    except (yaml.YAMLError, RecursionError):
        return {}, source
    return (metadata, source[match.end() :]) if isinstance(metadata, dict) else ({}, source)


def _text(metadata: dict[str, object], key: str) -> str | None:
    value = metadata.get(key)
    return value.strip() or None if isinstance(value, str) else None


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    in_heading = False
    row: list[str] | None = None
    for token in tokens:
        match token.type:
            case "heading_open" | "heading_close":
                in_heading = token.type == "heading_open"
            case "tr_open":
                row = []
            case "tr_close":
                yield Block(" | ".join(cell for cell in row or () if cell))
                row = None
            case "inline" if row is not None:
                row.append(_inline(token))
            case "inline":
                yield Block(_inline(token), "heading" if in_heading else "paragraph")
            case "fence" | "code_block":
                yield Block(token.content, "lines")
            case "html_block":
                yield from html_blocks(token.content)


def _inline(token: Token) -> str:
    pieces = []
    for child in token.children or ():
        match child.type:
            case "softbreak":
                pieces.append("\n")
            case "hardbreak":
                pieces.append(FORCED_LINE_END)
            case "html_inline":
                pieces.append(FORCED_LINE_END if child.content.lower().startswith("<br") else "")
            case "image":
                pieces.append(child.content)
            case _:
                pieces.append(child.content)
    return "".join(pieces)
