"""Choose which parts of passages to read: windows of whole sentences around the best ones.

A passage is read in windows, because most of it has nothing to do with the question, and reading takes time. A
window begins with the heading above it, as a person would see it. A row of a table is a window of its own: next to other
rows, the reader rarely takes a cell for an answer (`python -m evals.benchmarks.tables`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assistant.extractive_qa.structure import headings, is_row
from store.types import Hit, Span

WINDOW = 420
"""Code points of a window, unless one sentence alone is longer; half as many in dense scripts."""
DENSE_LANGUAGES = frozenset({"th", "zh", "ja", "ko", "lo", "km", "my"})
"""Languages whose scripts say about twice as much per code point, by the embedding model's tokens."""


@dataclass(frozen=True, slots=True)
class Window:
    """A text to read: a heading, if any, and whole sentences of one passage."""

    text: str
    sentences: tuple[Span, ...]
    """Spans of `text`, in order."""
    offset: int
    """Added to an offset in `text`, gives the offset in the document; valid for sentences, not for the heading."""
    hit: int
    """Index of the passage in the hits."""
    first: int
    """Index of the first sentence in ``hit.sentences``."""


def windows_of(hits: Sequence[Hit], chosen: Mapping[int, Sequence[int]], above: Mapping[str, str]) -> list[Window]:
    """Return windows that contain the chosen sentences, each sentence in at most one window.

    `chosen` has indexes of sentences by index of the hit; `above` has the heading above a passage, by passage id.
    """
    return [
        window
        for number in chosen
        for window in _windows_of(number, hits[number], chosen[number], above.get(hits[number].passage.id, ""))
    ]


def heading_above(hit: Hit, index: int, above: str) -> str:
    """Return the closest heading above the sentence `index` in its passage; otherwise `above`, the passage's own."""
    named = [number for number in headings(hit) if number < index]
    if not named:
        return above
    span = hit.sentences[max(named)].span
    return hit.text[span.start - hit.passage.start : span.end - hit.passage.start]


def _windows_of(number: int, hit: Hit, chosen: Sequence[int], above: str) -> list[Window]:
    limit = WINDOW // 2 if hit.passage.language.partition("-")[0] in DENSE_LANGUAGES else WINDOW
    spans = [each.span for each in hit.sentences]
    rows = [is_row(hit.text[span.start - hit.passage.start : span.end - hit.passage.start]) for span in spans]
    windows: list[Window] = []
    done = -1
    for index in sorted(chosen):
        if index > done:
            first, done = (index, index) if rows[index] else _grown(spans, rows, index, limit, floor=done + 1)
            windows.append(_window(number, hit, first, done, heading_above(hit, first, above)))
    return windows


def _grown(spans: Sequence[Span], rows: Sequence[bool], index: int, limit: int, floor: int) -> tuple[int, int]:
    """Return the first and last sentence of a window around `index`, up to rows of tables: one before it, then as many
    after it as fit.
    """
    first = last = index

    def fits(start: int, end: int) -> bool:
        return spans[end].end - spans[start].start <= limit and not (rows[start] or rows[end])

    if first > floor and fits(first - 1, last):
        first -= 1
    while last + 1 < len(spans) and fits(first, last + 1):
        last += 1
    while first > floor and fits(first - 1, last):
        first -= 1
    return first, last


def _window(number: int, hit: Hit, first: int, last: int, heading: str) -> Window:
    start, end = hit.sentences[first].span.start, hit.sentences[last].span.end
    head = f"{heading}\n" if heading else ""
    text = head + hit.text[start - hit.passage.start : end - hit.passage.start]
    shift = len(head) - start
    spans = (each.span for each in hit.sentences[first : last + 1])
    sentences = tuple(Span(span.start + shift, span.end + shift) for span in spans)
    return Window(text, sentences, -shift, number, first)
