"""Retrieve evidence for a question: find passages, read, order and judge them, and check them against their documents."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.answer.confidence import confidence
from assistant.answer.conflicts import Conflict, conflict_among
from assistant.answer.evidence import in_context, select, verified, with_parts
from assistant.answer.localize import with_renderings
from assistant.answer.nearness import leaving_out, nearer
from assistant.answer.question import Question
from assistant.answer.short_answer import asks_yes_or_no, short_answer
from assistant.extractive_qa.candidates import (
    PASSAGES,
    READ,
    Candidate,
    ReadParts,
    ReadPassages,
    candidates,
    read_candidates,
    read_passages,
)
from assistant.extractive_qa.decisions import Decisions
from assistant.extractive_qa.network import load_reader
from assistant.extractive_qa.question_parts import QuestionParts, parts_of
from assistant.extractive_qa.span_reader import Reader
from assistant.types import Evidence, ShortAnswer
from store.library import Library
from store.types import Filter, Hit, SearchResult

NAMES_AROUND = 50_000
"""Code points around a quote in which its document may give a name in another language."""


@dataclass(frozen=True, slots=True)
class Found:
    """What the library holds about a question."""

    question: Question
    passages: SearchResult
    evidence: tuple[Evidence, ...]
    confidence: float
    timings_ms: Mapping[str, float]
    short_answer: ShortAnswer | None = None
    nearest: tuple[Evidence, ...] = ()
    """The closest sentence, if nothing answers but the documents mention the subject."""
    conflict: Conflict | None = None
    """Two documents that answer with different numbers or dates."""
    missing: tuple[str, ...] = ()
    """A number or code that the question names and the documents don't have."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What the search alone finds for a text."""

    passages: SearchResult
    ordered: tuple[Candidate, ...]
    """All sentences of the passages, best first."""
    confidence: float
    enough: bool
    """Whether that is certain enough for an answer."""


class Finder:
    """Finds evidence for questions in one library. Safe to use from several threads."""

    def __init__(self, library: Library, *, reading: bool = True) -> None:
        """With `reading` false, the search alone decides, as for an embedding model without a reader."""
        self._library = library
        self._reading = reading
        self._lock = threading.Lock()
        self._loaded: tuple[Reader | None, Decisions, Decisions] | None = None

    def prepare(self) -> None:
        """Load the reader, which takes a second, so that the first question doesn't wait for it."""
        self._parts()

    def find(self, question: Question) -> Found:
        """Return what the library holds about `question`: evidence if it is enough."""
        passages = self._library.search(question.alone, PASSAGES, question.options.filter)
        retrieved = time.perf_counter()
        reader, with_reader, without = self._parts()
        passages, read = self._read(question.alone, passages, question.options.filter)
        read = nearer(leaving_out(read, question.said), question.near)
        read_at = time.perf_counter()
        sure = confidence(passages, read, with_reader.confidence)
        parts = parts_of(question.alone) if reader else None
        if parts and not parts.amounts and sure < with_reader.confidence.threshold and not read.missing:
            read, sure = self._surest_part(parts, question, passages, read, sure)
            parts = None  # a sentence that answers one part is shown for that part only
        found = Found(question, passages, (), sure, {}, missing=read.missing)
        if read.ordered and sure >= with_reader.confidence.threshold:
            read_parts = self._read_parts(parts, read.ordered, reader) if parts and reader else None
            chosen = select(read.ordered, question.options.max_quotes, with_reader.further)
            if read_parts:
                chosen = with_parts(chosen, read_parts, question.options.max_quotes, with_reader.span_certainty)
            evidence = verified(chosen, self._library)
            asked = (question.asked, question.alone)  # alone, a follow-up may have words of an earlier question
            has_short = reader is not None and not any(asks_yes_or_no(each, passages.language) for each in asked)
            short = short_answer(chosen, evidence, with_reader.span_certainty, read_parts) if has_short else None
            if short is not None:
                quoted = next(item for item in evidence if item.key == short.spans[0].key)
                if quoted.language != question.language:
                    short = with_renderings(short, evidence, question.language, self._around(quoted, passages.hits))
            found = replace(found, evidence=evidence, short_answer=short, conflict=conflict_among(chosen))
        elif read.ordered and self._is_near(passages, without):
            found = replace(found, nearest=verified(map(in_context, read.ordered[:1]), self._library))
        timings = {
            "retrieve": (retrieved - question.started) * 1000,
            "read": (read_at - retrieved) * 1000,
            "evidence": (time.perf_counter() - read_at) * 1000,
            **{f"retrieve_{name}": spent for name, spent in passages.timings_ms.items()},
        }
        return replace(found, timings_ms=timings)

    def by_search(self, text: str, where: Filter, most: int = PASSAGES) -> Looked:
        """Return the sentences of up to `most` passages for `text`, unread, for turns that ask for many of them."""
        passages = self._library.search(text, most, where)
        _, _, without = self._parts()
        ordered = ReadPassages(tuple(candidates(passages, without.ranking)))
        sure = confidence(passages, ordered, without.confidence)
        return Looked(passages, ordered.ordered, sure, sure >= without.confidence.threshold)

    def read(self, question: str, every: Sequence[Candidate]) -> list[Candidate]:
        """Return candidates in their order, each with its reading for `question`; unread without a reader."""
        reader, _, _ = self._parts()
        if reader is None or not every:
            return list(every)
        above = headings_above(self._library, [each.hit for each in every])
        return read_candidates(question, every, above, reader)

    def _surest_part(
        self, parts: QuestionParts, question: Question, passages: SearchResult, read: ReadPassages, sure: float
    ) -> tuple[ReadPassages, float]:
        """Return the reading for the question's most surely answered part, and its confidence: a partial answer."""
        reader, decisions, _ = self._parts()
        above = headings_above(self._library, passages.hits)
        for part in parts.questions:
            of_part = read_passages(part, passages, above, reader, decisions.ranking)
            of_part = nearer(leaving_out(of_part, question.said), question.near)
            if (its := confidence(passages, of_part, decisions.confidence)) > sure:
                read, sure = of_part, its
        return read, sure

    def _read_parts(self, parts: QuestionParts, ordered: Sequence[Candidate], reader: Reader) -> ReadParts:
        """Return the best sentences, read for each part of a question."""
        best = ordered[:READ]
        above = headings_above(self._library, [each.hit for each in best])
        return ReadParts(
            parts.amounts, tuple(tuple(read_candidates(part, best, above, reader)) for part in parts.questions)
        )

    def _read(self, question: str, passages: SearchResult, where: Filter) -> tuple[SearchResult, ReadPassages]:
        """Return the passages read; if they lack what the question names, those of a search for that name too."""
        reader, decisions, _ = self._parts()
        read = read_passages(
            question, passages, headings_above(self._library, passages.hits), reader, decisions.ranking
        )
        if not read.missing:
            return passages, read
        named = self._library.search(" ".join(read.missing), PASSAGES, where)
        known = {hit.passage.id for hit in passages.hits}
        more = tuple(hit for hit in named.hits if hit.passage.id not in known)
        both = replace(passages, hits=(*passages.hits, *more))
        again = read_passages(question, both, headings_above(self._library, both.hits), reader, decisions.ranking)
        return (passages, read) if again.missing else (both, again)

    def _around(self, quote: Evidence, hits: Sequence[Hit]) -> list[str]:
        """Return the text around the quotes, in which names are looked up, and the passages found."""
        with self._library.snapshot() as snapshot:
            start = max(0, quote.start - NAMES_AROUND)
            text = snapshot.text(quote.document.id, start, quote.end + NAMES_AROUND)
        return [text, *(hit.text for hit in hits)]

    def _is_near(self, passages: SearchResult, without: Decisions) -> bool:
        """Return whether the search alone would take the passages for an answer, so that they are about the subject."""
        by_search = ReadPassages(tuple(candidates(passages, without.ranking)))
        return confidence(passages, by_search, without.confidence) >= without.confidence.threshold

    def _parts(self) -> tuple[Reader | None, Decisions, Decisions]:
        with self._lock:
            if self._loaded is None:
                embedder = self._library.embedder
                reader = load_reader(embedder) if self._reading else None
                without = Decisions.load(embedder.name, reading=False)
                with_reader = Decisions.load(embedder.name, reading=True) if reader else without
                self._loaded = (reader, with_reader, without)
            return self._loaded


def headings_above(library: Library, hits: Sequence[Hit]) -> dict[str, str]:
    """Return the headings above passages that have one, by passage id."""
    with library.snapshot() as snapshot:
        return {
            hit.passage.id: snapshot.text(hit.document.id, hit.passage.heading.start, hit.passage.heading.end)
            for hit in hits
            if hit.passage.heading is not None
        }
