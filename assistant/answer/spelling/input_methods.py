"""Read keys of a Vietnamese input method that was switched off: ``dieenx ddanf`` is "diễn đàn"."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import regex
import yaml

from assistant.answer.spelling.syllables import parse

FOLDER = Path(__file__).with_name("methods")
_VOWELS = "aeiouyăâêôơư"
_WORD = regex.compile(r"(?<![\p{L}\p{M}\p{N}])\p{L}[\p{L}0-9]{0,11}(?![\p{L}\p{M}\p{N}])")


@dataclass(frozen=True, slots=True)
class InputMethod:
    """What the keys of a method change in the letters before them."""

    marks: dict[str, dict[str, str]]
    tones: dict[str, str]

    def decode(self, keys: str) -> str | None:
        """Return the syllable that `keys` (lower-case letters) stand for; None if they stand for none with a mark."""
        letters, tone = "", ""
        for key in keys:
            if key in self.tones and any(letter in _VOWELS for letter in letters):
                tone = self.tones[key]
            elif marked := self._marked(letters, key):
                letters = marked
            else:
                letters += key
        syllable = parse(letters)
        if syllable is None or letters + tone == keys:
            return None
        return syllable.with_tone(tone)

    def _marked(self, letters: str, key: str) -> str | None:
        """Return `letters` with the mark of `key` on the last of them that takes it; None if none does."""
        changes = self.marks.get(key, {})
        for place in range(len(letters) - 1, -1, -1):
            if letters[place] in changes:
                before, after = letters[:place], letters[place + 1 :]
                if before.endswith("u") and letters[place] == "o" and changes.get("u"):  # one key marks both of "uo"
                    before = f"{before[:-1]}{changes['u']}"
                return f"{before}{changes[letters[place]]}{after}"
        return None


@cache
def methods() -> tuple[InputMethod, ...]:
    """Return the methods, one for each file of `FOLDER`."""
    return tuple(
        InputMethod(**yaml.safe_load(path.read_text(encoding="utf-8"))) for path in sorted(FOLDER.glob("*.yaml"))
    )


def decoded(text: str, method: InputMethod) -> dict[tuple[int, int], str]:
    """Return the syllables that words of `text` stand for as keys of `method`, by start and end."""
    found = {}
    for word in _WORD.finditer(text):
        if syllable := method.decode(word[0].lower()):
            found[word.span()] = syllable
    return found
