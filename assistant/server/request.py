"""A request as the gate reads it, and the few answers that it gives itself. Plain ASGI."""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

from assistant.server.security import Receive, Scope, Send, headers_of
from assistant.server.strings import Strings, chosen

LARGEST_FORM = 16 * 1024
"""Bytes."""
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Request:
    """What is looked at."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    cookies: dict[str, str]
    address: str
    """Of the client, beyond trusted proxies."""
    secure: bool
    words: Strings


def request_of(scope: Scope) -> Request:
    """The request of an HTTP scope."""
    headers = headers_of(scope)
    query = query_of(scope.get("query_string", b""))
    return Request(
        method=scope["method"],
        path=scope["path"],
        query=query,
        headers=headers,
        cookies=_cookies(headers.get("cookie", "")),
        address=scope["client"][0],
        secure=scope["scheme"] == "https",
        words=chosen(query.get("ui"), headers.get("accept-language", "")),
    )


def query_of(query_string: bytes) -> dict[str, str]:
    """The last of each name, as the routes read it: all that they read, else there would be a way around the gate."""
    return dict(parse_qsl(query_string.decode("latin-1"), keep_blank_values=True))


def _cookies(header: str) -> dict[str, str]:
    """Cookies by name; those of other programs on this host may look as they like."""
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return {name: value for name, _, value in pairs}


def wanted_conversation(request: Request) -> str:
    """The conversation that was asked for: nothing else may be put into an address to return to."""
    wanted = request.query.get("c", "")
    return wanted if _CONVERSATION.fullmatch(wanted) else ""


def is_address(name: str) -> bool:
    """Whether `name` is an IP address."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


async def whole_body(receive: Receive, most: int | None = None) -> bytes:
    """The body of a request, of which the guard limits the size; b"" where it is longer than `most`."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if most is not None and len(body) > most:
            return b""
        if not message.get("more_body"):
            return body


async def form_of(receive: Receive) -> dict[str, str]:
    """The fields of a form that was sent; none of one that can't be read or is too large."""
    body = await whole_body(receive, LARGEST_FORM)
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        return {}


async def redirect(send: Send, location: str, cookie: bytes | None = None) -> None:
    """Send the browser to `location`, relative to where it is."""
    headers = [(b"location", location.encode()), *([(b"set-cookie", cookie)] if cookie else [])]
    await respond(send, 303, b"", "text/plain; charset=utf-8", headers)


async def refuse(send: Send, status: int, sentence: str) -> None:
    """Answer with one sentence, as the routes do."""
    await respond(send, status, json.dumps({"message": sentence}, ensure_ascii=False).encode(), "application/json")


async def respond(
    send: Send, status: int, body: bytes, media_type: str, more: list[tuple[bytes, bytes]] | None = None
) -> None:
    """A whole answer, which no cache may keep."""
    headers = [
        (b"content-type", media_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"no-store"),
        *(more or []),
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
