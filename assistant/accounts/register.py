"""Store accounts, their rights and the hashes of their passwords, which never leave this module."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy import Connection, bindparam
from sqlalchemy.exc import IntegrityError

from assistant.accounts.account import (
    Account,
    Right,
    check_reach,
    checked_collections,
    checked_name,
    checked_password,
    folded_name,
)
from assistant.accounts.database import Database
from assistant.accounts.passwords import hashed, is_outdated, is_right, mark_of
from store.catalog.account_tables import accounts, sessions
from store.errors import NotFoundError, RequestError

if TYPE_CHECKING:
    from store.catalog.tables import AnyRow

_A = accounts.c
ACCOUNT = (_A.id, _A.name, _A.right, _A.collections, _A.password, _A.created)
"""The columns that `account_of` reads."""
_ALL = sa.select(*ACCOUNT).order_by(_A.folded)
_BY_NAME = sa.select(*ACCOUNT).where(_A.folded == bindparam("folded"))


class Register:
    """All accounts in one database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(
        self, name: str, password: str | None, right: Right = "ask", collections: Iterable[str] | None = None
    ) -> Account:
        """Return a new account; without a password, only a proxy lets it in.

        Raises RequestError for a name that is taken or unusable, and for a password that is too simple.
        """
        plain = checked_name(name)
        among = None if collections is None else checked_collections(collections)
        check_reach(right, among)
        kept = None if password is None else hashed(checked_password(password, plain))
        values = {
            "id": secrets.token_urlsafe(16),
            "name": plain,
            "folded": folded_name(plain),
            "password": kept,
            "right": right,
            "collections": _json(among),
            "created": _now(),
        }
        try:
            with self._database.writing() as connection:
                connection.execute(sa.insert(accounts), values)
        except IntegrityError:
            raise RequestError(
                f"There is an account named {self.account(plain).name} already; "
                "`attest users change` and `attest users password` change it."
            ) from None
        return self.account(plain)

    def account(self, name: str) -> Account:
        """Return an account. Raises NotFoundError."""
        found = self.find(name)
        if found is None:
            raise NotFoundError(f"There is no account named {name!r}; `attest users list` shows all of them.")
        return found

    def find(self, name: str) -> Account | None:
        """Return the account with that name, in any spelling of it; None if there is none."""
        row = self._database.one(_BY_NAME, folded=folded_name(name))
        return None if row is None else account_of(row)

    def all(self) -> tuple[Account, ...]:
        """Return all accounts, by name."""
        return tuple(map(account_of, self._database.all(_ALL)))

    def is_empty(self) -> bool:
        """Return whether there is no account at all."""
        return self._database.one(sa.select(_A.id).limit(1)) is None

    def change(self, name: str, right: Right | None, collections: Iterable[str] | None, *, everything: bool) -> Account:
        """Change an account's right or collections, at once. None leaves them; `everything` gives access to all
        collections.

        Raises NotFoundError, RequestError for a right that doesn't go with collections.
        """
        account = self.account(name)
        among = account.collections if collections is None else checked_collections(collections)
        among = None if everything else among
        check_reach(right or account.right, among)
        with self._database.writing() as connection:
            changed = {"right": right or account.right, "collections": _json(among)}
            connection.execute(sa.update(accounts).where(_A.id == account.id).values(changed))
        return self.account(name)

    def set_password(self, name: str, password: str, since: Account | None = None) -> Account:
        """Set another password and end all sessions of the account. With `since`, only while that account's password is
        unchanged.

        Raises NotFoundError, RequestError.
        """
        account = self.account(name) if since is None else since
        kept = hashed(checked_password(password, account.name))
        with self._database.writing() as connection:
            if since is not None:
                check_current(connection, since)
            connection.execute(sa.update(accounts).where(_A.id == account.id).values(password=kept))
            connection.execute(sa.delete(sessions).where(sessions.c.account == account.id))
        return self.account(name)

    def remove(self, name: str) -> Account:
        """Remove an account with its sessions, and return it. Raises NotFoundError."""
        account = self.account(name)
        with self._database.writing() as connection:
            connection.execute(sa.delete(accounts).where(_A.id == account.id))
        return account

    def verified(self, name: str, password: str) -> Account | None:
        """Return the account if the password matches; for an unknown name, refusing takes the same time."""
        row = self._database.one(_BY_NAME, folded=folded_name(name))
        known = None if row is None else row.password
        if not is_right(password, known):
            return None
        assert row is not None and known is not None  # noqa: S101 - else the password was not right
        account = account_of(row)
        if is_outdated(known):
            stronger = hashed(password)
            with self._database.writing() as connection:
                same = sa.and_(_A.id == account.id, _A.password == known)
                connection.execute(sa.update(accounts).where(same).values(password=stronger))
            account = replace(account, password_mark=mark_of(stronger))
        return account


def check_current(connection: Connection, account: Account) -> None:
    """Raise NotFoundError if the account was removed, or its password changed, since it was read."""
    row = connection.execute(sa.select(_A.password).where(_A.id == account.id)).first()
    if row is None or mark_of(row.password) != account.password_mark:
        raise NotFoundError(f"The account named {account.name!r} was changed meanwhile; try again.")


def account_of(row: AnyRow) -> Account:
    """Return an account from a row of its columns."""
    collections = row.collections
    return Account(
        id=row.id,
        name=row.name,
        right=row.right,
        collections=None if collections is None else tuple(json.loads(collections)),
        has_password=row.password is not None,
        created=row.created,
        password_mark=mark_of(row.password),
    )


def _json(collections: tuple[str, ...] | None) -> str | None:
    return None if collections is None else json.dumps(collections, ensure_ascii=False)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
