"""So many requests a minute for each token or person; the reply says how many are left.

Headers as in draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy: "requests";q=600;w=60`` and
``RateLimit: "requests";r=599;t=60``; past the limit 429 with ``Retry-After`` (RFC 9110, section 10.2.3).
"""

from __future__ import annotations

import json
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server.api.openai.errors import error_body
from assistant.server.auth.authentication import KnownUser
from assistant.server.dependencies import words_of_request
from assistant.server.error_messages import error_message, stated
from store.errors import RequestError

if TYPE_CHECKING:
    from assistant.server.api.shared_rate_limits import SharedRequestCounts

WINDOW = 60.0
"""Seconds."""
PATHS = ("/v1/", "/api/", "/mcp", "/metrics")
_MOST = 10_000
"""Callers whose requests are counted at the same time."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller after a request."""

    left: int
    """-1: there was nothing left for this request."""
    seconds: int
    """Until all is there again."""


class RequestCounts:
    """Counts requests in windows that begin with a caller's first."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._windows: OrderedDict[str, tuple[float, int]] = OrderedDict()

    def take(self, caller: str) -> Allowance:
        """Count one request of `caller`."""
        now = self._clock()
        began, made = self._windows.pop(caller, (now, 0))
        if now - began >= WINDOW:
            began, made = now, 0
        made = min(made + 1, self.per_minute + 1)
        self._windows[caller] = (began, made)  # at the end: the first is the one that was used least of late
        while len(self._windows) > _MOST:
            self._windows.popitem(last=False)
        return Allowance(self.per_minute - made, max(1, math.ceil(began + WINDOW - now)))


class RateLimits:
    """Wraps the application; what isn't of the API, and callers without a name, are let through."""

    def __init__(self, app: ASGIApp, per_minute: int, shared: SharedRequestCounts | None = None) -> None:
        """`shared` counts what all servers of the library were asked together."""
        self._app = app
        self._counts = shared or RequestCounts(per_minute)
        self._waits = shared is not None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its headers, or refuse it."""
        caller = _caller(scope)
        if caller is None:
            await self._app(scope, receive, send)
            return
        take = self._counts.take
        allowance = await run_in_threadpool(take, caller) if self._waits else take(caller)
        policy = f'"requests";q={self._counts.per_minute};w={WINDOW:.0f}'
        state = f'"requests";r={max(0, allowance.left)};t={allowance.seconds}'
        headers = [(b"ratelimit-policy", policy.encode()), (b"ratelimit", state.encode())]
        if allowance.left < 0:
            await _refuse(scope, send, allowance.seconds, headers)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self._app(scope, receive, sending)


def _caller(scope: Scope) -> str | None:
    user = scope.get("user")
    if scope["type"] != "http" or not scope["path"].startswith(PATHS) or not isinstance(user, KnownUser):
        return None
    visitor = user.visitor
    return None if visitor.name is None else visitor.token or visitor.owner


async def _refuse(scope: Scope, send: Send, seconds: int, headers: list[tuple[bytes, bytes]]) -> None:
    error = RequestError(
        "Too many requests in a minute: come again in {seconds} seconds.", code="rate_limit", seconds=seconds
    )
    words = words_of_request(Request(scope))
    is_openai = scope["path"].startswith("/v1/")
    content: object = error_body(429, error_message(error, words)) if is_openai else stated(error, words)
    body = json.dumps(content).encode()
    own = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    retry = (b"retry-after", str(seconds).encode())
    await send({"type": "http.response.start", "status": 429, "headers": [*own, retry, *headers]})
    await send({"type": "http.response.body", "body": body})
