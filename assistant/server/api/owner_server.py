"""Answer the user's other processes through the API, for a process that owns a library but isn't a server.

`assistant.build` loads this at the first request.
"""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from typing import TYPE_CHECKING

from fastapi import Depends, FastAPI
from starlette.middleware import Middleware
from starlette.middleware.authentication import AuthenticationMiddleware

from assistant.server.api.mount import mount_api
from assistant.server.auth.authentication import Access, Identity
from assistant.server.auth.route_guard import refuse_undeclared
from assistant.server.error_responses import add_error_handlers
from assistant.server.serve import server
from assistant.server.services import services_of_command
from store.catalog.catalog import FILE
from store.catalog.conversations import Conversations
from store.catalog.engine import location

if TYPE_CHECKING:
    import uvicorn

    from assistant.answer.instrumentation import InstrumentedAssistant


class OwnerServer:
    """A server in its own thread, until `close`."""

    def __init__(self, running: uvicorn.Server, thread: threading.Thread) -> None:
        self._running = running
        self._thread = thread

    def close(self) -> None:
        """Stop it; running answers have a few seconds to finish."""
        self._running.should_exit = True
        self._thread.join()


def serve_owner(assistant: InstrumentedAssistant, listener: socket.socket) -> OwnerServer:
    """Serve on `listener`, a socket that only the owner of the library's files can open."""
    conversations = Conversations.open(location(assistant.library.settings, FILE))
    services = services_of_command(assistant, conversations)
    app = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(refuse_undeclared)],
        middleware=[
            Middleware(
                AuthenticationMiddleware,
                backend=Identity(None, Access(always=True), owner_socket=listener.getsockname()),
            )
        ],
    )
    add_error_handlers(app)
    mount_api(app, services)
    running = server(app, lambda: None)

    def run() -> None:
        with closing(conversations):
            running.run(sockets=[listener])

    thread = threading.Thread(target=run, name="attest-api", daemon=True)
    thread.start()
    return OwnerServer(running, thread)
