"""Serve a language model's endpoint that fails on demand, over real HTTP: its model's name says how."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SILENCE = 60.0
"""Seconds for which one that hangs says nothing; tests set a shorter patience."""
FLOOD = 100 * 2**20
"""Bytes that one that floods wants to send."""


@dataclass
class Endpoint:
    """What was asked of it, and how far it came."""

    url: str = ""
    asked: list[dict[str, object]] = field(default_factory=list)
    sent: int = 0
    left: threading.Event = field(default_factory=threading.Event)
    """Set when a client left while it was still sending or waiting."""


@contextmanager
def endpoint_running() -> Iterator[Endpoint]:
    """The endpoint, until the block ends."""
    state = Endpoint()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.headers.get("Authorization") == "Bearer refused-0123456789":
                self._whole(401, json.dumps({"error": f"wrong key: {self.headers['Authorization']}"}).encode())
                return
            kinds = ("works", "hangs", "cuts", "pauses", "floods", "500", "429", "401")
            self._whole(200, json.dumps({"object": "list", "data": [{"id": kind} for kind in kinds]}).encode())

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            state.asked.append(request)
            kind = str(request["model"])
            if kind.isdigit():
                said = {"error": {"message": f"Wrong: {self.headers['Authorization']} said {request}"}}
                self._whole(int(kind), json.dumps(said).encode())
                return
            with suppress(OSError):
                if kind == "hangs":
                    self._wait()
                    return
                self.send_response(200)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self._stream(kind)
            self.close_connection = True

        def _stream(self, kind: str) -> None:
            words = ["The World Conference ", "took place in Vienna ", "[1]."]
            if kind == "floods":
                words = ["and so on " * 6_000] * (FLOOD // 60_000)
            for number, word in enumerate(words):
                if kind == "cuts" and number == 1:
                    return
                if kind == "pauses" and number == 1:
                    self._wait()
                    return
                delta = {"role": "assistant", "content": word}
                chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": kind}
                chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
                data = f"data: {json.dumps(chunk)}\n\n".encode()
                try:
                    self.wfile.write(data)
                    self.wfile.flush()
                except OSError:
                    state.left.set()
                    raise
                state.sent += len(data)
            self.wfile.write(b"data: [DONE]\n\n")

        def _wait(self) -> None:
            """Say nothing, and look whether the other side is still there."""
            self.connection.settimeout(0.05)
            end = time.monotonic() + SILENCE
            while time.monotonic() < end:
                with suppress(TimeoutError):
                    if self.connection.recv(1) == b"":
                        state.left.set()
                        return

        def _whole(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
