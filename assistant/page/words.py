"""What the routes take from a request: the interface's words, and whose conversations these are."""

from __future__ import annotations

import secrets
from typing import Annotated

from fastapi import Depends, Request

from assistant.page.security import OWNER_COOKIE
from assistant.page.strings import Strings, chosen


def owner_of_request(request: Request) -> str:
    """Whose conversations a request may list: the browser's cookie; without one, nobody's."""
    return request.cookies.get(OWNER_COOKIE) or f"nobody-{secrets.token_hex(8)}"


def words_of_request(request: Request, ui: str | None = None) -> Strings:
    """The interface's words for a request."""
    return chosen(ui, request.headers.get("accept-language", ""))


Owner = Annotated[str, Depends(owner_of_request)]
Words = Annotated[Strings, Depends(words_of_request)]
