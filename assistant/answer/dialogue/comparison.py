"""Compare two things: look up each side, put its quotes under its own heading, and say what differs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.answer.conflicts import differ
from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.library_facts import narrowed
from assistant.answer.dialogue.listing import distinct
from assistant.answer.dialogue.overview import telling
from assistant.answer.dialogue.speakers import named_speakers
from assistant.answer.dialogue.subjects import SAME_TITLE, shared
from assistant.answer.dialogue.turn_parts import find, plain
from assistant.answer.question import Question
from assistant.answer.retrieval import Finder, Looked
from assistant.extractive_qa.candidates import Candidate
from assistant.types import Answer, Notice
from store.library import Library
from store.types import Filter

PASSAGES = 20
QUOTES = 3
"""Per side."""
NEAR = 0.3
"""How far a quote may score below the best sentence found."""


@dataclass(frozen=True, slots=True)
class Side:
    """One of two things to compare, with the sentences found about it."""

    name: str
    is_source: bool
    """Whether it names a speaker or a document, so that only their words were searched."""
    chosen: Sequence[Candidate]
    confidence: float


def answer(asked: Question, library: Library, finder: Finder) -> Answer | None:
    """Return both sides with their quotes; None if the turn doesn't say what to compare."""
    parts = find("compare", asked.alone, asked.language)
    if parts is None or not parts.get("a") or not parts.get("b"):
        return None
    aspect = parts.get("aspect") or ""
    sides = [_side(parts[name], aspect, asked, library, finder) for name in ("a", "b")]
    if not any(side.chosen for side in sides):
        return None
    draft = Draft(asked, "comparison", library)
    draft.verify(each for side in sides for each in side.chosen)
    for side in sides:
        draft.say(f"{side.name}:")
        keys = draft.quote(side.chosen)
        if not keys:
            draft.say(draft.phrases.say("compare_silent", side=side.name))
        draft.section(side.name, keys, list(dict.fromkeys(each.hit.document.id for each in side.chosen)))
    _note_conflict(draft, sides)
    return draft.answer(confidence=max(side.confidence for side in sides))


def _side(name: str, aspect: str, asked: Question, library: Library, finder: Finder) -> Side:
    where = asked.options.filter
    speakers = named_speakers(name, where, library)
    about = aspect or asked.alone
    if speakers:
        found = finder.by_search(about, narrowed(where, speakers=speakers), PASSAGES)
        return _read(_chosen(name, found, of_source=True), about, finder)
    found = finder.by_search(f"{name}: {aspect}" if aspect else name, where, PASSAGES)
    titled = next((hit.document for hit in found.passages.hits if shared(name, hit.document.title) >= SAME_TITLE), None)
    if titled is not None:
        within = Filter(documents=(titled.id,)) if where.is_empty else narrowed(where, documents=[titled.id])
        return _read(_chosen(name, finder.by_search(about, within, PASSAGES), of_source=True), about, finder)
    return _chosen(name, found, of_source=False)


def _read(side: Side, about: str, finder: Finder) -> Side:
    """Return a side with its quotes read, the best answer first."""
    read = sorted(finder.read(about, side.chosen), key=lambda each: -each.margin)
    return replace(side, chosen=read)


def _chosen(name: str, found: Looked, *, of_source: bool) -> Side:
    ordered, sure = [each for each in found.ordered if telling(each)], found.confidence
    naming = [each for each in ordered if plain(name) in plain(each.words)]
    if not ordered or (not found.enough and not naming and not of_source):
        return Side(name, of_source, (), sure)
    near = [each for each in (naming or ordered) if of_source or each.score >= ordered[0].score - NEAR]
    return Side(name, of_source, distinct(near or naming)[:QUOTES], sure)


def _note_conflict(draft: Draft, sides: Sequence[Side]) -> None:
    """Add a notice if two sources answer with different numbers or dates."""
    if not all(side.is_source and side.chosen for side in sides):
        return
    one, other = (side.chosen[0] for side in sides)
    if one.hit.document.id == other.hit.document.id or not differ(one.answer, other.answer):
        return
    message = draft.phrases.say(
        "compare_conflict", one=sides[0].name, first=one.answer, other=sides[1].name, second=other.answer
    )
    draft.notice(Notice(code="conflicting_sources", message=message))
