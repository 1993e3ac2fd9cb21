"""Name the elements of a Word document, and the values of its switches."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lxml.etree import _Element

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
M = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
MC = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"
LEFT_OUT = frozenset((f"{W}del", f"{W}moveFrom", f"{MC}Fallback"))
"""Elements whose content was deleted, moved away, or is repeated elsewhere."""


def value(parent: _Element | None, path: str) -> str | None:
    """Return the value of the first element at `path` (names of the main namespace, separated by ``/``), or None."""
    if parent is None:
        return None
    element = parent.find("/".join(f"{W}{name}" for name in path.split("/")))
    return None if element is None else element.get(f"{W}val")


def is_on(parent: _Element | None, name: str) -> bool | None:
    """Return whether a switch is on; None if the element doesn't say."""
    element = None if parent is None else parent.find(f"{W}{name}")
    if element is None:
        return None
    return element.get(f"{W}val") not in ("0", "false", "off", "none")
