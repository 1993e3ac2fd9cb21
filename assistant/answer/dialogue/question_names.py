"""Find the words and the capitalized names of a question, by rules."""

from __future__ import annotations

from functools import cache

import regex

from assistant.verify.language_rules import DEFAULT, all_rules

_WORD = regex.compile(r"[\p{L}\p{N}][\p{L}\p{M}\p{N}]*(?:['’\-][\p{L}\p{N}][\p{L}\p{M}\p{N}]*)*")
TAIL = "?？.!។ \t\n"
YEAR = regex.compile(r"(?<!\d)(?:1[5-9]|2[0-6])\d\d(?!\d)")
_NAME = regex.compile(
    r"""(?<![\p{L}\p{N}])
    (?:(?:19|20)\d\d\s+)?
    \p{Lu}[\p{L}\p{M}\p{N}.'’\-]*
    (?:\s+(?:(?:of|on|the|and|for|in|de|la|von|van)\s+)*(?:\p{Lu}[\p{L}\p{M}\p{N}.'’\-]*|(?:19|20)\d\d))*""",
    regex.VERBOSE,
)


def is_calendar_word(text: str) -> bool:
    """Return whether `text` is the name of a weekday or a month in a language with rules.

    >>> is_calendar_word("Thursdays"), is_calendar_word("วันพุธ"), is_calendar_word("Thursday's child")
    (True, True, False)
    """
    return text.strip().lower() in _calendar_words()


@cache
def _calendar_words() -> frozenset[str]:
    from babel import Locale

    found: set[str] = set()
    for locale in map(Locale.parse, all_rules()):
        names = [*locale.days["format"]["wide"].values(), *locale.months["format"]["wide"].values()]
        found |= {name.lower() for name in names}
    return frozenset(found | {f"{name}s" for name in found})


def words_of(text: str) -> list[str]:
    """Return the words of `text` in order, in lower case; Thai between spaces counts as one word."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def names_in(text: str, *, initial: bool = False) -> list[str]:
    """Return capitalized names in order, with their year; the first word of the text only if `initial`."""
    known = {
        word
        for each in all_rules().values()
        if each.is_spaced
        for word in each.words("question_words", "function_words")
    }
    english = all_rules()[DEFAULT]
    dull, months = known | {*english.words("generic_words")}, english.words("months")
    found = []
    for match in _NAME.finditer(text):
        name = match.group().strip(" .'’-")
        words = name.split()
        while words and words[0].lower() in dull:
            words = words[1:]
        at_start = match.start() == 0 or text[: match.start()].rstrip()[-1:] in {".", "?", "!", ":", '"', "“"}
        if at_start and not initial and len(words) == len(name.split()) and len(words) < 2 and not words[0].isupper():
            continue
        name = " ".join(words)
        if words and name.lower() not in months and not name.isdigit():
            found.append(name)
    return found
