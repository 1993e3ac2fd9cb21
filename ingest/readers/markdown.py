"""Markdown -> blocks, without its marks: CommonMark with tables, footnotes, superscripts and front matter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import regex

from ingest.blocks import FORCED_LINE_END, Block, RawDocument
from ingest.dates import iso_date
from ingest.encoding import decode
from ingest.limits import MAX_NESTING, MAX_TEXT_FILE_BYTES
from ingest.readers.base import Reader
from ingest.readers.front_matter import front_matter
from ingest.readers.html.reader import html_blocks
from ingest.readers.tables import Cell, table_blocks
from ingest.scripts import lowered, raised
from store.errors import ReadError

if TYPE_CHECKING:
    from markdown_it.token import Token

MARKS_IN_PARAGRAPH = 5_000
"""Beyond this many of one kind, a file is read as plain text: no person wrote it."""

_MARKS = ("[", "*", "_", "`", "<", "~", "&", "\\", "|", "^")
_DEEP = regex.compile(r"^[ \t]*(?:>[ \t]?|[-*+][ \t]){100,}", regex.M)
_FOOTNOTE = regex.compile(r"^\[\^([^\]\s]{1,40})\]:[ \t]*(.*(?:\n[ \t]{2,}\S.*)*)", regex.M)
_FOOTNOTE_MARK = regex.compile(r"[ \t]?\[\^([^\]\s]{1,40})\]")
_NOTE_MARK = regex.compile(r"\[(\d{1,4})\]")
_RAISED = regex.compile(r"(?<=[\p{L}\p{N})\]])\^([^\s^]{1,12})\^")
_LOWERED = regex.compile(r"(?<=[\p{L}\p{N})\]])~([^\s~]{1,12})~(?!~)")
_OPENING = regex.compile(r"<(s|del|strike)\b[^<>]*>", regex.I)


def read_markdown(data: bytes) -> RawDocument:
    """Return the blocks of a Markdown file, and the title, author and date of its front matter."""
    from markdown_it import MarkdownIt

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
    source, notes = _footnotes(source)
    parser = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table").enable("strikethrough")
    return RawDocument(
        blocks=tuple(_with_notes(_blocks(parser.parse(source)), notes)),
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


def _footnotes(source: str) -> tuple[str, dict[str, str]]:
    """Return the text with footnote marks as ``[1]``, in order, and the notes by these numbers."""
    notes = {match[1]: " ".join(match[2].split()) for match in _FOOTNOTE.finditer(source)}
    if not notes:
        return source, {}
    numbers: dict[str, str] = {}

    def mark(match: regex.Match[str]) -> str:
        name = match[1]
        if name not in notes:
            return match[0]
        number = numbers.setdefault(name, str(len(numbers) + 1))
        return f" \\[{number}\\]"

    source = _FOOTNOTE_MARK.sub(mark, _FOOTNOTE.sub("", source))
    return source, {number: notes[name] for name, number in numbers.items()}


def _with_notes(blocks: Iterator[Block], notes: dict[str, str]) -> Iterator[Block]:
    """Yield each block, then the notes that it is the first to mark."""
    left = dict(notes)
    for block in blocks:
        yield block
        for number in _NOTE_MARK.findall(block.text) if left else ():
            if number in left:
                yield Block(f"[{number}] {left.pop(number)}", "paragraph")


@dataclass
class _Building:
    """Where the walk over the tokens stands: in a heading, a table, lists with their next numbers."""

    in_heading: bool = False
    in_table: bool = False
    rows: list[list[Cell]] = field(default_factory=list)
    numbers: list[int | None] = field(default_factory=list)
    number: str = ""

    def enter(self, token: Token) -> None:
        """Begin what an opening token opens."""
        match token.type:
            case "heading_open":
                self.in_heading = True
            case "ordered_list_open":
                self.numbers.append(int(token.attrs.get("start", 1)))
            case "bullet_list_open":
                self.numbers.append(None)
            case "list_item_open":
                current = self.numbers[-1]
                self.number = "" if current is None else f"{current}{token.markup or '.'} "
                self.numbers[-1] = None if current is None else current + 1
            case "table_open":
                self.rows, self.in_table = [], True
            case "tr_open":
                self.rows.append([])
            case "th_open" | "td_open":
                self.rows[-1].append(Cell("", is_header=token.type == "th_open"))

    def leave(self, token: Token) -> Iterator[Block]:
        """End what a closing token closes; yield the table that it was."""
        match token.type:
            case "heading_close":
                self.in_heading = False
            case "ordered_list_close" | "bullet_list_close":
                self.numbers.pop()
            case "table_close":
                self.in_table = False
                yield from table_blocks(self.rows, header_rows=1)

    def text(self, text: str) -> Iterator[Block]:
        """Take the words of a cell or a paragraph."""
        if self.in_table:
            self.rows[-1][-1] = Cell(text, is_header=self.rows[-1][-1].is_header)
        elif text.strip():
            yield Block(self.number + text, "heading" if self.in_heading else "paragraph")
            self.number = ""


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    building = _Building()
    for token in tokens:
        if token.type == "inline":
            yield from building.text(_inline(token))
        elif token.type in ("fence", "code_block"):
            yield Block(token.content, "lines")
        elif token.type == "html_block":
            yield from html_blocks(token.content)
        elif token.nesting == 1:
            building.enter(token)
        else:
            yield from building.leave(token)


def _inline(token: Token) -> str:
    pieces: list[str] = []
    struck: list[int] = []
    shifted: list[int] = []
    for child in token.children or ():
        match child.type:
            case "softbreak":
                pieces.append("\n")
            case "hardbreak":
                pieces.append(FORCED_LINE_END)
            case "s_open":
                struck.append(len(pieces))
            case "s_close" if struck:
                del pieces[struck.pop() :]
            case "html_inline":
                _add_tag(child.content.lower(), pieces, struck, shifted)
            case "text":
                text = _RAISED.sub(lambda match: raised(match[1]), child.content)
                pieces.append(_LOWERED.sub(lambda match: lowered(match[1]), text))
            case _:
                pieces.append(child.content)
    return "".join(pieces)


def _add_tag(tag: str, pieces: list[str], struck: list[int], shifted: list[int]) -> None:
    """Add what an HTML tag inside a paragraph means for its text."""
    if tag.startswith("<br"):
        pieces.append(FORCED_LINE_END)
    elif _OPENING.match(tag):
        struck.append(len(pieces))
    elif tag in ("</s>", "</del>", "</strike>") and struck:
        del pieces[struck.pop() :]
    elif tag in ("<sup>", "<sub>"):
        shifted.append(len(pieces))
    elif tag in ("</sup>", "</sub>") and shifted:
        start = shifted.pop()
        text = "".join(pieces[start:])
        del pieces[start:]
        pieces.append(raised(text) if tag == "</sup>" else lowered(text))


READER = Reader(
    name="Markdown file",
    suffixes=(".md", ".markdown"),
    media_types=("text/markdown",),
    max_bytes=MAX_TEXT_FILE_BYTES,
    read=read_markdown,
    is_certain=False,
)
