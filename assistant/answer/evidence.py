"""Passages to evidence: the few sentences that answer, each checked against its document before anyone sees it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from assistant.types import Evidence, Source
from store.library import Library
from store.text.fold import fold
from store.types import Document, Hit, SearchResult, SentenceHit

PASSAGES = 10
"""Passages whose sentences are looked at."""
ALWAYS = 3
"""Quotes that are shown whenever a question is answered: the answer is among the first three nine times in ten."""
MARGIN = 0.3
"""A further quote must come this close to the best one's score."""
HEADING_LOSS = 0.2
"""What a heading loses: it shares the question's words, and seldom says what was asked."""
LONGEST_HEADING = 100
"""Code points."""
SAME_WORDS = 0.8
"""Share of a sentence's character trigrams in another one from which on the two are shown once."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that may answer, with the passage it was found in."""

    sentence: SentenceHit
    hit: Hit

    @property
    def words(self) -> str:
        """The sentence itself."""
        start = self.hit.passage.start
        return self.hit.text[self.sentence.span.start - start : self.sentence.span.end - start]

    @property
    def score(self) -> float:
        """What candidates are ordered by."""
        return self.sentence.score - HEADING_LOSS * self.is_heading

    @property
    def is_heading(self) -> bool:
        """Whether it is a short line of its own with more text below, and no mark at its end."""
        span, passage = self.sentence.span, self.hit.passage
        before = self.hit.text[: span.start - passage.start]
        after = self.hit.text[span.end - passage.start :]
        alone = after.lstrip(" ").startswith("\n") and (not before or before.rstrip(" ").endswith("\n"))
        words = self.words
        return alone and len(words) <= LONGEST_HEADING and not unicodedata.category(words[-1]).startswith("P")


def candidates(found: SearchResult) -> list[Candidate]:
    """All sentences of the found passages, best first."""
    every = [Candidate(sentence, hit) for hit in found.hits for sentence in hit.sentences]
    return sorted(every, key=lambda each: (-each.score, each.hit.document.id, each.sentence.span.start))


def select(ordered: Sequence[Candidate], most: int) -> list[Candidate]:
    """The sentences to show: at most `most`, near-duplicates once, none far behind the best after the first three."""
    chosen: list[Candidate] = []
    shown: list[frozenset[str]] = []
    for each in ordered:
        if len(chosen) >= most or (len(chosen) >= ALWAYS and each.score < ordered[0].score - MARGIN):
            break
        trigrams = _trigrams(each.words)
        if any(_overlap(trigrams, other) >= SAME_WORDS for other in shown):
            continue
        chosen.append(each)
        shown.append(trigrams)
    return chosen


def verified(chosen: Iterable[Candidate], library: Library) -> tuple[Evidence, ...]:
    """The chosen sentences as numbered evidence, without those that are not in their document word for word.

    Between the search and now a document may have been replaced or removed: what it said is then no quote any more.
    """
    evidence: list[Evidence] = []
    with library.snapshot() as snapshot:
        for each in chosen:
            document, span = each.hit.document, each.sentence.span
            now = snapshot.documents_by_id([document.id]).get(document.id)
            if now is None or now.text_sha256 != document.text_sha256:
                continue
            if snapshot.text(document.id, span.start, span.end) != each.words:
                continue
            evidence.append(
                Evidence(
                    key=len(evidence) + 1,
                    document=source(now, span.start),
                    passage_id=each.hit.passage.id,
                    start=span.start,
                    end=span.end,
                    quote=each.words,
                    language=each.hit.passage.language,
                    score=each.score,
                )
            )
    return tuple(evidence)


def source(document: Document, offset: int) -> Source:
    """The document as an answer names it, with the page that holds `offset`."""
    return Source(
        id=document.id,
        title=document.title,
        speaker=document.speaker,
        published=document.published,
        language=document.language,
        uri=document.uri,
        page=document.page_of(offset),
        sha256=document.text_sha256,
    )


def _trigrams(words: str) -> frozenset[str]:
    folded = " ".join(fold(words).split())
    return frozenset(folded[at : at + 3] for at in range(max(1, len(folded) - 2)))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other))
