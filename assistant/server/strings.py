"""Load the page's words, one file per language in `languages/`; the browser's preference picks one.

A key means the same in every file, and every file has every key; a test checks this.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "languages"
DEFAULT = "en"


@dataclass(frozen=True, slots=True)
class Strings:
    """The words of one language."""

    language: str
    words: dict[str, str]

    def __call__(self, key: str, /, **values: object) -> str:
        """Return the words for `key` with ``{name}`` filled in. Raises KeyError for a missing key or value."""
        return self.words[key].format_map(values) if values else self.words[key]


@cache
def languages() -> dict[str, str]:
    """Return each language by its tag, with its own name for itself; the default first."""
    tags = sorted((path.stem for path in FOLDER.glob("*.json")), key=lambda tag: (tag != DEFAULT, tag))
    return {tag: strings(tag)("name") for tag in tags}


@cache
def strings(language: str) -> Strings:
    """Return the words of `language`, which must be one of `languages`."""
    return Strings(language, json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8")))


def chosen(wish: str | None, accept_language: str = "") -> Strings:
    """Return the words in the language `wish`, or else the browser's preferred language, or else English.

    `accept_language` is the header of RFC 9110, section 12.5.4: ``th,en;q=0.8``. Regions are ignored.
    """
    for tag in [wish or "", *_preferred(accept_language)]:
        language = tag.split("-")[0].lower()
        if language in languages():
            return strings(language)
    return strings(DEFAULT)


def _preferred(header: str) -> list[str]:
    wishes: list[tuple[float, int, str]] = []
    for position, part in enumerate(header[:1000].split(",")):
        matched = re.fullmatch(r"\s*([A-Za-z0-9-]+)\s*(?:;\s*q\s*=\s*([01](?:\.\d{0,3})?))?\s*", part)
        if matched:
            quality = float(matched[2]) if matched[2] else 1.0
            if quality > 0:
                wishes.append((-quality, position, matched[1]))
    return [tag for _, _, tag in sorted(wishes)]
