"""Render part of a document's text as HTML: headings, paragraphs and tables, with quotes marked."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.server.page.source_tables import Table, tables_in
from assistant.server.strings import Strings
from store.types import Document, Passage, Span

HEADING_LENGTH = 200
HEADING_LINE = 100


@dataclass(frozen=True, slots=True)
class Highlight:
    """A quote of the answer that stands in the document."""

    key: int
    span: Span


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is needed to show lines of a document."""

    document: Document
    passages: Sequence[Passage]
    highlights: Sequence[Highlight]
    words: Strings

    def language_at(self, offset: int) -> str:
        """Return the language of the passage that holds `offset`."""
        return next((p.language for p in self.passages if p.start <= offset < p.end), self.document.language)

    def pages_in(self, previous: int, span: Span) -> dict[int, str]:
        """Return labels of the pages that begin after `previous`, by where they are shown in `span`."""
        return {
            max(offset, span.start): escape(self.words("reader.page", page=number))
            for number, offset in enumerate(self.document.pages, 1)
            if previous <= offset < span.end
        }

    def line(self, text: str, span: Span, previous: int) -> str:
        """Return a line, or part of one, with its marks and with the pages that begin after `previous`."""
        return _line(text, span, self.highlights, self.pages_in(previous, span))


def paragraphs_html(
    text: str,
    here: Span,
    document: Document,
    passages: Sequence[Passage],
    highlights: Sequence[Highlight],
    words: Strings,
) -> str:
    """Return the text at `here` as headings, paragraphs and tables, with its marks and the beginnings of pages."""
    shown = _Shown(document, passages, highlights, words)
    headings = {
        p.heading for p in passages if p.heading is not None and p.heading.end - p.heading.start <= HEADING_LENGTH
    }
    begins = {p.start: p for p in passages}
    lines = [
        (Span(here.start + found.start(), here.start + found.end()), found[0]) for found in re.finditer(r"[^\n]+", text)
    ]
    tables = {table.rows[0].span.start: table for table in tables_in(lines)}
    parts: list[str] = []
    previous = here.start
    for span, line in lines:
        if span.end <= previous:
            continue  # a row of the table before it
        if table := tables.get(span.start):
            parts.append(_table(table, text, here.start, shown, previous))
            previous = table.rows[-1].span.end
            continue
        noted = any(heading.start <= span.start and span.end <= heading.end for heading in headings)
        tag = "h3" if noted or _heads(line, span, begins.get(span.start)) else "p"
        inner = shown.line(line, span, previous)
        parts.append(f'<{tag} dir="auto" lang="{escape(shown.language_at(span.start))}">{inner}</{tag}>')
        previous = span.end
    return "".join(parts)


def _table(table: Table, text: str, base: int, shown: _Shown, previous: int) -> str:
    """Return the rows under the headers of their columns; `text` begins at `base`, and is already shown up to `previous`."""
    head = "".join(
        f'<th scope="col" dir="auto">{escape(header)}</th>' if header else "<td></td>" for header, _ in table.columns
    )
    body = ""
    for row in table.rows:
        cells = ""
        for column in table.columns:
            tag = "td" if column[0] else 'th scope="row"'
            inner = ""
            if column in row.cells:
                span = row.cells[column]
                words = text[span.start - base : span.end - base]
                inner = shown.line(words, span, previous)
                previous = span.end
            cells += f'<{tag} dir="auto">{inner}</{tag[:2]}>'
        body += f'<tr lang="{escape(shown.language_at(row.span.start))}">{cells}</tr>'
    label = escape(shown.words("reader.table"))
    return (
        f'<div class="table" tabindex="0" role="group" aria-label="{label}"><table dir="auto">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _heads(line: str, span: Span, passage: Passage | None) -> bool:
    """Return whether a line is the heading of the passage that begins with it: short, unpunctuated, with more below.

    A passage stores its heading only if that is in an earlier passage.
    """
    return (
        passage is not None
        and span.end < passage.end
        and len(line) <= HEADING_LINE
        and not line.rstrip().endswith((".", "?", "!", ":", ";", ",", "…", "”", '"', "。", "؟", "।"))
    )


def _line(line: str, span: Span, highlights: Sequence[Highlight], pages: dict[int, str]) -> str:
    """Return one paragraph, with marks around its quotes and empty, labelled elements where pages begin."""
    inside = [h for h in highlights if h.span.overlaps(span)]
    edges = {span.start, span.end, *pages}
    for highlight in inside:
        edges |= {max(span.start, highlight.span.start), min(span.end, highlight.span.end)}
    ordered = sorted(edges)
    html = ""
    for start, end in itertools.pairwise(ordered):
        if start in pages:
            html += f'<span class="page-edge" role="separator" data-label="{pages[start]}"></span>'
        piece = escape(line[start - span.start : end - span.start])
        keys = [h.key for h in inside if h.span.start <= start and end <= h.span.end]
        html += f'<mark data-keys="{" ".join(map(str, keys))}">{piece}</mark>' if keys else piece
    return html
