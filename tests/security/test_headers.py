"""Every response has its policy, even to invalid requests and after failures of the application."""

from __future__ import annotations

import socket
import threading
from contextlib import closing
from urllib.parse import urlsplit

import pytest
from starlette.types import Message, Receive, Scope, Send

from assistant.server.security import RequestGuard
from assistant.server.serve import bound, server
from tests.security.conftest import Guarded

WEB_SOCKET = (
    b"GET /gradio_api/queue/join HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


def answer(port: int, request: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of what comes back for these bytes."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=120)) as connection:
        connection.sendall(request)
        reply = b""
        while b"\r\n\r\n" not in reply and (more := connection.recv(65536)):
            reply += more
    status, *lines = reply.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return int(status.split()[1]), {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 hello by TLS\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST /attest/sign-in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", 400),
        (WEB_SOCKET, 401),
        (b"GET /nothing HTTP/1.1\r\nHost: elsewhere.example\r\n\r\n", 421),
    ],
)
def test_whatever_is_sent_the_answer_has_its_policy(guarded: Guarded, request_: bytes, status: int) -> None:
    seen, headers = answer(urlsplit(guarded.address).port or 0, request_)
    assert seen == status
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"


def test_a_failure_of_the_application_is_answered_with_the_policy_and_without_its_reason() -> None:
    async def failing(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            raise RuntimeError("the secret of the traceback")
        await receive()
        started: Message = {"type": "lifespan.startup.complete"}
        await send(started)

    ready = threading.Event()
    with closing(bound("127.0.0.1", 0)) as listener:
        running = server(RequestGuard(failing, max_request_bytes=1000, max_upload_bytes=1000), ready.set)
        thread = threading.Thread(target=lambda: running.run(sockets=[listener]), daemon=True)
        thread.start()
        try:
            assert ready.wait(900)
            status, headers = answer(listener.getsockname()[1], b"GET /x HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        finally:
            running.should_exit = True
            thread.join(10)
    assert status == 500
    assert "default-src 'none'" in headers["content-security-policy"]
