"""Run the page's server on one port of this machine."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.server.auth.authentication import DEFAULT_ACCESS, Access
from assistant.server.document_editor import DocumentEditor, ingest_into
from assistant.server.evaluation_runs import EvaluationRuns
from assistant.server.page_settings import DEFAULTS, PageSettings
from assistant.server.security import malformed
from assistant.server.workers import SECONDS_FOR_ANSWERS, Inherited
from store.errors import AttestError, PortInUseError, RequestError

if TYPE_CHECKING:
    import uvicorn
    from starlette.types import ASGIApp

    from assistant.accounts.sign_in import Accounts
    from assistant.server.auth.scoped_access import Assistant
    from assistant.server.page.library_overview import LibraryOverview
    from assistant.suggested_questions.saved import OfferedQuestions
    from store.catalog.conversations import Conversations
    from store.catalog.engine import Database
    from store.ownership.owner_socket import OwnerSocket

log = logging.getLogger(__name__)


def serve(
    assistant: Assistant,
    conversations: Conversations,
    *,
    host: str = "127.0.0.1",
    port: int = 7860,
    settings: PageSettings = DEFAULTS,
    announce: Callable[[str], None] = print,
    loading: Callable[[], None] = lambda: None,
    uploads: Path | None = None,
    evaluation_runs: EvaluationRuns | None = None,
    accounts: Accounts | None = None,
    access: Access = DEFAULT_ACCESS,
    offered: OfferedQuestions | None = None,
    overview: LibraryOverview | None = None,
    owner_socket: OwnerSocket | None = None,
    inherited: Inherited | None = None,
    shared: Database | None = None,
) -> None:
    """Serve the page until interrupted. Call `announce` with its address once it answers. Port 0 means any free one.

    On SIGTERM or Ctrl-C, accept nothing new, and finish the answers that have begun.

    `loading` is called once the port is bound, before models and page are loaded; until they are, connections are
    refused.

    Files added on the page are stored in the folder `uploads`; without it, the page only shows the library.
    `evaluation_runs` runs evaluations from the page, `offered` has suggested questions, `overview` describes the
    library and each document. `accounts` and `access` say who may come in; without an account, everyone on this
    machine. Commands of the library's owner come through `owner_socket`. A worker gets its socket as `inherited`;
    `shared` is the database that several servers of the library use together.

    Raises RequestError if others could reach the page without signing in, and PortInUseError if another server listens at
    the port, both before anything heavy is loaded. Of two servers that start at the same time, both can bind the port;
    the second one to listen raises PortInUseError once it has loaded.
    """
    access = admitted(host, accounts, access)
    listener = inherited.socket() if inherited else bound(host, port)
    listeners = [listener, *([owner_socket.take()] if owner_socket else [])]
    with closing(listener):
        loading()
        # The models load while the page is built, and both are ready when the address is announced.
        warming = threading.Thread(target=_warmed, args=(assistant, offered), name="warming", daemon=True)
        warming.start()
        editor = DocumentEditor(assistant.library, ingest_into(assistant.library) if uploads else None, uploads, shared)
        from assistant.server.app import application

        app = application(
            assistant,
            conversations,
            settings,
            is_local=is_loopback(host),
            editor=editor,
            evaluation_runs=evaluation_runs,
            accounts=accounts,
            access=access,
            offered=offered,
            overview=overview,
            owner_socket=owner_socket.address if owner_socket else None,
            shared=shared,
        )
        warming.join()
        listen(listener, host)
        server(app, lambda: announce(address(host, listener.getsockname()[1]))).run(sockets=listeners)


def admitted(host: str, accounts: Accounts | None, access: Access) -> Access:
    """Return the access to a page at `host`. Raises RequestError if strangers could come in."""
    if is_loopback(host):
        return access
    if not access.user_header and (accounts is None or accounts.register.is_empty()):
        raise RequestError(
            f"At {host} others could reach the page, and nobody would be asked who they are: "
            "let people in by name with `attest users add NAME` first, then serve it again."
        )
    return replace(access, always=True)


def bound(host: str, port: int) -> socket.socket:
    """Return a socket with that port, which doesn't listen yet. Raises PortInUseError, which says what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise _port_in_use(host, port, error) from error
    return listener


def listen(listener: socket.socket, host: str) -> None:
    """Take connections from now on. Raises PortInUseError if another server did so since the port was bound.

    Only for a server that answers: before that, a proxy passes over a server that refuses, but waits for one that
    listens.
    """
    try:
        listener.listen(256)
    except OSError as error:
        raise _port_in_use(host, listener.getsockname()[1], error) from error


def _port_in_use(host: str, port: int, error: OSError) -> PortInUseError:
    return PortInUseError(
        f"The page can't be served at {address(host, port)} ({error.strerror}); choose another --port."
    )


def address(host: str, port: int) -> str:
    """Return the address to type into a browser."""
    name = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - only told apart, not bound
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server at `host`."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _warmed(assistant: Assistant, offered: OfferedQuestions | None) -> None:
    """Load the models before the first question needs them, and begin to make the suggested questions."""
    try:
        assistant.library.prepare()
        assistant.library.search("?", 1)
        if offered is not None:
            offered.questions()
    except AttestError as error:  # the question will report it on the page
        log.warning("%s", error)


def server(app: ASGIApp, ready: Callable[[], None]) -> uvicorn.Server:
    """Return a server for `app` that calls `ready` as soon as it answers."""
    import uvicorn
    from uvicorn.protocols.http.auto import AutoHTTPProtocol

    class Announcing(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if self.started:
                ready()

    class Protocol(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # whichever is installed
        def send_400_response(self, msg: str) -> None:
            self.transport.write(malformed())
            self.transport.close()

    # Our gate decides whether to trust what proxies say about their clients, not the server.
    return Announcing(
        uvicorn.Config(
            app,
            http=Protocol,
            ws="none",  # the page doesn't use it, and its refusals would lack our headers
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=SECONDS_FOR_ANSWERS,
            # A busy server must not close a connection on which the next question is already coming.
            timeout_keep_alive=75,
        )
    )
