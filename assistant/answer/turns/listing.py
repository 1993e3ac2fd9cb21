"""Lists: all passages that match, not the best five, folded where they say the same."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answer.evidence import SAME_WORDS
from assistant.answer.find import Finder
from assistant.answer.question import Question
from assistant.answer.turns.draft import Draft
from assistant.answer.turns.overview import telling
from assistant.answer.turns.parts import find, plain
from assistant.answer.turns.subjects import trigrams
from assistant.reading.passages import Candidate
from assistant.types import Answer
from store.library import Library

PASSAGES = 100
"""Passages that are looked through."""
SHOWN = 20
NEAR = 0.2
"""By how much a sentence may be behind the best one and still count as found."""


def answer(asked: Question, library: Library, finder: Finder) -> Answer | None:
    """Return all that the documents say on the turn's subject; None where that is nothing."""
    subject = (find("list", asked.alone, asked.language) or {}).get("subject") or asked.alone
    looked = finder.by_search(asked.alone, asked.options.filter, PASSAGES)
    found, ordered = looked.passages, [each for each in looked.ordered if telling(each)]
    if not ordered:
        return None
    literal = [each for each in ordered if _says(subject, each)]
    near = [each for each in ordered if each.score >= ordered[0].score - NEAR] if looked.enough else []
    together = {id(each.sentence): each for each in (*near, *literal)}.values()
    matching = sorted(together, key=lambda each: -each.score)
    every = distinct(matching)
    if not every:
        return None
    documents = list(dict.fromkeys(each.hit.document.id for each in every))
    every.sort(key=lambda each: (documents.index(each.hit.document.id), each.sentence.span.start))
    draft = Draft(asked, "list", library)
    shown = every[:SHOWN]
    draft.verify(shown)
    counted = draft.phrases.documents(len(documents))
    bounded = len(found.hits) >= PASSAGES and len(matching) >= len(ordered)
    draft.total = len(every)
    draft.say(
        draft.phrases.say("list_bounded", count=len(every), documents=counted)
        if bounded
        else draft.phrases.counted("list_found", len(every), documents=counted)
    )
    if len(shown) < len(every):
        draft.say(draft.phrases.say("list_shown", count=len(shown)))
    for document_id in documents:
        own = [each for each in shown if each.hit.document.id == document_id]
        if own:
            draft.section(own[0].hit.document.title, draft.quote(own), [document_id])
    return draft.answer(confidence=looked.confidence, timings_ms=found.timings_ms)


def _says(subject: str, each: Candidate) -> bool:
    words = plain(subject).strip()
    return len(words) > 2 and words in plain(each.words)


def distinct(matching: Sequence[Candidate]) -> list[Candidate]:
    """Return sentences without those that say the same as one before."""
    kept: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for each in matching:
        mine = trigrams(each.words)
        if all(len(mine & other) < SAME_WORDS * min(len(mine), len(other)) for other in seen):
            kept.append(each)
            seen.append(mine)
    return kept
