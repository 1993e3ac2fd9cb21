"""Add security headers to every response, and refuse bad requests before anything else sees them.

Pure ASGI around Gradio and our own routes, so that no response can lack them.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.server.auth.authentication import OWNER_COOKIE, browser_of

UPLOAD_PATHS = ("/api/documents",)
SIGN_IN_PATH = "/attest/sign-in"
PASSWORD_PATH = "/attest/password"  # noqa: S105 - an address
FORM_PATHS = (SIGN_IN_PATH, PASSWORD_PATH)
"""The pages with a form."""

_STATIC_PATH = "/attest/static/"
_PRIVATE_PATHS = ("/attest/", "/api/", "/v1/", "/mcp", "/metrics")
DOCS_PATH = "/api/docs"
"""The page that describes the API: it runs scripts, all of them files of this server."""

_HEADERS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def content_security_policy(nonce: str | None = None, *, form: bool = False) -> str:
    """Return the policy of a response; with a nonce for the page itself, whose inline scripts have it.

    Gradio compiles its components' templates in the browser, so the page needs ``unsafe-eval``. Inline event handlers,
    scripts without the nonce, and all other hosts stay forbidden. A page with a `form` may send it here.
    """
    if nonce is None:
        return (
            "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            f"frame-ancestors 'none'; base-uri 'none'; form-action '{'self' if form else 'none'}'"
        )
    return "; ".join(
        (
            "default-src 'self'",
            f"script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "object-src 'none'",
            "frame-src 'none'",
            "base-uri 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
        )
    )


_DOCS_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class RequestGuard:
    """Wraps the whole application: headers, refusals, the size of requests, and the owner's cookie."""

    def __init__(
        self, app: ASGIApp, *, max_request_bytes: int, max_upload_bytes: int, hosts: Iterable[str] | None = None
    ) -> None:
        """`hosts`: the names under which the server may be addressed; None means any (behind a proxy)."""
        self._app = app
        self._max_request = max_request_bytes
        self._max_upload = max_upload_bytes
        self._hosts = None if hosts is None else {host.lower() for host in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI request."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        headers = dict(connection.headers)
        refusal = self._refusal(scope, headers)
        is_page = scope["path"] == "/" and scope["method"] == "GET"
        nonce = secrets.token_urlsafe(16) if is_page else None
        fresh = secrets.token_urlsafe(32) if is_page and browser_of(connection) is None else None
        guarded = _Response(send, scope["path"], nonce, fresh)
        if refusal is not None:
            await _plain(guarded, *refusal)
            return
        if is_page:
            # In compressed responses, the page's scripts could not get their nonce.
            scope["headers"] = [pair for pair in scope["headers"] if pair[0].lower() != b"accept-encoding"]
        limit = self._max_upload if scope["path"] in UPLOAD_PATHS else self._max_request
        try:
            await self._app(scope, _limited(receive, limit), guarded)
        except _TooLargeError:
            if not guarded.started:
                await _plain(guarded, 413, f"The request is larger than the limit of {limit:,} bytes.")
        except Exception:
            # The server itself would answer without any of the headers.
            if not guarded.started:
                await _plain(guarded, 500, "This could not be answered; the log tells why.")
            raise

    def _refusal(self, scope: Scope, headers: dict[str, str]) -> tuple[int, str] | None:
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            return 421, "This server is not known by the name it was addressed with."
        if scope["method"] not in ("GET", "HEAD", "OPTIONS"):
            origin = headers.get("origin")
            if origin and _host(origin.partition("://")[2]) != _host(headers.get("host", "")):
                return 403, "Requests from other sites are refused."
            if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
                return 403, "Requests from other sites are refused."
        length = headers.get("content-length", "0")
        limit = self._max_upload if scope["path"] in UPLOAD_PATHS else self._max_request
        if not length.isdigit() or int(length) > limit:
            return 413, f"The request is larger than the limit of {limit:,} bytes."
        return None


class _TooLargeError(Exception):
    """The body of a request is larger than its limit."""


class _Response:
    """Sends a response on with its headers; adds the nonce to the page's own scripts."""

    def __init__(self, send: Send, path: str, nonce: str | None, owner: str | None) -> None:
        self._path = path
        self._form = path in FORM_PATHS
        self._private = path.startswith(_PRIVATE_PATHS) and not path.startswith(_STATIC_PATH)
        self._send = send
        self._nonce = nonce
        self._owner = owner
        self._start: Message | None = None
        self._body = b""
        self.started = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            self._start = self._headed(message)
            if self._nonce is None:
                await self._send(self._start)
        elif message["type"] == "http.response.body" and self._nonce is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_page()
        else:
            await self._send(message)

    def _headed(self, message: Message) -> Message:
        drop = {*_HEADERS, "content-security-policy", "server", *(["cache-control"] if self._private else [])}
        kept = [(name, value) for name, value in message["headers"] if name.lower().decode("latin-1") not in drop]
        # Without a referrer, a browser would also hide the form's origin, by which we recognize it.
        own = _HEADERS | ({"referrer-policy": "same-origin"} if self._form else {})
        policy = content_security_policy(self._nonce, form=self._form)
        own["content-security-policy"] = _DOCS_POLICY if self._path == DOCS_PATH else policy
        own |= {"cache-control": "no-store"} if self._private else {}
        kept += [(name.encode(), value.encode()) for name, value in own.items()]
        if self._owner:
            year = 400 * 24 * 3600
            cookie = f"{OWNER_COOKIE}={self._owner}; Path=/; Max-Age={year}; HttpOnly; SameSite=Strict"
            kept.append((b"set-cookie", cookie.encode()))
        return {**message, "headers": kept}

    async def _send_page(self) -> None:
        assert self._start is not None and self._nonce is not None  # noqa: S101 - the protocol's order
        # The configuration inside the page is JSON with "<" escaped, so each "<script" is the template's own.
        page = self._body.replace(b"<script", b'<script nonce="' + self._nonce.encode() + b'"')
        headers = [pair for pair in self._start["headers"] if pair[0].lower() != b"content-length"]
        headers += [(b"content-length", str(len(page)).encode()), (b"cache-control", b"no-store")]
        await self._send({**self._start, "headers": headers})
        await self._send({"type": "http.response.body", "body": page})


def _limited(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def limited() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise _TooLargeError
        return message

    return limited


def malformed() -> bytes:
    """Return the whole answer, including headers, to bytes that are no HTTP request and so reach no application."""
    sentence = b"This is not a request that can be read."
    headers = {
        "content-type": "text/plain; charset=utf-8",
        "content-length": str(len(sentence)),
        "connection": "close",
        **_HEADERS,
        "content-security-policy": content_security_policy(),
    }
    lines = ["HTTP/1.1 400 Bad Request", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
    return "\r\n".join(lines).encode("ascii") + sentence


async def _plain(send: Send, status: int, sentence: str) -> None:
    body = sentence.encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def _host(value: str) -> str:
    """Return the name in a Host header without its port; for ``[::1]:7860``, ``[::1]``."""
    value = value.strip().lower()
    return value.partition("]")[0] + "]" if value.startswith("[") else value.partition(":")[0]
