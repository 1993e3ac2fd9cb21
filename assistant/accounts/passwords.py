"""Hash passwords with Argon2id; `argon2-cffi` does all of it, with the parameters of RFC 9106 for servers."""

from __future__ import annotations

import secrets
import threading
import unicodedata
from functools import cache
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from argon2 import PasswordHasher

_AT_ONCE = threading.BoundedSemaphore(2)
"""Each hash takes 64 MiB for a moment: a flood of attempts may wait, but not fill the memory."""


def hashed(password: str) -> str:
    """Return the password's hash with its salt and parameters, in the PHC string format."""
    with _AT_ONCE:
        return _hasher().hash(_bytes(password))


def is_right(password: str, known: str | None) -> bool:
    """Return whether `known` is the hash of the password; without one it takes the same time to say no."""
    from argon2.exceptions import InvalidHashError, VerificationError

    with _AT_ONCE:
        try:
            return _hasher().verify(known or _of_nobody(), _bytes(password)) and known is not None
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(known: str) -> bool:
    """Return whether a hash was made with weaker parameters than are used now."""
    return _hasher().check_needs_rehash(known)


def mark_of(known: str | None) -> str:
    """Return what tells one hash from another and can be handed around; empty without any."""
    return "" if known is None else sha256(known.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _of_nobody() -> str:
    """Return a hash of what nobody knows, with the parameters of all others."""
    return _hasher().hash(secrets.token_bytes(32))


def _bytes(password: str) -> bytes:
    """However the keyboard composes its accents, the password is the same."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
