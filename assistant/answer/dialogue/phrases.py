"""Load Attest's own phrases for a conversation, by language: `prompts/phrases` in the form that turns need."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answer.dialogue.turn_parts import language_names
from prompts import phrase, phrase_in

FALLBACK = "en"
TELLING = "hello"
"""A phrase that marks a language as having those of a conversation."""


class Phrases:
    """The phrases of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        """`FALLBACK` if the language asked for has none."""

    def say(self, name: str, /, **values: object) -> str:
        """Return the phrase `name`, filled in with those of `values` that it uses."""
        template = phrase(name, self.language)
        return template.render(**{each: values[each] for each in template.variables if each in values})

    def counted(self, name: str, count: int, /, **values: object) -> str:
        """Return the form of the phrase `name` for `count` things."""
        return self.say(f"{name}_{'one' if count == 1 else 'other'}", count=count, **values)

    def documents(self, count: int) -> str:
        """Return the number of documents, in words."""
        return self.counted("documents", count)

    def language_name(self, tag: str) -> str:
        """Return the name of a language in this one; its tag if no name is known."""
        return language_names(self.language).get(tag.partition("-")[0], tag)

    def joined(self, parts: Sequence[str]) -> str:
        """Return `parts` as an enumeration."""
        if len(parts) < 2:
            return "".join(parts)
        return f"{', '.join(parts[:-1])} {self.say('and')} {parts[-1]}"


def phrases(language: str) -> Phrases:
    """Return the phrases in `language` (BCP 47), else in its base language, else in English."""
    base = language.partition("-")[0]
    return Phrases(base if phrase_in(TELLING, base) else FALLBACK)
