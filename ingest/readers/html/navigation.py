"""Recognize the parts of a page for navigation, sharing or consent, which aren't part of its content."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import regex

from ingest.readers.html.styles import Declarations
from ingest.words import words

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_ROLES = frozenset(("navigation", "search", "menu", "menubar", "dialog", "alertdialog", "toolbar"))
_CONTAINERS = frozenset(("div", "section", "ul", "ol", "aside", "header", "footer", "form", "dialog", "p", "span", "a"))
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_EDGES = frozenset(("header", "footer", "aside"))
_EDGE_ROLES = frozenset(("banner", "contentinfo", "complementary"))
_SURE_NAME = regex.compile(
    r"(?<![a-z])(?:cookies?|consent|gdpr|ccpa|navbar|breadcrumbs?|breadcrumblist|skip-?(?:link|to|nav)|pagination"
    r"|editsection|headerlink)(?![a-z])"
)
_NAME_OF_LINKS = regex.compile(
    r"(?<![a-z])(?:nav|navigation|menu|share|sharing|social|toc|related|recommended|read-?more|see-?also"
    r"|more-(?:posts|articles|stories|news))(?![a-z])"
)
_SPLIT_NAME = regex.compile(r"(?<=[a-z])(?=[A-Z])|[_\s/]+")
_SHARING = regex.compile(
    r"facebook\.com/(?:sharer|dialog)|(?:twitter|x)\.com/(?:intent|share)|linkedin\.com/share|wa\.me/|whatsapp:"
    r"|whatsapp\.com/send|(?:t|telegram)\.me/share|line\.me/(?:R|lineit)/|pinterest\.[a-z]+/pin/create"
    r"|reddit\.com/submit|weibo\.com/share|zalo\.me/share|^mailto:\?|vk\.com/share|getpocket\.com/(?:save|edit)",
    regex.I,
)
_CONTENT = "h1, article, main, table"
_BUTTONS = "button, [role=button], input[type=button], input[type=submit]"
_LINKED_SHARE = 0.5
_LONGEST_BAR = 2_000
_MOST_LOOKED_AT = 200
"""Buttons and links of one kind to examine per page, because examining their surroundings is expensive."""


class Navigation:
    """The parts of one page that aren't its content."""

    def __init__(self, page: LexborHTMLParser) -> None:
        self._bars = {bar.mem_id for bar in (*_consent_bars(page), *_share_bars(page), *_skip_links(page))}
        self._tools = tuple(words("consent_tools"))

    def holds(self, node: LexborNode, name: str, declared: Declarations) -> bool:
        """Return whether an element is such a part, by its name, role, class or position."""
        if name == "nav" or node.mem_id in self._bars:
            return True
        if name not in _CONTAINERS:
            return False
        if name == "a" and _is_mark_of_heading(node):
            return True
        role = (node.attributes.get("role") or "").lower()
        return role in _ROLES or _is_edge_of_links(node, name, role) or self._is_named_so(node, name, declared)

    def _is_named_so(self, node: LexborNode, name: str, declared: Declarations) -> bool:
        attributes = node.attributes
        own = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
        if name != "a" and any(each.startswith(self._tools) for each in own.lower().replace("_", "-").split()):
            return True
        names = f"{own} {attributes.get('aria-label') or ''} {attributes.get('itemtype') or ''}"
        names = _SPLIT_NAME.sub("-", names).lower()
        if _SURE_NAME.search(names) or declared.get("position") == "fixed":
            # A whole article may be in "page-with-navbar", so an element with such a name must also look like one.
            return _is_short(node)
        return bool(_NAME_OF_LINKS.search(names)) and _is_short(node) and _is_mostly_links(node)


def _is_edge_of_links(node: LexborNode, name: str, role: str) -> bool:
    """Return whether an element is the head, foot or side of a page, and mostly links."""
    if name not in _EDGES and role not in _EDGE_ROLES:
        return False
    is_edge = name == "aside" or role == "complementary" or (node.parent is not None and node.parent.tag == "body")
    return is_edge and _is_mostly_links(node)


def _is_mark_of_heading(node: LexborNode) -> bool:
    """Return whether a link is a heading's mark that leads to the heading: ¶ or #."""
    parent = node.parent
    if parent is None or parent.tag not in _HEADINGS or not (node.attributes.get("href") or "").startswith("#"):
        return False
    return regex.search(r"[\p{L}\p{N}]", node.text()) is None


def _is_short(node: LexborNode) -> bool:
    return len(node.text()) < _LONGEST_BAR and not node.css(_CONTENT)


def _is_mostly_links(node: LexborNode) -> bool:
    written = len(node.text().strip())
    linked = sum(len(link.text().strip()) for link in node.css("a, button"))
    return linked > _LINKED_SHARE * written


def _consent_bars(page: LexborHTMLParser) -> Iterator[LexborNode]:
    """Yield short elements around a button that mention cookies."""
    for button in page.css(_BUTTONS)[:_MOST_LOOKED_AT]:
        for around in _around(button):
            text = around.text().lower()
            if len(text) < _LONGEST_BAR and any(word in text for word in words("cookies")):
                yield around
                break


def _share_bars(page: LexborHTMLParser) -> Iterator[LexborNode]:
    """Yield links for sharing a page in a social network, with their lists."""
    links = [link for link in page.css("a[href]") if _SHARING.search(link.attributes.get("href") or "")]
    for link in links[:_MOST_LOOKED_AT]:
        yield link
        for around in _around(link):
            inner = around.css("a")
            if len(inner) > 1 and all(_SHARING.search(each.attributes.get("href") or "") for each in inner):
                if not _is_mostly_links(around):
                    break
                yield around


def _skip_links(page: LexborHTMLParser) -> Iterator[LexborNode]:
    """Yield links before everything else that lead to the beginning of the page's content."""
    for link in page.css("body a[href^='#']")[:5]:
        target = (link.attributes.get("href") or "")[1:]
        if not regex.fullmatch(r"[\p{L}\p{N}_-]+", target) or not _is_first(link):
            return
        found = page.css_first(f"[id='{target}']")
        if found is not None and (
            found.tag == "main" or found.css_first("h1, main, article") is not None or found.tag == "h1"
        ):
            yield link


def _is_first(link: LexborNode) -> bool:
    """Return whether only links come before a link."""
    node: LexborNode | None = link
    while node is not None and node.tag != "body":
        before = node.prev
        while before is not None:
            if before.tag == "-text" and (before.text_content or "").strip():
                return False
            if before.tag not in ("a", "script", "style", "-text", "-comment", "_comment") and before.text().strip():
                return False
            before = before.prev
        node = node.parent
    return True


def _around(node: LexborNode) -> Iterator[LexborNode]:
    """Yield the elements around a node that may be bars, innermost first."""
    above = node.parent
    for _ in range(6):
        if above is None or above.tag in ("body", "html", "main", "article") or not _is_short(above):
            return
        if above.tag in _CONTAINERS:
            yield above
        above = above.parent
