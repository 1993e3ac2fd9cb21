"""Decide how an element looks to a reader of the page: visible at all, struck out, raised, inline or a block.

A `Look` is computed from the look of the surrounding element and the element's own declarations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

import regex

from ingest.readers.html.styles import Declarations

if TYPE_CHECKING:
    from selectolax.lexbor import LexborNode

Color = tuple[float, float, float, float]
"""Red, green, blue and opacity, from 0 to 1."""

_WHITE: Color = (1.0, 1.0, 1.0, 1.0)
_BLACK: Color = (0.0, 0.0, 0.0, 1.0)
_SAME_COLOR = 0.04
_ZERO = regex.compile(r"^[+-]?0*\.?0+(?:%|[a-z]+)?$")
_FAR_OFF = regex.compile(r"^-\d{3,}(?:\.\d+)?(?:px|em|rem|pt|%|vw)?$|^-\d{2,}(?:\.\d+)?(?:em|rem|vw)$")
_NOWHERE = regex.compile(r"rect\(\s*(?:0|1px)\D|inset\(\s*(?:50|100)%|circle\(0|polygon\(0(?:px)? 0(?:px)?\)")
_NO_SCALE = regex.compile(r"scale[xy]?\(\s*0(?:\.0*)?\s*[,)]")
_LENGTH = regex.compile(r"^([+-]?[\d.]+)(px|em|ex|rem|pt|%)?$")
_INLINE_NAMES = """
a abbr acronym b bdi bdo big br cite code data dfn em font i img input ins kbd label mark q rb ruby rt rtc s samp small span
strong sub sup time tt u var wbr nobr -text math output meter progress picture
"""
_INLINE = frozenset(_INLINE_NAMES.split())
_PARTED = frozenset(("flex", "inline-flex", "grid", "inline-grid"))
_PRESERVING = frozenset(("pre", "pre-wrap", "pre-line", "break-spaces"))


@dataclass(frozen=True)
class Look:
    """The properties that decide how the text of an element is read."""

    display: str = "block"
    is_visible: bool = True
    has_size: bool = True
    color: Color | None = None
    """None if it is unknown, for example because a style sheet is external."""
    background: Color | None = None
    """None if it is unknown, or a picture is behind it."""
    list_style: str = ""
    """The element's own style; empty if none sets it."""
    keeps_lines: bool = False
    is_bold: bool = False
    shift: str = ""
    """``sup`` or ``sub`` if a style sheet raises or lowers the element."""
    stands_apart: bool = False
    """Whether there is a gap between it and the adjacent text."""

    @cached_property
    def is_inline(self) -> bool:
        """Whether it continues the line of the surrounding text."""
        return self.display.startswith("inline") or self.display in ("contents", "ruby", "ruby-text")

    @cached_property
    def shows_text(self) -> bool:
        """Whether text directly in the element is visible."""
        if not (self.is_visible and self.has_size):
            return False
        if self.color is None or self.background is None:
            return True
        return self.color[3] > 0.02 and _distance(self.color, self.background) > _SAME_COLOR


OF_PAGE = Look(color=_BLACK, background=_WHITE)
"""For a page whose style sheets are all known: unset properties are as in a browser."""


def is_struck(declared: Declarations) -> bool:
    """Return whether a style strikes an element out."""
    return any("line-through" in declared.get(name, "") for name in ("text-decoration", "text-decoration-line"))


def is_out_of_sight(declared: Declarations) -> bool:
    """Return whether an element is completely invisible."""
    if not declared:
        return False
    if declared.get("display") == "none" or _is_zero(declared, "opacity"):
        return True
    if _NO_SCALE.search(declared.get("transform", "")):
        return True
    if any(_FAR_OFF.match(declared.get(name, "")) for name in ("left", "top", "right", "text-indent", "margin-left")):
        return True
    if _NOWHERE.search(declared.get("clip", "")) or _NOWHERE.search(declared.get("clip-path", "")):
        return True
    is_cut = declared.get("overflow", "").startswith(("hidden", "clip"))
    return is_cut and any(_is_zero(declared, name) for name in ("height", "max-height", "width", "max-width"))


def look_of(node: LexborNode, name: str, declared: Declarations, around: Look) -> Look:
    """Return the look of an element inside one with the look `around`."""
    attributes = node.attributes
    if not declared and "bgcolor" not in attributes and name != "font":
        return _plain(name, "", around)
    plain = _plain(name, declared.get("display", ""), around)
    return replace(
        plain,
        is_visible=_visibility(declared.get("visibility"), around.is_visible),
        has_size=around.has_size if "font-size" not in declared else not _is_zero(declared, "font-size"),
        color=_color(declared.get("color") or (attributes.get("color") if name == "font" else None)) or around.color,
        background=_background(declared, attributes.get("bgcolor"), around.background),
        list_style=declared.get("list-style-type") or declared.get("list-style", ""),
        is_bold=_is_bold(declared.get("font-weight"), plain.is_bold),
        keeps_lines=declared["white-space"] in _PRESERVING if "white-space" in declared else plain.keeps_lines,
        shift=_shift(declared),
        stands_apart=plain.stands_apart or _has_gap(declared),
    )


@lru_cache(maxsize=4096)
def _plain(name: str, display: str, around: Look) -> Look:
    """Return the look of an element whose style sheets set at most its display."""
    display = display or ("inline" if name in _INLINE else "block")
    return replace(
        around,
        display=display,
        list_style="",
        shift="",
        stands_apart=around.display in _PARTED and display.startswith("inline"),
        keeps_lines=around.keeps_lines or name == "pre",
        is_bold=around.is_bold or name in ("b", "strong"),
    )


def _visibility(value: str | None, inherited: bool) -> bool:
    return {"visible": True, "hidden": False, "collapse": False}.get(value or "", inherited)


def _is_zero(declared: Declarations, name: str) -> bool:
    return _ZERO.match(declared.get(name, "1")) is not None


def _color(value: str | None) -> Color | None:
    from tinycss2.color3 import parse_color

    if not value or value in ("inherit", "currentcolor"):
        return None
    color = parse_color(value)
    return None if color is None or isinstance(color, str) else (color.red, color.green, color.blue, color.alpha)


def _background(declared: Declarations, attribute: str | None, behind: Color | None) -> Color | None:
    """Return the color behind the text; None if it is unknown."""
    if declared.get("position") in ("absolute", "fixed", "sticky"):
        behind = None
    picture = declared.get("background-image", "")
    if "url(" in picture or "gradient(" in picture:
        return None
    value = declared.get("background-color") or attribute
    if not value or value in ("none", "transparent", "inherit", "initial", "unset"):
        return behind
    named = next((color for part in (value, *value.split()) if (color := _color(part)) is not None), None)
    if named is None:
        return None if "var(" in value else behind
    return behind if named[3] == 0 else None if named[3] < 1 else named


def _is_bold(value: str | None, inherited: bool) -> bool:
    if value is None:
        return inherited
    return value in ("bold", "bolder") or (value.isdecimal() and int(value) >= 600)


def _shift(declared: Declarations) -> str:
    """Return how a style raises or lowers text relative to the line."""
    align = declared.get("vertical-align", "")
    if align in ("super", "sub"):
        return "sup" if align == "super" else "sub"
    if "font-size" not in declared:
        return ""
    length = _LENGTH.match(align)
    if length and (amount := _number(length[1])):
        return "sup" if amount > 0 else "sub"
    top = _LENGTH.match(declared.get("top", ""))
    if declared.get("position") == "relative" and top and (amount := _number(top[1])):
        return "sup" if amount < 0 else "sub"
    return ""


def _has_gap(declared: Declarations) -> bool:
    return any(
        any((length := _LENGTH.match(part)) and _number(length[1]) > 0 for part in declared.get(name, "").split())
        for name in ("margin", "margin-left", "margin-right", "padding", "padding-left", "padding-right")
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 0.0


def _distance(one: Color, other: Color) -> float:
    return max(abs(left - right) for left, right in zip(one[:3], other[:3], strict=True))
