"""Write equations of Office files (OMML) as one line: fractions with a slash, roots, limits and matrices set apart."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import regex

from ingest.limits import MAX_NESTING
from ingest.readers.base import too_deep
from ingest.readers.docx.names import M
from ingest.scripts import lowered, raised

if TYPE_CHECKING:
    from lxml.etree import _Element

_SIMPLE = regex.compile(r"^(?:[\p{L}\p{M}\p{N}.,₀-₉⁰¹²³⁴-⁹ⁿⁱ]*|\([^()]*\))$")
_DEEPEST = MAX_NESTING // 10


@dataclass(frozen=True, slots=True)
class _Node:
    """An element of an equation, with its depth."""

    element: _Element
    depth: int

    @property
    def name(self) -> str:
        return str(self.element.tag).removeprefix(M)

    def part(self, name: str) -> str:
        """Return the text of a part, such as the numerator of a fraction; empty if there is none."""
        found = self.element.find(f"{M}{name}")
        return "" if found is None else _linear(_Node(found, self.depth + 1))

    def grouped(self, name: str) -> str:
        """Return the text of a part, in brackets if it is more than a word or a number."""
        text = self.part(name)
        return text if _SIMPLE.match(text) else f"({text})"

    def parts(self, name: str) -> list[str]:
        return [_linear(_Node(each, self.depth + 1)) for each in self.element.iterchildren(f"{M}{name}")]

    def said(self, name: str, default: str) -> str:
        """Return a property of the element."""
        found = self.element.find(f"{M}{self.name}Pr/{M}{name}")
        return default if found is None else str(found.get(f"{M}val", ""))


def equation(element: _Element) -> str:
    """Return an equation as one line, as in ``(a + b)/2``. Raises ReadError if it is nested too deep."""
    return _linear(_Node(element, 0))


def _linear(node: _Node) -> str:
    if node.depth > _DEEPEST:
        raise too_deep(_DEEPEST)
    if node.name == "t":
        return node.element.text or ""
    if node.name.endswith("Pr"):
        return ""
    if (written := _WRITTEN.get(node.name)) is not None:
        return written(node)
    text = ""
    for child in node.element.iterchildren(f"{M}*"):
        piece = _linear(_Node(child, node.depth + 1))
        # A mixed number: three and a half is not thirty-one halves.
        text += f" {piece}" if child.tag == f"{M}f" and text[-1:].isdecimal() else piece
    return text


def _fraction(node: _Node) -> str:
    if node.said("type", "") == "noBar":
        return f"({node.part('num')} {node.part('den')})"
    return f"{node.grouped('num')}/{node.grouped('den')}"


def _with_scripts(node: _Node) -> str:
    return node.grouped("e") + lowered(node.part("sub")) + raised(node.part("sup"))


def _delimited(node: _Node) -> str:
    return f"{node.said('begChr', '(')}{node.said('sepChr', '|').join(node.parts('e'))}{node.said('endChr', ')')}"


def _matrix(node: _Node) -> str:
    rows = (_Node(row, node.depth + 1).parts("e") for row in node.element.iterchildren(f"{M}mr"))
    return f"[{'; '.join(', '.join(row) for row in rows)}]"


_WRITTEN: dict[str, Callable[[_Node], str]] = {
    "f": _fraction,
    "sSup": _with_scripts,
    "sSub": _with_scripts,
    "sSubSup": _with_scripts,
    "sPre": lambda node: lowered(node.part("sub")) + raised(node.part("sup")) + node.part("e"),
    "rad": lambda node: f"{raised(node.part('deg'))}√{node.grouped('e')}",
    "d": _delimited,
    "nary": lambda node: (
        f"{node.said('chr', '∫')}{lowered(node.part('sub'))}{raised(node.part('sup'))} {node.part('e')}"
    ),
    "func": lambda node: f"{node.part('fName')} {node.part('e')}",
    "limLow": lambda node: node.part("e") + lowered(node.part("lim")),
    "limUpp": lambda node: node.part("e") + raised(node.part("lim")),
    "acc": lambda node: node.part("e") + node.said("chr", "\u0302"),
    "eqArr": lambda node: "; ".join(node.parts("e")),
    "m": _matrix,
}
