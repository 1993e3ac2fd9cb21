"""Parse Markdown: CommonMark with the additions of GitHub, Pandoc and note-taking programs.

Lines of a paragraph that begin with Thai numbers, letters or numbers such as 1.2 are list items. Tags are kept if they
close, so that ``the <title> of a page`` doesn't swallow the text after it.
"""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

import regex

from ingest.readers.markdown.grids import grid_table, simple_table

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline
    from markdown_it.token import Token

SOFT_LINE_END = "\x85"
"""A line end that the renderer's reader joins by the script's rules: without a blank inside Thai or Chinese."""

_ATTRIBUTES = regex.compile(r"\s*\{(?:[#.][^{}\n]*|[\w-]+=[^{}\n]*|-)\}\s*$")
_TITLE = regex.compile(r"^\s*\{?[\w.-]+\}?(?:\[(?P<bracketed>[^\]]*)\]|\s+\"?(?P<title>[^\"{][^\"]*?)\"?)\s*$")
_LOWERED = regex.compile(r"~([^\s~]{1,12})~(?!~)")
_RAISED = regex.compile(r"\^([^\s^\[\]]{1,12})\^")
_STRUCK = regex.compile(r"~(?![\s~])([^~\n]{1,500}?)(?<![\s~])~(?![~\p{L}\p{N}])")
_TAG = regex.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_CLOSING = regex.compile(r"</([a-zA-Z]+)\b")
_VOID = frozenset(("br", "hr", "img", "input", "wbr"))
_SWALLOWING = regex.compile(
    r"<(title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext|select|template|noscript|object|audio|video)\b",
    regex.I,
)
_HAN = "〇一二三四五六七八九十百"
_ITEM = regex.compile(
    r"[ \t]*(?:"
    r"\(?\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){0,4}[.)]|\p{Nd}{1,3}(?:\.\p{Nd}{1,3}){1,4}(?=\s)"
    r"|\(?[\p{L}--\p{Han}]\p{M}*[.)]|\(?[ivxlcIVXLC]{1,6}[.)]"
    rf"|[(（]?[{_HAN}]{{1,4}}[、.)）]|第[{_HAN}]{{1,4}}[条章节項]"
    r"|ข้อ(?:ที่)?[ \t]*\p{Nd}{1,3}\.?|[•‣▪◦●–—]"
    r")[ \t]*(?=\S)",
    regex.V1,
)
_FEWEST = 2


@cache
def parser() -> MarkdownIt:
    """Return the parser; it keeps no state between texts."""
    from markdown_it import MarkdownIt
    from markdown_it.common.utils import escapeHtml
    from mdit_py_plugins.admon import admon_plugin
    from mdit_py_plugins.attrs import attrs_plugin
    from mdit_py_plugins.container import container_plugin
    from mdit_py_plugins.deflist import deflist_plugin
    from mdit_py_plugins.footnote import footnote_plugin

    made = MarkdownIt("commonmark", {"maxNesting": 100, "tasklists": True, "alerts": True})
    made.enable(["table", "strikethrough"])
    made.use(footnote_plugin).use(deflist_plugin).use(admon_plugin).use(attrs_plugin, spans=True)
    made.use(container_plugin, name="div", validate=lambda *_: True, render=_division)
    made.block.ruler.before("table", "grid_table", grid_table, {"alt": ["paragraph", "reference"]})
    made.block.ruler.before("table", "simple_table", simple_table, {"alt": []})
    made.inline.ruler.before("strikethrough", "shifted", _shifted)
    made.core.ruler.after("block", "typed_lists", _part_typed_lists)
    made.core.ruler.after("block", "attributes", _without_attributes)
    made.core.ruler.push("raw_html", _keep_what_closes)
    made.add_render_rule("softbreak", lambda *_: SOFT_LINE_END)
    made.add_render_rule("footnote_caption", lambda self, tokens, index, *_: f"[{tokens[index].meta['id'] + 1}]")
    made.add_render_rule("footnote_anchor", lambda *_: "")
    made.add_render_rule("image", lambda self, tokens, index, *_: escapeHtml(tokens[index].content))
    return made


def _division(_: object, tokens: list[object], index: int, *__: object) -> str:
    """Render a fenced division: only its title, if any, is text."""
    token = tokens[index]
    if getattr(token, "nesting", 0) != 1:
        return "</div>\n"
    from markdown_it.common.utils import escapeHtml

    match = _TITLE.match(getattr(token, "info", ""))
    title = (match["bracketed"] or match["title"] or "").strip() if match else ""
    return f"<div><p>{escapeHtml(title)}</p>" if title else "<div>"


def _without_attributes(state: StateCore) -> None:
    """Remove the attributes from headings, and use them for the numbers' endings in lists."""
    for before, token in zip(state.tokens, state.tokens[1:], strict=False):
        if before.type == "heading_open" and token.type == "inline":
            token.content = _ATTRIBUTES.sub("", token.content)
        if token.type == "ordered_list_open" and token.markup == ")":
            token.attrSet("data-list-end", ")")
    if state.tokens and state.tokens[0].type == "ordered_list_open" and state.tokens[0].markup == ")":
        state.tokens[0].attrSet("data-list-end", ")")


def _shifted(state: StateInline, silent: bool) -> bool:
    """Parse ``10^6^`` and ``H~2~O``; a tilde not after a letter strikes out, as on GitHub."""
    mark = state.src[state.pos]
    if mark not in "~^" or state.src.startswith("~~", state.pos) or state.src.startswith("^[", state.pos):
        return False
    before = state.src[state.pos - 1] if state.pos else ""
    follows_word = before.isalnum() or before in (")", "]") if before else False
    pattern, tag = (_RAISED, "sup") if mark == "^" else (_LOWERED, "sub") if follows_word else (_STRUCK, "s")
    match = pattern.match(state.src, state.pos, state.posMax)
    if match is None or (mark == "^" and not follows_word) or (before == "~" and mark == "~"):
        return False
    if not silent:
        state.push(f"{tag}_open", tag, 1)
        state.push("text", "", 0).content = match[1]
        state.push(f"{tag}_close", tag, -1)
    state.pos = match.end()
    return True


def _keep_what_closes(state: StateCore) -> None:
    """Drop tags in paragraphs that don't close there, and show those of a block that would swallow the text below it."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            _drop_unclosed(token.children)
        elif token.type == "html_block":
            token.content = _with_swallowing_shown(token.content)


def _with_swallowing_shown(block: str) -> str:
    closings = {match[1].lower(): match.start() for match in _CLOSING.finditer(block)}  # The last of each name stays.
    return _SWALLOWING.sub(
        lambda match: match[0] if closings.get(match[1].lower(), 0) > match.start() else f"&lt;{match[0][1:]}", block
    )


def _drop_unclosed(children: list[Token]) -> None:
    opened: list[tuple[str, Token]] = []
    kept: set[int] = set()
    for child in children:
        match = _TAG.match(child.content) if child.type == "html_inline" else None
        if match is None:
            continue
        name = match[2].lower()
        if name in _VOID:
            kept.add(id(child))
        elif not match[1]:
            opened.append((name, child))
        elif any(name == each for each, _ in opened):
            while opened:
                each, opening = opened.pop()
                if each == name:
                    kept |= {id(opening), id(child)}
                    break
    for child in children:
        if child.type == "html_inline" and id(child) not in kept and _TAG.match(child.content):
            # Shown like on GitHub: a tag that would swallow the text after it was meant as words.
            child.content = f"&lt;{child.content[1:]}" if _SWALLOWING.match(child.content) else ""


def _part_typed_lists(state: StateCore) -> None:
    """Split each paragraph with several lines that are items."""
    if not any(token.type == "inline" and "\n" in token.content for token in state.tokens):
        return
    parted: list[Token] = []
    tokens = state.tokens
    number = 0
    while number < len(tokens):
        trio = tokens[number : number + 3]
        if len(trio) == 3 and trio[0].type == "paragraph_open" and trio[1].type == "inline":
            parted += _parted(*trio)
            number += 3
        else:
            parted.append(tokens[number])
            number += 1
    state.tokens = parted


def _parted(opening: Token, inline: Token, closing: Token) -> Iterator[Token]:
    lines = inline.content.split("\n")
    starts = [number for number, line in enumerate(lines) if _ITEM.match(line)]
    if len(starts) < _FEWEST:
        yield from (opening, inline, closing)
        return
    edges = sorted({0, *starts, len(lines)})
    for start, end in pairwise(edges):
        piece = copy(inline)
        piece.content, piece.children = "\n".join(lines[start:end]), []
        # An item is a separate paragraph even if the paragraphs of a list aren't shown as such.
        for token in (copy(opening), piece, copy(closing)):
            token.hidden = False
            yield token
