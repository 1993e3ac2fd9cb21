"""Load what rules need to know about a language: one data file per language, ``<language>.yaml``.

To add a language, add its file with the same groups, patterns and opposites as ``en.yaml``; rules ignore what a file
leaves out. No rule names a language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import regex
import yaml

from store.text.language import detect_language

FOLDER = Path(__file__).parent
DEFAULT = "en"
"""The language whose data are used for texts in languages without data."""
_NOTHING = regex.compile(r"(?!)")


@dataclass(frozen=True, slots=True, eq=False)
class LanguageRules:
    """The data of one language."""

    language: str
    is_spaced: bool
    """Whether blanks stand between words."""
    _words: Mapping[str, tuple[str, ...]]
    _patterns: Mapping[str, str]
    opposites: Mapping[str, tuple[str, str]]
    """Pairs of regular expressions' alternatives, one for each side of an opposition."""

    @property
    def groups(self) -> tuple[str, ...]:
        """The names of all groups of words."""
        return tuple(self._words)

    @property
    def pattern_names(self) -> tuple[str, ...]:
        """The names of all patterns."""
        return tuple(self._patterns)

    def words(self, *names: str) -> tuple[str, ...]:
        """Return the words of the groups `names`, in the order of the file."""
        return tuple(word for name in names for word in self._words.get(name, ()))

    def pattern(self, name: str) -> regex.Pattern[str]:
        """Return the pattern `name`, ignoring letter case; if there is none, a pattern that matches nothing."""
        return _compiled(self._patterns[name]) if name in self._patterns else _NOTHING

    def cues(self, name: str) -> regex.Pattern[str]:
        """Return the pattern `name` as whole words."""
        return self.whole(self._patterns[name]) if name in self._patterns else _NOTHING

    def whole(self, alternatives: str) -> regex.Pattern[str]:
        """Return a pattern that matches `alternatives` of a regular expression as whole words, as far as blanks show them."""
        return _compiled(rf"(?<!\p{{L}})(?:{alternatives})(?!\p{{L}})" if self.is_spaced else f"(?:{alternatives})")

    def any_of(self, words: tuple[str, ...]) -> regex.Pattern[str]:
        """Return a pattern that matches any of `words`, longest first."""
        return self.whole("|".join(map(regex.escape, sorted(words, key=len, reverse=True)))) if words else _NOTHING


def rules_of(language: str) -> LanguageRules | None:
    """Return the data of `language` (BCP 47) or of its base language; None if there are none."""
    return all_rules().get(language.partition("-")[0])


def rules_of_text(*texts: str) -> LanguageRules:
    """Return the data for the first of `texts` whose language is known and has data, or else those of `DEFAULT`."""
    found = (rules_of(_language(text)) for text in texts)
    return next((each for each in found if each), all_rules()[DEFAULT])


@cache
def all_rules(folder: Path = FOLDER) -> Mapping[str, LanguageRules]:
    """Return the data of all languages by tag."""
    return {path.stem: _read(path) for path in sorted(folder.glob("*.yaml"))}


def _read(path: Path) -> LanguageRules:
    data: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    words = {name: _split(line) for name, line in data.get("words", {}).items()}
    opposites = {name: (one, other) for name, (one, other) in data.get("opposites", {}).items()}
    return LanguageRules(path.stem, data["spaced"], words, data.get("patterns", {}), opposites)


def _split(line: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in line.split("," if "," in line else None))


@cache
def _compiled(pattern: str) -> regex.Pattern[str]:
    return regex.compile(pattern, regex.IGNORECASE)


_language = lru_cache(maxsize=4096)(detect_language)
