"""Limit attempts to sign in, for each name and each address; limits survive restarts.

An attempt counts before its password is checked, so that many at once can't get around the limit. A successful one is
removed. Names that don't exist count like any other, so that the limit doesn't reveal which names exist.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time

import sqlalchemy as sa
from sqlalchemy import Connection

from assistant.accounts.account import folded_name
from assistant.accounts.database import Database
from assistant.accounts.sessions import Clock
from store.catalog.account_tables import attempts

WINDOW = 15 * 60.0
"""Seconds for which an attempt counts."""
FOR_A_NAME = 10
FOR_AN_ADDRESS = 40


class Attempts:
    """All recent attempts in one database."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def begin(self, name: str, address: str) -> float:
        """Count an attempt and return 0; or return the seconds until the next one is allowed, and don't count it."""
        now = self._clock()
        with self._database.writing() as connection:
            # If the clock was set back, don't lock people out until it has caught up.
            at = attempts.c.at
            connection.execute(sa.delete(attempts).where(sa.or_(at <= now - WINDOW, at > now + WINDOW)))
            limits = ((_of_name(name), FOR_A_NAME), (_of_address(address), FOR_AN_ADDRESS))
            wait = max(_wait(connection, subject, limit, now) for subject, limit in limits)
            if not wait:
                connection.execute(sa.insert(attempts), [{"subject": subject, "at": now} for subject, _ in limits])
        return wait

    def succeed(self, name: str, address: str) -> None:
        """Take back the last attempt. Earlier ones still count, otherwise each success would allow new guesses."""
        with self._database.writing() as connection:
            for subject in (_of_name(name), _of_address(address)):
                last = sa.select(sa.func.max(attempts.c.id)).where(attempts.c.subject == subject).scalar_subquery()
                connection.execute(sa.delete(attempts).where(attempts.c.id == last))


def _wait(connection: Connection, subject: bytes, limit: int, now: float) -> float:
    at = connection.execute(
        sa.select(attempts.c.at)
        .where(attempts.c.subject == subject)
        .order_by(attempts.c.at.desc())
        .limit(1)
        .offset(limit - 1)
    ).scalar()
    return 0.0 if at is None else max(1.0, at + WINDOW - now)


def _of_name(name: str) -> bytes:
    return hashlib.sha256(b"name:" + folded_name(name).encode("utf-8", "surrogatepass")).digest()


def _of_address(address: str) -> bytes:
    """Return what an address is counted as: for IPv6 its whole /64, because one machine can use all of it."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        plain = address
    else:
        mapped = getattr(parsed, "ipv4_mapped", None) or parsed
        plain = str(mapped if mapped.version == 4 else ipaddress.ip_network((mapped, 64), strict=False))
    return hashlib.sha256(b"address:" + plain.encode("utf-8", "surrogatepass")).digest()
