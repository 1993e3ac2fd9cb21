"""Serve the documents behind an answer: the reader and its windows, pictures of pages, and how they were found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from assistant.accounts.account import Visitor
from assistant.answer.evidence import source
from assistant.server.auth.conversation_access import own_turn
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.auth.scoped_access import scoped_assistant
from assistant.server.dependencies import Guest, Words
from assistant.server.page.file_warnings import told_signs, told_signs_of_quote
from assistant.server.page.pdf_preview import has_paper, paper, paper_html
from assistant.server.page.retrieval_details import found_html
from assistant.server.page.source_reader import (
    located,
    lost_quote,
    source_panel,
    window_above,
    window_around,
    window_below,
    window_html,
)
from assistant.server.page.source_text import Highlight
from assistant.server.page.suggestions import suggest_next
from assistant.server.strings import Strings
from assistant.types import Answer, Evidence, Source
from store.catalog.conversations import Turn
from store.errors import NotFoundError
from store.library_view import ReadableLibrary
from store.types import Document, Span

if TYPE_CHECKING:
    from assistant.server.services import Services


def source_router(services: Services) -> APIRouter:
    """Return the routes for documents behind an answer: the reader, its windows, and how the quotes were found."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")])
    conversations, library_of = services.conversations, services.library

    def answer_of(turn_id: str, guest: Visitor) -> tuple[Turn, Answer]:
        turn = own_turn(conversations, guest, turn_id)
        if turn.answer is None:
            raise NotFoundError("This question has no answer yet.", code="question_unanswered")
        return turn, Answer.model_validate_json(turn.answer)

    @router.get("/turns/{turn_id}/source/{key}")
    def quote_in_document(turn_id: str, key: int, words: Words, guest: Guest) -> dict[str, Any]:
        _, answer = answer_of(turn_id, guest)
        item = next((item for item in answer.evidence if item.key == key), None)
        if item is None:
            raise NotFoundError("The answer has no such quote.", code="no_quote")
        keys = [other.key for other in answer.evidence]

        def panel(body: str, notice: str) -> dict[str, Any]:
            pictured = document is not None and has_paper(document)
            return {"html": source_panel(item.document, body, words, key, keys, notice, pictured)}

        library = library_of(guest)
        document = document_of(library, item.document)
        if document is None:
            return panel(lost_quote(item), words("reader.gone"))
        marks = highlights(library, answer.evidence, document)
        here = next((mark.span for mark in marks if mark.key == key), None)
        if here is None:
            return panel(lost_quote(item), words("reader.lost"))
        changed = document.text_sha256 != item.document.sha256
        window = window_around(library, document, here, marks, words)
        notices = [*([words("reader.changed")] if changed else []), *told_signs_of_quote(document, here, words)]
        return panel(window_html(window, words), " ".join(notices))

    @router.get("/turns/{turn_id}/page/{key}")
    def page(turn_id: str, key: int, words: Words, guest: Guest) -> dict[str, Any]:
        _, answer = answer_of(turn_id, guest)
        item = next((item for item in answer.evidence if item.key == key), None)
        library = library_of(guest)
        document = document_of(library, item.document) if item else None
        span = located(library, document, item) if item and document else None
        if item is None or document is None or span is None or not has_paper(document):
            raise NotFoundError("There is no picture of this page.", code="no_picture")
        return {"html": paper_html(paper(document, span, item.quote), document.page_of(span.start) or 1, words)}

    @router.get("/documents/{document_id}/more")
    def more(
        document_id: str, at: int, above: bool, words: Words, guest: Guest, turn: str | None = None
    ) -> dict[str, Any]:
        library = library_of(guest)
        document = library.document(document_id)
        marks = highlights(library, answer_of(turn, guest)[1].evidence, document) if turn else []
        make = window_above if above else window_below
        window = make(library, document, max(0, at), marks, words)
        return {"html": window_html(window, words)}

    @router.get("/documents/{document_id}/reader")
    def whole(document_id: str, words: Words, guest: Guest, key: int = 0) -> dict[str, Any]:
        library = library_of(guest)
        document = library.document(document_id)
        carrying = services.overview.of_document(document) if services.overview else ()
        return {"html": document_panel(library, document, carrying, key, words)}

    @router.get("/turns/{turn_id}/found")
    def found(turn_id: str, words: Words, guest: Guest) -> dict[str, Any]:
        turn, answer = answer_of(turn_id, guest)
        return {"html": found_html(scoped_assistant(services.assistant, guest.collections), turn, answer, words)}

    @router.get("/turns/{turn_id}/suggestions")
    def follow_up(turn_id: str, words: Words, guest: Guest) -> list[str]:
        _, answer = answer_of(turn_id, guest)
        return suggest_next(library_of(guest), answer, words.language, services.offered_questions())

    return router


def document_panel(
    library: ReadableLibrary, document: Document, overview: tuple[Evidence, ...], key: int, words: Strings
) -> str:
    """Return a document by itself, from its beginning or at the sentence `key` of its overview, if given."""
    marks = highlights(library, overview, document)
    here = next((mark.span for mark in marks if mark.key == key), None)
    body = window_html(window_around(library, document, here or Span(0, 0), marks, words), words)
    keys = [mark.key for mark in marks] if here else ()
    notice = " ".join(told_signs(document, words))
    return source_panel(source(document), body, words, key if here else 0, keys, notice, overview=overview)


def document_of(library: ReadableLibrary, source: Source) -> Document | None:
    """Return the document by id or, in a library that was made again, by address."""
    try:
        return library.document(source.id)
    except NotFoundError:
        return library.find_document(source.uri) if source.uri else None


def highlights(library: ReadableLibrary, evidence: tuple[Evidence, ...], document: Document) -> list[Highlight]:
    """Return the current positions of the quotes from a document."""
    same = [item for item in evidence if document.id == item.document.id or document.uri == item.document.uri]
    found = [(item.key, located(library, document, item)) for item in same]
    return [Highlight(key, span) for key, span in found if span is not None]
