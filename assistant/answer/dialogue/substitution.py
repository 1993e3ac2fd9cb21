"""Put what a follow-up names into the previous question, in place of the matching part.

A year replaces a year, "second" replaces "first", a country a country, a name a name, or else the last object. A thing
without a match is added.
"""

from __future__ import annotations

from functools import cache

import regex

from assistant.answer.dialogue.question_names import TAIL, YEAR, is_calendar_word, names_in, words_of
from assistant.verify.language_rules import LanguageRules, all_rules, rules_of_text
from assistant.verify.places import entities_of, thai_names
from store.types import Span


def in_its_place(thing: str, before: str) -> str:
    """Return `before` with its matching part replaced by `thing`: year, position, name, or else the object."""
    for in_its_place in (_in_year(thing, before), in_row(thing, before), _in_subject(thing, before)):
        if in_its_place is not None:
            return in_its_place
    lead = regex.match(
        rf"(?i)(?:(?P<adds>{_any('adding_prepositions')})|{_any('replacing_prepositions')})\s+(?=\S)", thing
    )
    core = thing[lead.end() :] if lead else thing
    if entities_of(core) and (places := _places_in(before)):
        place = places[-1 if lead else 0]
        return before[: place.start] + core + before[place.end :]
    names = names_in(before)
    if (added := _added(thing, core, lead, before)) is not None:
        return added
    is_name = bool(names_in(f"x {core}"))
    if is_name and names:
        old_name = names[-1] if lead else names[0]
        return in_place_of(old_name, core, before)
    tail = regex.search(rf"(?i)(?<=\s)(?:{_any('object_prepositions')})\s+(?P<x>[^?:]+?)\s*\??$", before)
    asks = rules_of_text(before).cues("interrogatives")
    if tail and not asks.search(tail["x"]) and not regex.search(r"\p{Thai}", before):
        return f"{before[: tail.start('x')]}{core}?"
    return f"{core}: {before}"


def in_place_of(old: str, new: str, text: str) -> str:
    """Return `text` with `new` in place of the last `old`, and without a second article; unchanged if `old` isn't in it.

    Blanks in `old` stand for any white space.
    """
    words = r"\s+".join(map(regex.escape, old.split()))
    found = list(regex.finditer(rf"(?<!\p{{L}}){words}(?!\p{{L}})", text)) or list(regex.finditer(words, text))
    if not found:
        return text
    start, end = found[-1].span()
    if regex.search(r"(?i)\bthe\s+$", text[:start]):
        new = regex.sub(r"(?i)^the\s+", "", new)
    return text[:start] + new + text[end:]


def _added(thing: str, core: str, lead: regex.Match[str] | None, before: str) -> str | None:
    """Return `before` with `thing` added, if nothing in it matches; None if something may match.

    A day or a month never replaces a person, and "for students" only another "for".
    """
    if not is_calendar_word(core) and (lead is None or lead["adds"] is None):
        return None
    if any(map(is_calendar_word, words_of(before))):
        return None
    if lead is not None and regex.search(rf"(?i)(?<!\p{{L}}){regex.escape(lead.group().strip())}\s", before):
        return None
    return f"{before.rstrip(TAIL)} {thing}?"


def _in_year(thing: str, before: str) -> str | None:
    """Return `before` with its year replaced by that of `thing`; None if `thing` names none."""
    year, old = YEAR.search(thing), YEAR.search(before)
    is_all = len(words_of(thing)) <= 3
    if year and old:
        return before[: old.start()] + year.group() + before[old.end() :] if is_all else f"{thing}: {before}"
    return f"{before.rstrip(TAIL)} {thing}?" if year and is_all else None


def _in_subject(thing: str, before: str) -> str | None:
    """Return `before` with "about X" instead of what it is about, in the same words; None for any other `thing`."""
    subject = subject_of(thing)
    if subject is None or any(map(is_calendar_word, words_of(subject))):
        return None
    language, lead = rules_of_text(before), thing[: -len(subject)].strip().lower()
    found = [
        each
        for each in language.pattern("subject").finditer(before.rstrip(TAIL))
        if not language.is_spaced or before[each.start() : each.start("x")].strip().lower() == lead
    ]
    if len(found) != 1:
        return None
    return f"{before[: found[0].start('x')]}{subject}{before[found[0].end('x') :]}"


def subject_of(thing: str) -> str | None:
    """Return X of "about X"; None for anything else."""
    found = rules_of_text(thing).pattern("subject").match(thing)
    return thing[found.start("x") :] if found else None


def is_a_part(thing: str) -> bool:
    """Return whether what is named is a year, a place or a phrase such as "in summer": a part of another question."""
    lead = regex.match(rf"(?i)(?:{_any('adding_prepositions', 'part_prepositions')})\s+\S", thing)
    return bool(lead or YEAR.search(thing) or entities_of(thing))


def in_row(thing: str, before: str) -> str | None:
    """Return `before` with "second" in place of "first", if `thing` is the second of what `before` asks about."""
    language = rules_of_text(thing, before)
    pattern = language.pattern("ordinals")
    place, old = pattern.search(thing), pattern.search(before)
    if place is None or old is None:
        return None
    others = [word for word in _content_of(thing, language) if word not in before.lower()]
    return None if others else before[: old.start()] + place.group() + before[old.end() :]


def _content_of(thing: str, language: LanguageRules) -> list[str]:
    """Return the words of a name that say more than a position in a series."""
    rest = language.pattern("ordinals").sub(" ", thing)
    return words_of(language.any_of(language.words("function_words", "generic_words")).sub(" ", rest))


@cache
def _any(*groups: str) -> str:
    """Return a regular expression's alternatives for the words of `groups` in all languages: a follow-up may be in
    another language than the question before it, and too short to tell.
    """
    return "|".join(regex.escape(word) for each in all_rules().values() for word in each.words(*groups))


def _places_in(text: str) -> list[Span]:
    """Return where a question in any language names countries, cities and peoples, in order."""
    spans = [Span(*match.span()) for match in thai_names().finditer(text)]
    for name in names_in(text, initial=True):
        if entities_of(name):
            start = text.find(name)
            spans.append(Span(start, start + len(name)))
    return sorted(spans, key=lambda span: span.start)
