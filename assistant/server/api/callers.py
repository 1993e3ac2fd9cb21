"""Who calls the API: a person in a browser, or a program with a token of theirs."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Request
from starlette.authentication import AuthenticationError
from starlette.requests import HTTPConnection
from starlette.types import Scope

from assistant.accounts.account import Visitor
from assistant.accounts.sign_in import Accounts
from assistant.accounts.tokens import PREFIX
from assistant.server.auth.authentication import LOCAL, Authenticator
from assistant.server.auth.permissions import visitor_of_scope


def bearer_token(accounts: Accounts) -> Authenticator:
    """Return an authenticator by the header ``Authorization: Bearer attest_...``.

    Bearers that don't look like ours are passed over: proxies send theirs along.
    """

    def authenticate(connection: HTTPConnection) -> Visitor | None:
        scheme, _, secret = connection.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret.startswith(PREFIX):
            return None
        visitor = accounts.tokens.find(secret)
        if visitor is None:
            raise AuthenticationError("The token is not valid, or no longer")
        return visitor

    return authenticate


async def caller_of_request(request: Request) -> Visitor:
    """Return who makes a request. Raises NotSignedInError for a stranger."""
    return caller_of_scope(request.scope)


def caller_of_scope(scope: Scope) -> Visitor:
    """Return who makes the request of an ASGI scope. Raises NotSignedInError for a stranger."""
    visitor = visitor_of_scope(scope)
    is_nobody = visitor.name is None and visitor.owner.startswith("nobody-")
    return replace(visitor, owner=LOCAL) if is_nobody else visitor


Caller = Annotated[Visitor, Depends(caller_of_request)]
