"""Read what routes need from a request: the interface's language, and who asks."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection
from starlette.types import Scope

from assistant.accounts.account import Visitor
from assistant.server.auth.authentication import LOCAL
from assistant.server.auth.route_guard import visitor_of_scope
from assistant.server.strings import Strings, chosen


async def visitor_of_request(request: Request) -> Visitor:
    """Return who makes a request. Raises NotSignedInError for a stranger."""
    return visitor_of_scope(request.scope)


async def caller_of_request(request: Request) -> Visitor:
    """Return who calls the API. Raises NotSignedInError for a stranger."""
    return caller_of_scope(request.scope)


def caller_of_scope(scope: Scope) -> Visitor:
    """Return who calls the API. If nobody signs in, all programs without a browser's cookie are the same caller.

    Raises NotSignedInError for a stranger.
    """
    visitor = visitor_of_scope(scope)
    is_nobody = visitor.name is None and visitor.owner.startswith("nobody-")
    return replace(visitor, owner=LOCAL) if is_nobody else visitor


def words_of_request(request: HTTPConnection) -> Strings:
    """Return the interface's words for a request."""
    return chosen(request.query_params.get("ui"), request.headers.get("accept-language", ""))


Guest = Annotated[Visitor, Depends(visitor_of_request)]
"""Who asks the page."""
Caller = Annotated[Visitor, Depends(caller_of_request)]
"""Who calls the API."""
Words = Annotated[Strings, Depends(words_of_request)]
