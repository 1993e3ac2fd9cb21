"""Start real servers for tests: a Chroma server that can be killed and restarted, with a connection that can be cut."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path

import httpx
import pytest

PATIENCE = 600.0
"""Seconds that a server may take to start on a machine that is busy."""


def free_port() -> int:
    """A port that nobody listens at."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class ChromaProcess:
    """`chroma run` with a folder and a port of its own."""

    def __init__(self, folder: Path) -> None:
        program = shutil.which("chroma", path=str(Path(sys.executable).parent))
        if program is None:
            pytest.fail("The program `chroma`, which chromadb brings, is not beside this Python.")
        self._program = program
        self._folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [self._program, "run", "--host", "127.0.0.1", "--port", str(self.port), "--path", str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            assert time.monotonic() < deadline, "the server didn't start"
            assert self._process.poll() is None, "the server ended"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it without warning, as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/api/v2/heartbeat", timeout=5).is_success
        return False


@contextmanager
def chroma_running(folder: Path) -> Iterator[ChromaProcess]:
    """A Chroma server, until the block ends."""
    server = ChromaProcess(folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


class Line:
    """A TCP proxy to a port of this machine: it can be slow, go silent, or cut connections."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.delay = 0.0
        """Seconds before each piece is passed on to the server."""
        self.silent = False
        """Whether pieces are taken and never passed on."""
        self.cuts = 0
        """How many connections are still to be cut as soon as they ask for something."""
        self.connections = 0
        self.asked = bytearray()
        """All that clients sent."""
        self.url = ""
        self._stop: Callable[[], object] = lambda: None
        listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main(listening)), daemon=True)
        self._thread.start()
        listening.wait(PATIENCE)

    def close(self) -> None:
        """Stop, and cut what is connected."""
        self._stop()
        self._thread.join()

    async def _main(self, listening: threading.Event) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        stopped = asyncio.Event()
        self._stop = partial(asyncio.get_running_loop().call_soon_threadsafe, stopped.set)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        listening.set()
        await stopped.wait()
        server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.close()
            return
        returned = asyncio.ensure_future(self._pass(there, writer))
        try:
            while piece := await reader.read(65536):
                self.asked += piece
                if self.cuts > 0:
                    self.cuts -= 1
                    break
                await asyncio.sleep(self.delay)
                while self.silent:
                    await asyncio.sleep(0.02)
                back.write(piece)
                await back.drain()
        except OSError:
            pass
        finally:
            returned.cancel()
            back.close()
            writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            while piece := await reader.read(65536):
                writer.write(piece)
                await writer.drain()
        writer.close()


@contextmanager
def line_to(port: int) -> Iterator[Line]:
    """A line to a server at `port` of this machine, until the block ends."""
    line = Line(port)
    try:
        yield line
    finally:
        line.close()
