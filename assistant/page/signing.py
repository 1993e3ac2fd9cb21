"""Signing in and out: the form's answers, the session's cookie, and what a first sign-in brings along."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from assistant.accounts.account import owner_of_account
from assistant.accounts.entrance import Accounts, SignedIn
from assistant.page.incoming import Request, form_of, redirect, respond, wanted_conversation
from assistant.page.security import Receive, Send, owner_of
from assistant.page.sign_in import sign_in_page
from store.errors import AttestError

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
        if self._waiting >= _WAITING:
            return 429, request.words("account.wait", minutes=1), None
        self._waiting += 1
        try:
            done = await asyncio.get_running_loop().run_in_executor(
                self._verifying, self._accounts.sign_in, name, password, request.address
            )
        except AttestError as error:
            return 503, str(error), None
        finally:
            self._waiting -= 1
        if isinstance(done, SignedIn):
            if browser := owner_of(request.headers.get("cookie", "")):
                self._hand_over(browser, owner_of_account(done.account))
            return 303, "", done.token
        if done.wait:
            return 429, request.words("account.wait", minutes=math.ceil(done.wait / 60)), None
        return 401, request.words("account.wrong"), None

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


def _cookie(token: str, seconds: int, *, secure: bool) -> bytes:
    end = "; Secure" if secure else ""
    return f"{SESSION_COOKIE}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{end}".encode()
