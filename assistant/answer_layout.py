"""Decide which parts of an answer are shown, and in what order, on the page and in every export."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from assistant.types import Answer, AnswerSpan, Evidence, Source

Heading = Literal["quotes", "nearest", "none"]
BEST = 2
"""Quotes shown unfolded if no short answer says which of them answers."""


@dataclass(frozen=True, slots=True)
class Part:
    """Quotes that belong together, and the documents that they are about."""

    title: str | None
    evidence: tuple[Evidence, ...]
    documents: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """An answer from its first line to its last."""

    short: tuple[AnswerSpan, ...]
    """The words that answer, shown first and large."""
    text: str
    """Text below them, by a language model or by Attest; empty if the quotes are enough."""
    heading: Heading
    """The text above the quotes."""
    parts: tuple[Part, ...]
    """Side by side for a comparison, otherwise one after the other."""
    more: tuple[Evidence, ...]
    """Further quotes, folded."""
    is_numbered: bool = False
    """Whether the quotes are items of a list."""
    side_by_side: bool = False


def layout_of(answer: Answer) -> Layout:
    """Return the layout for the kind of `answer`."""
    if not answer.answered:
        return Layout((), answer.text, "nearest", _parts(answer.evidence[:1]), answer.evidence[1:])
    if answer.kind == "talk":
        return Layout((), answer.text, "none", (), ())
    if answer.kind == "library":
        return Layout((), answer.text, "quotes", (Part(None, answer.evidence, answer.documents),), ())
    short = _short(answer)
    text = answer.text if answer.mode == "written" else ""
    if answer.sections:
        shown = _sections(answer)
        is_comparison = answer.kind == "comparison"
        return Layout(short, text, "none", shown, _others(answer, shown), side_by_side=is_comparison)
    if answer.kind == "list":
        return Layout(short, text, "none", _parts(answer.evidence), (), is_numbered=True)
    return _plain(answer, short, text)


def _plain(answer: Answer, short: tuple[AnswerSpan, ...], text: str) -> Layout:
    """Return a short answer and the quotes that contain it; without one, the best quotes. The others are folded."""
    if not short:
        best = len(answer.evidence) if text else BEST  # text by a language model may cite any of them
        return Layout((), text, "quotes", _parts(answer.evidence[:best]), answer.evidence[best:])
    by_key = {item.key: item for item in answer.evidence}
    shown = _parts([by_key[key] for key in dict.fromkeys(span.key for span in short)])
    return Layout(short, text, "none", shown, _others(answer, shown))


def in_asker_language(answer: Answer) -> tuple[str, ...]:
    """Return what to show of the short answer in the asker's language, with its own words if they are a part of it."""
    if answer.short_answer is None:
        return ()
    whole = {span.text.strip() for span in answer.short_answer.spans}
    return tuple(
        each.rendered if each.words in whole else f"{each.words} = {each.rendered}"
        for each in answer.short_answer.in_asker_language
    )


def marked(item: Evidence, spans: Sequence[AnswerSpan]) -> list[tuple[str, bool]]:
    """Return the quote in pieces, each with whether it is among the answering words. Joined, they are the quote."""
    pieces: list[tuple[str, bool]] = []
    at = 0
    for span in sorted(spans, key=lambda each: each.start):
        start, end = span.start - item.start, span.end - item.start
        if span.key == item.key and at <= start < end <= len(item.quote) and item.quote[start:end] == span.text:
            pieces += [(item.quote[at:start], False), (item.quote[start:end], True)]
            at = end
    pieces.append((item.quote[at:], False))
    return [(words, is_answer) for words, is_answer in pieces if words]


def _short(answer: Answer) -> tuple[AnswerSpan, ...]:
    """Return the spans of the short answer whose quote is there to prove them."""
    if answer.short_answer is None:
        return ()
    keys = {item.key for item in answer.evidence}
    return tuple(span for span in answer.short_answer.spans if span.key in keys)


def _parts(evidence: Sequence[Evidence]) -> tuple[Part, ...]:
    return (Part(None, tuple(evidence)),) if evidence else ()


def _others(answer: Answer, shown: Sequence[Part]) -> tuple[Evidence, ...]:
    used = {item.key for part in shown for item in part.evidence}
    return tuple(item for item in answer.evidence if item.key not in used)


def _sections(answer: Answer) -> tuple[Part, ...]:
    by_key = {item.key: item for item in answer.evidence}
    by_id = {each.id: each for each in answer.documents}
    placed = _placed([tuple(by_key[key] for key in section.keys if key in by_key) for section in answer.sections])
    return tuple(
        Part(
            section.title,
            quotes,
            tuple(by_id[key] for key in section.document_ids if key in by_id),
        )
        for section, quotes in zip(answer.sections, placed, strict=True)
    )


def _placed(sections: Sequence[tuple[Evidence, ...]]) -> list[tuple[Evidence, ...]]:
    """Return the quotes of each section; a quote of several documents only where most are of its document.

    A section that would be left with none keeps its quotes, because an empty one would seem to say nothing.
    """

    def nearness(place: int, item: Evidence) -> tuple[int, int]:
        of_document = sum(other.document.id == item.document.id for other in sections[place])
        return of_document, -len(sections[place])

    def is_at_home(place: int, item: Evidence) -> bool:
        places = [other for other, quotes in enumerate(sections) if item in quotes]
        return place == max(places, key=lambda other: nearness(other, item))

    return [
        tuple(item for item in quotes if is_at_home(place, item)) or quotes for place, quotes in enumerate(sections)
    ]
