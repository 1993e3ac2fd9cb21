"""Turn passages into evidence: the few sentences that answer, each checked against its document before anyone sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from assistant.extractive_qa.candidates import Candidate, ReadParts
from assistant.extractive_qa.decisions import Confidence
from assistant.extractive_qa.structure import whole
from assistant.types import Evidence, Source
from store.library import Library
from store.text.fold import fold
from store.types import Document, Span

ELSEWHERE = 3.0
"""The reader's margin above which a part of a question is answered by a sentence next to the best one. If the best one
says it in the question's own words ("in Vienna"), the next place named is likely another thing's."""
SAME_WORDS = 0.8
"""Two sentences that share at least this part of their character trigrams are shown once."""


def select(ordered: Sequence[Candidate], most: int, further: Confidence) -> list[Candidate]:
    """Return the sentences to show: the best, and at most `most` - 1 more that likely answer too.

    `further` says how likely. Near-duplicates appear once, and each sentence with the context that it needs.
    """
    chosen: list[Candidate] = []
    shown: list[frozenset[str]] = []
    for each in ordered:
        if chosen and not _answers_too(each, ordered[0], further):
            continue
        together = next((place for place, other in enumerate(chosen) if _is_quoted_with(each, other)), None)
        if together is not None:
            chosen[together] = replace(chosen[together], is_one_of_several=True)
            continue
        trigrams = _trigrams(each.words)
        if len(chosen) == most or any(_overlap(trigrams, other) >= SAME_WORDS for other in shown):
            continue
        chosen.append(in_context(each))
        shown.append(trigrams)
    return chosen


def with_parts(chosen: Sequence[Candidate], read: ReadParts, most: int, certainty: float) -> list[Candidate]:
    """Return the sentences to show, plus the best one for each part of the question that none of them surely answers.

    Only a document that is already quoted may add one, because the parts of a question are about the same thing.
    """
    documents = {each.hit.document.id for each in chosen}
    shown = [*chosen]
    for part in read.parts if not read.amounts else ():
        sure = [
            each
            for each in part
            if each.hit.document.id in documents
            and each.reading
            and each.reading.agreement >= certainty
            and each.margin >= ELSEWHERE
        ]
        best = max(sure, key=lambda each: each.margin, default=None)
        if best is not None and not any(_is_quoted_with(best, each) for each in shown):
            shown.insert(1, in_context(best))
    return shown[:most]


def in_context(each: Candidate) -> Candidate:
    """Return a sentence to quote, with its lead-in line or heading, or with what it introduces."""
    return replace(each, quoted=whole(each.hit, each.sentence.span))


def _is_quoted_with(each: Candidate, other: Candidate) -> bool:
    document, start, end = other.place
    return each.hit.document.id == document and start <= each.sentence.span.start and each.sentence.span.end <= end


def _answers_too(each: Candidate, best: Candidate, further: Confidence) -> bool:
    certainty = 0.0 if best.reading is None else best.reading.certainty
    features = {"margin": each.margin, "gap": best.score - each.score, "certainty": certainty}
    return further.probability(features) >= further.threshold


def verified(chosen: Iterable[Candidate], library: Library) -> tuple[Evidence, ...]:
    """Return the chosen sentences as numbered evidence, without those that aren't word for word in their document.

    A document may have been replaced or removed since the search; then its old words are no quote any more.
    """
    evidence: list[Evidence] = []
    with library.snapshot() as snapshot:
        for each in chosen:
            document, (_, start, end) = each.hit.document, each.place
            words = each.hit.text[start - each.hit.passage.start : end - each.hit.passage.start]
            now = snapshot.documents_by_id([document.id]).get(document.id)
            if now is None or now.text_sha256 != document.text_sha256:
                continue
            if snapshot.text(document.id, start, end) != words:
                continue
            evidence.append(
                Evidence(
                    key=len(evidence) + 1,
                    document=source(now, start),
                    passage_id=each.hit.passage.id,
                    start=start,
                    end=end,
                    quote=words,
                    language=each.hit.passage.language,
                    score=each.score,
                    recognized=now.is_recognized(Span(start, end)),
                )
            )
    return tuple(evidence)


def source(document: Document, offset: int | None = None) -> Source:
    """Return the document as an answer cites it, with the page of `offset` if one is given."""
    return Source(
        id=document.id,
        title=document.title,
        speaker=document.speaker,
        published=document.published,
        language=document.language,
        uri=document.uri,
        page=None if offset is None else document.page_of(offset),
        sha256=document.text_sha256,
    )


def _trigrams(words: str) -> frozenset[str]:
    folded = " ".join(fold(words).split())
    return frozenset(folded[at : at + 3] for at in range(max(1, len(folded) - 2)))


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / min(len(one), len(other))
