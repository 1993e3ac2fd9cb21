"""Send requests to the API of the process that owns the library.

It is small on purpose: a command that asks a running server imports only this.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any

from store.errors import AttestError, LibraryError, LibraryLockedError, restored
from store.ownership.lock import locked_error
from store.ownership.owner_socket import short_path, socket_path
from store.settings import Settings, facts_for_answers
from store.version import program_version

_SECONDS_TO_ANSWER = 120.0
"""Time for an owner to identify itself: it may be busy, or still be loading."""
_JSON = {"content-type": "application/json", "accept-language": "en"}


class OwnerGoneError(LibraryError):
    """The owner doesn't answer, or stopped in the middle."""


class OwnerClient:
    """Asks the owner of a library. Safe to use from several threads."""

    def __init__(self, home: Path) -> None:
        """Raises OwnerGoneError if no owner answers, LibraryError for one of another version of Attest.

        Raises LibraryLockedError on systems without such sockets.
        """
        self._home = home
        if not hasattr(socket, "AF_UNIX"):
            raise locked_error(home)
        said = self.send("GET", "/api/owner", seconds=_SECONDS_TO_ANSWER)
        self.pid: int = said["pid"]
        self.settings: dict[str, Any] = said["settings"]
        """The settings that its answers depend on, in the form of `facts_for_answers`."""
        self.takes_files: bool = said["takes_files"]
        """Whether it changes its library for other processes."""
        if said["version"] != program_version():
            raise LibraryError(
                f"Process {self.pid} has the library open and runs another version of Attest: stop it, then start it again."
            )

    def require(self, wanted: Mapping[str, object]) -> None:
        """Raise LibraryLockedError unless the owner has the settings `wanted`."""
        for name, value in wanted.items():
            if self.settings.get(name) != value:
                raise LibraryLockedError(
                    f"Process {self.pid} has the library open with {name} {self.settings.get(name)}, and here it is "
                    f"{value}: stop that process, or set it as it is there.",
                    self.pid,
                )

    def send(self, method: str, path: str, body: object = None, *, seconds: float | None = None) -> Any:  # noqa: ANN401
        """Return the values of a reply. Raises OwnerGoneError, and the error in the reply."""
        with closing(_Connection(self._home, seconds)) as connection:
            response = self._response(connection, method, path, body, "application/json")
            content = _read(response, self._home)
        return json.loads(content) if content else None

    def events(self, path: str, body: object) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield name and values of each server-sent event of a reply; leaving the iteration ends the request.

        Raises OwnerGoneError, and the error in the reply or in its event ``failed``.
        """
        with closing(_Connection(self._home, None)) as connection:
            response = self._response(connection, "POST", path, body, "text/event-stream")
            name = ""
            for line in _lines(response, self._home):
                field, _, value = line.partition(": ")
                if field == "event":
                    name = value
                elif field == "data" and name == "failed":
                    raise _error(json.loads(value))
                elif field == "data":
                    yield name, json.loads(value)

    def _response(self, connection: _Connection, method: str, path: str, body: object, accepted: str) -> HTTPResponse:
        content = None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, content, _JSON | {"accept": accepted})
            response = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise _gone(self._home) from error
        if response.status >= 400:
            raise _error(json.loads(_read(response, self._home)))
        return response


def find_owner(home: Path) -> OwnerClient | None:
    """Return a client of the process that answers for the library at `home`; None if there is none.

    Raises LibraryError for one of another version of Attest.
    """
    # `Path.exists` raises an error in inaccessible folders.
    if not hasattr(socket, "AF_UNIX") or not os.path.exists(socket_path(home)):  # noqa: PTH110
        return None
    try:
        return OwnerClient(home)
    except OwnerGoneError:
        return None


def find_changing_owner(home: Path) -> OwnerClient | None:
    """Return a client of a server that changes the library at `home` for others; None if none runs.

    Raises LibraryError for one of another version of Attest.
    """
    owner = find_owner(home)
    return owner if owner is not None and owner.takes_files else None


def find_equal_owner(settings: Settings) -> OwnerClient | None:
    """Return a client of an owner whose `settings` give the same answers as this process; None if there is none.

    Raises LibraryError for one of another version of Attest.
    """
    owner = find_owner(settings.home)
    return owner if owner is not None and owner.settings == facts_for_answers(settings) else None


class _Connection(HTTPConnection):
    """HTTP over a library's socket."""

    def __init__(self, home: Path, seconds: float | None) -> None:
        super().__init__("localhost", timeout=seconds)
        self._home = home

    def connect(self) -> None:
        """Connect to the socket. Raises OSError."""
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        with short_path(socket_path(self._home)) as name:
            self.sock.connect(name)


def _lines(response: HTTPResponse, home: Path) -> Iterator[str]:
    try:
        for line in response:
            yield line.decode().rstrip("\n")
    except (OSError, HTTPException) as error:
        raise _gone(home) from error


def _read(response: HTTPResponse, home: Path) -> bytes:
    try:
        return response.read()
    except (OSError, HTTPException) as error:
        raise _gone(home) from error


def _error(values: dict[str, Any]) -> AttestError:
    return restored(values.get("type", ""), values["message"], values.get("code"))


def _gone(home: Path) -> OwnerGoneError:
    return OwnerGoneError(f"The process that owns the library at {home} doesn't answer; run the command again.")
