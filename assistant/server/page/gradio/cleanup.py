"""Lets go of what Gradio's queue keeps of a session after its last answer, which it would keep for ever.

For each session that ever asked it holds a queue of messages, the last 2,000 of these, and a set of its questions,
all of these, also where nobody came for the answer (gradio 6.31, `queueing.py`). The page's sessions hold
nothing that a later question needs, so both go as soon as the answer was read, or soon after nobody has read it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

if TYPE_CHECKING:
    from gradio.queueing import Queue

UNREAD = 60.0
"""Seconds between two looks at answers that nobody reads; what both find is let go."""
_DATA, _JOIN = "/gradio_api/queue/data", "/gradio_api/queue/join"


class QueueCleanup:
    """Wraps the application that `queue` works in. All of it runs on the server's one loop, as the queue does."""

    def __init__(self, app: ASGIApp, queue: Queue) -> None:
        self._app = app
        self._queue = queue
        self._reading: Counter[str] = Counter()
        self._unread: set[str] = set()
        self._planned: asyncio.TimerHandle | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and look at its session afterwards."""
        path = scope["path"].rstrip("/") if scope["type"] == "http" else ""
        if path == _DATA:
            await self._read(scope, receive, send)
            return
        await self._app(scope, receive, send)
        if path == _JOIN:
            self._plan()

    async def _read(self, scope: Scope, receive: Receive, send: Send) -> None:
        session = HTTPConnection(scope).query_params.get("session_hash", "")
        self._reading[session] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._reading[session] -= 1
            if not self._reading[session]:
                del self._reading[session]
                if not self._queue.pending_event_ids_session.get(session):
                    self._forget(session)

    def _plan(self) -> None:
        if self._planned is None:
            self._planned = asyncio.get_running_loop().call_later(UNREAD, self._look)

    def _look(self) -> None:
        """Forget the sessions whose questions are all done and that nobody has read since the last look."""
        self._planned = None
        questions = self._queue.pending_event_ids_session
        done = {
            session
            for session, events in questions.items()
            if session not in self._reading and self._queue.event_ids_to_events.keys().isdisjoint(events)
        }
        for session in done & self._unread:
            self._forget(session)
        self._unread = done - self._unread
        if questions:
            self._plan()

    def _forget(self, session: str) -> None:
        self._queue.pending_event_ids_session.pop(session, None)
        self._queue.pending_messages_per_session.pop(session, None)
