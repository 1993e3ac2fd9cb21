"""``/api/documents`` and ``/api/search``: what is in the library, and how it gets there."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from fastapi import APIRouter, File, Query, Response, UploadFile
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from assistant.accounts.account import Visitor
from assistant.api.callers import Caller
from assistant.api.choices import Date, Name
from assistant.api.native.errors import NativeRoute, problems
from assistant.api.services import Services
from assistant.server.library_routes import whole_file
from assistant.server.pdf_preview import has_paper, paper
from assistant.server.permissions import require
from assistant.server.settings import MEBIBYTE
from assistant.server.uploads import Item
from ingest.again import read_by_older_version
from store.errors import NotFoundError, RequestError
from store.types import Document, Filter, SearchResult, Span

MOST_HITS = 100
MOST_CHARACTERS = 100_000
"""Of one reply with text."""
_PIECE = 1024 * 1024
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


class DocumentInfo(BaseModel):
    """What is known of a document."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    uri: str
    title: str
    language: str
    """BCP 47 tag; ``und`` where it could not be told."""
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
    """What is known of a document, and how it was read."""

    read_by_older_version: bool
    """Whether an older version of Attest read its file: ``attest ingest --again`` reads it again."""


class DocumentList(BaseModel):
    """Some documents, ordered by uri."""

    documents: list[ListedDocument]
    next: str | None
    """What to give as `after` for those that follow; None: there are no more."""


class TextPart(BaseModel):
    """A part of a document's normalized text: ``text[start:end]``, in Unicode code points."""

    document: str
    start: int
    end: int
    text: str
    more: bool
    """Whether the document goes on."""


class Description(BaseModel):
    """What a document is called, whose voice it carries, and since when."""

    model_config = ConfigDict(extra="forbid")

    title: Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
    speaker: Annotated[str | None, Field(max_length=500)] = None
    published: Date | None = None


class Upload(BaseModel):
    """A file on its way into the library."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    name: str
    state: Literal["waiting", "reading", "added", "updated", "unchanged", "failed"]
    done: int
    """Passages that are embedded,"""
    known: int
    """of these."""
    error: Annotated[str, BeforeValidator(lambda error: "" if error is None else str(error))]
    """Why it failed; else empty."""
    collection: str | None


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


class SearchReply(BaseModel):
    """Passages, best first."""

    query: str
    language: str
    hits: list[HitInfo]
    timings_ms: dict[str, float]


def documents_router(services: Services) -> APIRouter:
    """Routes that read the library."""
    router = APIRouter(route_class=NativeRoute, dependencies=[require("ask")], tags=["documents"])

    @router.get("/search", responses=problems(400))
    def search(
        caller: Caller,
        q: Annotated[str, Query(min_length=1, max_length=2000, pattern=r"\S", examples=["Vienna 1993"])],
        k: Annotated[int, Query(ge=1, le=MOST_HITS)] = 10,
        document: Annotated[list[Name], Query()] = [],  # noqa: B006 - FastAPI copies it
        speaker: Annotated[list[Name], Query()] = [],  # noqa: B006
        language: Annotated[list[Name], Query()] = [],  # noqa: B006
        collection: Annotated[list[Name], Query()] = [],  # noqa: B006
        published_from: Date | None = None,
        published_to: Date | None = None,
    ) -> SearchReply:
        """Find the passages nearest to a question, in any language."""
        where = Filter(
            tuple(document), tuple(speaker), tuple(language), published_from, published_to, tuple(collection)
        )
        return search_reply(services.library(caller).search(q, k, where))

    @router.get("/documents", responses=problems(400))
    def documents(
        caller: Caller,
        after: Annotated[str | None, Query(max_length=4000)] = None,
        find: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> DocumentList:
        """List documents; with `find` those whose title, speaker or address holds it."""
        found, following = services.shelf.found(find, after, limit, caller.collections)
        return document_list(services, found, following)

    @router.get("/documents/{document_id}", responses=problems(404))
    def document(document_id: str, caller: Caller) -> DocumentInfo:
        """Describe a document."""
        return document_info(services.library(caller).document(document_id))

    @router.get("/documents/{document_id}/text", responses=problems(404))
    def text(
        document_id: str,
        caller: Caller,
        start: Annotated[int, Query(ge=0, le=2**53)] = 0,
        end: Annotated[int | None, Query(ge=0, le=2**53)] = None,
    ) -> TextPart:
        """Read a part of a document's text, to be checked against the offsets of quotes."""
        return text_part(services, caller, document_id, start, end)

    @router.get(
        "/documents/{document_id}/pages/{page}",
        response_class=Response,
        responses=_PICTURE | problems(404),
    )
    def page_picture(document_id: str, page: int, caller: Caller) -> Response:
        """Draw a page of a PDF; pages are counted from 1."""
        found = services.library(caller).document(document_id)
        if not has_paper(found) or not 1 <= page <= len(found.pages):
            raise NotFoundError("There is no picture of this page.")
        start = found.pages[page - 1]
        drawn = paper(found, Span(start, start), "")
        return Response(base64.b64decode(drawn.png_base64), media_type="image/png")

    return router


def upload_router(services: Services) -> APIRouter:
    """Routes that change the library."""
    router = APIRouter(route_class=NativeRoute, dependencies=[require("add")], tags=["documents"])
    shelf = services.shelf

    @router.post("/documents", status_code=202, responses=problems(400, 413))
    async def upload(caller: Caller, file: Annotated[UploadFile, File()]) -> Upload:
        """Add a file, or its new version. It is read later: ``/api/uploads`` tells what becomes of it."""
        return Upload.model_validate(await run_in_threadpool(received, services, caller, file))

    @router.get("/uploads", responses=problems())
    def uploads(caller: Caller) -> list[Upload]:
        """List the uploads of late, the newest first."""
        return [Upload.model_validate(item) for item in shelf.items(caller.collections)]

    @router.get("/uploads/{upload_id}", responses=problems(404))
    def upload_state(upload_id: int, caller: Caller) -> Upload:
        """Tell what became of an upload."""
        found = next((item for item in shelf.items(caller.collections) if item.id == upload_id), None)
        if found is None:
            raise NotFoundError("There is no such upload, or it was long ago.")
        return Upload.model_validate(found)

    @router.patch("/documents/{document_id}", responses=problems(400, 404))
    def describe(document_id: str, body: Description, caller: Caller) -> DocumentInfo:
        """Change what is known of a document; its text stays."""
        described = shelf.describe(document_id, body.title, body.speaker, body.published, caller.collections)
        return document_info(described)

    @router.delete("/documents/{document_id}", responses=problems(404))
    def remove(document_id: str, caller: Caller) -> DocumentInfo:
        """Remove a document at once; its file stays."""
        return document_info(shelf.remove(document_id, caller.collections))

    @router.post("/documents/{document_id}/restore", responses=problems(404))
    def restore(document_id: str, caller: Caller) -> DocumentInfo:
        """Bring a document back that was removed a while ago, under the same id."""
        return document_info(shelf.bring_back(document_id, caller.collections))

    return router


def received(services: Services, caller: Visitor, file: UploadFile) -> Item:
    """Keep an uploaded file, whole or not at all, and queue it. Raises RequestError."""
    shelf, settings = services.shelf, services.settings
    path = shelf.place(file.filename or "", settings.upload_suffixes if settings.uploads else (), caller.collections)
    size = 0
    with whole_file(path) as kept:
        while piece := file.file.read(_PIECE):
            size += len(piece)
            if size > settings.max_upload_bytes:
                limit = settings.max_upload_bytes // MEBIBYTE
                raise RequestError(f"{path.name} is larger than the limit of {limit} MiB.")
            kept.write(piece)
    return shelf.take(path, caller.collections)


def text_part(services: Services, caller: Visitor, document_id: str, start: int, end: int | None) -> TextPart:
    """Return a part of a text, of `MOST_CHARACTERS` at most. Raises NotFoundError."""
    wanted = start + MOST_CHARACTERS if end is None else min(end, start + MOST_CHARACTERS)
    read = services.library(caller).text(document_id, start, max(start, wanted) + 1)
    text = read[: max(0, wanted - start)]
    return TextPart(document=document_id, start=start, end=start + len(text), text=text, more=len(read) > len(text))


def search_reply(found: SearchResult) -> SearchReply:
    """Return what was found as values."""
    hits = [
        HitInfo(
            rank=hit.rank,
            score=hit.score,
            document=document_info(hit.document),
            passage=hit.passage.id,
            start=hit.passage.start,
            end=hit.passage.end,
            text=hit.text,
            language=hit.passage.language,
        )
        for hit in found.hits
    ]
    return SearchReply(query=found.query, language=found.language, hits=hits, timings_ms=dict(found.timings_ms))


def document_list(services: Services, documents: Sequence[Document], following: str | None) -> DocumentList:
    """Return a page of documents as values."""
    older = read_by_older_version(services.shelf.library, documents)
    listed = [
        ListedDocument(**document_info(each).model_dump(), read_by_older_version=each.id in older) for each in documents
    ]
    return DocumentList(documents=listed, next=following)


def document_info(document: Document) -> DocumentInfo:
    """Return what is known of a document as values."""
    values: dict[str, Any] = {
        name: getattr(document, name) for name in DocumentInfo.model_fields if name != "page_count"
    }
    return DocumentInfo(**values, page_count=len(document.pages))
