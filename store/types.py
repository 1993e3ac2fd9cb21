"""The values that cross the store's border: frozen, and free of any library's own types.

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
        """The words that this span covers in `text`."""
        return text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Document:
    """What is known of one text. The text itself is fetched by `Library.text`, never carried along."""

    id: str
    uri: str
    """Where it came from, as the user would name it: a path or an address. Unique in a library."""
    title: str
    language: str
    """BCP 47 tag; ``und`` where it could not be told."""
    original_sha256: str
    """Of the bytes of the file."""
    text_sha256: str
    """Of the normalized text in UTF-8: an old citation can be checked against it."""
    speaker: str | None = None
    """Whose voice the text carries: answers attribute to it what it asserts."""
    published: str | None = None
    """ISO 8601, as precise as known: ``2023``, ``2023-06`` or ``2023-06-14``."""
    media_type: str = "text/plain"
    pages: tuple[int, ...] = ()
    """Offsets at which pages begin, for formats that have pages."""
    passage_count: int = 0
    collection: str = ""
    """The one that it belongs to; empty for documents without any."""
    signs: tuple[str, ...] = ()
    """What its file was made to mislead readers with, as `ingest.suspicious` names it; empty for nearly all."""

    def page_of(self, offset: int) -> int | None:
        """The page, counted from 1, that holds `offset`; None for a text without pages."""
        page = sum(1 for start in self.pages if start <= offset)
        return page or None


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of whole sentences that is found as one; the passages of a document cover all of it."""

    id: str
    document_id: str
    ordinal: int
    start: int
    end: int
    language: str
    sentences: tuple[Span, ...]
    heading: Span | None = None
    """The nearest heading above, where it is not part of the passage itself."""


@dataclass(frozen=True, slots=True)
class ParsedDocument:
    """A document on its way into a library: what `ingest` makes and `Library.add` keeps."""

    document: Document
    text: str
    passages: tuple[Passage, ...]
    normalization: int
    """Version of the normalization and splitting that made `text` and `passages`."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which documents a search may look at. Empty means all; the conditions are combined with `and`.

    `published_from` and `published_to` are ISO 8601 prefixes, both inclusive: ``2023`` as an upper
    bound admits all of 2023. A document without a date never passes a bound on the date.
    """

    documents: tuple[str, ...] = ()
    speakers: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    published_from: str | None = None
    published_to: str | None = None
    collections: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether every document passes."""
        return self == Filter()


@dataclass(frozen=True, slots=True)
class SentenceHit:
    """One sentence of a found passage, as evidence for the query."""

    span: Span
    """In the document's text."""
    dense: float
    """Cosine of query and sentence after each language's mean was taken off, in [-1, 1]."""
    keyword: float
    """Share of the query's keyword weight that the sentence holds, in [0, 1]."""
    score: float
    """What sentences are ordered by, across passages and languages of one search."""
    late: float | None = None
    """How near the sentence's words come to each of the query's, in [-1, 1]; None where tokens aren't kept."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One passage found for a query, best first."""

    rank: int
    """Counted from 1."""
    passage: Passage
    document: Document
    text: str
    score: float
    """What the order is by: comparable across languages within one search, not between searches."""
    dense: float
    """Cosine of query and passage after each language's mean was taken off, in [-1, 1]."""
    keyword: float
    """BM25 of the query's terms as a share of the most that a passage could get, in [0, 1]."""
    sentences: tuple[SentenceHit, ...] = ()
    """All sentences of the passage, in the order of the text."""
    late: float | None = None
    """How near the passage's words come to each of the query's, in [-1, 1]; None where tokens aren't kept."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The hits of one query, with what was understood of it."""

    query: str
    language: str
    hits: tuple[Hit, ...]
    timings_ms: dict[str, float] = field(default_factory=dict)
