"""Sign people in: attempts, register, sessions and tokens over one database."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from sqlalchemy import URL

from assistant.accounts.account import LONGEST_PASSWORD, Account, checked_password
from assistant.accounts.attempts import Attempts
from assistant.accounts.database import Database
from assistant.accounts.register import Register
from assistant.accounts.sessions import Clock, Lifetime, Sessions
from assistant.accounts.tokens import Tokens
from store.catalog.engine import location
from store.errors import NotFoundError
from store.settings import Settings


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session that has begun."""

    account: Account
    token: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Name and password don't match, or there were too many attempts: then `wait` seconds must pass."""

    wait: float = 0.0


def accounts_location(settings: Settings) -> Path | URL:
    """Return where `Accounts.open` finds the accounts: the home, or PostgreSQL. Raises SettingsError."""
    return location(settings, "") if settings.database_url else settings.home


class Accounts:
    """Accounts and sessions of one library. Use it from any thread; other processes may change the accounts."""

    def __init__(self, database: Database, lifetime: Lifetime, clock: Clock) -> None:
        self._database = database
        self.register = Register(database)
        self.sessions = Sessions(database, lifetime, clock)
        self.attempts = Attempts(database, clock)
        self.tokens = Tokens(database, clock)

    @classmethod
    def open(cls, where: Path | URL, lifetime: Lifetime | None = None, clock: Clock = time.time) -> Self:
        """Return the accounts of the library in the home `where`, or in PostgreSQL. Raises as `Database.open` does."""
        return cls(Database.open(where), lifetime or Lifetime(), clock)

    def close(self) -> None:
        """Close the file; closing twice is harmless."""
        self._database.close()

    def sign_in(self, name: str, password: str, address: str) -> SignedIn | Refused:
        """Begin a session. A wrong password and an unknown name get the same answer, in the same time."""
        account = self._verified(name, password, address)
        if isinstance(account, Refused):
            return account
        try:
            return SignedIn(account, self.sessions.begin(account))
        except NotFoundError:  # the password changed a moment ago
            return Refused()

    def change_password(self, name: str, old: str, new: str, address: str) -> SignedIn | Refused:
        """Set another password for somebody who knows the old one. End all sessions of the account, and begin a new
        one.

        Wrong guesses count as when signing in. Raises RequestError for a new password that isn't allowed,
        NotFoundError.
        """
        checked_password(new, self.register.account(name).name)
        known = self._verified(name, old, address)
        if isinstance(known, Refused):
            return known
        try:
            account = self.register.set_password(name, new, since=known)
            return SignedIn(account, self.sessions.begin(account))
        except NotFoundError:  # somebody else changed it in the meantime
            return Refused()

    def _verified(self, name: str, password: str, address: str) -> Account | Refused:
        """Return the account with this password; each try counts until one succeeds."""
        wait = self.attempts.begin(name, address)
        if wait:
            return Refused(wait)
        account = self.register.verified(name, password[: LONGEST_PASSWORD + 1])
        if account is None:
            return Refused()
        self.attempts.succeed(name, address)
        return account
