"""``/api/tokens``: manage the tokens of the person who is signed in; administrators manage everyone's.

A token can't create another token.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from assistant.accounts.account import Account, Visitor
from assistant.accounts.sign_in import Accounts
from assistant.server.api.choices import Names
from assistant.server.api.native.errors import problems
from assistant.server.auth.route_guard import CheckedRoute, require
from assistant.server.dependencies import Caller
from assistant.server.services import Services
from store.errors import NotAllowedError, NotFoundError


class TokenRequest(BaseModel):
    """What a token is for, and how far it reaches."""

    model_config = ConfigDict(extra="forbid")

    label: Annotated[str, Field(max_length=100)] = ""
    right: Literal["ask", "add", "administer"] = "ask"
    collections: Names | None = None
    """None: all that the person may see."""
    until: Annotated[str, Field(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$", examples=["2027-01-31"])] | None = None
    """The last day on which it is valid, in UTC; None: valid until it is removed."""


class TokenInfo(BaseModel):
    """A token without its secret."""

    id: str
    name: str
    label: str
    right: Literal["ask", "add", "administer"]
    collections: list[str] | None
    created: str
    ends: str | None
    used: str | None


class NewToken(TokenInfo):
    """A token with its secret, which is shown this once."""

    secret: str


def tokens_router(services: Services) -> APIRouter:
    """Return the routes about tokens."""
    router = APIRouter(route_class=CheckedRoute, dependencies=[require("ask")], tags=["tokens"])

    @router.get("/tokens", responses=problems(404))
    def listed(caller: Caller, everyone: bool = False) -> list[TokenInfo]:
        """List one's tokens; with `everyone` all of them, for who administers."""
        accounts, account = _person(services, caller)
        if everyone and not caller.may("administer"):
            raise NotAllowedError
        return [TokenInfo(**asdict(token)) for token in accounts.tokens.all(None if everyone else account)]

    @router.post("/tokens", status_code=201, responses=problems(400, 404))
    def made(body: TokenRequest, caller: Caller) -> NewToken:
        """Make a token. Its secret is shown this once."""
        accounts, account = _person(services, caller)
        token, secret = accounts.tokens.add(account, body.right, body.collections, body.until, body.label)
        return NewToken(**asdict(token), secret=secret)

    @router.delete("/tokens/{token_id}", status_code=204, responses=problems(404))
    def removed(token_id: str, caller: Caller) -> None:
        """Make a token invalid, at once: one's own, or anyone's for who administers."""
        accounts, account = _person(services, caller)
        accounts.tokens.remove(token_id, None if caller.may("administer") else account)

    return router


def _person(services: Services, caller: Visitor) -> tuple[Accounts, Account]:
    """Return the account of a person who signed in. Raises NotAllowedError for a program, NotFoundError without one."""
    if caller.token is not None:
        raise NotAllowedError
    account = services.accounts.register.find(caller.name) if services.accounts and caller.name else None
    if services.accounts is None or account is None:
        raise NotFoundError(
            "Tokens belong to people with an account here: `attest users add NAME` makes one.", code="no_account"
        )
    return services.accounts, account
