"""Fetch a document from a web address on the server: limited in size, time and kind, and not from inside the network.

A name's address decides whether the server may connect. It is checked when connecting to exactly that address, and
again for each redirect, so a name can't switch to another address in between.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import httpcore
import httpx

from assistant.server.page_settings import MEBIBYTE
from ingest.readers import READERS
from store.errors import RequestError

REDIRECTS = 5
_PATIENCE = 10.0
"""Seconds of silence allowed from a server."""
_SUFFIXES = {
    media_type: reader.suffixes[0]
    for reader in READERS
    for media_type in reader.media_types
    if media_type != "text/plain"
}
_BY_NAME = ("", "text/plain", "text/x-markdown", "application/octet-stream", "binary/octet-stream")
"""Unspecific types; the name's suffix decides, if Attest can read that format."""
_TRANSLATED = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for fetching."""

    bytes: int
    suffixes: tuple[str, ...]
    """Suffixes of readable files, with their dots."""
    seconds: float = 60


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document being fetched: its name, and its content in pieces."""

    name: str
    pieces: Iterator[bytes]


def is_public(address: Address) -> bool:
    """Return whether `address` is public: not of this machine, this network, a link, or a group."""
    return all(one.is_global and not one.is_multicast for one in (address, *_inside(address)))


def _inside(address: Address) -> Iterator[Address]:
    """Return IPv4 addresses inside an IPv6 address."""
    if isinstance(address, ipaddress.IPv6Address):
        teredo = address.teredo or ()
        translated = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None
        yield from filter(None, (address.ipv4_mapped, address.sixtofour, *teredo, translated))


@contextmanager
def fetched(address: str, limits: Limits, admits: Callable[[Address], bool] = is_public) -> Iterator[Fetched]:
    """Return the document at `address`. Raises RequestError, here or while its pieces are read, in one sentence."""
    deadline = time.monotonic() + limits.seconds
    url = _checked(address)
    with httpcore.ConnectionPool(network_backend=_Guarded(admits, deadline), max_connections=1) as pool:
        for _ in range(REDIRECTS + 1):
            with _asked(pool, url, limits.seconds) as response:
                headers = httpx.Headers(response.headers)
                if response.status in (301, 302, 303, 307, 308) and "location" in headers:
                    url = _checked(str(url.join(headers["location"])))
                    continue
                if response.status != 200:
                    raise RequestError(
                        "{host} answered with {status} instead of a document.",
                        code="web_status",
                        host=url.host,
                        status=response.status,
                    )
                if headers.get("content-encoding", "identity") != "identity":
                    raise RequestError(
                        "{host} sends the document compressed, which wasn't asked for.",
                        code="web_compressed",
                        host=url.host,
                    )
                name = _name(url, headers.get("content-type", ""), limits.suffixes)
                yield Fetched(name, _bounded(response, url, name, limits))
                return
    raise RequestError(
        "{host} leads from one address to the next; the most is {count} times.",
        code="web_circle",
        host=url.host,
        count=REDIRECTS,
    )


_HEADERS = (("User-Agent", "Attest"), ("Accept-Encoding", "identity"), ("Accept", "*/*"))


@contextmanager
def _asked(pool: httpcore.ConnectionPool, url: httpx.URL, seconds: float) -> Iterator[httpcore.Response]:
    with ExitStack() as open_until_read:
        with _said(url, seconds):
            response = open_until_read.enter_context(pool.stream("GET", _target(url), headers=_HEADERS))
        yield response


def _checked(address: str) -> httpx.URL:
    """Return `address` as a URL of the web. Raises RequestError."""
    try:
        url = httpx.URL(address.strip())
    except (httpx.InvalidURL, UnicodeError, ValueError) as error:
        raise RequestError(
            "This is no web address: write it as https://example.org/paper.pdf.", code="web_address"
        ) from error
    if url.scheme not in ("http", "https") or not url.host:
        raise RequestError("This is no web address: write it as https://example.org/paper.pdf.", code="web_address")
    if url.userinfo:
        raise RequestError(
            "An address with a name or a password in it isn't fetched: leave them out.", code="web_password"
        )
    return url.copy_with(fragment=None)


def _target(url: httpx.URL) -> httpcore.URL:
    return httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)


@contextmanager
def _said(url: httpx.URL, seconds: float) -> Iterator[None]:
    """Return a network error as one sentence."""
    try:
        yield
    except httpcore.TimeoutException as error:
        raise RequestError(
            "{host} took too long; a document must be here within {seconds} seconds.",
            code="web_slow",
            host=url.host,
            seconds=f"{seconds:g}",
        ) from error
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        if isinstance(error, ssl.SSLError) or "CERTIFICATE" in str(error).upper():
            raise RequestError(
                "{host} could not prove its name: its certificate isn't valid.", code="web_certificate", host=url.host
            ) from error
        raise RequestError("{host} can't be reached, or broke off.", code="web_gone", host=url.host) from error


def _bounded(response: httpcore.Response, url: httpx.URL, name: str, limits: Limits) -> Iterator[bytes]:
    size = 0
    with _said(url, limits.seconds):
        for piece in response.iter_stream():
            size += len(piece)
            if size > limits.bytes:
                raise RequestError(
                    "{name} is larger than the limit of {size} MiB.",
                    code="large",
                    name=name,
                    size=limits.bytes // MEBIBYTE,
                )
            yield piece


def _name(url: httpx.URL, kind: str, suffixes: tuple[str, ...]) -> str:
    """Return a file name such as ``example.org-papers-forum.html``, different for each address."""
    parts = [url.host, *filter(None, unquote(url.path).split("/"))]
    last = PurePosixPath(parts[-1]) if len(parts) > 1 else PurePosixPath()
    mime = kind.split(";", maxsplit=1)[0].strip().lower()
    suffix = last.suffix.lower() if mime in _BY_NAME else _SUFFIXES.get(mime, "")
    if mime == "text/plain" and suffix not in suffixes:
        suffix = ".txt"
    if suffix not in suffixes:
        raise RequestError(
            "{host} sends {kind}; these can be read: {kinds}.",
            code="web_kind",
            host=url.host,
            kind=mime or "a file of no known kind",
            kinds=", ".join(suffixes),
        )
    if last.suffix.lower() in suffixes:
        parts[-1] = last.stem
    if url.query:
        parts.append(sha256(url.query).hexdigest()[:8])
    return "-".join(parts)[:120] + suffix


class _Guarded(httpcore.NetworkBackend):
    """Connects to allowed addresses only, and reads no longer than until the deadline."""

    def __init__(self, admits: Callable[[Address], bool], deadline: float) -> None:
        self._admits = admits
        self._deadline = deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Return a connection to the first address of `host` that answers; none if any of them isn't allowed."""
        problem: Exception = httpcore.ConnectError("no address")
        for address in self._addresses(host, port):
            try:
                seconds = _left(self._deadline)
                stream = self._plain.connect_tcp(str(address), port, seconds, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                problem = error
            else:
                return _Timed(stream, self._deadline)
        raise problem

    def _addresses(self, host: str, port: int) -> list[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise RequestError(
                "There is no server named {host}: check the spelling.", code="web_nowhere", host=host
            ) from error
        addresses = [ipaddress.ip_address(str(entry[4][0]).split("%")[0]) for entry in found]
        if not all(map(self._admits, addresses)):
            raise RequestError(
                "{host} is inside this network; only addresses of the public web are fetched.",
                code="web_inside",
                host=host,
            )
        return addresses


class _Timed(httpcore.NetworkStream):
    """A stream that ends at the deadline, however slowly its server sends."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read. Raises httpcore.ReadTimeout past the deadline."""
        return self._stream.read(max_bytes, _left(self._deadline))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write. Raises httpcore.WriteTimeout past the deadline."""
        self._stream.write(buffer, _left(self._deadline))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        """Return the stream encrypted for `server_hostname`."""
        return _Timed(self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline)), self._deadline)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401 - as httpcore has it
        """Return the plain stream's information."""
        return self._stream.get_extra_info(info)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the deadline has passed")
    return min(left, _PATIENCE)
