"""Listen on the owner's socket from the start, and answer through the HTTP API at the first request.

The program sets the server once, with `answer_by`, because the store may not import the API. Importing the API takes a
second, so it is loaded at the first request, unless `take` passes the socket to a running server. Only the user can
access the folder (mode 0700) and the socket (0600).
"""

from __future__ import annotations

import logging
import os
import selectors
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from weakref import WeakSet

if TYPE_CHECKING:
    from store.library import Library

FOLDER = "run"
FILE = "api.sock"
_LONGEST = 100
"""Bytes of a path that every system accepts for a socket: Linux takes 107, macOS 103."""
_BACKLOG = 128

log = logging.getLogger(__name__)


class Closing(Protocol):
    """An object that can be closed."""

    def close(self) -> None:
        """Stop it, and wait until it has stopped."""


Serve = Callable[["Library", socket.socket], Closing]
"""Begins to answer requests for a library at a listening socket."""

_serve: Serve | None = None


def answer_by(serve: Serve) -> None:
    """Let the libraries that this process owns from now on answer the user's other processes with `serve`."""
    global _serve  # noqa: PLW0603 - one process has one program, which says this where it starts
    _serve = serve


class OwnerSocket:
    """Listens for other processes, from `open` until `close`. Only a library's owner may have one."""

    def __init__(self, path: Path, listener: socket.socket) -> None:
        self.address: str = listener.getsockname()
        """The socket's own name, by which a server recognizes its connections."""
        self._path = path
        self._listener = listener
        self._wake, self._waker = socket.socketpair()
        self._thread: threading.Thread | None = None
        self._server: Closing | None = None
        self._closed = False
        self._pid = os.getpid()
        _open_sockets.add(self)

    @classmethod
    def open(cls, home: Path) -> OwnerSocket | None:
        """Listen, replacing an owner that is gone; None if the system or the disk has no such sockets."""
        if not hasattr(socket, "AF_UNIX"):
            return None
        path = socket_path(home)
        try:
            path.parent.mkdir(mode=0o700, exist_ok=True)
            if not _is_own_folder(path.parent):
                return None
            path.parent.chmod(0o700)
            return cls(path, _listening(path))
        except OSError as error:
            log.info("other commands can't ask this process: %s", error.strerror or error)
            return None

    @classmethod
    def answering(cls, library: Library) -> OwnerSocket | None:
        """Listen for `library`, and answer from the first request on; None without a server to answer with."""
        made = cls.open(library.settings.home) if _serve is not None else None
        if made is not None and _serve is not None:
            made.answer(library, _serve)
        return made

    def answer(self, library: Library, serve: Serve) -> None:
        """Answer with `serve` from the first request on."""
        self._thread = threading.Thread(target=self._wait, args=(library, serve), name="attest-owner", daemon=True)
        self._thread.start()

    def take(self) -> socket.socket:
        """Return the listening socket, for a server that answers and then closes it."""
        self._stop_waiting()
        if self._server is not None:  # somebody asked in the moment before
            self._server.close()
            self._server = None
            self._listener = _listening(self._path)
            self.address = self._listener.getsockname()
        return self._listener

    def close(self) -> None:
        """Stop listening; in a fork, touch nothing. Running requests have a few seconds to end."""
        if self._closed or os.getpid() != self._pid:
            return
        self._closed = True
        with suppress(OSError):
            self._path.unlink()
            self._path.parent.rmdir()
        self._stop_waiting()
        if self._server is not None:
            self._server.close()
        for each in (self._listener, self._wake, self._waker):
            each.close()

    def _wait(self, library: Library, serve: Serve) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake, selectors.EVENT_READ)
            ready = [key.fileobj for key, _ in selector.select()]
        if self._wake in ready:
            return
        try:
            self._server = serve(library, self._listener)
        except Exception:
            log.exception("Other commands can't ask this process")
            self._listener.close()

    def _stop_waiting(self) -> None:
        if self._thread is not None:
            self._waker.send(b"x")
            self._thread.join()
            self._thread = None

    def close_in_child(self) -> None:
        """In a forked child, close what would otherwise stay open without answers after the parent is gone."""
        for each in (self._listener, self._wake, self._waker):
            with suppress(OSError):
                each.close()


_open_sockets: WeakSet[OwnerSocket] = WeakSet()


def _close_in_child() -> None:
    for each in list(_open_sockets):
        each.close_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)


def socket_path(home: Path) -> Path:
    """Return the path of the socket of the library at `home`, if its owner listens."""
    return home / FOLDER / FILE


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Yield a name for `path` that is short enough for a socket's address: the path itself, or one through a link."""
    if len(os.fsencode(path)) <= _LONGEST:
        yield str(path)
        return
    from tempfile import TemporaryDirectory

    with TemporaryDirectory(prefix="attest-") as folder:
        link = Path(folder) / FOLDER
        link.symlink_to(path.parent.absolute(), target_is_directory=True)
        yield str(link / path.name)


def _listening(path: Path) -> socket.socket:
    """Return a socket that listens at `path`. It gets its name last, because it refuses clients before it listens."""
    draft = path.with_name(f"{os.getpid()}.sock")
    draft.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with short_path(draft) as name:
            listener.bind(name)
        draft.chmod(0o600)
        listener.listen(_BACKLOG)
        draft.replace(path)
    except BaseException:
        listener.close()
        draft.unlink(missing_ok=True)
        raise
    return listener


def _is_own_folder(path: Path) -> bool:
    """Return whether `path` is a folder of this user and no link: in another user's, somebody could impersonate us."""
    found = path.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
