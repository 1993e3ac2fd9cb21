"""``/attest/ask``: receive a question from the page, and stream the states of its turn, one line of JSON each.

A question is one request, so any process that serves the library can take it. If the browser disconnects, the answer
stops.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from typing import Annotated, Any

from fastapi import APIRouter, Body, Request, Response
from fastapi.responses import StreamingResponse
from starlette.requests import HTTPConnection

from assistant.accounts.account import Visitor
from assistant.server.api.answer_runs import BusyError
from assistant.server.api.native.ask import STREAM
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Guest, Words
from assistant.server.error_messages import error_message
from assistant.server.page.answer_stream import PageAnswers, State
from assistant.server.services import Services
from assistant.server.strings import Strings

SILENCE = 2.0
"""Seconds without a state until an empty line says that the answer is still in progress, or waits."""


def ask_router(services: Services, identify: Callable[[HTTPConnection], Visitor | None]) -> APIRouter:
    """Return the route. `identify` checks again, during an answer, whose request it is."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")])
    answering = PageAnswers(services.assistant, services.conversations, services.settings)

    @router.post("/ask")
    async def ask(request: Request, guest: Guest, words: Words, asked: Annotated[dict[str, Any], Body()]) -> Response:
        states = services.runs.events(lambda: answering.states(asked, guest))
        lines = _lines(states, str(asked.get("ticket"))[:64], words, lambda: identify(request) is not None)
        return StreamingResponse(lines, media_type="application/x-ndjson", headers=STREAM)

    return router


async def _lines(
    states: AsyncIterator[State], ticket: str, words: Strings, is_signed_in: Callable[[], bool]
) -> AsyncIterator[str]:
    """Yield the new part of each state, as JSON; empty lines while there is none; and stop when the session ends."""
    sent: State = {}
    try:
        async for state in _with_silences(states):
            if state is not None:
                changed = {name: value for name, value in state.items() if name not in sent or sent[name] != value}
                sent |= state
                yield json.dumps({"ticket": ticket, **changed}, ensure_ascii=False) + "\n"
            elif is_signed_in():
                yield "\n"
            else:
                return
    except BusyError as error:
        yield json.dumps({"ticket": ticket, "stage": "refused", "message": error_message(error, words)}) + "\n"


async def _with_silences(states: AsyncIterator[State]) -> AsyncIterator[State | None]:
    """Yield the states, and None after a while without one, and now and then between them."""
    coming: asyncio.Future[State | None] = asyncio.ensure_future(anext(states, None))
    said = time.monotonic()
    try:
        while True:
            done, _ = await asyncio.wait({coming}, timeout=SILENCE)
            if done:
                state = coming.result()
                if state is None:
                    return
                yield state
                coming = asyncio.ensure_future(anext(states, None))
            if time.monotonic() - said >= SILENCE:
                said = time.monotonic()
                yield None
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, StopAsyncIteration, Exception):
            await coming
        await states.aclose()  # type: ignore[attr-defined] # they are a generator
