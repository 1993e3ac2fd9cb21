"""Keep sessions: a random token in the browser, its hash here. They end after idle time, or after two weeks."""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import bindparam

from assistant.accounts.account import Account
from assistant.accounts.database import Database
from assistant.accounts.register import ACCOUNT, account_of, check_current
from store.catalog.account_tables import accounts, sessions
from store.errors import LibraryError

log = logging.getLogger(__name__)

Clock = Callable[[], float]
"""Seconds since 1970."""
HOUR = 3600.0
MOST_SESSIONS = 50
"""Per account; a further session ends the one that was unused for the longest time."""
SEEN_EVERY = 60.0
"""Seconds. The last use of a session or a token is stored with this precision, so that not every request writes."""

_S = sessions.c
_BY_TOKEN = (
    sa.select(*ACCOUNT, _S.began, _S.seen)
    .select_from(sessions.join(accounts, accounts.c.id == _S.account))
    .where(_S.token == bindparam("token"))
)


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
        """Return a new session's token, which only the browser that gets it keeps.

        Raises NotFoundError if the account was removed, or its password changed, since it was read.
        """
        token, now = secrets.token_urlsafe(32), self._clock()
        with self._database.writing() as connection:
            check_current(connection, account)
            ended = sa.or_(_S.seen < now - self.lifetime.idle, _S.began < now - self.lifetime.whole)
            connection.execute(sa.delete(sessions).where(ended))
            values = {"token": digest(token), "account": account.id, "began": now, "seen": now}
            connection.execute(sa.insert(sessions), values)
            mine = _S.account == account.id
            latest = sa.select(_S.token).where(mine).order_by(_S.seen.desc()).limit(MOST_SESSIONS)
            connection.execute(sa.delete(sessions).where(mine, _S.token.not_in(latest)))
        return token

    def find(self, token: str) -> Account | None:
        """Return the session's account as it is now; None if the session never began, or has ended."""
        row = self._database.one(_BY_TOKEN, token=digest(token))
        if row is None:
            return None
        now = self._clock()
        if now - row.seen > self.lifetime.idle or now - row.began > self.lifetime.whole:
            self.end(token)
            return None
        if now - row.seen >= SEEN_EVERY:
            self._see(token, now)
        return account_of(row)

    def end(self, token: str) -> None:
        """End a session; do nothing if there is none."""
        with self._database.writing() as connection:
            connection.execute(sa.delete(sessions).where(_S.token == digest(token)))

    def _see(self, token: str, now: float) -> None:
        try:
            with self._database.writing() as connection:
                connection.execute(sa.update(sessions).where(_S.token == digest(token)).values(seen=now))
        except LibraryError as error:  # such as a full disk: people who are signed in can continue reading
            log.warning("%s", error)


def digest(secret: str) -> bytes:
    """Return the digest of a session's or a token's secret. It has 256 random bits, so a plain digest can't be reversed."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
