"""Whether a claim says the contrary of its quotes: negations, opposites, and words of quantity.

A negation is compared together with what it negates where claim and quote share a language; across languages only
its presence can be compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import regex
import yaml

from assistant.answer.topics import language_of
from assistant.verify.text import has_thai
from store.types import Span

SCOPE = 5
"""How many content words after a negation it is taken to negate."""

NEAR = 40
"""Characters after a negation in which a negative word is taken to belong to it."""


@dataclass(frozen=True, slots=True)
class Cues:
    """One language's words, compiled."""

    negations: regex.Pattern[str]
    not_negations: regex.Pattern[str]
    negatives: regex.Pattern[str]
    clause: regex.Pattern[str]


def _compile(alternatives: str, *, thai: bool = False) -> regex.Pattern[str]:
    pattern = rf"(?:{alternatives})" if thai else rf"(?:(?<!\p{{L}})(?:{alternatives})|(?<=\p{{L}})n't)(?!\p{{L}})"
    return regex.compile(pattern, regex.IGNORECASE)


@cache
def _polarity() -> dict[str, Any]:
    lists: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("polarity.yaml").read_text(encoding="utf-8"))
    return lists


@cache
def _cues(language: str) -> Cues:
    lists = _polarity()[language]
    thai = language == "th"
    return Cues(
        _compile(lists["negations"], thai=thai),
        _compile(lists["not_negations"], thai=thai),
        _compile(lists["negatives"], thai=thai),
        regex.compile(lists["clause"]),
    )


@cache
def _mixed(alternatives: str) -> regex.Pattern[str]:
    """Words of several languages in one: Thai ones anywhere, others as whole words."""
    words = alternatives.split("|") if "(?:" not in alternatives else regex.split(r"\|(?![^(]*\))", alternatives)
    thai = [word for word in words if has_thai(word)]
    other = [word for word in words if not has_thai(word)]
    patterns = ["|".join(thai)] if thai else []
    if other:
        patterns.append(rf"(?<!\p{{L}})(?:{'|'.join(other)})(?!\p{{L}})")
    # "some 7,000" is about 7,000, not a part of something.
    return regex.compile(rf"(?:{'|'.join(patterns)})(?!\s?\d)", regex.IGNORECASE)


@cache
def content_spans(text: str) -> tuple[Span, ...]:
    """Where the words that carry meaning stand in `text`, in order; Thai is cut by PyThaiNLP."""
    spans: list[Span] = []
    for match in regex.finditer(r"\p{Thai}+|[\p{L}\p{M}\p{N}']+", text):
        start = match.start()
        if has_thai(match.group()):
            from pythainlp.tokenize.newmm import segment

            for word in segment(match.group()):
                if word not in _stopwords("th") and len(word) > 1:
                    spans.append(Span(start, start + len(word)))
                start += len(word)
        elif match.group().lower() not in _stopwords("en") | _stopwords("vi"):
            spans.append(Span(start, match.end()))
    return tuple(spans)


@cache
def content_words(text: str) -> tuple[str, ...]:
    """The words of a folded text that carry meaning, lower-cased, in order."""
    return tuple(span.of(text).lower() for span in content_spans(text))


@cache
def _stopwords(language: str) -> frozenset[str]:
    from assistant.answer.topics import WORDS

    words = {*WORDS[language]["function_words"]}
    return frozenset(words | {"ว่า", "ซึ่ง", "และ", "หรือ", "แต่", "เพื่อ", "ต่อ", "นับ"} if language == "th" else words)


@dataclass(frozen=True, slots=True)
class Negated:
    """One negation with the content words in its scope."""

    cue: str
    scope: frozenset[str]


@cache
def negations_in(text: str) -> tuple[Negated, ...]:
    """The negations of a folded text, each with what it negates up to the end of its clause."""
    cues = _cues(language_of(text))
    hidden = cues.not_negations.sub(lambda match: "\x00" * len(match.group()), text)
    found = []
    last = -1
    for match in cues.negations.finditer(hidden):
        if match.start() < last:
            continue
        last = match.end()
        rest = text[match.end() :]
        ends = [end.start() for end in cues.clause.finditer(rest) if end.start() > 2]
        scope = content_words(rest[: ends[0]] if ends else rest)[:SCOPE]
        if not scope:
            scope = content_words(rest)[:SCOPE]
        found.append(Negated(match.group(), frozenset(scope)))
    return tuple(found)


def has_negative(text: str) -> bool:
    """Whether a folded text has a word that is negative by its meaning, such as "rejected"."""
    return bool(_cues(language_of(text)).negatives.search(text))


def contradiction(claim: str, quotes: Sequence[str], nearest: str | None = None) -> str | None:
    """The word by which a folded `claim` says the contrary of its folded `quotes`, or None.

    `nearest` is the clause of the quotes that comes closest to the claim in meaning, where that is known.
    """
    return _negation_conflict(claim, quotes, nearest) or _opposite(claim, quotes) or _quantity_conflict(claim, quotes)


def _overlap(words: frozenset[str], others: frozenset[str]) -> float:
    return len(words & others) / len(words) if words else 0.0


def _negation_conflict(claim: str, quotes: Sequence[str], nearest: str | None) -> str | None:
    language = language_of(claim)
    same = [quote for quote in quotes if language_of(quote) == language]
    return (
        (_denies_what_is_said(claim, same) or _says_what_is_denied(claim, same) if same else None)
        or _denies_where_nothing_is_denied(claim, quotes)
        or _plain_where_the_nearest_denies(claim, nearest)
    )


def _denies_what_is_said(claim: str, quotes: Sequence[str]) -> str | None:
    """The negation of a claim whose scope quotes in its language say, and don't negate."""
    denied = [each.scope for quote in quotes for each in negations_in(quote)]
    plain = not denied and not any(has_negative(quote) for quote in quotes)
    for negated in negations_in(claim):
        if any(_overlap(negated.scope, scope) >= 0.4 for scope in denied):
            continue
        said = any(_overlap(negated.scope, frozenset(content_words(quote))) >= 0.5 for quote in quotes)
        if said and (plain or not any(_overlap(negated.scope, scope) > 0 for scope in denied)):
            return negated.cue
    return None


def _says_what_is_denied(claim: str, quotes: Sequence[str]) -> str | None:
    """The negation of a quote whose scope a claim in its language states plainly."""
    if negations_in(claim) or has_negative(claim):
        return None
    words = frozenset(content_words(claim))
    denied = [each for quote in quotes for each in negations_in(quote)]
    return next((each.cue for each in denied if _overlap(each.scope, words) >= 0.6), None)


def _denies_where_nothing_is_denied(claim: str, quotes: Sequence[str]) -> str | None:
    """The negation of a claim over quotes, in whatever language, that have none."""
    claimed = negations_in(claim)
    if not claimed or any(negations_in(quote) for quote in quotes):
        return None
    if not any(has_negative(quote) for quote in quotes):
        return claimed[0].cue
    # "did not vote against" denies "voted against", though both are negative.
    cues = _cues(language_of(claim))
    for negated in claimed:
        after = claim[claim.find(negated.cue) + len(negated.cue) :][:NEAR]
        negative = cues.negatives.search(after)
        if negative and not cues.clause.search(after[: negative.start()]):
            return negated.cue
    return None


def _plain_where_the_nearest_denies(claim: str, nearest: str | None) -> str | None:
    """The negation of the clause closest to a claim that has none, and no word that is negative by its meaning."""
    if nearest is None or negations_in(claim) or has_negative(claim):
        return None
    # What is said in brackets, "(no figures given)", is said beside the sentence.
    denied = negations_in(regex.sub(r"\([^()]*\)|\[[^][]*\]", " ", nearest))
    return denied[0].cue if denied else None


def _opposite(claim: str, quotes: Sequence[str]) -> str | None:
    together = "\n".join(quotes)
    for pair in _polarity()["pairs"]:
        for said, contrary in ((pair["one"], pair["other"]), (pair["other"], pair["one"])):
            found = _mixed(said).search(claim)
            if not found or _mixed(contrary).search(claim) or negations_in(claim):
                continue
            if _mixed(contrary).search(together) and not _mixed(said).search(together):
                return str(found.group())
    return None


def _quantity_conflict(claim: str, quotes: Sequence[str]) -> str | None:
    together = "\n".join(quotes)
    classes = {name: _mixed(words) for name, words in _polarity()["quantities"].items()}
    said = {name: found.group() for name, pattern in classes.items() if (found := pattern.search(claim))}
    quoted = {name for name, pattern in classes.items() if pattern.search(together)}
    for name, word in said.items():
        if name not in quoted and quoted - set(said):
            return word
    return None
