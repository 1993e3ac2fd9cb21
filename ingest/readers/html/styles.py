"""Apply a page's style sheets to its elements: the part of the cascade that decides what is visible, and how.

Only style sheets in the page itself are read; nothing is fetched. Media queries are answered like a desktop screen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_PROPERTIES = """
display visibility opacity font-size font-weight color background background-color background-image text-decoration
text-decoration-line vertical-align position top left right text-indent clip clip-path width height max-height max-width
overflow transform list-style list-style-type white-space margin margin-left margin-right padding padding-left
padding-right counter-reset counter-increment counter-set content
"""
PROPERTIES = frozenset(_PROPERTIES.split())
"""The supported ones; a rule with only others costs nothing."""

_MOST_SELECTORS = 500
_MOST_PAIRS = 1_000_000_000
"""Pairs of elements that selectors may compare; comparing siblings takes quadratic time."""
_COMPARES_SIBLINGS = regex.compile(r"~|:(?:nth|last|only|has|empty)")
_LONGEST_SHEET = 1_000_000
_LONGEST_STYLE = 4_000
_SCREEN_WIDTH = 1_280
_SHOWN_PSEUDO = frozenset(("before", "after", "marker"))
_WIDTH = regex.compile(r"\(\s*(min|max)-width\s*:\s*([\d.]+)(px|em|rem)\s*\)")
_NEEDS_PARSER = regex.compile(r"[(\"'\\/{]")
_MEDIUM = regex.compile(r"^(?:only\s+)?(screen|all)?$")

Declarations = Mapping[str, str]
_Weight = tuple[bool, tuple[int, int, int], int]
_NOTHING: Declarations = {}


class Styles:
    """The declarations that apply to each element of a page."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._page = page
        self._found: dict[tuple[int, str], dict[str, tuple[_Weight, str]]] = {}
        self._inline: dict[str, tuple[tuple[str, str, bool], ...]] = {}
        self._selectors = 0
        self._pairs = 0
        self._size = len(page.css("*"))
        self._order = 0
        self.adds_text = False
        """Whether a style sheet uses counters, or puts text before or after elements."""
        for css in (sheet.text() for sheet in page.css("style") if _is_for_screen(_media(sheet))):
            self._read(css[:_LONGEST_SHEET])

    def of(self, node: LexborNode, pseudo: str = "") -> Declarations:
        """Return the declarations for an element, or for the generated content ``before`` or ``after`` it."""
        found = self._found.get((node.mem_id, pseudo))
        style = None if pseudo else node.attributes.get("style")
        if not style:
            return {name: value for name, (_, value) in found.items()} if found else _NOTHING
        declared = dict(found or {})
        for name, value, important in self._of_attribute(style[:_LONGEST_STYLE]):
            _declare(declared, name, value, (important, (1_000, 0, 0), 0))
        return {name: value for name, (_, value) in declared.items()}

    def _of_attribute(self, style: str) -> tuple[tuple[str, str, bool], ...]:
        if style not in self._inline:
            self._inline[style] = tuple(
                _declarations(style) if _NEEDS_PARSER.search(style) else _plain_declarations(style)
            )
        return self._inline[style]

    def _read(self, css: str) -> None:
        import tinycss2

        try:
            self._add_rules(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))
        except RecursionError:  # No person nests blocks this deep.
            return

    def _add_rules(self, rules: Iterable[object]) -> None:
        import tinycss2
        from tinycss2 import ast

        for rule in rules:
            if isinstance(rule, ast.QualifiedRule):
                declared = tuple(_declarations(rule.content))
                if declared:
                    self._add_rule(tinycss2.serialize(rule.prelude), declared)
            elif isinstance(rule, ast.AtRule) and rule.content is not None and _holds(rule):
                self._add_rules(tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True))

    def _add_rule(self, selectors: str, declared: tuple[tuple[str, str, bool], ...]) -> None:
        import cssselect
        from selectolax.lexbor import SelectolaxError

        self._order += 1
        try:
            parsed = cssselect.parse(selectors)
        except (cssselect.SelectorError, RecursionError):
            return
        for selector in parsed:
            pseudo = selector.pseudo_element or ""
            self._selectors += 1
            if self._selectors > _MOST_SELECTORS or not (pseudo == "" or pseudo in _SHOWN_PSEUDO):
                continue
            selector.pseudo_element = None
            written = selector.canonical()
            if _COMPARES_SIBLINGS.search(written):
                self._pairs += self._size**2
                if self._pairs > _MOST_PAIRS:
                    continue
            try:
                nodes = self._page.css(written)
            except (SelectolaxError, ValueError):
                continue
            for node in nodes:
                self.adds_text = self.adds_text or pseudo != ""
                found = self._found.setdefault((node.mem_id, str(pseudo)), {})
                for name, value, important in declared:
                    _declare(found, name, value, (important, selector.specificity(), self._order))


def _declare(found: dict[str, tuple[_Weight, str]], name: str, value: str, weight: _Weight) -> None:
    for each in (name, "background-color", "background-image") if name == "background" else (name,):
        if each not in found or found[each][0] <= weight:
            found[each] = (weight, value)


def _declarations(content: object) -> Iterator[tuple[str, str, bool]]:
    import tinycss2
    from tinycss2 import ast

    for item in tinycss2.parse_blocks_contents(content, skip_comments=True, skip_whitespace=True):
        if isinstance(item, ast.Declaration) and item.lower_name in PROPERTIES:
            value = tinycss2.serialize(item.value).strip()
            yield item.lower_name, value if item.lower_name == "content" else value.lower(), item.important


def _holds(rule: object) -> bool:
    """Return whether the rules inside an at-rule apply on a desktop screen."""
    import tinycss2

    keyword = getattr(rule, "lower_at_keyword", "")
    if keyword == "media":
        return _is_for_screen(tinycss2.serialize(getattr(rule, "prelude", [])))
    return keyword in ("layer", "supports")


def _plain_declarations(style: str) -> Iterator[tuple[str, str, bool]]:
    """Yield the declarations of a style with only names and plain values, because a parser would be much slower."""
    for part in style.lower().split(";"):
        name, _, value = part.partition(":")
        if name.strip() in PROPERTIES and value.strip():
            yield name.strip(), value.replace("!important", "").strip(), "!important" in value


def _media(sheet: LexborNode) -> str:
    return sheet.attributes.get("media") or ""


def _is_for_screen(query: str) -> bool:
    return any(_is_true(part) for part in query.lower().split(","))


def _is_true(query: str) -> bool:
    """Return whether a media query only requires a screen, and widths of a desktop screen."""
    for bound, value, unit in _WIDTH.findall(query):
        width = float(value) * (1 if unit == "px" else 16) if value.replace(".", "", 1).isdigit() else 0
        if (bound == "min") != (width <= _SCREEN_WIDTH):
            return False
    rest = _WIDTH.sub("", query).replace(" and ", " ").replace("and ", " ")
    return _MEDIUM.match(" ".join(rest.split())) is not None
