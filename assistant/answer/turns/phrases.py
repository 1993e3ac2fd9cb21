"""What Attest says of its own accord, by language."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).with_name("phrases")
FALLBACK = "en"


class Phrases:
    """The phrases of one language."""

    def __init__(self, language: str, entries: dict[str, Any]) -> None:
        self.language = language
        """Which is `FALLBACK` where there are none in the language asked for."""
        self._entries = entries

    def say(self, name: str, /, **values: object) -> str:
        """Return the phrase `name` with `values` filled in."""
        return str(self._entries[name]).format(**values)

    def counted(self, name: str, count: int, /, **values: object) -> str:
        """Return the form of the phrase `name` for `count` things."""
        return str(self._entries[name]["one" if count == 1 else "other"]).format(count=count, **values)

    def documents(self, count: int) -> str:
        """Return how many documents there are, in words."""
        return self.counted("documents", count)

    def language_name(self, tag: str) -> str:
        """Return the name of a language in this one, or its tag where none is known."""
        return str(self._entries["languages"].get(tag.partition("-")[0], tag))

    @property
    def names(self) -> frozenset[str]:
        """What phrases there are."""
        return frozenset(self._entries)

    @property
    def language_names(self) -> dict[str, str]:
        """Names of languages, by BCP 47 tag."""
        return dict(self._entries["languages"])

    def joined(self, parts: Sequence[str]) -> str:
        """Return `parts` as an enumeration."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self._entries['and']} {parts[-1]}"


@cache
def phrases(language: str) -> Phrases:
    """Return the phrases in `language` (BCP 47), else in its base language, else in English."""
    for tag in (language, language.partition("-")[0], FALLBACK):
        path = FOLDER / f"{tag}.yaml"
        if tag.isascii() and tag.replace("-", "").isalnum() and path.is_file():
            return Phrases(tag, yaml.safe_load(path.read_text(encoding="utf-8")))
    raise FileNotFoundError(f"There are no phrases in {FOLDER}.")


def languages() -> tuple[str, ...]:
    """Return the languages that there are phrases in."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))
