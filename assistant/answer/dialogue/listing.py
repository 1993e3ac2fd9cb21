"""List all passages that match, not only the best five, and merge those that say the same."""

from __future__ import annotations

from collections.abc import Sequence

from assistant.answer.dialogue.answer_builder import Draft
from assistant.answer.dialogue.overview import telling
from assistant.answer.dialogue.subjects import trigrams
from assistant.answer.dialogue.turn_parts import find, plain
from assistant.answer.evidence import SAME_WORDS, in_context
from assistant.answer.question import Question
from assistant.answer.retrieval import Finder
from assistant.extractive_qa.candidates import Candidate
from assistant.types import Answer
from store.library import Library
from store.text.fold import fold

PASSAGES = 100
"""Passages to examine."""
SHOWN = 20
READ = 60
"""Sentences to read, the closest first; for the rest, the search alone decides whether they match."""
SURE = 0.3
"""The least certainty of the reader at which a sentence counts as found, and its words as the item."""
LAST = 10
"""The last passages examined; if one of them still matches, there may be more."""
NEAR = 0.2
"""How far a sentence may score below the best one and still count as found."""


def answer(asked: Question, library: Library, finder: Finder) -> Answer | None:
    """Return all that the documents say about the turn's subject; None if that is nothing."""
    subject = (find("list", asked.alone, asked.language) or {}).get("subject") or asked.alone
    looked = finder.by_search(asked.alone, asked.options.filter, PASSAGES)
    found, ordered = looked.passages, [each for each in looked.ordered if telling(each)]
    if not ordered:
        return None
    read = finder.read(asked.alone, ordered[:READ])
    ordered = [*read, *ordered[READ:]]
    literal = [each for each in ordered if _says(subject, each)]
    near = [each for each in ordered if each.score >= ordered[0].score - NEAR] if looked.enough else []
    sure = [each for each in read if each.reading is not None and each.margin > 0 and each.reading.certainty >= SURE]
    together = {id(each.sentence): each for each in (*near, *literal, *sure)}.values()
    matching = sorted(together, key=lambda each: -each.score)
    # The items of one lead-in line are one quote.
    every = list({in_context(each).place: each for each in reversed(_folded(distinct(matching)))}.values())[::-1]
    if not every:
        return None
    documents = list(dict.fromkeys(each.hit.document.id for each in every))
    every.sort(key=lambda each: (documents.index(each.hit.document.id), each.sentence.span.start))
    draft = Draft(asked, "list", library)
    shown = every[:SHOWN]
    draft.verify(shown)
    counted = draft.phrases.documents(len(documents))
    last = {hit.passage.id for hit in found.hits[-LAST:]}
    bounded = len(found.hits) >= PASSAGES and any(each.hit.passage.id in last for each in matching)
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


def _folded(matching: Sequence[Candidate]) -> list[Candidate]:
    """Return sentences without those in which the reader finds the same words as in an earlier one."""
    kept: dict[str, Candidate] = {}
    for each in matching:
        sure = each.reading is not None and each.margin > 0 and each.reading.certainty >= SURE
        words = " ".join(fold(each.answer).split()).casefold() if sure else ""
        # If the reader isn't sure, keep the sentence.
        kept.setdefault(words or f"{each.hit.document.id}:{each.sentence.span.start}", each)
    return list(kept.values())


def _says(subject: str, each: Candidate) -> bool:
    words = plain(subject).strip()
    return len(words) > 2 and words in plain(each.words)


def distinct(matching: Sequence[Candidate]) -> list[Candidate]:
    """Return sentences without those that say the same as an earlier one."""
    kept: list[Candidate] = []
    seen: list[frozenset[str]] = []
    for each in matching:
        mine = trigrams(each.words)
        if all(len(mine & other) < SAME_WORDS * min(len(mine), len(other)) for other in seen):
            kept.append(each)
            seen.append(mine)
    return kept
