"""What the routes take from a request: the interface's words, and who asks."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request

from assistant.accounts.account import Visitor
from assistant.server.auth_middleware import VISITOR
from assistant.server.strings import Strings, chosen


def visitor_of_request(request: Request) -> Visitor:
    """Who makes a request, as the gate has found out."""
    return cast("Visitor", request.scope[VISITOR])


def words_of_request(request: Request, ui: str | None = None) -> Strings:
    """The interface's words for a request."""
    return chosen(ui, request.headers.get("accept-language", ""))


Guest = Annotated[Visitor, Depends(visitor_of_request)]
Words = Annotated[Strings, Depends(words_of_request)]
