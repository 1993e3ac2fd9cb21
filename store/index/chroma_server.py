"""Use vectors on a Chroma server: deadlines, retries, and one clear sentence when it can't be reached.

chromadb's own client waits forever (its `httpx.Client` has no timeout), so every request gets the rest of its call's
time. Temporary errors are retried; all calls may be repeated without harm. After a question found no server, others get
the same error at once for a moment instead of waiting.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import httpx
from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential

from store.errors import AttestError, IndexDamagedError, LibraryError, SettingsError
from store.index.vector_index import BATCH, IndexGoneError, VectorIndex, damage_message

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection

T = TypeVar("T")

CONNECT_SECONDS = 3.0
READ_SECONDS = 10.0
"""How long a question waits for the server in total."""
WRITE_SECONDS = 90.0
"""How long a change waits: long enough for a server to restart."""
ATTEMPT_SECONDS = 30.0
"""The largest part of it for one request."""
OPEN_SECONDS = 3.0
"""How long questions aren't sent to a server that didn't answer."""
ROWS = 1_000
"""Rows per request: a few megabytes, well below proxies' limits."""
PASSING = frozenset({408, 429, 502, 503, 504})
"""HTTP statuses that may change in a moment."""
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
PAGE = 100
"""Collections listed in one request."""


@dataclass(frozen=True, slots=True)
class ServerAddress:
    """A Chroma server's address, and the database to use on it."""

    url: str
    tenant: str = "default_tenant"
    database: str = "default_database"
    token_file: Path | None = None
    """A file with the token, for Chroma Cloud or a proxy that requires one."""
    ca_file: Path | None = None
    """A file with your own authority's certificate; None means the public ones, or those of `SSL_CERT_FILE`."""

    def headers(self) -> dict[str, str]:
        """Return the token in the form for Chroma Cloud and proxies. Raises SettingsError."""
        if self.token_file is None:
            return {}
        try:
            token = self.token_file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"The file that chroma_token_file names can't be read: {self.token_file}.") from error
        if not token or not token.isascii() or not token.isprintable():
            raise SettingsError(f"The file that chroma_token_file names holds no token: {self.token_file}.")
        return {"X-Chroma-Token": token, "Authorization": f"Bearer {token}"}

    def trusted(self) -> ssl.SSLContext | bool:
        """Return the trusted certificates, in httpx's form. Raises SettingsError."""
        if self.ca_file is None:
            return True
        try:
            return ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:  # includes ssl.SSLError
            raise SettingsError(
                f"The file that chroma_ca_file names can't be read as certificates: {self.ca_file}."
            ) from error


class ChromaServer:
    """The connection to one Chroma server from one process. Safe to use from several threads."""

    def __init__(self, address: ServerAddress) -> None:
        parts = urlsplit(address.url)
        self.address = address
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 8000)
        self._base = f"{parts.scheme}://{parts.hostname}:{self._port}{parts.path.rstrip('/')}"
        self._calls = threading.local()
        self._connecting = threading.Lock()
        self._client: ClientAPI | None = None
        self._failure: str | None = None
        self._closed_until = 0.0

    def open(self, name: str) -> ServerVectorIndex:
        """Open the collection `name`; create it if it is missing. Raises LibraryError."""
        return self.call(lambda: ServerVectorIndex(self, name))

    def drop_others(self, prefix: str, name: str) -> None:
        """Delete every collection whose name begins with `prefix`, except the one called `name`."""

        def drop() -> None:
            client = self.connect()
            for other in _names(client):
                if other.startswith(prefix) and other != name:
                    client.delete_collection(other)

        self.call(drop)

    def close(self) -> None:
        """Close the connections; the next call opens new ones."""
        with self._connecting:
            if self._client is not None:
                self._client.close()  # type: ignore[attr-defined] # its base class lacks it
                self._client = None

    def connect(self) -> ClientAPI:
        """Return the client, whose requests all have a deadline; only within `call`."""
        with self._connecting:
            if self._client is None:
                self._client = self._connected()
            return self._client

    def _connected(self) -> ClientAPI:
        import chromadb
        from chromadb.config import Settings

        headers, trusted = self.address.headers(), self.address.trusted()
        # Opening a client makes requests without a deadline, so first check that the server answers at all.
        heartbeat = f"{self._base}/api/v2/heartbeat"
        httpx.get(heartbeat, headers=headers, timeout=self._timeout(), verify=trusted).raise_for_status()
        client = chromadb.HttpClient(
            self._base,
            self._port,
            ssl=self._secure,
            headers=headers,
            settings=Settings(
                anonymized_telemetry=False,
                chroma_server_ssl_verify=str(self.address.ca_file) if self.address.ca_file else True,
            ),
            tenant=self.address.tenant,
            database=self.address.database,
        )
        session: httpx.Client = client._server._session  # type: ignore[attr-defined]
        session.event_hooks = {"request": [self._limit]}
        return client

    def call(self, work: Callable[[], T], *, writes: bool = False) -> T:
        """Return the result of `work`, with retries while errors may be temporary.

        Raises IndexGoneError if the collection is gone, IndexDamagedError for an error of Chroma's own, LibraryError
        for an unusable server.
        """
        if not writes and self._failure is not None and time.monotonic() < self._closed_until:
            raise self._unreachable(self._failure)
        seconds = WRITE_SECONDS if writes else READ_SECONDS
        attempts = Retrying(
            retry=retry_if_exception(lambda error: _is_passing(error) or (writes and _status(error) == 500)),
            stop=stop_before_delay(seconds),
            wait=wait_random_exponential(multiplier=0.1, max=2),
            reraise=True,
        )
        try:
            with self._deadline(seconds):
                made = attempts(work)
        except AttestError:
            raise
        except Exception as error:
            raise self._translated(error) from error
        self._failure = None
        return made

    @contextmanager
    def _deadline(self, seconds: float) -> Iterator[None]:
        before = getattr(self._calls, "deadline", None)
        self._calls.deadline = time.monotonic() + seconds if before is None else before
        try:
            yield
        finally:
            self._calls.deadline = before

    def _timeout(self) -> httpx.Timeout:
        deadline = getattr(self._calls, "deadline", None)
        left = ATTEMPT_SECONDS if deadline is None else max(0.1, min(deadline - time.monotonic(), ATTEMPT_SECONDS))
        return httpx.Timeout(left, connect=min(left, CONNECT_SECONDS))

    def _limit(self, request: httpx.Request) -> None:
        request.extensions["timeout"] = self._timeout().as_dict()

    def _translated(self, error: Exception) -> LibraryError:
        from chromadb.errors import NotFoundError

        status, reason = _status(error), _reason(error)
        where = f"The Chroma server at {self.address.url}"
        if told := _told(status, reason):
            return LibraryError(f"{where} {told}")
        if isinstance(error, NotFoundError) and "collection" in reason.lower():
            return IndexGoneError(f"{where} doesn't have the library's vectors: run `attest doctor --fix`.")
        if isinstance(error, NotFoundError):
            return LibraryError(
                f"{where} has no database {self.address.database!r} of the tenant {self.address.tenant!r}: "
                "make them there, or correct chroma_tenant and chroma_database."
            )
        if _is_passing(error):
            self._failure, self._closed_until = reason, time.monotonic() + OPEN_SECONDS
            return self._unreachable(reason)
        return IndexDamagedError(damage_message(reason))

    def _unreachable(self, reason: str) -> LibraryError:
        return LibraryError(
            "The Chroma server at {url} doesn't answer ({reason}). Nothing is lost: start it, or correct chroma_url, "
            "and try again.",
            code="vectors_unreachable",
            url=self.address.url,
            reason=reason,
        )


class ServerVectorIndex(VectorIndex):
    """A collection on a server."""

    def __init__(self, server: ChromaServer, name: str) -> None:
        super().__init__(server.connect(), name)
        self._server = server
        limit = self._client.get_max_batch_size()
        self.batch = min(ROWS, limit if limit > 0 else BATCH)

    def _call(self, work: Callable[[Collection], T], *, writes: bool = False) -> T:
        return self._server.call(lambda: work(self._collection), writes=writes)

    def drop(self) -> None:
        """Delete the collection."""
        self._server.call(super().drop, writes=True)

    def close(self) -> None:
        """Keep the connections, which the server's other collections use."""


def _names(client: ClientAPI) -> list[str]:
    names: list[str] = []
    while page := client.list_collections(limit=PAGE, offset=len(names)):
        names += [collection.name for collection in page]
    return names


def _status(error: BaseException) -> int | None:
    """Return the HTTP status of an error of httpx or of chromadb, if any."""
    response = getattr(error, "response", None) or getattr(error.__context__, "response", None)
    if isinstance(response, httpx.Response):
        return response.status_code
    code = getattr(error, "code", None)
    return int(code()) if callable(code) else None


def _is_passing(error: BaseException) -> bool:
    # chromadb turns some connection errors into ValueError.
    lost = isinstance(error, httpx.TransportError) or str(error).startswith("Could not connect to")
    return (lost and _UNTRUSTED not in str(error)) or _status(error) in PASSING


def _told(status: int | None, reason: str) -> str | None:
    """Return the message about a server's problem that only its owner can solve."""
    if "full" in reason.lower() or "no space" in reason.lower():
        return "has a full disk. Free some space there and try again."
    if status in {401, 403}:
        return "refuses the token: put the right one into the file of chroma_token_file."
    if _UNTRUSTED in reason:
        # without OpenSSL's names for it and for the place in its code
        why = reason.partition("certificate verify failed: ")[2].partition(" (_ssl.c")[0] or "its check failed"
        return (
            f"shows a certificate that isn't trusted ({why}): name the file with its authority's certificate in "
            "chroma_ca_file, or correct chroma_url."
        )
    return None


def _reason(error: Exception) -> str:
    if isinstance(error, httpx.TimeoutException):
        return "it takes too long"
    status = _status(error)
    if status in PASSING and not isinstance(error, httpx.HTTPStatusError) and len(str(error)) > 200:
        return f"HTTP status {status}"  # a proxy's page
    return (str(error) or type(error).__name__).strip().splitlines()[0].rstrip(".")
