"""Read styles of an OpenDocument text: what is struck, hidden, raised or lowered, and how lists are numbered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

NS = "urn:oasis:names:tc:opendocument:xmlns:"
TEXT, TABLE, STYLE, OFFICE = (f"{{{NS}{name}:1.0}}" for name in ("text", "table", "style", "office"))
META = f"{{{NS}meta:1.0}}"
DRAW = f"{{{NS}drawing:1.0}}"


@dataclass(frozen=True, slots=True)
class TextStyle:
    """A style's properties for its text; None if its parent decides."""

    parent: str | None = None
    is_off: bool | None = None
    shift: str | None = None


@dataclass(frozen=True, slots=True)
class Level:
    """How the items of one level of a list are numbered."""

    style: str
    prefix: str
    suffix: str
    start: int
    shown: int


def text_styles(roots: list[_Element]) -> dict[str, TextStyle]:
    """Return the text properties of styles, by their names."""
    found = {}
    for root in roots:
        for style in root.iter(f"{STYLE}style"):
            properties = style.find(f"{STYLE}text-properties")
            said = {} if properties is None else dict(properties.attrib)
            line, display = said.get(f"{STYLE}text-line-through-style"), said.get(f"{TEXT}display")
            position = said.get(f"{STYLE}text-position")
            is_off = None if line is None and display is None else line not in (None, "none") or display == "none"
            found[style.get(f"{STYLE}name", "")] = TextStyle(
                style.get(f"{STYLE}parent-style-name"), is_off, None if position is None else _shift(str(position))
            )
    return found


def _shift(position: str) -> str:
    """Return ``super``, ``sub`` or nothing for a text position such as ``super 58%`` or ``33% 58%``."""
    first = position.split(maxsplit=1)[0] if position.split() else ""
    if first in ("super", "sub"):
        return first
    return "sub" if first.startswith("-") else "" if first in ("0%", "") else "super"


def list_levels(roots: list[_Element]) -> dict[str, dict[int, Level]]:
    """Return the numbered levels of each list style."""
    found: dict[str, dict[int, Level]] = {}
    for root in roots:
        for style in root.iter(f"{TEXT}list-style"):
            levels = found.setdefault(style.get(f"{STYLE}name", ""), {})
            for level in style.iterchildren(f"{TEXT}list-level-style-number"):
                levels[integer(level.get(f"{TEXT}level"), 1)] = Level(
                    style=_number_style(level.get(f"{STYLE}num-format") or ""),
                    prefix=level.get(f"{STYLE}num-prefix") or "",
                    suffix=level.get(f"{STYLE}num-suffix") or "",
                    start=integer(level.get(f"{TEXT}start-value"), 1),
                    shown=integer(level.get(f"{TEXT}display-levels"), 1),
                )
    return found


def _number_style(written: str) -> str:
    return "decimal" if written == "1" else written or "none"


def integer(text: str | None, default: int) -> int:
    """Return a positive number of the document, or `default` if it is none."""
    try:
        return max(1, min(int((text or "")[:6]), 100_000))
    except ValueError:
        return default
