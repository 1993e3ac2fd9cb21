"""Write MathML formulas as a line of text in which no digits run together: 1/2, x², √(a + b)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import regex

from ingest.readers.html.styles import Declarations
from ingest.scripts import lowered, raised

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

_DEEPEST = 40
_INVISIBLE = regex.compile(r"[\u2061-\u2064\u200b]")
_SPACED = frozenset("+-−=<>≤≥≠≈±×÷·⋅∗→⇒∈∪∩≡∼∝/")
_SIMPLE = regex.compile(r"[\p{L}\p{M}\p{N}.,√∞°%′]*")
_ROWS = frozenset(("msqrt", "mrow", "mstyle", "mpadded", "math", "mtd", "merror"))
_LEFT_OUT = frozenset(("annotation", "annotation-xml", "mphantom", "none", "mprescripts"))


def formula_text(node: LexborNode, depth: int = 0) -> str:
    """Return an element of MathML on one line."""
    name = node.tag or ""
    children = [child for child in node.iter() if child.tag not in _LEFT_OUT]
    if not children or depth > _DEEPEST:
        return " " if name == "mspace" else _INVISIBLE.sub("", " ".join(node.text().split()))
    parts = [formula_text(child, depth + 1) for child in children]
    if name in _ROWS:
        parts = [_in_a_row(children, parts)]
    needed, make = _MADE.get(name, (0, None))
    if make is not None and len(parts) >= needed:
        return make(parts)
    if name == "mfenced":
        return f"{node.attributes.get('open') or '('}{', '.join(parts)}{node.attributes.get('close') or ')'}"
    if name == "menclose" and "strike" in (node.attributes.get("notation") or ""):
        return ""
    return parts[0] if name in _ROWS else _in_a_row(children, parts)


def is_hidden_formula(node: LexborNode, declared: Declarations) -> bool:
    """Return whether an element is hidden because its formula is next to it as a picture, as on Wikipedia."""
    beside = node.next
    return "display" in declared and beside is not None and beside.tag == "img" and node.css_first("math") is not None


def is_drawn_formula(node: LexborNode) -> bool:
    """Return whether an element draws the formula of MathML next to it again, as with KaTeX and MathJax."""
    return any(beside is not None and beside.css_first("math") is not None for beside in (node.prev, node.next))


def _in_a_row(children: list[LexborNode], parts: list[str]) -> str:
    text = ""
    for child, part in zip(children, parts, strict=True):
        is_operator = child.tag == "mo"
        if is_operator and part in _SPACED and text.strip() and text[-1] not in "(=+−- ":
            text += f" {part} "
        elif is_operator and part in (",", ";"):
            text += f"{part} "
        elif child.tag == "mfrac" and text[-1:].isalnum():
            text += f" {part}"  # one and a half is 1 1/2, not 11/2
        else:
            text += part
    return text.strip() if len(parts) > 1 else text


def _whole(text: str) -> str:
    """Return a text in brackets, unless it is a single unit."""
    return text if _SIMPLE.fullmatch(text) or (text[:1] == "(" and text[-1:] == ")") else f"({text})"


_MADE: dict[str, tuple[int, Callable[[list[str]], str]]] = {
    "mfrac": (2, lambda parts: f"{_whole(parts[0])}/{_whole(parts[1])}"),
    "msup": (2, lambda parts: _whole(parts[0]) + raised(parts[1])),
    "msub": (2, lambda parts: _whole(parts[0]) + lowered(parts[1])),
    "msubsup": (3, lambda parts: _whole(parts[0]) + lowered(parts[1]) + raised(parts[2])),
    "munder": (2, lambda parts: parts[0] + lowered(parts[1])),
    "mover": (2, lambda parts: parts[0] + (parts[1] if not parts[1].isalnum() else raised(parts[1]))),
    "munderover": (3, lambda parts: f"{parts[0]}{lowered(parts[1])}{raised(parts[2])} "),
    "semantics": (1, lambda parts: parts[0]),
    "mtable": (1, lambda parts: f"[{'; '.join(parts)}]"),
    "mtr": (1, ", ".join),
    "msqrt": (1, lambda parts: f"√{_whole(parts[0])}"),
    "mroot": (2, lambda parts: f"{raised(parts[1])}√{_whole(parts[0])}"),
}
"""The number of parts that an element needs, and the function that combines them."""
