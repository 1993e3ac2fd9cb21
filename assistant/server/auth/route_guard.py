"""Declare next to each route what a visitor needs: `require("ask")`, or `PUBLIC` for strangers too.

The server refuses a route that declares neither to everyone, so that nothing is open by mistake.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.accounts.account import Right, Visitor
from assistant.server.auth.authentication import KnownUser
from store.errors import NotAllowedError, NotSignedInError


class Requirement:
    """A dependency that admits visitors with `right`; None admits everyone."""

    def __init__(self, right: Right | None) -> None:
        self.right = right

    async def __call__(self, request: Request) -> None:
        """Raise NotSignedInError, or NotAllowedError."""
        check_right(request.scope, self.right)


def require(right: Right) -> Any:  # noqa: ANN401 - as FastAPI's Depends
    """Return the dependency for a route, or a router, that needs `right`."""
    return Depends(Requirement(right))


class _OwnerRequirement(Requirement):
    """A dependency that admits requests through the owner's socket."""

    async def __call__(self, request: Request) -> None:
        """Raise NotSignedInError, or NotAllowedError."""
        await super().__call__(request)
        if not visitor_of_scope(request.scope).owns_library:
            raise NotAllowedError


BY_SOCKET: Any = Depends(_OwnerRequirement("administer"))
"""The dependency of a route for other processes of the library's owner."""
PUBLIC: Any = Depends(Requirement(None))
"""The dependency of a route that strangers may use."""


async def refuse_undeclared(request: Request) -> None:
    """Raise NotAllowedError for a route that declares no requirement. It is a dependency of the whole application."""
    declared = getattr(request.scope.get("route"), "dependencies", ())
    if not any(isinstance(each.dependency, Requirement) for each in declared):
        raise NotAllowedError


class CheckedRoute(APIRoute):
    """A route that checks its requirement before it reads the body of a request; FastAPI reads the body first."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, behind the check."""
        handle = super().get_route_handler()

        async def handler(request: Request) -> Response:
            for each in self.dependencies:
                if isinstance(each.dependency, Requirement):
                    await each.dependency(request)
            return await handle(request)

        return handler


class RequireRight:
    """Wraps a mounted application, such as a folder of files, that needs `right`."""

    def __init__(self, app: ASGIApp, right: Right) -> None:
        self._app = app
        self.right = right

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise NotSignedInError, or NotAllowedError, or pass the request on."""
        check_right(scope, self.right)
        await self._app(scope, receive, send)


def check_right(scope: Scope, right: Right | None) -> None:
    """Raise NotSignedInError for a stranger, NotAllowedError for a visitor without `right`."""
    if right is not None and not visitor_of_scope(scope).may(right):
        raise NotAllowedError


def visitor_of_scope(scope: Scope) -> Visitor:
    """Return who makes a request. Raises NotSignedInError for a stranger."""
    user = scope.get("user")
    if not isinstance(user, KnownUser):
        raise NotSignedInError
    return user.visitor
