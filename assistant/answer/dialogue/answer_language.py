"""Choose the language of a turn: its own, or that of the turns around it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import regex

from assistant.answer.dialogue.classifier import load_examples
from assistant.answer.dialogue.turn_parts import plain
from assistant.types import AskOptions, Message
from store.text.language import UNKNOWN, detect_language

DEFAULT = "en"
"""Used if nothing shows any language."""
SHORT = 12
"""Letters of Latin script needed to believe a language other than the conversation's."""

VIETNAMESE = "vi"
KNOWN_WORDS = 0.75
"""Share of words that must be Vietnamese, for a turn to count as Vietnamese typed without marks."""
_WORD = regex.compile(r"\p{L}+")


def turn_language(text: str, history: Sequence[Message], options: AskOptions) -> str:
    """Return the language to answer in: the chosen one, otherwise the turn's own.

    If the turn is too short to tell, return that of the interface, or else of the conversation.
    """
    if options.answer_language:
        return options.answer_language
    own = VIETNAMESE if without_marks(text) else detect_language(text)
    spoken = [detect_language(message.text) for message in reversed(history) if message.role == "user"]
    around = [language for language in (options.interface_language, *spoken) if language and language != UNKNOWN]
    if own != UNKNOWN and (own in {*around, DEFAULT} or not _is_short(text)):
        return own
    if own != UNKNOWN and not around:
        return own
    return next(iter(around), DEFAULT)


def _is_short(text: str) -> bool:
    """Return whether a text in Latin letters is too short to tell its language from similar ones."""
    letters = regex.findall(r"\p{L}", text)
    return len(letters) < SHORT and all(letter.isascii() for letter in letters)


def without_marks(text: str) -> bool:
    """Return whether a text is Vietnamese typed on a keyboard without its marks.

    Known words come from the examples of turns, because they cover what people mostly ask in.
    """
    words = [word.lower() for word in _WORD.findall(text)]
    if not words or not text.isascii():
        return False
    vietnamese = sum(word in _bare_words(VIETNAMESE) for word in words)
    others = sum(word in _bare_words(DEFAULT) for word in words)
    return len(words) > 1 and vietnamese > others and vietnamese >= KNOWN_WORDS * len(words)


@cache
def _bare_words(language: str) -> frozenset[str]:
    """Return the words of a language's examples, without marks."""
    texts = (example.text for example in load_examples() if example.language == language)
    return frozenset(word for text in texts for word in _WORD.findall(plain(text)))
