"""Find the short answer: the fewest words of the evidence that answer, as a quotation with its position."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import regex

from assistant.answer.evidence import ELSEWHERE
from assistant.extractive_qa.candidates import Candidate, ReadParts
from assistant.extractive_qa.span_reader import SentenceReading
from assistant.types import AnswerSpan, Evidence, ShortAnswer
from assistant.verify.language_rules import rules_of
from assistant.verify.number_reading import numbers_in
from assistant.verify.text import fold
from store.text.dates import dates_in
from store.types import Span

WHOLE = 0.85
"""Words that make up at least this share of a sentence are no shorter answer than the sentence itself."""

LONGEST_EXCEPTION = 80
"""Code points of an exception, as in "every day except on public holidays"."""


@dataclass(frozen=True, slots=True)
class _Found:
    """Answering words, in their quote."""

    quote: Evidence
    span: Span
    reading: SentenceReading

    @property
    def words(self) -> str:
        return self.quote.quote[self.span.start - self.quote.start : self.span.end - self.quote.start]


def asks_yes_or_no(question: str, language: str) -> bool:
    """Return whether a question asks for yes or no, which no words of a document are; false in an unknown language."""
    rules, asked = rules_of(language), fold(question)
    if rules is None:
        return False
    rest = rules.pattern("yes_no").sub(" ", asked)
    # Not in "Can you tell me when it opens?"
    return rest != asked and not rules.any_of(rules.words("question_words")).search(rest)


def short_answer(
    chosen: Sequence[Candidate], evidence: Sequence[Evidence], certainty: float, parts: ReadParts | None = None
) -> ShortAnswer | None:
    """Return the words of the evidence that answer; None if the reader isn't certain about any.

    `evidence` was made of the sentences `chosen`. A question of several `parts` may have words for each.
    """
    if not evidence:
        return None
    if parts is not None:
        spans = _of_things(parts, evidence[0]) if parts.amounts else _of_parts(parts, evidence, certainty)
        if len(spans) > 1:
            is_whole = len(spans) == len(parts.parts) and all(_is_amount(each.words) for each in spans)
            return _answer(spans) if is_whole or not parts.amounts else None
    best = next((each for each in chosen if _is_at(each, evidence[0])), None)
    if best is None or best.reading is None or best.is_one_of_several or not _is_sure(best, evidence[0], certainty):
        return None
    read = best.reading
    spans = [_Found(evidence[0], span, read) for span in (read.span, read.second) if span is not None]
    return _answer([each for each in spans if _is_within(each.span, each.quote)])


def _of_parts(parts: ReadParts, evidence: Sequence[Evidence], certainty: float) -> list[_Found]:
    """Return for each part of a question the words that answer it, all from the document that answers best."""
    by_document: dict[str, list[_Found]] = {}
    for part in parts.parts:
        for document, of_document in _by_document(evidence).items():
            if found := _best(part, of_document, certainty):
                by_document.setdefault(document, []).append(found)
    best = max(by_document.values(), key=lambda found: sum(each.reading.margin for each in found), default=[])
    return _apart(best)


def _best(part: Sequence[Candidate], evidence: Sequence[Evidence], certainty: float) -> _Found | None:
    """Return the words of the evidence that answer best, among those that the reader is certain about."""
    sure = [
        _Found(item, each.reading.span, each.reading)
        for item in evidence
        for each in part
        if _is_at(each, item) and each.reading and _is_sure(each, item, certainty)
        if item.key == 1 or each.margin >= ELSEWHERE
    ]
    return max(sure, key=lambda each: each.reading.margin, default=None)


def _of_things(parts: ReadParts, first: Evidence) -> list[_Found]:
    """Return the amounts of things in the first evidence; fewer than there are parts if some have none."""
    found = [[each.reading for each in part if _is_at(each, first) and each.reading] for part in parts.parts]
    best = [max(readings, key=lambda each: each.margin) for readings in found if readings]
    said = [_Found(first, each.span, each) for each in best if each.margin > 0]
    return _apart([each for each in said if _is_within(each.span, first)])


def _apart(found: Sequence[_Found]) -> list[_Found]:
    """Return spans in order, without those that overlap an earlier one."""
    apart: list[_Found] = []
    for each in sorted(found, key=lambda each: (each.quote.key, each.span.start)):
        if not any(each.quote.key == other.quote.key and each.span.start < other.span.end for other in apart):
            apart.append(each)
    return apart


def _by_document(evidence: Sequence[Evidence]) -> dict[str, list[Evidence]]:
    documents: dict[str, list[Evidence]] = {}
    for item in evidence:
        documents.setdefault(item.document.id, []).append(item)
    return documents


def _is_at(candidate: Candidate, item: Evidence) -> bool:
    span = candidate.sentence.span
    return candidate.hit.document.id == item.document.id and item.start <= span.start and span.end <= item.end


def _is_sure(each: Candidate, item: Evidence, certainty: float) -> bool:
    """Return whether a reading's words are likely enough, and shorter than the sentence."""
    read, sentence = each.reading, each.sentence.span
    if read is None or read.agreement < certainty or not _is_within(read.span, item):
        return False
    # A lead-in line is no answer without its items, even if it is short.
    announces = item.start == sentence.start and sentence.end < item.end
    is_part = read.span.end - read.span.start <= WHOLE * (sentence.end - sentence.start)
    return is_part or (len(each.words) <= 40 and not announces)


def _is_within(span: Span, item: Evidence) -> bool:
    return item.start <= span.start < span.end <= item.end


def _answer(found: Sequence[_Found]) -> ShortAnswer:
    """Return the short answer from the words found, with what qualifies them."""
    spans = _apart([replace(each, span=qualified(each.span, each.quote)) for each in found])
    return ShortAnswer(
        spans=tuple(
            AnswerSpan(key=each.quote.key, start=each.span.start, end=each.span.end, text=each.words) for each in spans
        ),
        confidence=min(1.0, *(each.reading.agreement for each in spans)),
    )


def qualified(span: Span, quote: Evidence) -> Span:
    """Return a span of the document, extended by adjacent words that limit, negate or qualify it.

    The reader's training data count "300 people" as right for "more than 300 people", but alone it means something
    else.
    """
    known = rules_of(quote.language)
    if known is None or not quote.start <= span.start < span.end <= quote.end:
        return span
    start, end = span.start - quote.start, span.end - quote.start
    is_amount = _is_amount(quote.quote[start:end])
    before = known.cues("bounds" if is_amount else "negators").pattern
    if found := regex.search(rf"{before}\s?$", quote.quote[:start], regex.IGNORECASE):
        start = found.start()
    if is_amount and (
        found := regex.match(rf"\s?{known.cues('bounds_after').pattern}", quote.quote[end:], regex.IGNORECASE)
    ):
        end += found.end()
    exception = rf",?\s?\(?{known.cues('exceptions').pattern}[^.;:!?。()]{{1,{LONGEST_EXCEPTION}}}\)?"
    if found := regex.match(exception, quote.quote[end:], regex.IGNORECASE):
        end += found.end()
    return Span(start + quote.start, end + quote.start)


def _is_amount(words: str) -> bool:
    """Return whether words begin with a number or a date."""
    folded = fold(words)
    return 0 in (*(each.start for each in numbers_in(folded)), *(each.start for each in dates_in(folded)))
