"""Sign in and out, and change a password: forms, the session's cookie, and taking over a browser's conversations."""

from __future__ import annotations

import asyncio
import math
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from assistant.accounts.account import owner_of_account
from assistant.accounts.sign_in import Accounts, Refused, SignedIn
from assistant.server.auth.authentication import SESSION_COOKIE, Identity, browser_of
from assistant.server.auth.route_guard import PUBLIC, require
from assistant.server.auth.sign_in_pages import password_page, sign_in_page
from assistant.server.dependencies import Guest, Words
from assistant.server.error_messages import error_message
from assistant.server.strings import Strings
from store.errors import AttestError, NotAllowedError, NotFoundError, RequestError

LARGEST_FORM = 16 * 1024
"""Bytes."""
_CONVERSATION = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WAITING = 100
"""Attempts that may wait for the two being checked."""


def auth_router(accounts: Accounts, identity: Identity, hand_over: Callable[[str, str], None]) -> APIRouter:
    """Return the routes to sign in and out, and to change one's password.

    `hand_over` gives the conversations of a browser to the account that signs in there.
    """
    router, verify = APIRouter(), _Verifier()
    router.include_router(_session_router(accounts, verify, identity, hand_over))
    router.include_router(_password_router(accounts, verify))
    return router


def _session_router(
    accounts: Accounts, verify: _Verifier, identity: Identity, hand_over: Callable[[str, str], None]
) -> APIRouter:
    router = APIRouter(dependencies=[PUBLIC])
    lifetime = int(accounts.sessions.lifetime.whole)

    def check_asked() -> None:
        if not identity.must_sign_in():
            raise NotFoundError("There is nothing here.", code="not_found")

    @router.get("/sign-in")
    def form(request: Request, words: Words) -> Response:
        check_asked()
        wanted = wanted_conversation(request)
        if request.user.is_authenticated:
            return _redirect(_page_of(wanted))
        return HTMLResponse(sign_in_page(words, conversation=wanted))

    @router.post("/sign-in")
    async def sign_in(request: Request, words: Words) -> Response:
        check_asked()
        sent = await _form_of(request)
        name, password, address = sent.get("name", ""), sent.get("password", ""), _address_of(request)
        status, problem, done = 503, "", None
        try:
            done = await verify(lambda: accounts.sign_in(name, password, address))
        except AttestError as error:
            problem = error_message(error, words)
        wanted = wanted_conversation(request)
        if isinstance(done, SignedIn):
            if browser := browser_of(request):
                hand_over(browser, owner_of_account(done.account))
            if old := request.cookies.get(SESSION_COOKIE):
                accounts.sessions.end(old)
            return _with_session(_redirect(_page_of(wanted)), request, done.token, lifetime)
        if done is not None:
            status, problem = _refusal(words, done, "account.wrong")
        page = sign_in_page(words, name=name[:100], problem=problem, conversation=wanted)
        return HTMLResponse(page, status)

    @router.post("/sign-out")
    def sign_out(request: Request) -> Response:
        if token := request.cookies.get(SESSION_COOKIE):
            accounts.sessions.end(token)
        return _with_session(_redirect("sign-in"), request, "", 0)

    return router


def _password_router(accounts: Accounts, verify: _Verifier) -> APIRouter:
    router = APIRouter(dependencies=[require("ask")])
    lifetime = int(accounts.sessions.lifetime.whole)

    def own_name(guest: Guest) -> str:
        """Return the name of a person who signed in with a password here. Raises NotAllowedError if a proxy lets them in."""
        if guest.name is None:
            raise NotFoundError("There is nothing here.", code="not_found")
        account = accounts.register.find(guest.name)
        if account is None or not account.has_password:
            raise NotAllowedError
        return guest.name

    @router.get("/password")
    def password_form(words: Words, guest: Guest) -> Response:
        return HTMLResponse(password_page(words, name=own_name(guest)))

    @router.post("/password")
    async def change_password(request: Request, words: Words, guest: Guest) -> Response:
        name, sent, address = own_name(guest), await _form_of(request), _address_of(request)
        old, new = sent.get("old", ""), sent.get("new", "")
        status, problem = 400, words("account.differ")
        if new == sent.get("again", ""):
            try:
                done = await verify(lambda: accounts.change_password(name, old, new, address))
            except RequestError as error:
                problem = error_message(error, words)
            except AttestError as error:
                status, problem = 503, error_message(error, words)
            else:
                if isinstance(done, SignedIn):
                    page = HTMLResponse(password_page(words, name=name, is_done=True))
                    keeps = SESSION_COOKIE in request.cookies
                    return _with_session(page, request, done.token, lifetime) if keeps else page
                status, problem = _refusal(words, done, "account.mistaken")
        return HTMLResponse(password_page(words, name=name, problem=problem), status)

    return router


class _Verifier:
    """Runs attempts outside the server's loop: a password's hash takes a while, and only so many may wait."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(2, "sign-in")
        self._waiting = 0

    async def __call__(self, attempt: Callable[[], SignedIn | Refused]) -> SignedIn | Refused:
        if self._waiting >= _WAITING:
            return Refused(60)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._executor, attempt)
        finally:
            self._waiting -= 1


def wanted_conversation(request: Request) -> str:
    """Return the conversation to open afterwards; a return address may contain nothing else."""
    wanted = request.query_params.get("c", "")
    return wanted if _CONVERSATION.fullmatch(wanted) else ""


def _page_of(conversation: str) -> str:
    return f"../?c={conversation}" if conversation else "../"


def _redirect(location: str) -> Response:
    """Return a relative redirect, so that it works behind a proxy."""
    return RedirectResponse(location, 303)


def _with_session(response: Response, request: Request, token: str, seconds: int) -> Response:
    secure: dict[str, Any] = {"secure": request.url.scheme == "https", "httponly": True, "samesite": "lax"}
    response.set_cookie(SESSION_COOKIE, token, max_age=seconds, **secure)
    return response


def _refusal(words: Strings, refused: Refused, wrong: str) -> tuple[int, str]:
    """Return status and sentence for a refused person; `wrong` is the key of what didn't match."""
    if refused.wait:
        return 429, words("account.wait", minutes=math.ceil(refused.wait / 60))
    return 401, words(wrong)


def _address_of(request: Request) -> str:
    """Return the client's own address, beyond trusted proxies."""
    return request.client.host if request.client else ""


async def _form_of(request: Request) -> dict[str, str]:
    """Return the fields of a form; none if it can't be read or is too large."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST_FORM:
            return {}
    try:
        return dict(parse_qsl(body.decode("utf-8"), keep_blank_values=True, max_num_fields=10))
    except ValueError:
        return {}
