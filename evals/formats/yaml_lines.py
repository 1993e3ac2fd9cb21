"""Read YAML, and JSON, which is YAML too, as plain values that know their lines.

Scalars stay as written: `language: no` is Norwegian, not false; 08.10 keeps its zeros.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import regex
import yaml
from yaml.reader import ReaderError

from evals.formats.problems import Path_, at

Plain = str | None | list["Plain"] | dict[str, "Plain"]
_HINT = "texts that hold : ? # , or brackets belong in quotation marks."
_UNPRINTABLE = regex.compile(r"[^\t\n\x20-\x7E\x85\xA0-\uD7FF\uE000-\uFFFD\U00010000-\U0010FFFF]")
"""Characters that YAML 1.2, section 5.1, doesn't allow."""
_LOADER: type[yaml.SafeLoader | yaml.CSafeLoader] = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""libyaml accepts `{question: Where?}`, as in YAML 1.2; the loader in Python doesn't, and is ten times slower."""
_QUOTED = {"'", '"', "|", ">"}
_MERGE = "<<"
"""The merge key: the pairs of its mapping apply if the surrounding mapping doesn't set them."""
_NULLS = {"", "~", "null", "Null", "NULL"}


@dataclass(frozen=True, slots=True)
class Lined:
    """A document's value, and the line of each of its parts."""

    value: Plain
    lines: dict[Path_, int]

    def line(self, place: Path_) -> int | None:
        """Return the line of the deepest known part of `place`, counted from 1."""
        while place not in self.lines and place:
            place = place[:-1]
        return self.lines.get(place)


def read_lined(text: str, path: Path) -> Lined:
    """Return the document in `text`. Raises SuiteError with the line of invalid YAML."""
    try:
        root = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise at(path, line, f"this is not YAML: {error.problem}; {_HINT}") from error
    except ReaderError as error:
        found = _UNPRINTABLE.search(text)
        line = text.count("\n", 0, found.start()) + 1 if found else None
        named = f"the character U+{ord(found[0]):04X}" if found else "a character"
        raise at(path, line, f"{named} is not allowed in YAML.") from error
    lines: dict[Path_, int] = {}
    if root is None:
        return Lined(None, {(): 1})
    return Lined(_plain(root, (), lines, path, frozenset()), lines)


def _plain(node: yaml.Node, place: Path_, lines: dict[Path_, int], path: Path, above: frozenset[int]) -> Plain:
    """Return the value of a node with texts for scalars; store the line of each value in `lines`."""
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in above:
        raise at(path, lines[place], "an alias refers to what it stands in.")
    above |= {id(node)}
    if isinstance(node, yaml.ScalarNode):
        return None if node.style not in _QUOTED and node.value in _NULLS else node.value
    if isinstance(node, yaml.SequenceNode):
        return [_plain(item, (*place, number), lines, path, above) for number, item in enumerate(node.value)]
    value: dict[str, Plain] = {}
    merged: dict[str, Plain] = {}
    for key, item in node.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode):
            raise at(path, line, "a key must be plain text.")
        if key.value in value:
            raise at(path, line, f"`{key.value}` stands twice in one mapping.")
        found = _plain(item, (*place, key.value), lines, path, above)
        if key.value == _MERGE:
            for each in reversed(found if isinstance(found, list) else [found]):
                merged |= each if isinstance(each, dict) else {}
            continue
        lines[(*place, key.value)] = line
        value[key.value] = found
    return merged | value
