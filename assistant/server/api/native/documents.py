"""``/api/documents`` and ``/api/search``: list, add, change and search documents."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, File, Query, Response, UploadFile
from starlette.concurrency import run_in_threadpool

from assistant.accounts.account import Visitor
from assistant.server.api.choices import Date, Name
from assistant.server.api.native.document_values import (
    Description,
    DocumentInfo,
    DocumentList,
    LibraryInfo,
    ListedDocument,
    ScoredReply,
    SearchReply,
    SearchRequest,
    TextPart,
    Upload,
    WebAddress,
    document_info,
    scored_reply,
    search_reply,
    upload_info,
)
from assistant.server.api.native.errors import problems
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Caller, Words
from assistant.server.page.file_warnings import told_signs
from assistant.server.page.pdf_preview import has_paper, paper
from assistant.server.received_files import WebDocuments, keep_upload
from assistant.server.services import Services
from assistant.server.strings import Strings
from ingest.reread import read_by_older_version
from store.errors import NotFoundError
from store.library_view import ReadableLibrary
from store.search.by_owner import MOST_HITS
from store.types import Document, Filter, Span

MOST_CHARACTERS = 100_000
"""Per reply with text."""
DATED = 5_000
"""The most documents whose dates are counted."""
SPEAKERS = 12
"""Speakers to count: those with the most documents."""
_PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}
}


def documents_router(services: Services) -> APIRouter:
    """Return the routes that read the library."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")], tags=["documents"])

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

    @router.post("/search", responses=problems(400))
    def search_for(body: SearchRequest, caller: Caller) -> ScoredReply:
        """Find the passages nearest to a question, with their sentences; the question may be long."""
        return scored_reply(services.library(caller).search(body.query, body.k, body.filter.as_filter()))

    @router.get("/documents", responses=problems(400))
    def documents(
        caller: Caller,
        words: Words,
        after: Annotated[str | None, Query(max_length=4000)] = None,
        find: Annotated[str, Query(max_length=200)] = "",
        limit: Annotated[int, Query(ge=1, le=200)] = 50,
    ) -> DocumentList:
        """List documents; with `find`, those whose title, speaker or address contains it."""
        found, following = services.editor.found(find, after, limit, caller.collections)
        return document_list(services, found, following, words)

    @router.get("/library", responses=problems())
    def library(caller: Caller) -> LibraryInfo:
        """Count what the library holds."""
        return library_info(services.library(caller))

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
            raise NotFoundError("There is no picture of this page.", code="no_picture")
        start = found.pages[page - 1]
        drawn = paper(found, Span(start, start), "")
        return Response(base64.b64decode(drawn.png_base64), media_type="image/png")

    return router


def upload_router(services: Services) -> APIRouter:
    """Return the routes that change the library."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("add")], tags=["documents"])
    editor, settings = services.editor, services.settings
    web = WebDocuments(editor, settings)

    def listed(document: Document, words: Strings) -> ListedDocument:
        return document_list(services, [document], None, words).documents[0]

    @router.post("/documents", status_code=202, responses=problems(400, 413))
    async def upload(caller: Caller, words: Words, file: Annotated[UploadFile, File()]) -> Upload:
        """Add a file, or its new version. It is read later: ``/api/uploads`` tells what becomes of it."""
        reach = caller.collections
        item = await run_in_threadpool(keep_upload, file.filename or "", file.file, editor, settings, reach)
        return upload_info(item, words)

    @router.post("/fetch", status_code=202, responses=problems(400))
    def fetch(body: WebAddress, caller: Caller, words: Words) -> Upload:
        """Add a document from the web, where that is allowed. It is read later, as an uploaded file is."""
        return upload_info(web.keep(body.address, caller.collections), words)

    @router.get("/uploads", responses=problems())
    def uploads(caller: Caller, words: Words) -> list[Upload]:
        """List the latest uploads, the newest first."""
        return [upload_info(item, words) for item in editor.items(caller.collections)]

    @router.get("/uploads/{upload_id}", responses=problems(404))
    def upload_state(upload_id: int, caller: Caller, words: Words) -> Upload:
        """Tell what became of an upload."""
        found = next((item for item in editor.items(caller.collections) if item.id == upload_id), None)
        if found is None:
            raise NotFoundError("There is no such upload, or it was long ago.", code="no_upload")
        return upload_info(found, words)

    @router.patch("/documents/{document_id}", responses=problems(400, 404))
    def describe(document_id: str, body: Description, caller: Caller, words: Words) -> ListedDocument:
        """Change what is known of a document; its text stays."""
        reach = caller.collections
        return listed(editor.describe(document_id, body.title, body.speaker, body.published, reach), words)

    @router.delete("/documents/{document_id}", responses=problems(404))
    def remove(document_id: str, caller: Caller) -> DocumentInfo:
        """Remove a document at once; its file stays."""
        return document_info(editor.remove(document_id, caller.collections))

    @router.post("/documents/{document_id}/restore", responses=problems(404))
    def restore(document_id: str, caller: Caller, words: Words) -> ListedDocument:
        """Bring a document back that was removed a while ago, under the same id."""
        return listed(editor.bring_back(document_id, caller.collections), words)

    return router


def embedding_router(services: Services) -> APIRouter:
    """Return the route that embeds the library again."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("administer")], tags=["documents"])

    @router.post("/library/embed", status_code=202, responses=problems())
    def embed(words: Words) -> Upload:
        """Embed all passages again, as after another embedding model was chosen; questions are answered meanwhile."""
        return upload_info(services.editor.embed_anew(words("library.embed")), words)

    return router


def library_info(library: ReadableLibrary) -> LibraryInfo:
    """Return what a library holds, in numbers."""
    statistics = library.statistics()
    dated = library.documents(limit=DATED).documents
    return LibraryInfo(
        documents=statistics.documents,
        passages=statistics.passages,
        characters=statistics.characters,
        languages=dict(Counter(statistics.languages).most_common()),
        speakers=dict(Counter(statistics.speakers).most_common(SPEAKERS)),
        years=dict(sorted(Counter((document.published or "")[:4] for document in dated).items())),
        dated=len(dated),
    )


def text_part(services: Services, caller: Visitor, document_id: str, start: int, end: int | None) -> TextPart:
    """Return a part of a text, at most `MOST_CHARACTERS`. Raises NotFoundError."""
    wanted = start + MOST_CHARACTERS if end is None else min(end, start + MOST_CHARACTERS)
    read = services.library(caller).text(document_id, start, max(start, wanted) + 1)
    text = read[: max(0, wanted - start)]
    return TextPart(document=document_id, start=start, end=start + len(text), text=text, more=len(read) > len(text))


def document_list(
    services: Services, documents: Sequence[Document], following: str | None, words: Strings
) -> DocumentList:
    """Return a page of documents as values."""
    older = read_by_older_version(services.editor.library, documents)
    listed = [
        ListedDocument(
            **document_info(each).model_dump(),
            read_by_older_version=each.id in older,
            state=state,
            warnings=told_signs(each, words),
        )
        for each, state in zip(documents, services.editor.standings.of(documents), strict=True)
    ]
    return DocumentList(documents=listed, next=following)
