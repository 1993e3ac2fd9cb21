"""The page's scripts import each other in one direction."""

from __future__ import annotations

import re
from graphlib import TopologicalSorter
from pathlib import Path

from assistant.server.page import routes


def test_no_script_imports_itself_in_a_circle() -> None:
    scripts = {path.name: path.read_text(encoding="utf-8") for path in routes.STATIC.glob("*.js")}
    imports = {
        name: set(re.findall(r'from "\./([\w.]+)"|import "\./([\w.]+)"', text)) for name, text in scripts.items()
    }
    graph = {name: {first or second for first, second in found} for name, found in imports.items()}
    assert set().union(*graph.values()) <= scripts.keys()
    assert graph["chat.js"], "else this test could not fail"
    assert len(list(TopologicalSorter(graph).static_order())) == len(scripts)


def test_every_script_is_reached_from_the_page() -> None:
    text = {path.name: path.read_text(encoding="utf-8") for path in Path(routes.STATIC).glob("*.js")}
    reached, left = set[str](), ["page.js"]
    while left:
        name = left.pop()
        if name not in reached:
            reached.add(name)
            left += re.findall(r'(?:from|import) "\./([\w.]+)"', text[name])
    assert reached == text.keys()
