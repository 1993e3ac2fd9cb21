"""Read Markdown into blocks: render it as a web page and read that, so that both follow the same rules.

It first applies edits in CriticMarkup, and resolves comments and links of note-taking programs; code stays unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping

import regex

from ingest.blocks import Block, RawDocument
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.metadata import iso_date
from ingest.readers.base import Reader
from ingest.readers.html.reader import html_blocks
from ingest.readers.markdown.front_matter import front_matter
from ingest.readers.markdown.parser import parser
from store.errors import ReadError

MARKS_IN_PARAGRAPH = 5_000
"""With more marks of one kind than this, a file is read as plain text, because no person wrote it."""

_MARKS = ("[", "*", "_", "`", "<", "~", "&", "\\", "|", "^", "{", ":", "=", "%", "+")
_DEEP = regex.compile(r"^[ \t]*(?:>[ \t]?|[-*+][ \t]){100,}", regex.M)
_LONGEST = 5_000
_EDITS = regex.compile(
    r"(?P<code>^(?P<fence>`{3,}|~{3,})[^\n]*\n.*?(?:^(?P=fence)|\Z)|(?<!`)(?P<ticks>`+)(?!`)[^`\n]{1,2000}(?P=ticks)(?!`))"
    rf"|\{{--.{{0,{_LONGEST}}}?--\}}"
    rf"|\{{>>.{{0,{_LONGEST}}}?<<\}}"
    r"|(?<!%)%%(?!%)[^%]{0,2000}%%(?!%)"
    rf"|\{{~~.{{0,{_LONGEST}}}?~>(?P<new>.{{0,{_LONGEST}}}?)~~\}}"
    rf"|\{{\+\+(?P<added>.{{0,{_LONGEST}}}?)\+\+\}}"
    rf"|\{{==(?P<marked>.{{0,{_LONGEST}}}?)==\}}"
    r"|(?<![=\w])==(?P<highlighted>[^\s=](?:[^=\n]{0,300}[^\s=])?)==(?![=\w])"
    r"|(?<![!\[])\[\[(?:[^\[\]|\n]{1,200}\|)?(?P<linked>[^\[\]|\n]{1,200})\]\](?!\()",
    regex.S | regex.M,
)
_SHOWN = ("new", "added", "marked", "highlighted", "linked")


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
        blocks=html_blocks(parser().render(as_edited(source))),
        media_type=READER.media_types[0],
        title=_text(metadata, "title"),
        author=_text(metadata, "author") or _text(metadata, "authors") or _text(metadata, "speaker"),
        published=iso_date(metadata.get("date")) or iso_date(metadata.get("published")),
    )


def _has_hostile_paragraph(source: str) -> bool:
    """Return whether a paragraph has so many marks that matching them would take quadratic time."""
    return any(
        len(paragraph) > MARKS_IN_PARAGRAPH and any(paragraph.count(mark) > MARKS_IN_PARAGRAPH for mark in _MARKS)
        for paragraph in source.split("\n\n")
    )


def _text(metadata: Mapping[str, object], key: str) -> str | None:
    value = metadata.get(key)
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        value = ", ".join(value)
    return value.strip() or None if isinstance(value, str) else None


def as_edited(source: str) -> str:
    """Return a source with its deletions and insertions applied.

    >>> as_edited("It costs {~~350~>420~~} baht{>>really?<<}.")
    'It costs 420 baht.'
    """
    return _EDITS.sub(_shown, source) if any(mark in source for mark in ("{", "%%", "==", "[[")) else source


def _shown(match: regex.Match[str]) -> str:
    if match["code"] is not None:
        return match[0]
    return next((match[name] for name in _SHOWN if match[name] is not None), "")


READER = Reader(
    name="Markdown file",
    suffixes=(".md", ".markdown"),
    media_types=("text/markdown",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_markdown,
    is_certain=False,
)
