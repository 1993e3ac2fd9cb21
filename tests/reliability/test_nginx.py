"""`deploy/nginx-replicas.conf` passes over a replica that is down, and not over one that is back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx

from tests.reliability.serving import nginx_before
from tests.servers import free_port


class _Replica(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def _answering(port: int) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", port), _Replica) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()


def test_replicas_may_restart_right_after_each_other(tmp_path: Path) -> None:
    first, second = free_port(), free_port()
    with ExitStack() as stack:
        with _answering(first):
            port = stack.enter_context(nginx_before([first, second], tmp_path))
            assert _statuses(port) == {200}
        stack.enter_context(_answering(second))
        assert _statuses(port) == {200}


def _statuses(port: int) -> set[int]:
    address = f"http://127.0.0.1:{port}/api/ask"
    return {httpx.get(address, trust_env=False).status_code for _ in range(4)}
