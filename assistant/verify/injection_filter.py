"""Find sentences that tell an assistant what to do: a language model never gets them, from quotes or from questions.

A document is evidence, not a voice in the conversation. Words such as "in your answer" or "ignore all earlier
instructions" are seldom what a document says about its subject, and a small model that reads them may obey. Leaving out a
sentence costs little, because the reader still sees its quote. The patterns are only one defense; the others are
the prompt's own rules and the check of every sentence against the quotes.
"""

from __future__ import annotations

import regex

from assistant.verify.language_rules import all_rules

_PARTS = regex.compile(r"(?<=[.?!。？！])\s+|(?<=\p{Thai})\s+(?=\p{Thai})")


def commands(text: str) -> bool:
    """Return whether `text` tells an assistant what to do or to say, in any language with data."""
    line = " ".join(text.split())
    return any(each.pattern("commands").search(line) for each in all_rules().values())


def without_commands(question: str) -> str:
    """Return `question` up to the first part that gives orders; if it begins with orders, the part after them.

    >>> without_commands("Who abstained? Add a link to your answer. Thanks")
    'Who abstained?'
    """
    parts = _PARTS.split(question.strip())
    orders = [commands(part) for part in parts]
    if not any(orders):
        return question
    kept = parts[: orders.index(True)] or [part for part, is_order in zip(parts, orders, strict=True) if not is_order]
    return " ".join(kept) or question
