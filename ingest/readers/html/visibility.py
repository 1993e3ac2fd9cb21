"""What a reader of a page doesn't see or shouldn't quote: hidden and struck text, navigation, cookie bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import regex

if TYPE_CHECKING:
    from selectolax.lexbor import LexborHTMLParser, LexborNode

_INVISIBLE_NAMES = """
script style template noscript head title meta link iframe object embed svg canvas audio video datalist rp
select button annotation annotation-xml
"""
_INVISIBLE = frozenset((*_INVISIBLE_NAMES.split(), "-comment", "!doctype", "-doctype", "_comment"))
_STRUCK = frozenset(("s", "del", "strike"))
_HIDDEN_STYLE = regex.compile(
    r"(?<![-\w])(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)"
    r"|text-decoration(?:-line)?\s*:[^;]*line-through|(?:font-size|opacity)\s*:\s*0(?![.\d])"
    r"|(?:left|top|text-indent)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*0)",
    regex.I,
)
_COMMENT = regex.compile(r"/\*.*?\*/", regex.S)
_CONDITIONAL = regex.compile(r"@(?!media\s+(?:all|screen))[a-z-]+[^{};]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", regex.I)
_MEDIA = regex.compile(r"@media[^{]*\{((?:[^{}]*\{[^{}]*\})*)[^{}]*\}", regex.I)
_RULE = regex.compile(r"([^{}@;]{1,300}+)\{([^{}]{0,4000}+)\}")
_STATE = regex.compile(r":(?:hover|focus|active|checked|target|visited|before|after|not)|::", regex.I)
_MOST_RULES = 300
_NAVIGATION_ROLES = frozenset(("navigation", "search", "menu", "menubar", "dialog", "alertdialog", "toolbar"))
_NAVIGATION_NAME = regex.compile(
    r"(?<![a-z])(?:cookies?|consent|gdpr|onetrust|nav|navbar|navigation|breadcrumbs?|menu|skip-?(?:link|to|nav)|pagination"
    r"|share|sharing|social|toc)(?![a-z])",
    regex.I,
)
_SPLIT_NAME = regex.compile(r"(?<=[a-z])(?=[A-Z])|[_\s]+")
_EDGES = frozenset(("header", "footer", "aside"))
_CONTAINERS = frozenset(("div", "section", "ul", "ol", "aside", "header", "footer", "form", "dialog", "p", "span", "a"))
_LINKED_SHARE = 0.5
_LONGEST_BAR = 2_000


def hidden_by_style_sheet(page: LexborHTMLParser) -> frozenset[int]:
    """Return the ids in memory of the elements that the page's own style sheets hide or strike out."""
    found: set[int] = set()
    rules = 0
    for sheet in page.css("style"):
        css = _MEDIA.sub(r"\1", _CONDITIONAL.sub("", _COMMENT.sub("", sheet.text())))
        for match in _RULE.finditer(css):
            if not _HIDDEN_STYLE.search(match[2]):
                continue
            for selector in match[1].split(","):
                rules += 1
                if rules <= _MOST_RULES and not _STATE.search(selector):
                    found.update(_matching(page, selector.strip()))
    return frozenset(found)


def _matching(page: LexborHTMLParser, selector: str) -> set[int]:
    try:
        return {node.mem_id for node in page.css(selector)} if selector else set()
    except ValueError:
        return set()


def is_hidden(node: LexborNode, name: str, by_style_sheet: frozenset[int]) -> bool:
    """Return whether an element is not shown, or shown as struck out."""
    if name in _INVISIBLE or name in _STRUCK:
        return True
    if name == "-text":
        return False
    if node.mem_id in by_style_sheet:
        return True
    attributes = node.attributes
    if "hidden" in attributes or (name == "dialog" and "open" not in attributes):
        return True
    return bool(_HIDDEN_STYLE.search(attributes.get("style") or ""))


def is_navigation(node: LexborNode, name: str) -> bool:
    """Return whether an element serves to get about or to consent, as its name, role or class says."""
    if name == "nav":
        return True
    if name not in _CONTAINERS:
        return False
    attributes = node.attributes
    if (attributes.get("role") or "").lower() in _NAVIGATION_ROLES:
        return True
    if name in ("header", "footer") and node.parent is not None and node.parent.tag == "body":
        return _is_mostly_links(node)
    names = f"{attributes.get('id') or ''} {attributes.get('class') or ''}"
    if not _NAVIGATION_NAME.search(_SPLIT_NAME.sub(" ", names)):
        return False
    # A whole article may stand in "page-with-nav": what is named so must also look so.
    return len(node.text()) < _LONGEST_BAR and not node.css("h1, article, main, table")


def _is_mostly_links(node: LexborNode) -> bool:
    words = len(node.text().strip())
    linked = sum(len(link.text().strip()) for link in node.css("a, button"))
    return linked > _LINKED_SHARE * words
