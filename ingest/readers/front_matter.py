"""Front matter of Markdown files: YAML between ``---``, TOML between ``+++``, or a JSON object, read leniently."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

import regex
import yaml

_YAML = regex.compile(r"\A---[ \t]*\n(.{0,20000}?)\n(?:---|\.\.\.)[ \t]*(?:\n|\Z)", regex.S)
_TOML = regex.compile(r"\A\+\+\+[ \t]*\n(.{0,20000}?)\n\+\+\+[ \t]*(?:\n|\Z)", regex.S)
_JSON_START = regex.compile(r"\A\{\s*\"")
_LINE = regex.compile(r"^(\p{L}[\p{L}\p{N}_ -]{0,40}?)\s*[:=]\s*(.*)$")
_CONTINUED = regex.compile(r"^(?:\s+|-\s|\]|\})")
_LONGEST = 20_000
_FEWEST_NAMED = 0.6


def front_matter(source: str) -> tuple[Mapping[str, object], str]:
    """Return what a file says of itself and the rest of it; an empty mapping where it has no front matter.

    What is no valid YAML or TOML is read line by line as ``name: value``.
    """
    for pattern, parse in ((_YAML, _yaml), (_TOML, _toml)):
        match = pattern.match(source)
        if match is None:
            continue
        metadata = parse(match[1])
        if metadata is None:
            metadata = _by_lines(match[1])
        return ({}, source) if metadata is None else (metadata, source[match.end() :])
    return _json(source)


def _yaml(text: str) -> Mapping[str, object] | None:
    try:
        metadata = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    return _named(metadata)


def _toml(text: str) -> Mapping[str, object] | None:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError):
        return None


def _json(source: str) -> tuple[Mapping[str, object], str]:
    if not _JSON_START.match(source):
        return {}, source
    try:
        metadata, end = json.JSONDecoder().raw_decode(source[:_LONGEST])
    except (ValueError, RecursionError):
        return {}, source
    named = _named(metadata)
    rest = source[end:]
    return (named, rest) if named is not None and rest.startswith("\n") else ({}, source)


def _named(metadata: object) -> Mapping[str, object] | None:
    if not isinstance(metadata, dict):
        return None
    return {key: value for key, value in metadata.items() if isinstance(key, str)}


def _by_lines(text: str) -> Mapping[str, object] | None:
    """Return ``name: value`` lines as a mapping; None where too few lines are such."""
    lines = [line for line in text.split("\n") if line.strip() and not line.lstrip().startswith("#")]
    found: dict[str, object] = {}
    named = 0
    for line in lines:
        match = _LINE.match(line)
        if match:
            named += 1
            found.setdefault(match[1].strip().lower(), match[2].strip().strip("\"'"))
        elif _CONTINUED.match(line):
            named += 1
    return found if found and named >= _FEWEST_NAMED * len(lines) else None
