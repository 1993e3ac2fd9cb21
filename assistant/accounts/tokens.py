"""Keep tokens, by which programs act for a person. A token reaches no further than its person.

A new token is shown once; only its hash is kept.
"""

from __future__ import annotations

import json
import logging
import secrets
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from assistant.accounts.account import (
    RIGHTS,
    Account,
    Right,
    Visitor,
    check_reach,
    checked_collections,
    owner_of_account,
)
from assistant.accounts.database import Database
from assistant.accounts.register import ACCOUNT, account_of
from assistant.accounts.sessions import SEEN_EVERY, Clock, digest
from store.catalog.account_tables import accounts, tokens
from store.errors import LibraryError, NotFoundError, RequestError

if TYPE_CHECKING:
    from store.catalog.tables import AnyRow

log = logging.getLogger(__name__)

PREFIX = "attest_"
"""The prefix of every token, by which secret scanners recognize one."""
LONGEST_LABEL = 100
MOST_TOKENS = 100
"""Per person."""
_T = tokens.c
_SELECT = sa.select(
    *(_T.id.label("token"), _T.label, _T.right.label("token_right"), _T.collections.label("token_collections")),
    *(_T.created.label("token_created"), _T.ends, _T.used),
    *ACCOUNT,
).select_from(tokens.join(accounts, accounts.c.id == _T.account))


@dataclass(frozen=True, slots=True)
class Token:
    """A token as listed: everything except the secret."""

    id: str
    name: str
    """The person's name."""
    label: str
    """Its purpose."""
    right: Right
    collections: tuple[str, ...] | None
    """Those that it may reach, out of those that the person may see; None means all of these."""
    created: str
    """ISO 8601 in UTC, like the other times."""
    ends: str | None
    """None: valid until it is removed."""
    used: str | None
    """When it was last used, to the minute."""


class Tokens:
    """All tokens in one database."""

    def __init__(self, database: Database, clock: Clock = time.time) -> None:
        self._database = database
        self._clock = clock

    def add(
        self,
        account: Account,
        right: Right = "ask",
        collections: Iterable[str] | None = None,
        last_day: str | None = None,
        label: str = "",
    ) -> tuple[Token, str]:
        """Return a new token of `account` with its secret, which isn't stored. `last_day` is like ``2027-01-31``, in
        UTC.

        Raises RequestError for a right or collections beyond the person's own, and for a day in the past.
        """
        among = None if collections is None else checked_collections(collections)
        _check_within(account, right, among)
        ends = None if last_day is None else self._end_of(last_day)
        shown = " ".join(label.split())[:LONGEST_LABEL]
        secret, token_id = PREFIX + secrets.token_urlsafe(32), secrets.token_hex(6)
        listed = None if among is None else json.dumps(among, ensure_ascii=False)
        with self._database.writing() as connection:
            kept = connection.execute(sa.select(sa.func.count()).where(_T.account == account.id)).scalar_one()
            if kept >= MOST_TOKENS:
                raise RequestError(
                    "{name} has {count} tokens already: remove those that nothing uses.",
                    code="token_most",
                    name=account.name,
                    count=kept,
                )
            values: dict[str, object] = {
                "id": token_id,
                "digest": digest(secret),
                "account": account.id,
                "label": shown,
                "right": right,
            }
            values |= {"collections": listed, "created": _time(self._clock()), "ends": ends}
            connection.execute(sa.insert(tokens), values)
        return self.token(token_id), secret

    def token(self, token_id: str) -> Token:
        """Return a token. Raises NotFoundError."""
        row = self._database.one(_SELECT.where(_T.id == token_id))
        if row is None:
            raise NotFoundError(f"There is no token {token_id[:40]!r}; `attest tokens list` shows all of them.")
        return _token(row)

    def all(self, account: Account | None = None) -> tuple[Token, ...]:
        """Return all tokens, or those of one person, by person and age, including those that have ended."""
        wanted = _SELECT if account is None else _SELECT.where(accounts.c.id == account.id)
        rows = self._database.all(wanted.order_by(accounts.c.folded, _T.created, _T.rowid))
        return tuple(map(_token, rows))

    def remove(self, token_id: str, account: Account | None = None) -> Token:
        """Remove a token at once, and return it; with `account`, only one of theirs. Raises NotFoundError."""
        removed = self.token(token_id)
        if account is not None and removed.name != account.name:
            raise NotFoundError(f"There is no token {token_id[:40]!r}; `attest tokens list` shows all of them.")
        with self._database.writing() as connection:
            connection.execute(sa.delete(tokens).where(_T.id == token_id))
        return removed

    def find(self, secret: str) -> Visitor | None:
        """Return whose token this is and what they may do with it; None if there is none, or it has ended."""
        row = self._database.one(_SELECT.where(_T.digest == digest(secret)))
        now = self._clock()
        if row is None or (row.ends is not None and now >= row.ends):
            return None
        if row.used is None or now - row.used >= SEEN_EVERY:
            self._see(row.token, now)
        account, token = account_of(row), _token(row)
        right = min(account.right, token.right, key=RIGHTS.index)
        return Visitor(
            owner_of_account(account), account.name, right, _within(account.collections, token.collections), token.id
        )

    def _end_of(self, last_day: str) -> float:
        try:
            day = datetime.strptime(last_day, "%Y-%m-%d").replace(tzinfo=UTC)
            ends = (day + timedelta(days=1)).timestamp()
        except (ValueError, OverflowError):
            raise RequestError(
                "{day} is no day: write it like 2027-01-31.", code="token_day", day=f"{last_day[:20]!r}"
            ) from None
        if ends <= self._clock():
            raise RequestError(
                "{day} is over: a token must be valid for a day at least.", code="token_over", day=last_day
            )
        return ends

    def _see(self, token_id: str, now: float) -> None:
        try:
            with self._database.writing() as connection:
                connection.execute(sa.update(tokens).where(_T.id == token_id).values(used=now))
        except LibraryError as error:  # such as a full disk: the program can continue reading
            log.warning("%s", error)


def _check_within(account: Account, right: Right, collections: tuple[str, ...] | None) -> None:
    check_reach(right, collections)
    if RIGHTS.index(right) > RIGHTS.index(account.right):
        raise RequestError(
            "{name} has the right to {right}: a token can't have more.",
            code="token_right",
            name=account.name,
            right=account.right,
        )
    if account.collections is not None:
        beyond = [name for name in collections or () if name not in account.collections]
        if beyond:
            raise RequestError(
                "{name} may not see the collection {collection}: a token can't reach it.",
                code="token_collection",
                name=account.name,
                collection=f"{beyond[0]!r}",
            )


def _within(person: tuple[str, ...] | None, token: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if person is None or token is None:
        return token if person is None else person
    return tuple(name for name in token if name in person)


def _token(row: AnyRow) -> Token:
    collections = row.token_collections
    return Token(
        id=row.token,
        name=row.name,
        label=row.label,
        right=row.token_right,
        collections=None if collections is None else tuple(json.loads(collections)),
        created=row.token_created,
        ends=None if row.ends is None else _time(row.ends),
        used=None if row.used is None else _time(row.used),
    )


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
