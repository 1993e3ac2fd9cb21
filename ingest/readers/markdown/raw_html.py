"""Tags in Markdown text: kept where they close, so that ``the <title> of a page`` doesn't swallow what follows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from markdown_it.rules_core import StateCore
    from markdown_it.token import Token

_TAG = regex.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_CLOSING = regex.compile(r"</([a-zA-Z]+)\b")
_VOID = frozenset(("br", "hr", "img", "input", "wbr"))
_SWALLOWING = regex.compile(
    r"<(title|textarea|style|xmp|iframe|noembed|noframes|script|plaintext|select|template|noscript|object|audio|video)\b",
    regex.I,
)


def keep_what_closes(state: StateCore) -> None:
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
            # Shown as GitHub does: what would swallow the text behind it was meant as words.
            child.content = f"&lt;{child.content[1:]}" if _SWALLOWING.match(child.content) else ""
