"""``/api/owner``: serve commands on the same machine, through the socket that only the library's owner can open."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

from fastapi import APIRouter, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, StrictBool

from assistant.server.api.events import server_sent
from assistant.server.api.native.ask import STREAM
from assistant.server.auth.route_guard import BY_SOCKET, CheckedRoute
from assistant.server.error_messages import stated
from assistant.server.services import Services
from ingest.request import IngestRequest, carry_out, report_values
from store.errors import AttestError, LibraryError, RequestError
from store.library import Library
from store.settings import facts_for_answers
from store.version import program_version

log = logging.getLogger(__name__)


class StoppedError(LibraryError):
    """The command that made the request is gone."""


class OwnerInfo(BaseModel):
    """The process that answers."""

    pid: int
    version: str
    settings: dict[str, str | int | float | None]
    """The settings that every answer depends on."""
    takes_files: bool
    """Whether it adds files to the library for others, and removes documents."""


class Files(BaseModel):
    """What to put into the library; see `IngestRequest`."""

    model_config = ConfigDict(extra="forbid")

    paths: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    sync: StrictBool = False
    samples: StrictBool = False
    again: StrictBool = False
    collection: str | None = None


def owner_router(services: Services) -> APIRouter:
    """Return the routes for commands on the same machine. They aren't part of the described API."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[BY_SOCKET], include_in_schema=False)
    library = services.assistant.library

    @router.get("/owner")
    def owner() -> OwnerInfo:
        return OwnerInfo(
            pid=os.getpid(),
            version=program_version(),
            settings=facts_for_answers(library.settings),
            takes_files=services.editor.accepts_files,
        )

    @router.post("/owner/ingest")
    async def ingest(body: Files) -> Response:
        if not services.editor.accepts_files:
            raise RequestError(
                "The server that is running takes no files in; stop it first, or start it with uploads.",
                code="server_takes_no_files",
            )
        request = IngestRequest(**body.model_dump())
        return StreamingResponse(_ingesting(library, request), media_type="text/event-stream", headers=STREAM)

    return router


async def _ingesting(library: Library, request: IngestRequest) -> AsyncIterator[str]:
    """Yield ``progress`` events, then ``finished`` with the report, or ``failed``. Stop when nobody listens any more."""
    loop = asyncio.get_running_loop()
    came: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()
    left = threading.Event()

    def put(name: str, values: dict[str, Any]) -> None:
        with suppress(RuntimeError):  # the loop has ended, with its listeners
            loop.call_soon_threadsafe(came.put_nowait, (name, values))

    def progress(done: int, known: int) -> None:
        if left.is_set():
            raise StoppedError("The command that added files went away.")
        put("progress", {"done": done, "known": known})

    def work() -> None:
        try:
            put("finished", report_values(carry_out(library, request, progress)))
        except AttestError as error:
            put("failed", stated(error))
        except Exception:
            log.exception("Taking files in failed")
            put("failed", stated(LibraryError("The files could not be taken in; the server's log tells more.")))

    working = loop.run_in_executor(None, work)
    try:
        while True:
            name, values = await came.get()
            yield server_sent(name, values)
            if name != "progress":
                return
    finally:
        left.set()
        del working
