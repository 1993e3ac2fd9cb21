"""Who may pass: every request gets a visitor, or is sent to sign in; and none gets past its visitor's right.

Pure ASGI, around Gradio and our own routes alike, inside the guard. As long as there is no account, and no proxy says who
a visitor is, everyone who reaches the page may do everything: that is for the loopback only, which `serve` sees to.
"""

from __future__ import annotations

import ipaddress
import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from assistant.accounts.account import Account, Visitor, checked_name, folded_name, owner_of_account
from assistant.accounts.entrance import Accounts
from assistant.server.auth_routes import SESSION_COOKIE, Signing
from assistant.server.permissions import needed
from assistant.server.request import Request, is_address, redirect, refuse, request_of, wanted_conversation, whole_body
from assistant.server.security import (
    PASSWORD_PATH,
    SIGN_IN_PATH,
    App,
    Message,
    Receive,
    Scope,
    Send,
    headers_of,
    owner_of,
)
from store.errors import RequestError

VISITOR = "attest.visitor"
"""The key of a request's visitor in its ASGI scope."""
SIGN_OUT_PATH = "/attest/sign-out"
_QUEUES = 50_000
"""Gradio's sessions whose visitor is remembered."""
_RECHECK = 2.0
"""Seconds: how soon a stream ends after the session that it was opened in."""


@dataclass(frozen=True, slots=True)
class Access:
    """How visitors are known, besides by signing in here."""

    user_header: str | None = None
    """The header in which a proxy names who has signed in there."""
    user_header_right: Literal["none", "ask", "add", "administer"] = "ask"
    """What those may do who have no account here."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses and networks whose headers are believed."""
    public_hosts: tuple[str, ...] = ()
    """Names under which a proxy serves the page."""
    always: bool = False
    """Whether visitors must be known even where there is no account: beyond the loopback."""


USUAL = Access()


class Gate:
    """Wraps the application; `hand_over` gives the conversations of a browser to the account that signs in there."""

    def __init__(
        self,
        app: App,
        accounts: Accounts | None,
        access: Access,
        title: str,
        hand_over: Callable[[str, str], None],
    ) -> None:
        """Without `accounts` nobody signs in."""
        self._app = app
        self._accounts = accounts
        self._access = access
        self._signing = None if accounts is None else Signing(accounts, title, hand_over)
        self._trusted = [ipaddress.ip_network(name, strict=False) for name in access.trusted_proxies]
        self._header = (access.user_header or "").lower()
        self._queues: OrderedDict[str, str] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through with its visitor, or answer it here."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = self._as_client_sees_it(scope)
        request = request_of(scope)
        visitor = self._visitor(request, scope)
        if self._signing is not None and self._asks() and request.path == SIGN_IN_PATH:
            await self._signing.sign_in(request, receive, send, is_known=visitor is not None)
        elif self._signing is not None and request.path == SIGN_OUT_PATH and request.method == "POST":
            await self._signing.sign_out(request, send)
        elif visitor is None:
            await self._send_away(request, send)
        elif not visitor.may(needed(request.method, request.path)):
            await refuse(send, 403, request.words("account.right"))
        elif self._signing is not None and visitor.name is not None and request.path == PASSWORD_PATH:
            await self._signing.change_password(request, receive, send, visitor.name)
        else:
            await self._let_through(visitor, request, scope, receive, send)

    def _asks(self) -> bool:
        """Whether visitors must be known."""
        return (
            self._access.always
            or bool(self._header)
            or (self._accounts is not None and not self._accounts.register.is_empty())
        )

    def _visitor(self, request: Request, scope: Scope) -> Visitor | None:
        if not self._asks():
            return Visitor(owner_of(request.headers.get("cookie", "")) or _nobody(), None, "administer")
        if self._header and scope["attest.trusted"]:
            named = [value for name, value in scope["headers"] if name.lower().decode("latin-1") == self._header]
            if named:
                return self._named(named)
        token = request.cookies.get(SESSION_COOKIE)
        account = self._accounts.sessions.find(token) if self._accounts is not None and token else None
        return None if account is None else _visiting(account)

    def _named(self, values: list[bytes]) -> Visitor | None:
        """Whom the proxy names; nobody where it does so twice: then one of the names is the client's own."""
        try:
            name = checked_name(values[0].decode("utf-8"))
        except (UnicodeDecodeError, RequestError):
            return None
        if len(values) > 1:
            return None
        account = None if self._accounts is None else self._accounts.register.find(name)
        if account is not None:
            return _visiting(account)
        right = self._access.user_header_right
        return None if right == "none" else Visitor(f"proxy:{folded_name(name)}", name, right)

    async def _let_through(
        self, visitor: Visitor, request: Request, scope: Scope, receive: Receive, send: Send
    ) -> None:
        scope = {**scope, VISITOR: visitor}
        if visitor.name is None:
            await self._app(scope, receive, send)
            return
        queue, receive = await _queue_of(request, receive)
        if queue is not None and not self._owns(visitor, queue):
            await refuse(send, 403, request.words("account.right"))
            return
        streams = request.path.startswith(("/gradio_api/queue/data", "/gradio_api/heartbeat"))
        still = (lambda: self._visitor(request, scope) is not None) if streams else None
        await self._app(scope, receive, _Watched(send, request.path, still))

    def _owns(self, visitor: Visitor, queue: str) -> bool:
        """Whether Gradio's session is the visitor's: its name comes from the browser, and the first to use it has it."""
        owner = self._queues.setdefault(queue, visitor.owner)
        self._queues.move_to_end(queue)
        while len(self._queues) > _QUEUES:
            self._queues.popitem(last=False)
        return owner == visitor.owner

    async def _send_away(self, request: Request, send: Send) -> None:
        if request.path == "/" and request.method in ("GET", "HEAD"):
            wanted = wanted_conversation(request)
            query = urlencode({"c": wanted} if wanted else {})
            await redirect(send, "attest/sign-in" + (f"?{query}" if query else ""))
        elif request.path == PASSWORD_PATH and self._signing is not None:
            await redirect(send, "sign-in")
        else:
            await refuse(send, 401, request.words("account.needed"))

    def _as_client_sees_it(self, scope: Scope) -> Scope:
        """The scope with the client's own address and scheme, as a trusted proxy tells them."""
        peer = scope["client"][0] if scope.get("client") else ""
        trusted = self._is_trusted(peer)
        scheme, address = scope.get("scheme", "http"), peer
        if trusted:
            headers = headers_of(scope)
            scheme = {"https": "https", "http": "http"}.get(headers.get("x-forwarded-proto", ""), scheme)
            for hop in reversed(headers.get("x-forwarded-for", "").split(",")):
                if is_address(hop.strip()):
                    address = hop.strip()
                if not self._is_trusted(hop.strip()):
                    break
        return {**scope, "scheme": scheme, "client": (address, 0), "attest.trusted": trusted}

    def _is_trusted(self, address: str) -> bool:
        if not is_address(address):
            return False
        parsed = ipaddress.ip_address(address)
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        return any(parsed in network for network in self._trusted)


class _Watched:
    """Sends a response on; keeps it out of caches, and ends a stream soon after its session has ended."""

    def __init__(self, send: Send, path: str, still: Callable[[], bool] | None) -> None:
        self._send = send
        self._private = path.startswith("/attest/") and not path.startswith("/attest/static/")
        self._still = still
        self._next = time.monotonic() + _RECHECK
        self._ended = False

    async def __call__(self, message: Message) -> None:
        if self._ended:
            return
        if message["type"] == "http.response.start" and self._private:
            kept = [pair for pair in message["headers"] if pair[0].lower() != b"cache-control"]
            message = {**message, "headers": [*kept, (b"cache-control", b"no-store")]}
        elif self._still is not None and time.monotonic() >= self._next:
            self._next = time.monotonic() + _RECHECK
            if not self._still():
                # The server then tells the application that the client has gone, and it stops.
                message, self._ended = {"type": "http.response.body", "body": b"", "more_body": False}, True
        await self._send(message)


def _visiting(account: Account) -> Visitor:
    return Visitor(owner_of_account(account), account.name, account.right, account.collections)


def _nobody() -> str:
    return f"nobody-{secrets.token_hex(8)}"


async def _queue_of(request: Request, receive: Receive) -> tuple[str | None, Receive]:
    """Which of Gradio's sessions a request names, if any, and its body again for who reads it next."""
    place = request.path.removeprefix("/gradio_api/")
    if place == request.path:
        return None, receive
    if place.startswith("heartbeat/"):
        return place.removeprefix("heartbeat/").strip("/"), receive
    if place.rstrip("/") == "queue/data":
        return request.query.get("session_hash", ""), receive
    if place.rstrip("/") not in ("queue/join", "cancel"):
        return None, receive
    body = await whole_body(receive)
    try:
        named = json.loads(body)["session_hash"]
    except (ValueError, KeyError, TypeError, RecursionError):
        named = None
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return (named if isinstance(named, str) else None), again
