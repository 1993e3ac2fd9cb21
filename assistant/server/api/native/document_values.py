"""Represent documents and passages as the API's values."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from assistant.answer.question import LONGEST_QUESTION
from assistant.server.api.choices import WHOLE, Where
from assistant.server.document_status import Standing
from assistant.server.error_messages import error_message
from assistant.server.intake import Item
from assistant.server.strings import Strings
from store.search.by_owner import MOST_HITS
from store.types import Document, Hit, SearchResult, SentenceHit


class DocumentInfo(BaseModel):
    """Facts about a document."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    uri: str
    title: str
    language: str
    """BCP 47 tag; ``und`` if it is unknown."""
    speaker: str | None
    published: str | None
    collection: str
    """Empty for a document without one."""
    media_type: str
    page_count: int
    """0 for a format without pages."""
    passage_count: int
    text_sha256: str


class ListedDocument(DocumentInfo):
    """Facts about a document, and its status."""

    read_by_older_version: bool
    """Whether an older version of Attest read its file; ``attest ingest --again`` reads it again."""
    state: Standing
    """``ready``; its file ``changed``, or is ``gone``; read by an ``older`` version; needs ``embed``."""
    warnings: list[str]
    """Warnings about its file, in the language that ``accept-language`` asks for."""


class DocumentList(BaseModel):
    """Some documents, ordered by uri."""

    documents: list[ListedDocument]
    next: str | None
    """The value of `after` for the next ones; None if there are no more."""


class TextPart(BaseModel):
    """A part of a document's normalized text: ``text[start:end]``, in Unicode code points."""

    document: str
    start: int
    end: int
    text: str
    more: bool
    """Whether there is more text after it."""


class Description(BaseModel):
    """What a document is called, whose voice it carries, and since when."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(max_length=500)]
    """Not blank."""
    speaker: Annotated[str | None, Field(max_length=500)] = None
    published: Annotated[str | None, Field(max_length=40)] = None
    """A year, a month or a day: 2023, 2023-06 or 2023-06-14."""


class Upload(BaseModel):
    """A file on its way into the library."""

    id: int
    name: str
    state: Literal["waiting", "reading", "added", "updated", "unchanged", "failed"]
    done: int
    """Passages already embedded,"""
    known: int
    """out of these."""
    error: str
    """Why it failed, in the language that ``accept-language`` asks for; empty otherwise."""
    collection: str | None


class WebAddress(BaseModel):
    """Where a document is on the web."""

    model_config = ConfigDict(extra="forbid")

    address: Annotated[str, Field(min_length=1, max_length=2000, pattern=r"\S")]


class LibraryInfo(BaseModel):
    """What a library holds, in numbers."""

    documents: int
    passages: int
    characters: int
    """Unicode code points of all passages."""
    languages: dict[str, int]
    """Passages by BCP 47 tag."""
    speakers: dict[str, int]
    """Documents by speaker, for those with the most."""
    years: dict[str, int]
    """Documents by year of publication, with an empty year for those without a date; from the first `dated` documents."""
    dated: int
    """Documents whose dates were counted."""


class SentenceInfo(BaseModel):
    """A sentence of a passage that was found."""

    start: int
    end: int
    score: float
    """Orders sentences across passages and languages of one search."""
    dense: float
    """Cosine with the question, in [-1, 1]."""
    keyword: float
    """Share of the question's keyword weight in it, in [0, 1]."""
    late: float | None
    """Word by word, in [-1, 1]; null if the library has no tokens."""


class HitInfo(BaseModel):
    """A passage that was found: ``text`` is its document's ``[start:end]``."""

    rank: int
    score: float
    document: DocumentInfo
    passage: str
    start: int
    end: int
    text: str
    language: str


class WholeDocument(DocumentInfo):
    """All that is known of a document but its text."""

    original_sha256: str
    """Hash of its file's bytes."""
    pages: list[int]
    """Offsets at which pages begin."""
    signs: list[str]
    """Warnings from reading it."""


class Heading(BaseModel):
    """Where the heading above a passage stands in the text."""

    start: int
    end: int


class ScoredHit(HitInfo):
    """A passage with what its score is made of, as for its sentences."""

    document: WholeDocument
    ordinal: int
    """Its position among the passages of its document."""
    heading: Heading | None
    """The closest one above, if it isn't part of the passage."""
    dense: float
    keyword: float
    late: float | None
    sentences: list[SentenceInfo]


class SearchRequest(BaseModel):
    """What to look for."""

    model_config = ConfigDict(extra="forbid")

    query: Annotated[str, Field(min_length=1, max_length=LONGEST_QUESTION, pattern=r"\S", examples=["Vienna 1993"])]
    k: Annotated[int, Field(ge=1, le=MOST_HITS), WHOLE] = 10
    filter: Where = Where()


class SearchReply(BaseModel):
    """Passages, best first."""

    query: str
    language: str
    hits: list[HitInfo]
    timings_ms: dict[str, float]


class ScoredReply(BaseModel):
    """Passages with their sentences, best first."""

    query: str
    language: str
    hits: list[ScoredHit]
    timings_ms: dict[str, float]


def search_reply(found: SearchResult) -> SearchReply:
    """Return search results as values."""
    hits = [HitInfo(**_hit_values(hit)) for hit in found.hits]
    return SearchReply(query=found.query, language=found.language, hits=hits, timings_ms=dict(found.timings_ms))


def scored_reply(found: SearchResult) -> ScoredReply:
    """Return search results as values, with the sentences and all scores."""
    hits = [
        ScoredHit(
            **_hit_values(hit) | {"document": _whole_document(hit.document)},
            ordinal=hit.passage.ordinal,
            heading=None if (above := hit.passage.heading) is None else Heading(start=above.start, end=above.end),
            dense=hit.dense,
            keyword=hit.keyword,
            late=hit.late,
            sentences=[_sentence_info(each) for each in hit.sentences],
        )
        for hit in found.hits
    ]
    return ScoredReply(query=found.query, language=found.language, hits=hits, timings_ms=dict(found.timings_ms))


def _hit_values(hit: Hit) -> dict[str, Any]:
    return {
        "rank": hit.rank,
        "score": hit.score,
        "document": document_info(hit.document),
        "passage": hit.passage.id,
        "start": hit.passage.start,
        "end": hit.passage.end,
        "text": hit.text,
        "language": hit.passage.language,
    }


def _whole_document(document: Document) -> WholeDocument:
    return WholeDocument(
        **document_info(document).model_dump(),
        original_sha256=document.original_sha256,
        pages=list(document.pages),
        signs=list(document.signs),
    )


def _sentence_info(hit: SentenceHit) -> SentenceInfo:
    return SentenceInfo(
        start=hit.span.start,
        end=hit.span.end,
        score=hit.score,
        dense=hit.dense,
        keyword=hit.keyword,
        late=hit.late,
    )


def upload_info(item: Item, words: Strings) -> Upload:
    """Return an upload's state as values."""
    values = {name: getattr(item, name) for name in Upload.model_fields if name != "error"}
    return Upload(**values, error="" if item.error is None else error_message(item.error, words))


def document_info(document: Document) -> DocumentInfo:
    """Return a document's metadata as values."""
    values: dict[str, Any] = {
        name: getattr(document, name) for name in DocumentInfo.model_fields if name != "page_count"
    }
    return DocumentInfo(**values, page_count=len(document.pages))
