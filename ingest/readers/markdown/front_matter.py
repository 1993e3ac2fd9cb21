"""Split Markdown files into their front matter, read leniently, and the rest.

YAML between ``---``, TOML between ``+++``, a JSON object, Pandoc's lines after ``%``, or ``title: ...`` lines at the top.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping

import regex
import yaml

from ingest.words import words

_YAML = regex.compile(r"\A\s{0,9}---[ \t]*\n(.{0,20000}?)\n?(?<=\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", regex.S)
_TOML = regex.compile(r"\A\s{0,9}\+\+\+[ \t]*\n(.{0,20000}?)\n?(?<=\n)\+\+\+[ \t]*(?:\n|\Z)", regex.S)
_JSON_START = regex.compile(r"\A\s{0,9}\{\s*\"")
_PANDOC = regex.compile(r"\A%[ \t]?(.*(?:\n[ \t]+\S.*)*)(?:\n%[ \t]?(.*(?:\n[ \t]+\S.*)*))?(?:\n%[ \t]?(.*))?(?:\n|\Z)")
_UNFENCED = regex.compile(r"\A(?:.{1,400}\n){1,30}(?=\s*(?:\n|\Z))")
_LINE = regex.compile(r"^([\p{L}\p{M}][\p{L}\p{M}\p{N}_. -]{0,40}?)\s*[:=：]\s*(.*)$")
_CONTINUED = regex.compile(r"^(?:\s+|-\s|\]|\})")
_LONGEST = 20_000
_FEWEST_NAMED = 0.6
_MEANING = {word: name for name in ("title", "author", "date") for word in words(f"{name}_names")}


def front_matter(source: str) -> tuple[Mapping[str, object], str]:
    """Return a file's metadata and the rest of it; an empty mapping if it has no front matter.

    Invalid YAML or TOML is read line by line as ``name: value``. Title, author and date are also found under their
    names in other languages.
    """
    found, rest = _front_matter(source)
    return _with_known_names(found), rest


def _front_matter(source: str) -> tuple[Mapping[str, object], str]:
    for pattern, parse in ((_YAML, _yaml), (_TOML, _toml)):
        match = pattern.match(source)
        if match is None:
            continue
        metadata = parse(match[1])
        if metadata is None:
            metadata = _by_lines(match[1])
        return ({}, source) if metadata is None else (metadata, source[match.end() :])
    if (pandoc := _PANDOC.match(source)) and source[pandoc.end() :].strip():
        lines = zip(("title", "author", "date"), pandoc.groups(), strict=True)
        return {name: " ".join(line.split()) for name, line in lines if line}, source[pandoc.end() :]
    return _unfenced(source) or _json(source)


def _with_known_names(metadata: Mapping[str, object]) -> Mapping[str, object]:
    found = dict(metadata)
    for key, value in metadata.items():
        name = _MEANING.get(" ".join(key.lower().split()))
        if name is not None:
            found.setdefault(name, value)
    return found


def _unfenced(source: str) -> tuple[Mapping[str, object], str] | None:
    """Return ``name: value`` lines at the top, if the first of them is a title, author or date."""
    match = _UNFENCED.match(source)
    if match is None or not source[match.end() :].strip():
        return None
    lines = match[0].split("\n")[:-1]
    names = [named[1].lower() for line in lines if (named := _LINE.match(line))]
    is_metadata = len(names) == sum(1 for line in lines if not _CONTINUED.match(line)) and bool(names)
    if not is_metadata or _MEANING.get(names[0]) not in ("title", "author", "date"):
        return None
    found = _yaml(match[0]) or _by_lines(match[0])
    return None if found is None else (found, source[match.end() :])


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
    """Return ``name: value`` lines as a mapping; None if too few lines have this form."""
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
