"""Turn passages into candidates: keep sentences that belong to what the question names, read and order them.

    score(sentence) = retrieval weight * its score in the search + margin weight * its margin
                      - what a heading loses - what its passage loses for each name and date of the question it lacks

The weights are learned (`evals.training.reader.decisions`). Without a reader the search's score alone orders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from assistant.extractive_qa.decisions import Ranking
from assistant.extractive_qa.identifiers import begins_with, belongs, identifiers_in, kinds_in, names_alone
from assistant.extractive_qa.span_reader import Reader, SentenceReading
from assistant.extractive_qa.structure import is_heading
from assistant.extractive_qa.subjects import NOTHING, Lacking, lacking, subject_of
from assistant.extractive_qa.windows import windows_of
from store.types import Hit, SearchResult, SentenceHit, Span

PASSAGES = 10
"""Passages whose sentences are considered."""
READ = 6
"""Sentences to read, each in its window, in addition to the best one of each of the first passages."""
READ_PASSAGES = 4
"""Passages whose best sentence is always read."""
UNREAD = -6.0
"""The margin of a sentence that was not read, about that of an unrelated text."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with the passage in which it was found."""

    sentence: SentenceHit
    hit: Hit
    score: float
    """Candidates are ordered by this."""
    heading: bool
    """Whether it is a heading: it shares the question's words, but seldom contains the answer."""
    reading: SentenceReading | None = None
    """The reader's result; None if it was not read."""
    lacks: Lacking = NOTHING
    """The names and dates of the question that its passage lacks."""
    quoted: Span | None = None
    """The span of the document's text to quote instead, if that is more than the sentence."""
    is_one_of_several: bool = False
    """Whether other sentences of the quote answer too, like items of a list, so that none is the answer alone."""

    @property
    def words(self) -> str:
        """The sentence itself."""
        start = self.hit.passage.start
        return self.hit.text[self.sentence.span.start - start : self.sentence.span.end - start]

    @property
    def place(self) -> tuple[str, int, int]:
        """What to quote of it: a document's id, where the quote begins and where it ends."""
        span = self.quoted or self.sentence.span
        return self.hit.document.id, span.start, span.end

    @property
    def answer(self) -> str:
        """The answering words, by the reader; empty if it was not read."""
        if self.reading is None:
            return ""
        start = self.hit.passage.start
        return self.hit.text[self.reading.span.start - start : self.reading.span.end - start]

    @property
    def margin(self) -> float:
        """The reader's margin, or a substitute."""
        return UNREAD if self.reading is None else self.reading.margin


@dataclass(frozen=True, slots=True)
class ReadPassages:
    """The sentences of the passages found, best first, and names in the question that aren't there."""

    ordered: tuple[Candidate, ...]
    missing: tuple[str, ...] = ()
    """Identifiers, as in the question, that the passages lack while they have others of the kind."""
    bound: bool = False
    """Whether only sentences that belong to the identifiers in the question were kept."""
    named_alone: bool = False
    """Whether the question is only the name, such as "Article 15", so that its text is the answer."""


@dataclass(frozen=True, slots=True)
class ReadParts:
    """The best sentences, read for each part of a question that asks for several things."""

    amounts: bool
    """Whether the parts are the amounts of several things."""
    parts: tuple[tuple[Candidate, ...], ...]


def candidates(found: SearchResult, ranking: Ranking) -> list[Candidate]:
    """Return all sentences of the passages found, by the search's scores alone, best first."""
    every = []
    for hit in found.hits:
        for sentence in hit.sentences:
            heading = is_heading(hit, sentence.span)
            score = ranking.retrieval * sentence.score + ranking.heading * heading
            every.append(Candidate(sentence, hit, score, heading))
    return _in_order(every)


def read_passages(
    question: str, found: SearchResult, above: Mapping[str, str], reader: Reader | None, ranking: Ranking
) -> ReadPassages:
    """Return the sentences of the passages found, ordered by how well they answer `question`.

    `above` has the headings above passages, by passage id.
    """
    ordered = _with_subject(question, candidates(found, ranking), above, ranking)
    named = identifiers_in(question)
    bound = False
    if named and found.hits:
        kept = {
            (hit.passage.id, sentence.span.start)
            for hit in found.hits
            for sentence, its in zip(hit.sentences, belongs(hit, above.get(hit.passage.id, ""), named), strict=True)
            if its
        }
        if kept:
            bound = True
            ordered = [each for each in ordered if (each.hit.passage.id, each.sentence.span.start) in kept]
            # A heading names its text and says nothing about it.
            ordered = [each for each in ordered if not each.heading] or ordered
        elif kinds := kinds_in(found.hits, above) & {each.kind for each in named}:
            return ReadPassages(tuple(ordered), tuple(each.text for each in named if each.kind in kinds))
    if bound and names_alone(question, {each.hit.document.title for each in ordered}):
        # The question only asks for its text, so return that from its beginning, unchanged.
        ordered = sorted(_in_order(ordered), key=lambda each: not begins_with(each.words, named))
        return ReadPassages(tuple(ordered), bound=True, named_alone=True)
    if reader is not None and ordered:
        ordered = _read(question, found.hits, above, reader, ordered, ranking)
    return ReadPassages(tuple(ordered), bound=bound)


def _with_subject(
    question: str, every: Sequence[Candidate], above: Mapping[str, str], ranking: Ranking
) -> list[Candidate]:
    """Return candidates in order, with lower scores for passages that lack a name or a date of the question."""
    subject = subject_of(question)
    hits = {each.hit.passage.id: each.hit for each in every}
    lacks = {key: lacking(subject, hit, above.get(key, "")) for key, hit in hits.items()}
    return _in_order([_with_lacks(each, lacks[each.hit.passage.id], ranking) for each in every])


def _with_lacks(each: Candidate, lacks: Lacking, ranking: Ranking) -> Candidate:
    score = each.score + ranking.name * lacks.names + ranking.date * lacks.dates
    return replace(each, lacks=lacks, score=score)


def _read(
    question: str,
    hits: Sequence[Hit],
    above: Mapping[str, str],
    reader: Reader,
    ordered: Sequence[Candidate],
    ranking: Ranking,
) -> list[Candidate]:
    numbers = {hit.passage.id: number for number, hit in enumerate(hits)}
    chosen: dict[int, list[int]] = {}
    for rank, each in enumerate(ordered):
        number = numbers[each.hit.passage.id]
        if rank < READ or (number not in chosen and len(chosen) < READ_PASSAGES):
            chosen.setdefault(number, []).append(each.hit.sentences.index(each.sentence))
    readings = _readings(question, hits, chosen, above, reader)
    return _in_order(
        [
            _with_reading(each, readings.get((each.hit.passage.id, each.sentence.span.start)), ranking)
            for each in ordered
        ]
    )


def read_candidates(
    question: str, every: Sequence[Candidate], above: Mapping[str, str], reader: Reader
) -> list[Candidate]:
    """Return candidates of any passages in their order, each with the reader's result for `question`.

    `above` has the headings above passages, by passage id.
    """
    hits = list({each.hit.passage.id: each.hit for each in every}.values())
    numbers = {hit.passage.id: number for number, hit in enumerate(hits)}
    chosen: dict[int, list[int]] = {}
    for each in every:
        chosen.setdefault(numbers[each.hit.passage.id], []).append(each.hit.sentences.index(each.sentence))
    readings = _readings(question, hits, chosen, above, reader)
    return [replace(each, reading=readings.get((each.hit.passage.id, each.sentence.span.start))) for each in every]


def _readings(
    question: str,
    hits: Sequence[Hit],
    chosen: Mapping[int, Sequence[int]],
    above: Mapping[str, str],
    reader: Reader,
) -> dict[tuple[str, int], SentenceReading]:
    """Return the readings of chosen sentences and those around them, by passage id and start of the sentence."""
    windows = windows_of(hits, chosen, above)
    readings: dict[tuple[str, int], SentenceReading] = {}
    for window, parts in zip(windows, reader.read(question, windows), strict=True):
        hit = hits[window.hit]
        for index, part in enumerate(parts, start=window.first):
            if part is not None:
                readings[hit.passage.id, hit.sentences[index].span.start] = part
    return readings


def _with_reading(each: Candidate, reading: SentenceReading | None, ranking: Ranking) -> Candidate:
    margin = UNREAD if reading is None else reading.margin
    return replace(each, reading=reading, score=each.score + ranking.margin * margin)


def _in_order(every: Sequence[Candidate]) -> list[Candidate]:
    return sorted(every, key=lambda each: (-each.score, each.hit.document.id, each.sentence.span.start))
