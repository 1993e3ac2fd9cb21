"""Find the parts of a turn: its subject, whose words it asks for, and the two things it compares.

Patterns are data, one file per language. They match a plain form of the turn, in lower case and, for Latin letters,
without marks, so ``tom tat`` matches ``tóm tắt``. The result is in the spelling that was typed.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import regex
import yaml

FOLDER = Path(__file__).with_name("patterns")
NAMES = "languages"
"""The key of the entry with the names of languages."""
TAIL = " \t\n?？!.。,;:؟"


def plain(text: str) -> str:
    """Return `text` in lower case, Latin letters without marks; it keeps its length, so that offsets stay valid."""
    return "".join(map(_plain, text))


@cache
def _plain(character: str) -> str:
    if "\u0e00" <= character <= "\u0e7f":
        return character
    base = unicodedata.normalize("NFD", character)[0]
    if not base.isascii() and base not in "đĐ":
        base = character
    small = base.lower().replace("đ", "d")
    return small if len(small) == 1 else character


class Patterns:
    """The patterns of one language."""

    def __init__(self, language: str, entries: dict[str, str | list[str]], tags: Mapping[str, str]) -> None:
        """`tags` has names of languages by their tags."""
        self.language = language
        names = {plain(unicodedata.normalize("NFC", name)): tag for tag, name in tags.items()}
        if language == "th":
            names |= {name.removeprefix("ภาษา"): tag for name, tag in names.items()}
        self._tags = names
        every = "|".join(regex.escape(name) for name in sorted(names, key=len, reverse=True))
        self._patterns = {
            name: [
                regex.compile(each.replace("{languages}", every))
                for each in ([some] if isinstance(some, str) else some)
            ]
            for name, some in entries.items()
        }

    def core(self, text: str) -> str:
        """Return `text` without polite words before and after it, and without the marks at its end."""
        text = unicodedata.normalize("NFC", text).strip(TAIL + "¿¡")
        for name in ("lead", "tail"):
            for pattern in self._patterns[name]:
                while found := (pattern.match if name == "lead" else pattern.search)(plain(text)):
                    if found.end() - found.start() == len(text) or found.start() == found.end():
                        break
                    text = (text[found.end() :] if name == "lead" else text[: found.start()]).strip(TAIL)
        return text

    def parts(self, name: str, text: str) -> dict[str, str] | None:
        """Return the groups of the first matching pattern, as typed; None if none matches."""
        folded = plain(text)
        for pattern in self._patterns[name]:
            if found := pattern.search(folded):
                spans = {group: found.span(group) for group in found.groupdict() if found.span(group) != (-1, -1)}
                return {group: text[start:end].strip(TAIL + "\"'“”") for group, (start, end) in spans.items()}
        return None

    def has(self, name: str, text: str) -> bool:
        """Return whether any of the patterns matches."""
        return self.parts(name, text) is not None

    def language_tag(self, name: str, text: str) -> str | None:
        """Return the tag of the language that the pattern `name` finds, or None."""
        found = self.parts(name, unicodedata.normalize("NFC", text))
        return self._tags.get(plain(found["language"])) if found and found.get("language") else None


@cache
def patterns(language: str) -> Patterns:
    """Return the patterns of a language. Raises FileNotFoundError if it has no file."""
    entries = _entries(language)
    return Patterns(language, {name: some for name, some in entries.items() if name != NAMES}, entries[NAMES])


def language_names(language: str) -> Mapping[str, str]:
    """Return the names of languages in a language, by BCP 47 tag. Raises FileNotFoundError if it has no file."""
    names: Mapping[str, str] = _entries(language)[NAMES]
    return names


@cache
def _entries(language: str) -> dict[str, Any]:
    entries: dict[str, Any] = yaml.safe_load((FOLDER / f"{language}.yaml").read_text(encoding="utf-8"))
    return entries


def known(language: str) -> tuple[Patterns, ...]:
    """Return all patterns, those of `language` first: a turn may mix languages, or be too short to show its own."""
    tags: Sequence[str] = sorted(path.stem for path in FOLDER.glob("*.yaml"))
    return tuple(patterns(tag) for tag in sorted(tags, key=lambda tag: tag != language))


def find(name: str, text: str, language: str) -> dict[str, str] | None:
    """Return the parts by the first language whose pattern `name` matches the core of `text`."""
    for each in known(language):
        if (found := each.parts(name, each.core(text))) is not None:
            return found
    return None


def without_address(text: str, language: str) -> str:
    """Return `text` without words that only ask somebody to answer, such as "can you tell me"."""
    for each in known(language):
        if (found := each.parts("addressed", text)) is not None and found["question"]:
            return found["question"]
    return text


def language_named(name: str, text: str, language: str) -> str | None:
    """Return the tag of a language that `text` names in the position of the pattern `name`."""
    return next((tag for each in known(language) if (tag := each.language_tag(name, text))), None)
