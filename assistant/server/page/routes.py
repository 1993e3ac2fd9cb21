"""Serve the page's own addresses under ``/attest/``: static files, conversations, the reader, feedback, export.

`ask_route` handles questions; the API handles files and the rest. Documents' text leaves here escaped, as HTML made by
`turn_html` and `source_text`.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.staticfiles import StaticFiles

from assistant.answer.question import LONGEST_QUESTION
from assistant.server.auth.authentication import SESSION_COOKIE
from assistant.server.auth.conversation_access import own_conversation
from assistant.server.auth.route_guard import CheckedRoute, RequireRight, require
from assistant.server.dependencies import Guest, Words
from assistant.server.error_messages import PREFIX as PREFIX_OF_ERRORS
from assistant.server.page.evidence_html import language_name
from assistant.server.page.export import FORMATS, MEDIA_TYPES, Format, exported, filename
from assistant.server.page.source_routes import source_router
from assistant.server.page.suggestions import suggest
from assistant.server.page.turn_html import turn_article
from assistant.server.page_settings import MOST_UPLOADED_AT_ONCE, UPLOAD_SUFFIXES
from assistant.server.strings import languages
from store.catalog.conversations import Conversation, Conversations
from store.errors import RequestError

if TYPE_CHECKING:
    from fastapi import FastAPI

    from assistant.accounts.account import Visitor
    from assistant.server.services import Services

PREFIX = "/attest"
STATIC = Path(__file__).parent / "static"
TURNS_AT_ONCE = 30


def mount(app: FastAPI, services: Services) -> None:
    """Add all routes of the page to `app`, except those to ask and to sign in."""
    app.mount(f"{PREFIX}/static", RequireRight(StaticFiles(directory=STATIC), "ask"), name="static")
    for router in (start_router(services), conversation_router(services.conversations), source_router(services)):
        app.include_router(router, prefix=PREFIX)


def start_router(services: Services) -> APIRouter:
    """Return the routes for what a page needs to begin, and what a user can choose from."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")])
    settings, editor, accounts = services.settings, services.editor, services.accounts

    def has_account(guest: Visitor) -> bool:
        return accounts is not None and guest.name is not None and accounts.register.find(guest.name) is not None

    @router.get("/start")
    def start(request: Request, words: Words, guest: Guest) -> dict[str, Any]:
        statistics = services.library(guest).statistics()
        return {
            "ui": words.language,
            "uis": languages(),
            "words": {key: value for key, value in words.words.items() if not key.startswith(PREFIX_OF_ERRORS)},
            "limits": {
                "question": LONGEST_QUESTION,
                "upload_bytes": settings.max_upload_bytes,
                "upload_files": MOST_UPLOADED_AT_ONCE,
                "upload_suffixes": UPLOAD_SUFFIXES,
            },
            "written": settings.written_mode,
            "translations": settings.translations,
            "user": guest.name,
            "signs_out": SESSION_COOKIE in request.cookies and guest.name is not None,
            "uploads": editor.accepts_files and guest.may("add"),
            "web_uploads": settings.web_uploads != "off" and editor.accepts_files and guest.may("add"),
            "edits": guest.may("add"),
            "administers": guest.may("administer"),
            "right": guest.right,
            "collections": guest.collections,
            "tokens": has_account(guest),
            "evaluates": services.evaluation_runs is not None and guest.may("administer"),
            "documents": statistics.documents,
            "passages": statistics.passages,
            "languages": [
                {"tag": tag, "name": language_name(tag, words.language), "passages": count}
                for tag, count in sorted(statistics.languages.items(), key=lambda pair: -pair[1])
            ],
            "answer_languages": {tag: language_name(tag, words.language) for tag in languages()},
            "speakers": sorted(statistics.speakers)[:500],
        }

    @router.get("/examples")
    def examples(words: Words, guest: Guest) -> list[str]:
        return suggest(services.library(guest), words.language, services.offered_questions())

    @router.get("/subjects")
    def subjects(guest: Guest) -> list[dict[str, Any]]:
        return [
            {
                "name": each.name,
                "documents": each.documents,
                "is_estimate": each.is_estimate,
                "examples": [
                    {"id": document.id, "title": document.title, "language": document.language}
                    for document in each.examples
                ],
            }
            for each in (services.overview.subjects(guest.collections) if services.overview else ())
        ]

    return router


def conversation_router(conversations: Conversations) -> APIRouter:
    """Return the routes for the page's view of one's own conversations; the API lists, renames and deletes them."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")])

    @router.get("/conversations/{conversation_id}")
    def opened(conversation_id: str, words: Words, guest: Guest, before: str | None = None) -> dict[str, Any]:
        conversation = own_conversation(conversations, guest, conversation_id)
        turns = conversations.branch(conversation_id)
        if before is not None:
            turns = turns[: next((place for place, turn in enumerate(turns) if turn.id == before), 0)]
        shown = turns[-TURNS_AT_ONCE:]
        versions = conversations.siblings(conversation_id)
        html = "".join(
            turn_article(turn, words, versions.get(turn.id, ()), conversations.feedback(turn.id)) for turn in shown
        )
        return {**_listed(conversation), "leaf": conversation.leaf, "html": html, "earlier": len(turns) > len(shown)}

    @router.post("/conversations/{conversation_id}/branch")
    def branched(conversation_id: str, guest: Guest, turn: Annotated[str, Body(embed=True)]) -> dict[str, Any]:
        own_conversation(conversations, guest, conversation_id)
        return _listed(conversations.show_branch(conversation_id, turn))

    @router.get("/conversations/{conversation_id}/export")
    def export(conversation_id: str, words: Words, guest: Guest, form: str = "json") -> Response:
        if form not in FORMATS:
            raise RequestError(
                "Conversations are exported as {forms}, not as {form}.",
                code="export",
                forms=", ".join(FORMATS),
                form=f"{form[:20]!r}",
            )
        kind: Format = form
        conversation = own_conversation(conversations, guest, conversation_id)
        content = exported(conversation, conversations.branch(conversation_id), kind, words)
        return _attachment(content, MEDIA_TYPES[kind], filename(conversation, kind))

    return router


def _listed(conversation: Conversation) -> dict[str, Any]:
    data = asdict(conversation)
    return {name: data[name] for name in ("id", "title", "updated")}


def _attachment(content: str, media_type: str, name: str) -> Response:
    from urllib.parse import quote

    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition})
