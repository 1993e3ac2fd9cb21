"""Start real web servers on loopback addresses, from which the page fetches."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Serve = Callable[[BaseHTTPRequestHandler], None]


class WebServer:
    """What a server is asked for, and where it listens."""

    def __init__(self, serve: Serve, host: str) -> None:
        asked: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                # Who asked may have had enough, which is what is tested.
                with suppress(ConnectionError):
                    serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self.asked = asked
        self.http = ThreadingHTTPServer((host, 0), Handler)
        self.http.daemon_threads = True
        self.host = host
        self.address = f"http://{host}:{self.http.server_port}"


@contextmanager
def web_server(serve: Serve, host: str = "127.0.0.1") -> Iterator[WebServer]:
    """A server until the end of the block."""
    server = WebServer(serve, host)
    threading.Thread(target=server.http.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server
    finally:
        server.http.shutdown()
        server.http.server_close()


def sends(body: bytes, kind: str = "text/plain", status: int = 200, **headers: str) -> Serve:
    """Answers every request with the same."""

    def serve(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        for name, value in headers.items():
            request.send_header(name.replace("_", "-"), value)
        request.end_headers()
        request.wfile.write(body)

    return serve


def drips(request: BaseHTTPRequestHandler) -> None:
    """Sends one letter now and then, without end."""
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    for _ in range(200):
        request.wfile.write(b"x")
        request.wfile.flush()
        time.sleep(0.05)


def floods(request: BaseHTTPRequestHandler) -> None:
    """Says nothing of its length, and sends megabytes."""
    request.send_response(200)
    request.send_header("Content-Type", "text/plain")
    request.end_headers()
    for _ in range(64):
        request.wfile.write(b"flood " * 40_000)
