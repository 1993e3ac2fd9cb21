"""Compute automatic numbers of Word paragraphs: "Article 3", "2.1", "(iv)", as Word shows them.

Numbers are counted by list definition. A level restarts when one above it advances, unless it says otherwise.
Source: ECMA-376, part 1, 17.9.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import regex

from ingest.numerals import numeral
from ingest.readers.base import integer
from ingest.readers.docx.names import W, is_on, value

if TYPE_CHECKING:
    from lxml.etree import _Element

_LEVELS = 9
_PLACE = regex.compile(r"%([1-9])")


@dataclass(frozen=True, slots=True)
class _Level:
    """One level of a list: where it starts and how its number is written."""

    start: int = 1
    style: str = "decimal"
    text: str = ""
    is_legal: bool = False
    restarts_after: int | None = None
    """The level, from 1, that restarts this one when it or one above it advances; None for all above, 0 for none."""
    paragraph_style: str | None = None


@dataclass(slots=True)
class _Definition:
    """A list definition with its current counts."""

    levels: dict[int, _Level] = field(default_factory=dict)
    counts: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _List:
    """A use of a definition, with its own levels and starts."""

    definition: str
    levels: dict[int, _Level]
    starts: dict[int, int]


class Numbering:
    """The numbers of one document's paragraphs; request them in order."""

    def __init__(self, numbering: _Element | None, styles: _Element | None) -> None:
        self._definitions: dict[str, _Definition] = {}
        self._lists: dict[str, _List] = {}
        self._started: set[tuple[str, int]] = set()
        self._styles = {} if styles is None else {style.get(f"{W}styleId"): style for style in styles.iter(f"{W}style")}
        if numbering is not None:
            self._read(numbering)

    def of(self, paragraph: _Element) -> str:
        """Return the number of a paragraph, and count it; empty if it has none or a bullet."""
        place = self._place(paragraph)
        if place is None or place[0] not in self._lists:
            return ""
        name, depth = place
        used = self._lists[name]
        definition = self._definitions.get(used.definition)
        if definition is None:
            return ""
        levels = definition.levels | used.levels
        if depth not in levels:
            return ""
        self._count(name, depth, definition, levels)
        return _shown(levels, depth, definition.counts)

    def _count(self, name: str, depth: int, definition: _Definition, levels: dict[int, _Level]) -> None:
        starts = self._lists[name].starts
        counts = definition.counts
        for above in range(depth):
            counts.setdefault(above, levels.get(above, _Level()).start)
        if depth in starts and (name, depth) not in self._started:
            counts[depth] = starts[depth]
        else:
            counts[depth] = counts[depth] + 1 if depth in counts else levels[depth].start
        self._started.add((name, depth))
        for below in range(depth + 1, _LEVELS):
            after = levels.get(below, _Level()).restarts_after
            if below in counts and (after is None or depth < after):
                del counts[below]

    def _place(self, paragraph: _Element) -> tuple[str, int] | None:
        """Return the list and level of a paragraph, from itself or from its style."""
        properties = paragraph.find(f"{W}pPr")
        name, depth = value(properties, "numPr/numId"), value(properties, "numPr/ilvl")
        style, seen = value(properties, "pStyle"), set[str]()
        own_style = style
        while name is None and style is not None and style not in seen and style in self._styles:
            seen.add(style)
            element = self._styles[style]
            style_properties = element.find(f"{W}pPr")
            name = value(style_properties, "numPr/numId")
            depth = depth or value(style_properties, "numPr/ilvl") or self._level_of_style(name, own_style)
            style = value(element, "basedOn")
        return None if name in (None, "0") else (str(name), integer(depth, 0))

    def _level_of_style(self, name: str | None, style: str | None) -> str | None:
        used = self._lists.get(name or "")
        if used is None or used.definition not in self._definitions:
            return None
        for depth, level in self._definitions[used.definition].levels.items():
            if level.paragraph_style == style:
                return str(depth)
        return None

    def _read(self, numbering: _Element) -> None:
        linked: dict[str, str] = {}
        by_style: dict[str, str] = {}
        for element in numbering.iterchildren(f"{W}abstractNum"):
            name = element.get(f"{W}abstractNumId", "")
            self._definitions[name] = _Definition(_levels(element))
            if (style := value(element, "numStyleLink")) is not None:
                linked[name] = style
            if (style := value(element, "styleLink")) is not None:
                by_style[style] = name
        for name, style in linked.items():
            if style in by_style:
                self._definitions[name] = self._definitions[by_style[style]]
        for element in numbering.iterchildren(f"{W}num"):
            starts: dict[int, int] = {}
            levels: dict[int, _Level] = {}
            for override in element.iterchildren(f"{W}lvlOverride"):
                depth = integer(override.get(f"{W}ilvl"), 0)
                if (start := value(override, "startOverride")) is not None:
                    starts[depth] = integer(start, 1)
                levels |= _levels(override)
            definition = value(element, "abstractNumId") or ""
            self._lists[element.get(f"{W}numId", "")] = _List(definition, levels, starts)


def _levels(parent: _Element) -> dict[int, _Level]:
    found = {}
    for element in parent.iterchildren(f"{W}lvl"):
        level = _Level(
            start=integer(value(element, "start"), 1),
            style=value(element, "numFmt") or _alternate_style(element) or "decimal",
            text=value(element, "lvlText") or "",
            is_legal=bool(is_on(element, "isLgl")),
            restarts_after=None if (after := value(element, "lvlRestart")) is None else integer(after, 0),
            paragraph_style=value(element, "pStyle"),
        )
        found[integer(element.get(f"{W}ilvl"), 0)] = level
    return found


def _alternate_style(element: _Element) -> str | None:
    """Return the format that newer programs write next to an older one, as for ``01, 02`` with three digits."""
    found = next(element.iter(f"{W}numFmt"), None)
    return None if found is None else found.get(f"{W}val")


def _shown(levels: dict[int, _Level], depth: int, counts: dict[int, int]) -> str:
    level = levels[depth]
    if level.style == "bullet":
        return ""

    def number(match: regex.Match[str]) -> str:
        place = int(match[1]) - 1
        shown = levels.get(place, _Level())
        if level.is_legal and place < depth:
            shown = replace(shown, style="decimal")
        return numeral(counts.get(place, shown.start), shown.style)

    return _PLACE.sub(number, level.text).strip()
