"""Signing in and out, another password: the forms' answers, the session's cookie, what a first sign-in brings along."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from assistant.accounts.account import owner_of_account
from assistant.accounts.entrance import Accounts, Refused, SignedIn
from assistant.server.auth_pages import password_page, sign_in_page
from assistant.server.error_messages import said
from assistant.server.request import Request, form_of, redirect, refuse, respond, wanted_conversation
from assistant.server.security import Receive, Send, owner_of
from store.errors import AttestError, RequestError

SESSION_COOKIE = "attest_session"
_WAITING = 100
"""Attempts that may wait for the two that are looked at."""


class Signing:
    """Signs visitors in and out; `hand_over` gives the conversations of a browser to the account that signs in there."""

    def __init__(self, accounts: Accounts, title: str, hand_over: Callable[[str, str], None]) -> None:
        self._accounts = accounts
        self._title = title
        self._hand_over = hand_over
        self._verifying = ThreadPoolExecutor(2, "sign-in")
        self._waiting = 0

    async def sign_in(self, request: Request, receive: Receive, send: Send, *, is_known: bool) -> None:
        """Show the form, or take it; who is known already is sent on."""
        wanted = wanted_conversation(request)
        back = f"../?c={wanted}" if wanted else "../"
        if request.method != "POST":
            if is_known:
                await redirect(send, back)
            else:
                await self._form(request, send, 200)
            return
        form = await form_of(receive)
        name, password = form.get("name", ""), form.get("password", "")
        status, problem, token = await self._tried(request, name, password)
        if token is None:
            await self._form(request, send, status, name=name[:100], problem=problem)
            return
        if old := request.cookies.get(SESSION_COOKIE):
            self._accounts.sessions.end(old)
        await redirect(send, back, _cookie(token, int(self._accounts.sessions.lifetime.whole), secure=request.secure))

    async def _tried(self, request: Request, name: str, password: str) -> tuple[int, str, str | None]:
        """Status and sentence of an attempt, and the token of a session if it went well."""
        try:
            done = await self._verified(lambda: self._accounts.sign_in(name, password, request.address))
        except AttestError as error:
            return 503, str(error), None
        if isinstance(done, Refused):
            return *_refusal(request, done, "account.wrong"), None
        if browser := owner_of(request.headers.get("cookie", "")):
            self._hand_over(browser, owner_of_account(done.account))
        return 303, "", done.token

    async def _verified(self, attempt: Callable[[], SignedIn | Refused]) -> SignedIn | Refused:
        """An attempt beside the server's loop: its hash takes a while, and only so many may wait."""
        if self._waiting >= _WAITING:
            return Refused(60)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._verifying, attempt)
        finally:
            self._waiting -= 1

    async def change_password(self, request: Request, receive: Receive, send: Send, name: str) -> None:
        """Show the form for another password to who is signed in as `name`, or take it."""
        account = self._accounts.register.find(name)
        if account is None or not account.has_password:  # a proxy lets this one in
            await refuse(send, 403, request.words("account.right"))
            return
        status, problem, token = 200, "", None
        if request.method == "POST":
            status, problem, token = await self._changed(request, name, await form_of(receive))
        page = password_page(request.words, self._title, name=name, problem=problem, is_done=token is not None)
        seconds = int(self._accounts.sessions.lifetime.whole)
        keeps = token is not None and SESSION_COOKIE in request.cookies
        cookie = [(b"set-cookie", _cookie(token or "", seconds, secure=request.secure))] if keeps else []
        await respond(send, status, page.encode(), "text/html; charset=utf-8", cookie)

    async def _changed(self, request: Request, name: str, form: dict[str, str]) -> tuple[int, str, str | None]:
        """As `_tried`, of another password."""
        old, new = form.get("old", ""), form.get("new", "")
        if new != form.get("again", ""):
            return 400, request.words("account.differ"), None
        try:
            done = await self._verified(lambda: self._accounts.change_password(name, old, new, request.address))
        except RequestError as error:
            return 400, said(str(error), request.words), None
        except AttestError as error:
            return 503, str(error), None
        if isinstance(done, Refused):
            return *_refusal(request, done, "account.mistaken"), None
        return 200, "", done.token

    async def sign_out(self, request: Request, send: Send) -> None:
        """End the session, and show the form."""
        if token := request.cookies.get(SESSION_COOKIE):
            self._accounts.sessions.end(token)
        await redirect(send, "sign-in", _cookie("", 0, secure=request.secure))

    async def _form(self, request: Request, send: Send, status: int, *, name: str = "", problem: str = "") -> None:
        page = sign_in_page(
            request.words, self._title, name=name, problem=problem, conversation=wanted_conversation(request)
        )
        await respond(send, status, page.encode(), "text/html; charset=utf-8")


def _refusal(request: Request, refused: Refused, wrong: str) -> tuple[int, str]:
    """Status and sentence for who was refused; `wrong` is the key of what didn't fit."""
    if refused.wait:
        return 429, request.words("account.wait", minutes=math.ceil(refused.wait / 60))
    return 401, request.words(wrong)


def _cookie(token: str, seconds: int, *, secure: bool) -> bytes:
    end = "; Secure" if secure else ""
    return f"{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{end}".encode()
