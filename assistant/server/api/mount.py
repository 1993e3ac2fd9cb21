"""Mount the API in the application, and answer unknown methods (405) and addresses (404)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import APIRouter, FastAPI
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

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
from assistant.server.auth.route_guard import RequireRight
from assistant.server.error_responses import refusal
from assistant.server.services import Services
from store.errors import NotFoundError, RequestError

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


def refusal_routes(described: dict[str, Any]) -> Iterator[Route]:
    """Yield routes for everything that the API's description doesn't name; they must be added last.

    Without them, the page would answer, because it takes all remaining addresses.
    """
    for path, operations in described["paths"].items():
        allowed = ", ".join(sorted(method.upper() for method in operations))
        yield Route(path, RequireRight(_Refusal(allowed), "ask"), include_in_schema=False)
    for prefix in ("/v1", "/api"):
        yield Route(prefix + "/{path:path}", RequireRight(_Refusal(None), "ask"), include_in_schema=False)


def _nothing_at(path: str) -> RequestError:
    return NotFoundError("There is no {path}; /api/docs shows what there is.", code="no_route", path=path)


def _not_possible(method: str, allowed: str) -> RequestError:
    return RequestError(
        "{method} isn't possible here; these are: {allowed}.", code="no_method", method=method, allowed=allowed
    )


class _Refusal:
    """Refuses every method except those in `allowed`; None means that there is nothing at this address."""

    def __init__(self, allowed: str | None) -> None:
        self._allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse one request."""
        if self._allowed is None:
            status, error = 404, _nothing_at(scope["path"][:200])
        else:
            status, error = 405, _not_possible(scope["method"], self._allowed)
        headers = {} if self._allowed is None else {"allow": self._allowed}
        await refusal(scope, status, error, headers)(scope, receive, send)
