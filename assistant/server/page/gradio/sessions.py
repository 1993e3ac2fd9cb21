"""Gradio's sessions, each its visitor's own: their names come from the browser, and the first to use one has it."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.accounts.account import Visitor
from assistant.server.auth.permissions import visitor_of_scope
from store.errors import NotAllowedError

_API = "/gradio_api/"
_REMEMBERED = 50_000
"""Sessions whose visitor is remembered."""
_RECHECK_SECONDS = 2.0
"""How soon a stream ends after the session that it was opened in."""


class OwnSessions:
    """Wraps Gradio's application; keeps visitors out of each other's sessions, and ends streams with their visitor's."""

    def __init__(self, app: ASGIApp, identify: Callable[[HTTPConnection], Visitor | None]) -> None:
        """`identify` tells again, while a stream goes on, whose request began it."""
        self._app = app
        self._identify = identify
        self._owners: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Raise NotAllowedError for a request that names another visitor's session."""
        visitor = visitor_of_scope(scope) if scope["type"] == "http" else None
        if visitor is None or visitor.name is None:
            await self._app(scope, receive, send)
            return
        session, receive = await _named_session(scope, receive)
        if session is not None and self._owner_of(session, visitor) != visitor.owner:
            raise NotAllowedError
        if scope["path"].startswith((_API + "queue/data", _API + "heartbeat")):
            connection = HTTPConnection(scope)
            send = _until_signed_out(send, lambda: self._identify(connection) is not None)
        await self._app(scope, receive, send)

    def _owner_of(self, session: str, visitor: Visitor) -> str:
        owner = self._owners.setdefault(session, visitor.owner)
        self._owners.move_to_end(session)
        while len(self._owners) > _REMEMBERED:
            self._owners.popitem(last=False)
        return owner


def _until_signed_out(send: Send, is_signed_in: Callable[[], bool]) -> Send:
    """Send a stream on, and end it soon after its visitor's session has ended."""
    due, is_over = time.monotonic() + _RECHECK_SECONDS, False

    async def watched(message: Message) -> None:
        nonlocal due, is_over
        if is_over:
            return
        if message["type"] != "http.response.start" and time.monotonic() >= due:
            due = time.monotonic() + _RECHECK_SECONDS
            if not is_signed_in():
                # The server then tells the application that the client has gone, and it stops.
                message, is_over = {"type": "http.response.body", "body": b"", "more_body": False}, True
        await send(message)

    return watched


async def _named_session(scope: Scope, receive: Receive) -> tuple[str | None, Receive]:
    """Which session a request names, if any, and its body again for what reads it next."""
    place = scope["path"].removeprefix(_API).rstrip("/")
    if place.startswith("heartbeat/"):
        return place.removeprefix("heartbeat/").strip("/"), receive
    if place == "queue/data":
        return Request(scope).query_params.get("session_hash", ""), receive
    if place not in ("queue/join", "cancel"):
        return None, receive
    body = await Request(scope, receive).body()
    try:
        named = json.loads(body)["session_hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        named = None
    was_given = False

    async def again() -> Message:
        nonlocal was_given
        if was_given:
            return await receive()
        was_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return (named if isinstance(named, str) else None), again
