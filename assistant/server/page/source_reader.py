"""Show a window of a document's text with quotes highlighted.

A document may be far too long for a browser, so the reader consists of windows that join without gap or overlap: each
names its edges, and the next one begins where it ends.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Protocol

from assistant.server.page.evidence_html import icon, source_line
from assistant.server.page.source_text import Highlight, paragraphs_html
from assistant.server.strings import Strings
from assistant.types import Evidence, Source
from store.types import Document, Passage, Span

WINDOW = 12_000
"""Characters on each side of a quote, and in one more piece above or below."""
SLACK = 4_000
"""How far a window's edge may move outward to reach a paragraph's edge."""


class Texts(Protocol):
    """The part of a library that the reader needs."""

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """Return the normalized text, or its part ``[start:end]``."""

    def passages(self, document_id: str) -> tuple[Passage, ...]:
        """Return the passages of a document, in order."""


@dataclass(frozen=True, slots=True)
class Window:
    """The text ``[start:end]`` of a document as HTML, and whether there is more on either side."""

    start: int
    end: int
    html: str
    above: bool
    below: bool


def window_around(
    texts: Texts, document: Document, span: Span, highlights: Sequence[Highlight], words: Strings
) -> Window:
    """Return the window around `span`, with whole paragraphs if they aren't longer than `SLACK`."""
    return _window(texts, document, span.start - WINDOW, span.end + WINDOW, highlights, words, True, True)


def window_above(texts: Texts, document: Document, end: int, highlights: Sequence[Highlight], words: Strings) -> Window:
    """Return the window that ends exactly at `end`."""
    return _window(texts, document, end - WINDOW, end, highlights, words, True, False)


def window_below(
    texts: Texts, document: Document, start: int, highlights: Sequence[Highlight], words: Strings
) -> Window:
    """Return the window that begins exactly at `start`."""
    return _window(texts, document, start, start + WINDOW, highlights, words, False, True)


def located(texts: Texts, document: Document, item: Evidence) -> Span | None:
    """Return the current position of a quote: its offsets, or, in a changed document, the closest same words.

    None if the document no longer has these words.
    """
    span = Span(item.start, item.end)
    if texts.text(document.id, span.start, span.end) == item.quote:
        return span
    text = texts.text(document.id)
    before, after = text.rfind(item.quote, 0, span.end), text.find(item.quote, span.start)
    found = [at for at in (before, after) if at >= 0]
    if not found:
        return None
    start = min(found, key=lambda at: abs(at - item.start))
    return Span(start, start + len(item.quote))


def _window(
    texts: Texts,
    document: Document,
    start: int,
    end: int,
    highlights: Sequence[Highlight],
    words: Strings,
    move_start: bool,
    move_end: bool,
) -> Window:
    start = max(0, start)
    base = max(0, start - SLACK) if move_start else start
    # One character more than shown tells whether there is more below.
    text = texts.text(document.id, base, end + (SLACK if move_end else 0) + 1)
    reach = base + len(text)
    start = _edge_before(text, start - base) + base if move_start and start > 0 else start
    if move_end:
        end = reach if reach <= end else _edge_after(text, end - base) + base
    end = min(end, reach)
    here = Span(start, end)
    passages = [p for p in texts.passages(document.id) if p.start < end and start < p.end]
    html = paragraphs_html(text[start - base : end - base], here, document, passages, highlights, words)
    return Window(start, end, html, above=start > 0, below=end < reach)


def _edge_before(text: str, at: int) -> int:
    """Return the closest place at or before `at` where a window may begin: a paragraph, a word, a character."""
    newline = text.rfind("\n", 0, at)
    if newline >= 0:
        return newline + 1
    space = text.rfind(" ", 0, at)
    return space + 1 if space >= 0 else _character_edge(text, at)


def _edge_after(text: str, at: int) -> int:
    """Return the closest place after `at` where a window may end."""
    newline = text.find("\n", at)
    if 0 <= newline < len(text) - 1:
        return newline + 1
    space = text.find(" ", at)
    return space + 1 if 0 <= space < len(text) - 1 else _character_edge(text, min(at, len(text)))


def _character_edge(text: str, at: int) -> int:
    while 0 < at < len(text) and (unicodedata.category(text[at])[0] == "M" or text[at - 1] == "\u200d"):
        at -= 1
    return at


def source_panel(
    document: Source,
    body: str,
    words: Strings,
    key: int = 0,
    keys: Sequence[int] = (),
    notice: str = "",
    pictured: bool = False,
    overview: Sequence[Evidence] = (),
) -> str:
    """Return the reader around its text: which document it is and, for an answer, which quote and links to the others.

    A document opened by itself begins with its `overview`.
    """
    return (
        f'<section class="reader" data-key="{key}" data-document="{escape(document.id)}"'
        f' aria-label="{escape(document.title)}">'
        f'<header class="reader-head"><div class="reader-nav">'
        f'<button class="quiet" data-do="reader.close">{icon("back")}'
        f"{escape(words('close'))}</button>"
        f"{_steps(key, keys, words) if keys else ''}</div>"
        f'<h2 class="source">{source_line(document, words)}</h2></header>'
        + (f'<p class="notice" role="note">{escape(notice)}</p>' if notice else "")
        + (_picture(words) if pictured else "")
        + (_overview(overview, key, words) if overview else "")
        + f'<div class="reader-text" tabindex="0" role="document" aria-label="{escape(words("reader.text"))}">'
        + f"{body}</div></section>"
    )


def _picture(words: Strings) -> str:
    return f'<details class="picture"><summary>{escape(words("reader.picture"))}</summary><div></div></details>'


def _overview(sentences: Sequence[Evidence], key: int, words: Strings) -> str:
    """Return the most central sentences of a document as links to their places; folded after one was followed."""
    items = "".join(
        f'<li><button class="link" data-do="reader.step" data-key="{each.key}" lang="{escape(each.language)}"'
        f' dir="auto">{escape(each.quote)}</button></li>'
        for each in sentences
    )
    state = "" if key else " open"
    return f'<details class="overview"{state}><summary>{escape(words("reader.overview"))}</summary><ol>{items}</ol></details>'


def _steps(key: int, keys: Sequence[int], words: Strings) -> str:
    place = list(keys).index(key)
    position = words("reader.position", number=place + 1, count=len(keys))
    return (
        f'<span class="reader-step">{_step(keys, place - 1, "up", words("reader.previous"))}'
        f'<span aria-live="polite">{escape(position)}</span>'
        f"{_step(keys, place + 1, 'end', words('reader.next'))}</span>"
    )


def window_html(window: Window, words: Strings) -> str:
    """Return a window with a button at each end that has more text."""
    above = _more("reader.above", window.start, words) if window.above else ""
    below = _more("reader.below", window.end, words) if window.below else ""
    return f'{above}<div class="window" data-start="{window.start}" data-end="{window.end}">{window.html}</div>{below}'


def lost_quote(item: Evidence) -> str:
    """Return the quote by itself, if its document no longer has it."""
    return (
        f'<blockquote class="lost" lang="{escape(item.language)}" dir="auto"><mark class="current">'
        f"{escape(item.quote)}</mark></blockquote>"
    )


def _step(keys: Sequence[int], place: int, sign: str, label: str) -> str:
    target = f'data-key="{keys[place]}"' if 0 <= place < len(keys) else "disabled"
    return f'<button class="icon" data-do="reader.step" {target} aria-label="{escape(label)}">{icon(sign)}</button>'


def _more(key: str, at: int, words: Strings) -> str:
    return f'<button class="quiet more" data-do="{key}" data-at="{at}">{escape(words(key))}</button>'
