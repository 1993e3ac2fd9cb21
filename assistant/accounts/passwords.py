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
"""Each hash takes 64 MiB for a moment. The limit makes a flood of attempts wait instead of filling the memory."""


def hashed(password: str) -> str:
    """Return the password's hash with its salt and parameters, in the PHC string format."""
    with _AT_ONCE:
        return _hasher().hash(_bytes(password))


def is_right(password: str, known: str | None) -> bool:
    """Return whether `known` is the hash of the password; without a hash, return False after the same time."""
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
    """Return a mark that distinguishes this hash from others and is safe to pass on; empty without a hash."""
    return "" if known is None else sha256(known.encode()).hexdigest()


@cache
def _hasher() -> PasswordHasher:
    from argon2 import PasswordHasher

    return PasswordHasher()


@cache
def _of_nobody() -> str:
    """Return a hash of a password that nobody knows, with the usual parameters."""
    return _hasher().hash(secrets.token_bytes(32))


def _bytes(password: str) -> bytes:
    """Return the password's bytes, independent of how the keyboard composes accents."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
