"""What the routes take from a request: the interface's words, and who asks."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.requests import HTTPConnection

from assistant.accounts.account import Visitor
from assistant.server.auth.permissions import visitor_of_scope
from assistant.server.strings import Strings, chosen


def visitor_of_request(request: Request) -> Visitor:
    """Return who makes a request. Raises NotSignedInError for a stranger."""
    return visitor_of_scope(request.scope)


def words_of_request(request: HTTPConnection) -> Strings:
    """Return the interface's words for a request."""
    return chosen(request.query_params.get("ui"), request.headers.get("accept-language", ""))


Guest = Annotated[Visitor, Depends(visitor_of_request)]
Words = Annotated[Strings, Depends(words_of_request)]
