"""Build the whole application: identity, permissions, the page's routes, and Gradio's page for the rest.

Import this only to serve the page: FastAPI and Gradio take seconds to load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from assistant.server.api.answer_runs import AnswerRuns
from assistant.server.api.metrics import MeasuredAssistant, MeasuredRequests, Metrics, metrics_router
from assistant.server.api.mount import mount_api
from assistant.server.api.rate_limits import RateLimits, SharedRequestCounts
from assistant.server.auth.authentication import DEFAULT_ACCESS, Access, Authenticator, Identity, bearer_token
from assistant.server.auth.route_guard import refuse_undeclared
from assistant.server.auth.sign_in_routes import auth_router
from assistant.server.document_editor import DocumentEditor
from assistant.server.error_responses import add_error_handlers, unknown_visitor
from assistant.server.page import routes
from assistant.server.page.ask_route import ask_router
from assistant.server.page.gradio_page import mount_page
from assistant.server.page_settings import DEFAULTS, MOST_REQUEST_BYTES, TITLE, PageSettings
from assistant.server.security import RequestGuard
from assistant.server.services import Services

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from assistant.accounts.sign_in import Accounts
    from assistant.server.auth.scoped_access import Assistant
    from assistant.server.evaluation_runs import EvaluationRuns
    from assistant.server.page.library_overview import LibraryOverview
    from assistant.suggested_questions.saved import OfferedQuestions
    from store.catalog.conversations import Conversations
    from store.catalog.engine import Database

LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def application(
    assistant: Assistant,
    conversations: Conversations,
    settings: PageSettings = DEFAULTS,
    *,
    is_local: bool = True,
    editor: DocumentEditor | None = None,
    evaluation_runs: EvaluationRuns | None = None,
    accounts: Accounts | None = None,
    access: Access = DEFAULT_ACCESS,
    authenticators: Sequence[Authenticator] = (),
    offered: OfferedQuestions | None = None,
    overview: LibraryOverview | None = None,
    owner_socket: str | None = None,
    shared: Database | None = None,
) -> ASGIApp:
    """Build the ASGI application; `is_local` means that only this machine can reach it.

    Requests through the socket `owner_socket` are the library owner's. Other visitors are identified by
    `authenticators`, then by a proxy's header, then by a session cookie. `shared` is the database of several servers of
    the library.
    """
    tokens = () if accounts is None else (bearer_token(accounts),)
    metrics = Metrics(assistant.library)
    assistant = MeasuredAssistant(assistant, metrics)
    identity = Identity(accounts, access, (*tokens, *authenticators), owner_socket)
    per_minute = settings.requests_per_minute
    counts = SharedRequestCounts(per_minute, shared) if shared is not None else None
    app = FastAPI(
        title=TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(refuse_undeclared)],
        middleware=[
            Middleware(MeasuredRequests, metrics=metrics),
            # Proxies are trusted by their own addresses, so check those before they are replaced.
            Middleware(AuthenticationMiddleware, backend=identity, on_error=unknown_visitor),
            Middleware(ProxyHeadersMiddleware, trusted_hosts=list(access.networks())),
            Middleware(RateLimits, per_minute=per_minute, shared=counts),
        ],
    )
    add_error_handlers(app)
    services = Services(
        assistant,
        conversations,
        editor or DocumentEditor(assistant.library, None, None),
        settings,
        AnswerRuns(settings.answers_at_once, settings.queue_size),
        evaluation_runs,
        accounts,
        offered,
        overview,
    )
    if accounts is not None:
        router = auth_router(accounts, identity, conversations.hand_over)
        app.include_router(router, prefix=routes.PREFIX)
    routes.mount(app, services)
    app.include_router(metrics_router(metrics))
    mount_api(app, services)
    app.include_router(ask_router(services, identity.visitor), prefix=routes.PREFIX)
    mount_page(app, settings)
    is_named = is_local or access.user_header
    return RequestGuard(
        app,
        max_request_bytes=MOST_REQUEST_BYTES,
        max_upload_bytes=settings.max_upload_bytes + MOST_REQUEST_BYTES,
        hosts=(*LOOPBACK, *access.public_hosts) if is_named else None,
    )
