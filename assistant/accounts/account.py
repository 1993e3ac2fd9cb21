"""Define accounts and visitors, and check names and passwords."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from store.errors import RequestError

Right = Literal["ask", "add", "administer"]
RIGHTS: tuple[Right, ...] = ("ask", "add", "administer")
"""Each right includes those before it: who may add documents may ask, and who administers may do everything."""

LONGEST_NAME = 64
"""Characters."""
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
_IN_NAMES = "._@+-' "


@dataclass(frozen=True, slots=True)
class Account:
    """A person in the register."""

    id: str
    """Random. If a name is removed and used again, it is another account, without the conversations of the first."""
    name: str
    right: Right
    collections: tuple[str, ...] | None
    """Those that the person may see; None means all."""
    has_password: bool
    """False for people whom only a proxy lets in."""
    created: str
    """ISO 8601 in UTC."""
    password_mark: str = field(default="", repr=False, compare=False)
    """Changes with each password and reveals nothing about it, so a mark of one password isn't valid for the next."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who makes a request, and what they may do."""

    owner: str
    """The owner of the conversations that they see."""
    name: str | None
    """The name that they signed in with; None if nobody needs to sign in."""
    right: Right
    collections: tuple[str, ...] | None = None
    """Those that they may see; None means all."""
    token: str | None = None
    """The id of the token that their program sent, if any."""
    owns_library: bool = False
    """Whether they came through the socket that only the owner of the library's files can open."""

    def may(self, right: Right) -> bool:
        """Return whether the visitor has `right`, or one that includes it."""
        return RIGHTS.index(self.right) >= RIGHTS.index(right)


def owner_of_account(account: Account) -> str:
    """Return the owner name under which an account's conversations are stored."""
    return f"account:{account.id}"


def checked_name(name: str) -> str:
    """Return the name as it is stored (NFC, single blanks). Raises RequestError for a name that isn't allowed."""
    plain = " ".join(unicodedata.normalize("NFC", name).split())
    if not plain:
        raise RequestError("The name is empty: give the person a name to sign in with.")
    if len(plain) > LONGEST_NAME:
        raise RequestError(f"The name has {len(plain)} characters; the most is {LONGEST_NAME}.")
    for character in plain:
        if unicodedata.category(character)[0] not in "LMN" and character not in _IN_NAMES:
            raise RequestError(
                f"The name holds {character!r}; letters and digits of any script are taken, and these: {_IN_NAMES}"
            )
    return plain


def folded_name(name: str) -> str:
    """Return a form of the name that ignores case, width and composition, which people don't tell apart."""
    once = unicodedata.normalize("NFKC", " ".join(name.split())).casefold()
    return unicodedata.normalize("NFKC", once)


def checked_password(password: str, name: str) -> str:
    """Return the password. Raises RequestError, which never repeats it, if it is too short, too long or the name."""
    length = len(unicodedata.normalize("NFC", password))
    if length < SHORTEST_PASSWORD:
        raise RequestError(
            "The password has {length} characters; it needs at least {least}. Some words in a row do well.",
            code="password_short",
            length=length,
            least=SHORTEST_PASSWORD,
        )
    if length > LONGEST_PASSWORD:
        raise RequestError(
            "The password has {length} characters; the most is {most}.",
            code="password_long",
            length=f"{length:,}",
            most=f"{LONGEST_PASSWORD:,}",
        )
    if folded_name(password) == folded_name(name):
        raise RequestError(
            "The password is the name itself: choose one that others wouldn't try first.", code="password_name"
        )
    return password


def checked_collections(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of collections, each once, in order. Raises RequestError for an unusable one."""
    from store.collections import checked_collection

    return tuple(dict.fromkeys(checked_collection(name) for name in names))


def check_reach(right: Right, collections: tuple[str, ...] | None) -> None:
    """Raise RequestError for collections together with the right to administer, which sees all, and for an empty list."""
    if collections is None:
        return
    if right == "administer":
        raise RequestError(
            "Who administers sees all collections: give the right to ask or to add together with collections."
        )
    if not collections:
        raise RequestError("Without any collection nothing could be seen: name at least one.")
