"""Limit requests per minute for each token or person; the reply says how many are left.

Headers as in draft-ietf-httpapi-ratelimit-headers: ``RateLimit-Policy: "requests";q=600;w=60`` and
``RateLimit: "requests";r=599;t=60``; past the limit 429 with ``Retry-After`` (RFC 9110, section 10.2.3).
"""

from __future__ import annotations

import hashlib
import math
import random
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Double
from sqlalchemy.dialects.postgresql import insert
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server.auth.authentication import KnownUser
from assistant.server.error_responses import refusal
from store.catalog.engine import Database
from store.catalog.serving_tables import requests
from store.errors import RequestError

WINDOW = 60.0
"""Seconds."""
PATHS = ("/v1/", "/api/", "/mcp", "/metrics")
_MOST = 10_000
"""Callers whose requests are counted at the same time."""
_SWEPT = 0.01
"""Share of requests that also delete expired counts."""
_R = requests.c
_NOW = sa.cast(sa.func.extract("epoch", sa.func.clock_timestamp()), Double)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a caller after a request."""

    left: int
    """-1 if nothing was left for this request."""
    seconds: int
    """Seconds until everything is available again."""


class RequestCounts:
    """Counts requests in windows that begin with a caller's first request."""

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
        self._windows[caller] = (began, made)  # at the end: the first is the one unused for the longest time
        while len(self._windows) > _MOST:
            self._windows.popitem(last=False)
        return Allowance(self.per_minute - made, max(1, math.ceil(began + WINDOW - now)))


class SharedRequestCounts:
    """Counts the requests to all servers of a library together, in the same way, by the clock of their database."""

    def __init__(self, per_minute: int, database: Database) -> None:
        self.per_minute = per_minute
        self._database = database

    def take(self, caller: str) -> Allowance:
        """Count one request of `caller`. Raises LibraryError."""
        first = insert(requests).values(caller=hashlib.sha256(caller.encode()).digest(), began=_NOW, made=1)
        is_over = first.excluded.began - _R.began >= WINDOW
        counted = first.on_conflict_do_update(
            index_elements=[_R.caller],
            set_={
                "began": sa.case((is_over, first.excluded.began), else_=_R.began),
                "made": sa.case((is_over, 1), else_=sa.func.least(_R.made + 1, self.per_minute + 1)),
            },
        ).returning(_R.made, _R.began + WINDOW - _NOW)
        with self._database.writing(alone=False) as connection:
            made, seconds = connection.execute(counted).one()
            if random.random() < _SWEPT:  # noqa: S311 - no secret
                connection.execute(sa.delete(requests).where(_R.began < _NOW - 10 * WINDOW))
        return Allowance(self.per_minute - made, max(1, math.ceil(seconds)))


class RateLimits:
    """Wraps the application; requests outside the API, and callers without a name, pass."""

    def __init__(self, app: ASGIApp, per_minute: int, shared: SharedRequestCounts | None = None) -> None:
        """`shared` counts the requests to all servers of the library together."""
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
        headers = {
            "ratelimit-policy": f'"requests";q={self._counts.per_minute};w={WINDOW:.0f}',
            "ratelimit": f'"requests";r={max(0, allowance.left)};t={allowance.seconds}',
        }
        if allowance.left < 0:
            error = RequestError(
                "Too many requests in a minute: come again in {seconds} seconds.",
                code="rate_limit",
                seconds=allowance.seconds,
            )
            response = refusal(scope, 429, error, headers | {"retry-after": str(allowance.seconds)})
            await response(scope, receive, send)
            return

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(headers)
            await send(message)

        await self._app(scope, receive, sending)


def _caller(scope: Scope) -> str | None:
    user = scope.get("user")
    if scope["type"] != "http" or not scope["path"].startswith(PATHS) or not isinstance(user, KnownUser):
        return None
    visitor = user.visitor
    return None if visitor.name is None else visitor.token or visitor.owner
