"""Puts the API into the application."""

from __future__ import annotations

from fastapi import APIRouter, FastAPI

from assistant.server.api.description import description, description_router
from assistant.server.api.mcp.http import mount_mcp
from assistant.server.api.native.ask import ask_router
from assistant.server.api.native.conversations import conversations_router, feedback_router
from assistant.server.api.native.documents import documents_router, embedding_router, upload_router
from assistant.server.api.native.evaluations import evaluations_router
from assistant.server.api.native.health import health_router
from assistant.server.api.native.owner import owner_router
from assistant.server.api.native.tokens import tokens_router
from assistant.server.api.openai.chat import chat_router
from assistant.server.api.openai.embeddings import embeddings_router
from assistant.server.api.openai.models import models_router
from assistant.server.api.openai.responses import responses_router
from assistant.server.api.refusals import refusal_routes
from assistant.server.api.services import Services

NATIVE = (
    ask_router,
    documents_router,
    upload_router,
    embedding_router,
    conversations_router,
    feedback_router,
    evaluations_router,
    tokens_router,
    health_router,
    owner_router,
)
OPENAI = (models_router, chat_router, responses_router, embeddings_router)


def mount_api(app: FastAPI, services: Services) -> None:
    """Add all routes of the API to `app`."""
    api = APIRouter()
    for make in OPENAI:
        api.include_router(make(services), prefix="/v1", tags=["OpenAI-compatible"])
    for make in NATIVE:
        api.include_router(make(services), prefix="/api")
    described = description(api)
    app.include_router(api)
    app.include_router(description_router(described), prefix="/api")
    app.router.routes.extend(refusal_routes(described))
    mount_mcp(app, services)
