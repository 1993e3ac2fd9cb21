"""Looks up a follow-up in several readings, and takes the one whose evidence answers best.

A follow-up is read as a question that stands alone (by rules, or by a language model), in its own words asked of the
documents that the last answer quoted, and together with the question before. Any of them may be right: "And Viet Nam?" leaves the
document, "how many came?" stays in it. The quotes of the next best reading follow those of the best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import regex

from assistant.answer.find import Found
from assistant.answer.followups import complete, standalone
from assistant.answer.question import Question
from assistant.answer.turns.parts import TAIL
from assistant.types import Evidence, Message
from store.library import Library
from store.types import Filter

Find = Callable[[Question], Found]
Rewrite = Callable[[str, Sequence[Message]], str | None]
"""A language model's rewriting, where one is configured; None where it failed."""
QUOTES = 2
"""Of the last answer, whose documents a follow-up is asked of."""
STAYS = 0.3
"""Added to the confidence of a reading in the documents that were quoted: most follow-ups stay there."""
_QUOTED = regex.compile(r"“(.{12,}?)”", regex.DOTALL)


def look_up(
    asked: Question, history: Sequence[Message], library: Library, find: Find, rewrite: Rewrite | None = None
) -> Found | None:
    """Return what a follow-up finds after `history` (oldest first); None where nothing was said that it could follow."""
    before, answer = last_question(history)
    if before is None:
        return None
    own, where = asked.alone, asked.options.filter
    text = (rewrite and rewrite(own, history)) or complete(own, before, answer)
    readings = [replace(asked, alone=text)]
    if quoted := _documents(answer, where, library):
        options = replace(asked.options, filter=replace(where, documents=quoted))
        readings.append(replace(asked, alone=own, options=options))
    readings.append(replace(asked, alone=f"{before.rstrip(TAIL)}: {own}"))
    distinct = list({(each.alone, each.options.filter): each for each in readings}.values())
    found = sorted(map(find, distinct), key=lambda each: -_likely(each, where))
    return replace(_together(found, asked.options.max_quotes), question=replace(asked, alone=text))


def last_question(history: Sequence[Message]) -> tuple[str | None, str]:
    """Return the last question as it stands alone, and its answer; None and no words where there is none."""
    users = [place for place, message in enumerate(history) if message.role == "user"]
    if not users:
        return None, ""
    before = standalone(history[users[-1]].text, history[: users[-1]])
    answers = [message.text for message in history[users[-1] :] if message.role == "assistant"]
    return before, answers[-1] if answers else ""


def _likely(found: Found, where: Filter) -> float:
    return found.confidence + STAYS * (found.question.options.filter != where)


def _together(found: Sequence[Found], most: int) -> Found:
    """Return the first of `found`, with the first quotes of the others after its own."""
    best = found[0]
    if not best.evidence:
        return best
    evidence: dict[tuple[str, int], Evidence] = {(each.document.id, each.start): each for each in best.evidence}
    for other in found[1:]:
        for each in other.evidence[:2]:
            evidence.setdefault((each.document.id, each.start), each)
    renumbered = (each.model_copy(update={"key": key}) for key, each in enumerate(evidence.values(), start=1))
    return replace(best, evidence=tuple(renumbered)[: max(most, len(best.evidence))])


def _documents(answer: str, where: Filter, library: Library) -> tuple[str, ...]:
    """Return the documents whose words an answer quotes first."""
    quotes = [" ".join(quote.split())[:300] for quote in _QUOTED.findall(answer)[:QUOTES]]
    found = [library.search(quote, 1, where).hits for quote in quotes]
    return tuple(dict.fromkeys(hit.document.id for hits in found for hit in hits))
