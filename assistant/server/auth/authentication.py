"""Identify who makes a request: each authenticator checks one kind of proof, and `Identity` asks them in turn.

If there is no account, and no proxy identifies visitors, everyone who reaches the page may do everything. `serve` allows
that only on the loopback address.
"""

from __future__ import annotations

import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from starlette.authentication import AuthCredentials, AuthenticationBackend, AuthenticationError, BaseUser
from starlette.requests import HTTPConnection

from assistant.accounts.account import Account, Visitor, checked_name, folded_name, owner_of_account
from assistant.accounts.sign_in import Accounts
from assistant.accounts.tokens import PREFIX
from store.errors import AttestError, RequestError

SESSION_COOKIE = "attest_session"
OWNER_COOKIE = "attest_owner"
LOCAL = "local"
"""The owner of the conversations of programs that call a server without accounts, or through the owner's socket."""
_OWNER = re.compile(r"[A-Za-z0-9_-]{32,64}")

Authenticator = Callable[[HTTPConnection], Visitor | None]
"""Returns the visitor that a request proves to come from, or None if it has no proof of this kind.

Raises starlette's AuthenticationError for a wrong proof; then no other proof is tried.
"""


@dataclass(frozen=True, slots=True)
class Access:
    """How visitors are identified, besides signing in here."""

    user_header: str | None = None
    """The header in which a proxy names its signed-in user. Users without an account here may ask."""
    trusted_proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    """Addresses and networks whose headers are trusted."""
    public_hosts: tuple[str, ...] = ()
    """Host names under which a proxy serves the page."""
    always: bool = False
    """Whether visitors must sign in even if there is no account: beyond the loopback."""

    def networks(self) -> tuple[str, ...]:
        """`trusted_proxies`, also in the IPv6 form that IPv4 addresses have on a socket for both."""
        networks = [ipaddress.ip_network(name, strict=False) for name in self.trusted_proxies]
        mapped = [f"::ffff:{each.network_address}/{96 + each.prefixlen}" for each in networks if each.version == 4]
        return (*map(str, networks), *mapped)


DEFAULT_ACCESS = Access()
LIBRARY_OWNER = Visitor(LOCAL, None, "administer", owns_library=True)
"""The caller at the owner's socket: the user who owns the library's files, and so may do everything."""


class KnownUser(BaseUser):
    """A visitor in Starlette's form: `request.user`."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    @property
    def is_authenticated(self) -> bool:
        """Always true."""
        return True

    @property
    def display_name(self) -> str:
        """The name that they signed in with; empty if nobody needs to sign in."""
        return self.visitor.name or ""


class Identity(AuthenticationBackend):
    """Finds the visitor of a request for Starlette's `AuthenticationMiddleware`."""

    def __init__(
        self,
        accounts: Accounts | None,
        access: Access,
        more: Sequence[Authenticator] = (),
        owner_socket: str | None = None,
    ) -> None:
        """`more`: authenticators to try before the cookie's; `owner_socket`: the name of that socket."""
        self._accounts = accounts
        self._owner_socket = owner_socket
        self._access = access
        self._authenticators: list[Authenticator] = [*more]
        if access.user_header:
            self._authenticators.append(proxy_header(access.user_header, access.networks(), accounts))
        if accounts is not None:
            self._authenticators.append(session_cookie(accounts))

    async def authenticate(self, conn: HTTPConnection) -> tuple[AuthCredentials, BaseUser] | None:
        """Return the visitor and their right; None for a stranger. Raises AuthenticationError if nobody can be identified."""
        try:
            visitor = self.visitor(conn)
        except AttestError as error:  # the accounts can't be read
            raise AuthenticationError(str(error)) from error
        return None if visitor is None else (AuthCredentials([visitor.right]), KnownUser(visitor))

    def visitor(self, connection: HTTPConnection) -> Visitor | None:
        """Return who makes the request; None for a stranger."""
        if self._owner_socket is not None and tuple(connection.scope.get("server") or ()) == (self._owner_socket, None):
            return LIBRARY_OWNER
        if not self.must_sign_in():
            return Visitor(browser_of(connection) or f"nobody-{secrets.token_hex(8)}", None, "administer")
        try:
            found = (authenticate(connection) for authenticate in self._authenticators)
            return next((visitor for visitor in found if visitor is not None), None)
        except AuthenticationError:
            return None

    def must_sign_in(self) -> bool:
        """Return whether visitors must sign in."""
        has_accounts = self._accounts is not None and not self._accounts.register.is_empty()
        return self._access.always or bool(self._access.user_header) or has_accounts


def session_cookie(accounts: Accounts) -> Authenticator:
    """Return an authenticator for the cookie that signing in sets."""

    def authenticate(connection: HTTPConnection) -> Visitor | None:
        token = connection.cookies.get(SESSION_COOKIE)
        account = accounts.sessions.find(token) if token else None
        return None if account is None else visitor_of_account(account)

    return authenticate


def bearer_token(accounts: Accounts) -> Authenticator:
    """Return an authenticator for the header ``Authorization: Bearer attest_...``.

    Other bearer tokens are ignored, because proxies pass theirs on.
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


def proxy_header(header: str, networks: Iterable[str], accounts: Accounts | None) -> Authenticator:
    """Return an authenticator for the header in which a proxy in `networks` names its user."""
    trusted = [ipaddress.ip_network(name) for name in networks]

    def authenticate(connection: HTTPConnection) -> Visitor | None:
        values = connection.headers.getlist(header)
        if not values or not _is_in(trusted, connection.client.host if connection.client else ""):
            return None
        if len(values) > 1:  # one of the names comes from the client
            raise AuthenticationError(f"{header} came {len(values)} times")
        try:
            name = checked_name(values[0].encode("latin-1").decode("utf-8"))
        except (UnicodeDecodeError, RequestError) as error:
            raise AuthenticationError(f"{header} holds no usable name") from error
        account = None if accounts is None else accounts.register.find(name)
        return Visitor(f"proxy:{folded_name(name)}", name, "ask") if account is None else visitor_of_account(account)

    return authenticate


def visitor_of_account(account: Account) -> Visitor:
    """Return the visitor of a request that proves to come from `account`."""
    return Visitor(owner_of_account(account), account.name, account.right, account.collections)


def browser_of(connection: HTTPConnection) -> str | None:
    """Return the owner name of a browser without an account; None if its cookie is missing or malformed."""
    owner = connection.cookies.get(OWNER_COOKIE, "")
    return owner if _OWNER.fullmatch(owner) else None


def _is_in(networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network], address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in networks)
