"""The owner of a library answers other processes' vector queries, because only the owner may have Chroma open.

It listens on a loopback socket, with a key that only the user's own processes can read. Both sides prove that they
know the key before any other message; messages are JSON, never pickles, and bounded in size.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import secrets
import socket
import struct
import sys
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Connection, Listener, answer_challenge, deliver_challenge
from pathlib import Path
from typing import Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from store.errors import AttestError, LibraryError
from store.index.vector_index import VectorSearch
from store.ownership.lock import read_owner
from store.types import Filter

KEY_FILE = "owner.key"
MAX_MESSAGE = 4 * 1024 * 1024
"""Bytes: a vector with a filter that names tens of thousands of documents."""
MAX_CLIENTS = 64
MAX_HITS = 10_000
SECONDS = 30
"""How long one side waits for the other in the middle of a message."""


class OwnerGoneError(LibraryError):
    """The owner doesn't answer, or stopped in the middle."""


class VectorServer:
    """Answers `nearest` for other processes, in its own threads, from `start` until `close`."""

    def __init__(self, home: Path, opened: Callable[[], AbstractContextManager[tuple[int, VectorSearch]]]) -> None:
        """`opened` opens the index in use for a while, with the number of its generation."""
        self._opened = opened
        self._key = _write_key(home)
        self._listener = Listener(("127.0.0.1", 0), backlog=MAX_CLIENTS)
        self._clients: set[Connection] = set()
        self._lock = threading.Lock()
        self._closed = False

    @property
    def address(self) -> str:
        """Return ``host:port``, for the note beside the lock."""
        host, port = self._listener.address
        return f"{host}:{port}"

    def start(self) -> None:
        """Start to accept clients."""
        _servers.add(self)
        threading.Thread(target=self._accept, name="attest-owner", daemon=True).start()

    def close(self) -> None:
        """Stop; clients in the middle of a query lose their connection."""
        self._closed = True
        with suppress(OSError):  # wake the thread that waits in accept()
            socket.create_connection(self._listener.address, timeout=1).close()
        self._listener.close()
        with self._lock:
            for connection in self._clients:
                with suppress(OSError):
                    socket.socket(fileno=os.dup(connection.fileno())).shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                continue
            with self._lock:
                welcome = not self._closed and len(self._clients) < MAX_CLIENTS
                if welcome:
                    self._clients.add(connection)
            if welcome:
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()
            else:
                connection.close()

    def _serve(self, connection: Connection) -> None:
        try:
            _limit_waiting(connection, SECONDS)
            deliver_challenge(connection, self._key)
            answer_challenge(connection, self._key)
            _limit_waiting(connection, 0)  # between queries a client may be silent for any time
            while True:
                request = connection.recv_bytes(MAX_MESSAGE)
                connection.send_bytes(json.dumps(self._answer(request)).encode())
        except (EOFError, OSError, AuthenticationError):
            pass  # the client went away, or doesn't know the key
        finally:
            with self._lock:
                self._clients.discard(connection)
            connection.close()

    def _answer(self, request: bytes) -> dict[str, Any]:
        try:
            generation, vector, k, where = _parse(request)
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            return {"error": f"The query to the library's owner is malformed: {error}."}
        try:
            with self._opened() as (current, index):
                if current != generation:  # the vector is centered for an index that was replaced
                    return {"generation": current}
                return {"hits": index.nearest(vector, k, where)}
        except AttestError as error:
            return {"error": str(error)}
        except Exception as error:  # any failure must reach the client
            return {"error": f"The library's owner could not answer: {type(error).__name__}: {error}"}


_servers: WeakSet[VectorServer] = WeakSet()


def _close_in_child() -> None:
    """In a forked child, close sockets that it would hold open without answering when the parent is gone."""
    for server in list(_servers):
        with suppress(OSError):
            server._listener.close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


class RemoteVectors:
    """A vector index that the owner of the library searches. Safe to use from several threads."""

    def __init__(self, home: Path, generation: int) -> None:
        self._home = home
        self._generation = generation
        self._connection: Connection | None = None
        self._lock = threading.Lock()

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """Search as `VectorIndex.nearest` does. Raises OwnerGoneError, LibraryError."""
        request = {
            "generation": self._generation,
            "vector": base64.b64encode(vector.astype("<f4").tobytes()).decode(),
            "k": k,
            "where": asdict(where or Filter()),
        }
        with self._lock:
            reply = self._ask(json.dumps(request).encode())
        if "generation" in reply:
            raise OwnerGoneError("The owner of the library has rebuilt its indexes; run the command again.")
        if "error" in reply:
            raise LibraryError(reply["error"])
        return [(str(passage_id), float(distance)) for passage_id, distance in reply["hits"]]

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._disconnect()

    def _ask(self, request: bytes) -> dict[str, Any]:
        if len(request) > MAX_MESSAGE:
            raise LibraryError("The filter names too many documents for a library that another process owns.")
        try:
            if self._connection is None:
                self._connection = _connect(self._home)
            self._connection.send_bytes(request)
            reply: dict[str, Any] = json.loads(self._connection.recv_bytes(MAX_MESSAGE))
        except (EOFError, OSError, ValueError, AuthenticationError) as error:
            self._disconnect()
            raise OwnerGoneError(
                f"The process that owns the library at {self._home} doesn't answer; run the command again."
            ) from error
        return reply

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _connect(home: Path) -> Connection:
    owner = read_owner(home)
    if owner is None or owner.address is None:
        raise ConnectionRefusedError("no process owns the library")
    host, _, port = owner.address.rpartition(":")
    key = (home / KEY_FILE).read_bytes()
    connection = Client((host, int(port)))
    try:
        _limit_waiting(connection, SECONDS)
        answer_challenge(connection, key)
        deliver_challenge(connection, key)
    except BaseException:
        connection.close()
        raise
    return connection


def _parse(request: bytes) -> tuple[int, NDArray[np.float32], int, Filter]:
    message = json.loads(request)
    vector = np.frombuffer(base64.b64decode(message["vector"], validate=True), dtype="<f4")
    k = int(message["k"])
    if not 0 < k <= MAX_HITS:
        raise ValueError(f"k must lie between 1 and {MAX_HITS}")
    where = message["where"]
    for name in ("documents", "speakers", "languages", "collections"):
        where[name] = tuple(str(value) for value in where[name])
    return int(message["generation"]), vector.astype(np.float32), k, Filter(**where)


def _write_key(home: Path) -> bytes:
    """Make a new key for this owner, in a file that only this user can read."""
    key = secrets.token_bytes(32)
    path = home / KEY_FILE
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
    return key


def _limit_waiting(connection: Connection, seconds: int) -> None:
    """Let the operating system end a read or write that takes longer; 0 waits for ever.

    Without this (on Windows) a stranger can hold a thread, not more.
    """
    if sys.platform == "win32":
        return
    limit = struct.pack("ll", seconds, 0)
    with socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, limit)
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, limit)
