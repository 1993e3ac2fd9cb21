"""Look up a follow-up in several readings, and take the one whose evidence answers best.

A follow-up has several readings: as a standalone question (by rules, and by a language model if there is one), in its
own words within the documents that the conversation quoted, and there together with the subject of the conversation.
Any may be right: "And Viet Nam?" leaves the document, "how many came?" stays in it. What the reader finds decides
(`assistant.answer.retrieval`). The quotes of the best reading come first, then those of the next best.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import regex

from assistant.answer.dialogue.followup_rules import (
    complete,
    names_subject,
    standalone_questions,
    swapped_thing,
    topic_of,
)
from assistant.answer.dialogue.turn_parts import TAIL, without_address
from assistant.answer.question import Place, Question
from assistant.answer.retrieval import Found
from assistant.types import Evidence, Message
from assistant.verify.places import entities_of, mentions
from assistant.verify.text import fold
from store.library import Library
from store.types import Filter, Hit, Span

Find = Callable[[Question], Found]
Rewrite = Callable[[str, Sequence[Message]], str | None]
"""A language model's rewriting, if one is configured; None if it failed."""
ANSWERS = 2
"""How many last answers count; a follow-up is asked of the documents of their first quotes."""
STAYS = 0.3
"""Added to the confidence of a reading that stays in the quoted documents, as most follow-ups do."""
LEANS = 0.6
"""Added instead if the question names no subject of its own, so that it depends on what was said."""
LONGEST_QUOTE = 300
"""Characters kept of a quote."""
STRAYS = 0.75
"""The least confidence needed to answer a question without a subject from other documents than those quoted."""
FOREIGN = 0.05
"""If the question's own words are answered with less confidence than this, even in the quoted documents, it is about
something else, unless it depends on what was said."""
SHORTEST_QUOTE = 12
"""Characters. A shorter quote is a short answer, or could be found anywhere."""
_QUOTED = regex.compile(r"[“«„「]\s?(.+?)\s?[”»“」]\s*\[\d+\]", regex.DOTALL)
"""A quote with its marker, in the quotation marks of any language (`prompts/phrases`)."""
_BETWEEN = regex.compile(r"\s?[”»“」]\s?[,、]\s?[“«„「]\s?")
"""Separates the words of a short answer that has several."""


@dataclass(frozen=True, slots=True)
class Thread:
    """What a conversation is about, for a follow-up."""

    last: str
    """The last question in its standalone form."""
    subject: str
    """The last question that names its subject: the last one, or one before it."""
    answer: str
    """The answer to the last question; empty if there was none."""
    quoted: tuple[str, ...]
    """Words that the last answers quote, latest first."""
    short: tuple[str, ...] = ()
    """The words that were marked as answering in the last answer's quotes."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A question that a follow-up may mean."""

    question: Question
    repeats: bool = False
    """Whether it has words of the last question, so that the last answer would answer it again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A reading with the evidence found for it."""

    reading: Reading
    found: Found


def look_up(
    asked: Question,
    history: Sequence[Message],
    library: Library,
    find: Find,
    rewrite: Rewrite | None = None,
    *,
    leans: bool = True,
) -> Found | None:
    """Return what a follow-up finds after `history` (oldest first); None if there is nothing it could follow.

    A question that can stand alone, and that nothing clearly answers, isn't combined with the previous one: that would
    answer a change of subject with the old subject.
    """
    thread = thread_of(history)
    if thread is None:
        return None
    asked = replace(asked, alone=without_address(asked.alone, asked.language))
    quoted = _places(thread, asked.options.filter, library)
    thing = swapped_thing(asked.alone, thread.last)
    is_swap, has_subject = thing is not None, names_subject(asked.alone)
    readings = list(_readings(asked, thread, quoted, is_swap=is_swap))
    stands_alone = readings[0].question.alone == asked.alone  # by the rules
    if rewrite is not None and (rewritten := rewrite(asked.alone, history)):
        readings.append(Reading(replace(asked, alone=rewritten)))
    distinct = {(each.question.alone, each.question.options.filter): each for each in readings}
    every = [Answered(each, find(each.question)) for each in distinct.values()]
    every += [_without_the_last_answer(each, quoted, find) for each in every if _repeats(each, thing, thread)]
    own = [each for each in every if each.reading.question.alone == asked.alone]
    if own and not leans and stands_alone and all(each.found.confidence < FOREIGN for each in own):
        every = own
    is_answered = stands_alone and has_subject and any(each.found.evidence for each in own)
    documents = {document for document, _ in quoted}
    leans_on_quotes = not (has_subject or is_swap)
    every.sort(
        key=lambda each: (
            bool(each.found.evidence),
            not (leans_on_quotes and _strays(each.found, documents))
            and _is_new(each, thing, thread, is_answered=is_answered),
            # A swap in its own words only finds similar things. The previous question with the new thing in it is more
            # reliable.
            each.found.confidence if is_swap else _likeliness(each.found, asked, STAYS if has_subject else LEANS),
        ),
        reverse=True,
    )
    best = _together([each.found for each in every], asked.options.max_quotes)
    return replace(best, question=replace(asked, alone=best.question.alone))


def _repeats(each: Answered, thing: str | None, thread: Thread) -> bool:
    """Return whether a reading has words of the last question, and finds only the last answer again."""
    return each.reading.repeats and _says_again(each.found, thing, thread)


def _without_the_last_answer(each: Answered, quoted: tuple[Place, ...], find: Find) -> Answered:
    """Look up a reading again without the sentence that answered the last question: another one may answer this one."""
    first = each.found.evidence[0]
    said = (first.document.id, Span(first.start, first.end))
    question = replace(each.reading.question, near=quoted, said=(said,))
    return Answered(Reading(question, repeats=True), find(question))


def thread_of(history: Sequence[Message]) -> Thread | None:
    """Return what `history` (oldest first) is about; None if no question was asked."""
    users = [place for place, message in enumerate(history) if message.role == "user"]
    if not users:
        return None
    questions = standalone_questions(history)
    answers = [message.text for message in history if message.role == "assistant"]
    latest = [message.text for message in history[users[-1] :] if message.role == "assistant"]
    subject = next((each for each in reversed(questions) if names_subject(each)), questions[-1])
    quoted = tuple(
        " ".join(quote.split())[:LONGEST_QUOTE]
        for answer in answers[: -ANSWERS - 1 : -1]
        for quote in _quotes_of(answer)[0][:1]
    )
    answer = latest[-1] if latest else ""
    return Thread(questions[-1], subject, answer, quoted, _quotes_of(answer)[1])


def _quotes_of(answer: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the quotes of an answer, and the words of its short answer."""
    every = _QUOTED.findall(answer)
    short = [
        piece
        for quote in every
        for piece in _BETWEEN.split(quote)
        if any(piece in each and piece != each for each in every)
    ]
    whole = [quote for quote in every if len(quote) >= SHORTEST_QUOTE and not set(_BETWEEN.split(quote)) <= {*short}]
    return tuple(whole), tuple(dict.fromkeys(short))


def _readings(asked: Question, thread: Thread, quoted: tuple[Place, ...], *, is_swap: bool) -> Iterator[Reading]:
    """Yield the questions that a follow-up may mean, the one made by rules first."""
    own, last = asked.alone, thread.last.rstrip(TAIL)
    whole = complete(own, thread.last, thread.answer)
    staying = asked
    if quoted:
        documents = tuple(dict.fromkeys(document for document, _ in quoted))
        options = replace(asked.options, filter=replace(asked.options.filter, documents=documents))
        staying = replace(asked, options=options, near=quoted)
    yield Reading(replace(asked, alone=whole), repeats=is_swap)
    if is_swap:
        # The thing it names may be all that it shares with the sentences: "and the rapporteur?"
        if quoted:
            yield Reading(replace(staying, alone=own))
        return
    yield Reading(replace(staying, alone=f"{last}: {own}"), repeats=True)
    about = f"{topic_of(thread.subject)}: {own}"
    if thread.last != thread.subject and whole != own:
        about = f"{topic_of(thread.subject)}: {last}: {own}"
    if quoted:
        yield Reading(replace(staying, alone=own))
    yield Reading(replace(staying, alone=about), repeats=True)


def _is_new(each: Answered, thing: str | None, thread: Thread, *, is_answered: bool) -> bool:
    """Return whether a reading isn't answered by what was already said.

    If `is_answered`, the question names its subject and is answered in its own words; a repetition of the last answer
    comes after that.
    """
    return not each.reading.repeats or not (is_answered or _says_again(each.found, thing, thread))


def _likeliness(found: Found, asked: Question, stays: float) -> float:
    """Return the confidence of a reading, plus `stays` if it stays in the quoted documents."""
    return found.confidence + stays * (found.question.options.filter != asked.options.filter)


def _strays(found: Found, documents: Collection[str]) -> bool:
    """Return whether a reading is answered, without certainty, from a document that wasn't quoted."""
    return (
        bool(documents and found.evidence)
        and found.confidence < STRAYS
        and found.evidence[0].document.id not in documents
    )


def _says_again(found: Found, thing: str | None, thread: Thread) -> bool:
    """Return whether the first quote is the last answer's, and nothing in it answers only the follow-up."""
    if not found.evidence or _answers_otherwise(found, thread):
        return False
    first = " ".join(found.evidence[0].quote.split())[:LONGEST_QUOTE]
    return first in thread.quoted[:1] and not (thing and is_named(thing, first))


def _answers_otherwise(found: Found, thread: Thread) -> bool:
    """Return whether the answering words differ from those that answered the last question."""
    said = found.short_answer
    if said is None or not thread.short:
        return False
    before = [fold(each) for each in thread.short]
    return not any(fold(span.text) in each or each in fold(span.text) for span in said.spans for each in before)


def is_named(thing: str, quote: str) -> bool:
    """Return whether a quote contains the names, for places and bodies also in another language."""
    return fold(thing) in fold(quote) or mentions(fold(quote), entities_of(thing))


def _together(found: Sequence[Found], most: int) -> Found:
    """Return the first of `found`, and after its quotes the first quotes of the others."""
    best = found[0]
    if not best.evidence:
        return best
    evidence = list(best.evidence)
    for other in found[1:]:
        evidence += [each for each in other.evidence[:2] if not any(_overlap(each, known) for known in evidence)]
    renumbered = (each.model_copy(update={"key": key}) for key, each in enumerate(evidence, start=1))
    return replace(best, evidence=tuple(renumbered)[: max(most, len(best.evidence))])


def _overlap(one: Evidence, other: Evidence) -> bool:
    return one.document.id == other.document.id and one.start < other.end and other.start < one.end


def _places(thread: Thread, where: Filter, library: Library) -> tuple[Place, ...]:
    """Return the positions of the last answers' quotes."""
    found = [(quote, library.search(quote, 1, where).hits) for quote in thread.quoted]
    return tuple(dict.fromkeys((hit.document.id, _place(quote, hit)) for quote, hits in found for hit in hits))


def _place(quote: str, hit: Hit) -> Span:
    """Return the position of a quote in the document of its passage; the whole passage if it isn't there."""
    words = r"\s+".join(map(regex.escape, quote.split()))
    if found := regex.search(words, hit.text):
        return Span(hit.passage.start + found.start(), hit.passage.start + found.end())
    return Span(hit.passage.start, hit.passage.end)
