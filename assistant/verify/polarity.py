"""Find whether a claim contradicts its quotes: negations, and opposites.

A negation is compared together with what it negates if claim and quote share a language; across languages, only its
presence can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

import regex

from assistant.verify.language_rules import all_rules, rules_of_text
from assistant.verify.text import content_words

SCOPE = 5
"""The number of content words after a negation that it is assumed to negate."""

NEAR = 40
"""Characters after a negation within which a negative word is assumed to belong to it."""


@dataclass(frozen=True, slots=True)
class Negated:
    """One negation with the content words in its scope."""

    cue: str
    scope: frozenset[str]


@lru_cache(maxsize=4096)
def negations_in(text: str) -> tuple[Negated, ...]:
    """Return the negations of a folded text, each with what it negates up to the end of its clause."""
    words = rules_of_text(text)
    hidden = words.cues("not_negations").sub(lambda match: "\x00" * len(match.group()), text)
    found = []
    last = -1
    for match in words.cues("negations").finditer(hidden):
        if match.start() < last:
            continue
        last = match.end()
        rest = text[match.end() :]
        ends = [end.start() for end in words.pattern("clause").finditer(rest) if end.start() > 2]
        scope = content_words(rest[: ends[0]] if ends else rest)[:SCOPE]
        if not scope:
            scope = content_words(rest)[:SCOPE]
        found.append(Negated(match.group(), frozenset(scope)))
    return tuple(found)


def has_negative(text: str) -> bool:
    """Return whether a folded text has a word with a negative meaning, such as "rejected"."""
    return bool(rules_of_text(text).cues("negatives").search(text))


def contradiction(claim: str, quotes: Sequence[str], nearest: str | None = None) -> str | None:
    """Return the word by which a folded `claim` contradicts its folded `quotes`, or None.

    `nearest` is the clause of the quotes that is closest to the claim in meaning, if known.
    """
    return _negation_conflict(claim, quotes, nearest) or _opposite(claim, quotes)


def _overlap(words: frozenset[str], others: frozenset[str]) -> float:
    return len(words & others) / len(words) if words else 0.0


def _negation_conflict(claim: str, quotes: Sequence[str], nearest: str | None) -> str | None:
    same = [quote for quote in quotes if rules_of_text(quote) is rules_of_text(claim)]
    return (
        _denies_what_is_said(claim, same)
        or _denies_where_nothing_is_denied(claim, quotes)
        or _plain_where_the_nearest_denies(claim, nearest)
    )


def _denies_what_is_said(claim: str, quotes: Sequence[str]) -> str | None:
    """Return the negation of a claim if quotes in its language contain its scope without negating it."""
    denied = [each.scope for quote in quotes for each in negations_in(quote)]
    plain = not denied and not any(has_negative(quote) for quote in quotes)
    for negated in negations_in(claim):
        if any(_overlap(negated.scope, scope) >= 0.4 for scope in denied):
            continue
        said = any(_overlap(negated.scope, frozenset(content_words(quote))) >= 0.5 for quote in quotes)
        if said and (plain or not any(_overlap(negated.scope, scope) > 0 for scope in denied)):
            return negated.cue
    return None


def _denies_where_nothing_is_denied(claim: str, quotes: Sequence[str]) -> str | None:
    """Return the negation of a claim if the quotes, in whatever language, have none."""
    claimed = negations_in(claim)
    if not claimed or any(negations_in(quote) for quote in quotes):
        return None
    if not any(has_negative(quote) for quote in quotes):
        return claimed[0].cue
    # "did not vote against" denies "voted against", although both are negative.
    words = rules_of_text(claim)
    for negated in claimed:
        after = claim[claim.find(negated.cue) + len(negated.cue) :][:NEAR]
        negative = words.cues("negatives").search(after)
        if negative and not words.pattern("clause").search(after[: negative.start()]):
            return negated.cue
    return None


def _plain_where_the_nearest_denies(claim: str, nearest: str | None) -> str | None:
    """Return the negation of the clause closest to a claim, if the claim has neither a negation nor a negative word."""
    if nearest is None or negations_in(claim) or has_negative(claim):
        return None
    # Words in brackets, "(no figures given)", are separate from the sentence's statement.
    denied = negations_in(regex.sub(r"\([^()]*\)|\[[^][]*\]", " ", nearest))
    return denied[0].cue if denied else None


def _opposite(claim: str, quotes: Sequence[str]) -> str | None:
    together = "\n".join(quotes)
    matters = dict.fromkeys(name for each in all_rules().values() for name in each.opposites)
    for matter in matters:
        for said, contrary in ((0, 1), (1, 0)):
            found = _side(matter, said).search(claim)
            if not found or _side(matter, contrary).search(claim) or negations_in(claim):
                continue
            if _side(matter, contrary).search(together) and not _side(matter, said).search(together):
                return str(found.group())
    return None


@cache
def _side(matter: str, side: int) -> regex.Pattern[str]:
    """Return a pattern that matches one side of an opposition in any language."""
    every = [
        each.whole(each.opposites[matter][side]).pattern for each in all_rules().values() if matter in each.opposites
    ]
    # "24 against" and "after 1998" are figures, and dates are compared separately.
    return regex.compile(rf"(?:{'|'.join(every)})(?!\s?\d)", regex.IGNORECASE)
