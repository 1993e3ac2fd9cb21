"""Whether what a claim puts in quotation marks stands in its quotes, word for word."""

from __future__ import annotations

from collections.abc import Sequence

import regex

_QUOTED = regex.compile(r'"(?P<words>[^"]+)"')


def quotations_in(text: str) -> list[str]:
    """What a folded text has in quotation marks, if it is long enough to be a quotation and not a scare quote."""
    found = []
    for match in _QUOTED.finditer(text):
        words = match["words"].strip()
        spaced = len(words.split())
        letters = len(regex.findall(r"\p{L}", words))
        if spaced >= 3 or (regex.search(r"[\p{Thai}\p{Han}\p{Lao}\p{Khmer}]", words) and letters >= 8):
            found.append(words)
    return found


def altered_quotation(claim: str, quotes: Sequence[str]) -> str | None:
    """The first quotation of a folded `claim` that none of the folded `quotes` has verbatim, or None.

    Letter case, spaces, quotation marks within and a closing mark don't count as a difference.
    """
    bare = [_bare(quote) for quote in quotes]
    return next((words for words in quotations_in(claim) if not any(_bare(words) in quote for quote in bare)), None)


def _bare(text: str) -> str:
    return regex.sub(r"[\s\"']+", "", text.lower()).rstrip(".,;:!?")
