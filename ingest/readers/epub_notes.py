"""The notes of a book: a mark in one chapter and its note in another are put together, as a reader of the book shows them.

Numbers of printed pages, which stand inside of sentences, are left out.
"""

from __future__ import annotations

import posixpath
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import unquote

import regex

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_VOID = "area|base|br|col|embed|hr|img|input|link|meta|source|track|wbr"
_EMPTY = regex.compile(rf"<((?!(?:{_VOID})\b)[a-z][\w:-]*+)((?:\s[^<>]*?)?)/>")
_SAYS_MORE = regex.compile(r"noteref|pagebreak")
_PAGE_BREAKS = ("pagebreak", "doc-pagebreak")
_BACK = ("backlink", "doc-backlink", "referrer")
_MARK = ("noteref", "doc-noteref")
_LONGEST_LINK_BACK = 12

Chapters = dict[str, str]
"""The source of each chapter by its path in the archive."""


def as_html(source: str) -> str:
    """Return a chapter with elements such as ``<title/>`` closed as web pages need it: else they swallow what follows."""
    return _EMPTY.sub(r"<\1\2></\1>", source)


def has_notes(source: str) -> bool:
    """Return whether a chapter marks notes or numbers of printed pages."""
    return _SAYS_MORE.search(source) is not None


def with_notes(chapters: Chapters) -> Chapters:
    """Return the chapters with each note in the chapter that marks it, and without numbers of pages."""
    from selectolax.lexbor import LexborHTMLParser

    pages = {path: LexborHTMLParser(source) for path, source in chapters.items()}
    notes: dict[tuple[str, str], str] = {}
    moved: dict[str, str] = {}
    for path, page in pages.items():
        for node in page.css("[epub\\:type], [role]"):
            if _is(node, _PAGE_BREAKS):
                node.decompose()
        for link in page.css("a[href]"):
            if not _is(link, _MARK):
                continue
            link.attrs["class"] = f"{link.attributes.get('class') or ''} noteref"
            place, _, name = unquote(link.attributes.get("href") or "").partition("#")
            target = posixpath.normpath(posixpath.join(posixpath.dirname(path), place)) if place else path
            if target == path or target not in pages or not name:
                continue
            if (target, name) not in notes and (words := _taken(pages[target], name)) is not None:
                notes[target, name] = words
                moved[path] = moved.get(path, "") + f'<aside id="{escape(f"{target}-{name}")}">{escape(words)}</aside>'
            link.attrs["href"] = f"#{target}-{name}"
    sources = {path: page.html or "" for path, page in pages.items()}
    return {path: source.replace("</body>", f"{moved.get(path, '')}</body>") for path, source in sources.items()}


def _taken(page: LexborHTMLParser, name: str) -> str | None:
    """Return the words of a note, which is taken out of its chapter."""
    node = next((each for each in page.css("[id]") if each.attributes.get("id") == name), None)
    if node is None or node.tag in ("body", "html"):
        return None
    for link in node.css("a[href]"):
        if _is(link, _BACK) or ("#" in (link.attributes.get("href") or "") and len(link.text()) <= _LONGEST_LINK_BACK):
            link.decompose()
    words = node.text(separator=" ", strip=True)
    node.decompose()
    return words


def _is(node: LexborNode, kinds: tuple[str, ...]) -> bool:
    """Return whether an element is of a kind, by the book's own names or by those of web pages."""
    names = f"{node.attributes.get('epub:type') or ''} {node.attributes.get('role') or ''}".split()
    return any(kind in names for kind in kinds)
