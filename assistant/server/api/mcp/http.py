"""Serve MCP over HTTP at ``/mcp``: the server identifies the caller by token or session."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from assistant.accounts.account import Visitor
from assistant.server.api.mcp.server import create_server
from assistant.server.auth.route_guard import RequireRight
from assistant.server.dependencies import caller_of_scope
from assistant.server.services import Services

PATH = "/mcp"


def mount_mcp(app: FastAPI, services: Services) -> None:
    """Add ``/mcp`` to `app`. It keeps no sessions: each request is independent."""
    manager = StreamableHTTPSessionManager(
        create_server(services, _caller_of_request)._lowlevel_server,
        stateless=True,
        # The guard has already checked the host.
        security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
    )
    app.router.routes.append(Route(PATH, endpoint=RequireRight(_Handler(manager), "ask")))
    lifespan = app.router.lifespan_context

    @asynccontextmanager
    async def running(served: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - as Starlette has it
        async with lifespan(served) as state, manager.run():
            yield state

    app.router.lifespan_context = running


class _Handler:
    """The session manager as an ASGI application."""

    def __init__(self, manager: StreamableHTTPSessionManager) -> None:
        self._manager = manager

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        await self._manager.handle_request(scope, receive, send)


def _caller_of_request(request: Request) -> Visitor:
    return caller_of_scope(request.scope)
