"""Define the store's values: frozen, and without other packages' types.

All offsets are Unicode code points into a document's normalized text, half-open: ``text[start:end]``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

Progress = Callable[[int, int], None]
"""Called with how much is done and how much is known so far, in passages or bytes."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range of code points, ``text[start:end]``."""

    start: int
    end: int

    def of(self, text: str) -> str:
        """Return the part of `text` that this span covers."""
        return text[self.start : self.end]

    def overlaps(self, other: Span) -> bool:
        """Return whether both cover a code point."""
        return self.start < other.end and other.start < self.end


@dataclass(frozen=True, slots=True)
class Document:
    """The metadata of one text. `Library.text` reads the text itself."""

    id: str
    uri: str
    """Where it came from: a path or an address. Unique in a library."""
    title: str
    language: str
    """BCP 47 tag; ``und`` if unknown."""
    original_sha256: str
    """Hash of the file's bytes."""
    text_sha256: str
    """Hash of the normalized text in UTF-8, to check an old citation."""
    speaker: str | None = None
    """The speaker of the text, to whom answers attribute its statements."""
    published: str | None = None
    """ISO 8601, as precise as known: ``2023``, ``2023-06`` or ``2023-06-14``."""
    media_type: str = "text/plain"
    pages: tuple[int, ...] = ()
    """Offsets at which pages begin, for formats with pages."""
    passage_count: int = 0
    collection: str = ""
    """The collection that it belongs to; empty for none."""
    signs: tuple[str, ...] = ()
    """Warnings from reading its file, named by `ingest`, such as ``recognized:5/9``; mostly empty."""

    def page_of(self, offset: int) -> int | None:
        """Return the page, counted from 1, that contains `offset`; None for a text without pages."""
        page = sum(1 for start in self.pages if start <= offset)
        return page or None

    def is_recognized(self, span: Span) -> bool:
        """Return whether some words at `span` are on a page whose text was recognized from its picture."""
        named = [sign.partition(":")[2].partition("/")[0] for sign in self.signs if sign.startswith("recognized:")]
        if not named:
            return False
        first, last = (self.page_of(offset) or 1 for offset in (span.start, max(span.start, span.end - 1)))
        return any(not page_numbers(pages).isdisjoint(range(first, last + 1)) for pages in named)


def page_numbers(runs: str) -> frozenset[int]:
    """Return the numbers that ``1-3,7`` stands for."""
    parts = (run.partition("-") for run in runs.split(","))
    return frozenset(number for first, _, last in parts for number in range(int(first), int(last or first) + 1))


@dataclass(frozen=True, slots=True)
class Chunk:
    """A sequence of whole sentences in a document on its way into a library, where it becomes a `Passage`."""

    start: int
    end: int
    language: str
    sentences: tuple[Span, ...]
    heading: Span | None = None
    """The nearest heading above, if it is not part of the chunk itself."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk in a library, and the unit of search; the passages of a document cover all of it."""

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    language: str
    sentences: tuple[Span, ...]
    heading: Span | None = None
    """The nearest heading above, if it is not part of the passage itself."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document on its way into a library: the output of `ingest` and the input of `Library.add`."""

    document: Document
    text: str
    passages: tuple[Chunk, ...]
    normalization: int
    """Identifies the code and options that made `text` and `passages`; any change of them changes it."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents a search considers. Empty means all; the conditions are combined with `and`.

    `published_from` and `published_to` are ISO 8601 prefixes, both inclusive: ``2023`` as an upper bound includes all
    of 2023. A document without a date never passes a bound on the date.
    """

    documents: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    published_from: str | None = None
    published_to: str | None = None
    collections: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Return whether every document passes."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class SentenceHit:
    """One sentence of a passage found, as evidence for the query."""

    span: Span
    """In the document's text."""
    dense: float
    """Cosine of query and sentence after each language's mean was subtracted, in [-1, 1]."""
    keyword: float
    """Share of the query's keyword weight in the sentence, in [0, 1]."""
    score: float
    """Orders sentences across passages and languages of one search."""
    late: float | None = None
    """Late interaction of the sentence with the query, in [-1, 1]; None if tokens aren't stored."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage found for a query, best first."""

    rank: int
    """Counted from 1."""
    passage: Passage
    document: Document
    text: str
    score: float
    """Orders hits: comparable across languages within one search, not between searches."""
    dense: float
    """Cosine of query and passage after each language's mean was subtracted, in [-1, 1]."""
    keyword: float
    """BM25 of the query's terms as a share of a passage's possible maximum, in [0, 1]."""
    sentences: tuple[SentenceHit, ...] = ()
    """All sentences of the passage, in the order of the text."""
    late: float | None = None
    """Late interaction of the passage with the query, in [-1, 1]; None if tokens aren't stored."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits of one query, with the query's language and the time of each step."""

    query: str
    language: str
    hits: tuple[Hit, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
