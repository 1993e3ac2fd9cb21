"""The Markdown parser: CommonMark with what GitHub, Pandoc and note-taking programs add to it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import regex

from ingest.readers.markdown.grids import grid_table, simple_table
from ingest.readers.markdown.raw_html import keep_what_closes
from ingest.readers.markdown.typed_lists import part_typed_lists

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_core import StateCore
    from markdown_it.rules_inline import StateInline

SOFT_LINE_END = "\x85"
"""A line end that the renderer's reader joins by the rules of the script: no blank inside of Thai or Chinese."""

_ATTRIBUTES = regex.compile(r"\s*\{(?:[#.][^{}\n]*|[\w-]+=[^{}\n]*|-)\}\s*$")
_TITLE = regex.compile(r"^\s*\{?[\w.-]+\}?(?:\[(?P<bracketed>[^\]]*)\]|\s+\"?(?P<title>[^\"{][^\"]*?)\"?)\s*$")
_LOWERED = regex.compile(r"~([^\s~]{1,12})~(?!~)")
_RAISED = regex.compile(r"\^([^\s^\[\]]{1,12})\^")
_STRUCK = regex.compile(r"~(?![\s~])([^~\n]{1,500}?)(?<![\s~])~(?![~\p{L}\p{N}])")


@cache
def parser() -> MarkdownIt:
    """Return the parser; it keeps nothing from one text to the next."""
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
    made.core.ruler.after("block", "typed_lists", part_typed_lists)
    made.core.ruler.after("block", "attributes", _without_attributes)
    made.core.ruler.push("raw_html", keep_what_closes)
    made.add_render_rule("softbreak", lambda *_: SOFT_LINE_END)
    made.add_render_rule("footnote_caption", lambda self, tokens, index, *_: f"[{tokens[index].meta['id'] + 1}]")
    made.add_render_rule("footnote_anchor", lambda *_: "")
    made.add_render_rule("image", lambda self, tokens, index, *_: escapeHtml(tokens[index].content))
    return made


def _division(_: object, tokens: list[object], index: int, *__: object) -> str:
    """Render a fenced division: only its title, if it has one, is text."""
    token = tokens[index]
    if getattr(token, "nesting", 0) != 1:
        return "</div>\n"
    from markdown_it.common.utils import escapeHtml

    match = _TITLE.match(getattr(token, "info", ""))
    title = (match["bracketed"] or match["title"] or "").strip() if match else ""
    return f"<div><p>{escapeHtml(title)}</p>" if title else "<div>"


def _without_attributes(state: StateCore) -> None:
    """Take the attributes from headings, and say with what the numbers of lists end."""
    for before, token in zip(state.tokens, state.tokens[1:], strict=False):
        if before.type == "heading_open" and token.type == "inline":
            token.content = _ATTRIBUTES.sub("", token.content)
        if token.type == "ordered_list_open" and token.markup == ")":
            token.attrSet("data-list-end", ")")
    if state.tokens and state.tokens[0].type == "ordered_list_open" and state.tokens[0].markup == ")":
        state.tokens[0].attrSet("data-list-end", ")")


def _shifted(state: StateInline, silent: bool) -> bool:
    """Parse ``10^6^`` and ``H~2~O``; a tilde that follows no letter strikes out, as on GitHub."""
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
