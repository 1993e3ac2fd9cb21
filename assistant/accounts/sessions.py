"""Sessions: a random token in the browser, its hash here, and two ends, after idleness and at all events."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from assistant.accounts.account import Account
from assistant.accounts.database import Database
from assistant.accounts.register import account_of, check_current
from store.errors import LibraryError

log = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Seconds since 1970."""
HOUR = 3600.0
MOST_SESSIONS = 50
"""Of one account; beginning another ends the one that was used least of late."""
_SEEN_EVERY = 60.0
"""Seconds: how exactly it is kept when a session was last used, so that not every request writes."""


@dataclass(frozen=True, slots=True)
class Lifetime:
    """When a session ends, in seconds."""

    idle: float = 12 * HOUR
    """After the last request."""
    whole: float = 14 * 24 * HOUR
    """After signing in."""


class Sessions:
    """All sessions in one database."""

    def __init__(self, database: Database, lifetime: Lifetime = Lifetime(), clock: Clock = time.time) -> None:
        self._database = database
        self.lifetime = lifetime
        self._clock = clock

    def begin(self, account: Account) -> str:
        """A new session's token, which is kept nowhere but in the browser that gets it.

        Raises NotFoundError where the account was removed, or got another password, since it was looked up.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._database.writing() as connection:
            check_current(connection, account)
            connection.execute(
                "DELETE FROM sessions WHERE seen < ? OR began < ?",
                (now - self.lifetime.idle, now - self.lifetime.whole),
            )
            connection.execute("INSERT INTO sessions VALUES (?, ?, ?, ?)", (_digest(token), account.id, now, now))
            connection.execute(
                "DELETE FROM sessions WHERE account = ? AND token NOT IN"
                " (SELECT token FROM sessions WHERE account = ? ORDER BY seen DESC LIMIT ?)",
                (account.id, account.id, MOST_SESSIONS),
            )
        return token

    def find(self, token: str) -> Account | None:
        """Whose session it is, as the account is now; None where it never began, or has ended."""
        row = self._database.one(
            'SELECT a.id, a.name, a."right", a.collections, a.password, a.password IS NOT NULL AS has_password, a.created,'
            " s.began, s.seen FROM sessions AS s JOIN accounts AS a ON a.id = s.account WHERE s.token = ?",
            _digest(token),
        )
        if row is None:
            return None
        now = self._clock()
        if now - row["seen"] > self.lifetime.idle or now - row["began"] > self.lifetime.whole:
            self.end(token)
            return None
        if now - row["seen"] >= _SEEN_EVERY:
            self._see(token, now)
        return account_of(row)

    def end(self, token: str) -> None:
        """End a session; ending none is harmless."""
        with self._database.writing() as connection:
            connection.execute("DELETE FROM sessions WHERE token = ?", (_digest(token),))

    def _see(self, token: str, now: float) -> None:
        try:
            with self._database.writing() as connection:
                connection.execute("UPDATE sessions SET seen = ? WHERE token = ?", (now, _digest(token)))
        except LibraryError as error:  # such as a full disk: who is signed in can go on reading
            log.warning("%s", error)


def _digest(token: str) -> bytes:
    """The token has 256 random bits, so a plain digest can't be searched backwards."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
