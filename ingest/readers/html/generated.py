"""Add text that style sheets put before and after elements: words, and the counters that number sections and items."""

from __future__ import annotations

from collections.abc import Mapping

import regex

from ingest.numerals import numeral
from ingest.readers.html.styles import Declarations

_SAYS_SOMETHING = regex.compile(r"[\p{L}\p{N}\p{Sc}%‰°]")
_PRIVATE = regex.compile(r"\p{Co}")
_LONGEST = 300


class Counters:
    """The counters of a page, at the last entered element."""

    def __init__(self) -> None:
        self._values: dict[str, list[tuple[int, int]]] = {}
        """By name: the depth at which each was created, and its value; the innermost last."""

    def enter(self, declared: Declarations, depth: int) -> None:
        """Apply an element's counter changes."""
        for name, value in _named(declared.get("counter-reset"), 0):
            stack = self._values.setdefault(name, [])
            if stack and stack[-1][0] == depth:
                stack.pop()
            stack.append((depth, value))
        for key, default in (("counter-increment", 1), ("counter-set", 0)):
            for name, value in _named(declared.get(key), default):
                stack = self._values.setdefault(name, []) or self._values[name]
                made, before = stack.pop() if stack else (depth, 0)
                stack.append((made, before + value if key == "counter-increment" else value))

    def leave(self, depth: int) -> None:
        """Forget the counters that were created inside an element."""
        for stack in self._values.values():
            while stack and stack[-1][0] > depth:
                stack.pop()

    def text(self, declared: Declarations, attributes: Mapping[str, str | None]) -> str:
        """Return a style sheet's added text; empty if it has no meaning, like an arrow or an icon."""
        import tinycss2
        from tinycss2 import ast

        content = declared.get("content", "")
        if content in ("", "none", "normal"):
            return ""
        text = ""
        for token in tinycss2.parse_component_value_list(content[:_LONGEST], skip_comments=True):
            if isinstance(token, ast.StringToken):
                text += token.value
            elif isinstance(token, ast.FunctionBlock):
                text += self._of_function(token.lower_name, token.arguments, attributes)
            elif (
                isinstance(token, ast.LiteralToken) and token.value == "/"
            ):  # The rest is for people who can't see the page.
                break
        text = _PRIVATE.sub("", text)
        return text if _SAYS_SOMETHING.search(text) else ""

    def _of_function(self, name: str, arguments: list[object], attributes: Mapping[str, str | None]) -> str:
        words = [str(value) for token in arguments if isinstance(value := getattr(token, "value", None), str)]
        words = (
            [word for word in words if word.strip(" ,") or word == ""] if name != "counters" else _without_commas(words)
        )
        if not words:
            return ""
        if name == "attr":
            return attributes.get(words[0].lower()) or ""
        values = [value for _, value in self._values.get(words[0], [])] or [0]
        if name == "counter":
            return numeral(values[-1], words[1] if len(words) > 1 else "decimal")
        if name == "counters":
            between = words[1] if len(words) > 1 else ""
            return between.join(numeral(value, words[2] if len(words) > 2 else "decimal") for value in values)
        return ""


def _without_commas(words: list[str]) -> list[str]:
    """Return the arguments of ``counters(name, ".", style)``; the second may itself be a comma or a blank."""
    kept: list[str] = []
    is_next = True
    for word in words:
        if is_next and (word.strip() or len(kept) == 1):
            kept.append(word)
            is_next = False
        elif word == ",":
            is_next = True
    return kept


def _named(value: str | None, default: int) -> list[tuple[str, int]]:
    """Return the counters in a declaration, each with its number."""
    found: list[tuple[str, int]] = []
    for word in (value or "none").split():
        if regex.fullmatch(r"[+-]?\d{1,6}", word) and found:
            found[-1] = (found[-1][0], int(word))
        elif word != "none":
            found.append((word, default))
    return found
