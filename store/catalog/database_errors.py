"""Turn database errors into errors of the library, in one place."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, exc

from store.backup.last_backup import restore_advice
from store.errors import LibraryError

BUSY_SECONDS = 10
"""How long a statement waits for another connection's lock, and for a connection."""


@contextmanager
def translate_errors(where: Path | URL) -> Iterator[None]:
    """Raise LibraryError for an error of the database at `where`; violations of unique keys pass through."""
    try:
        yield
    except exc.IntegrityError:
        raise
    except (sqlite3.Error, exc.DBAPIError) as error:
        original = error.orig if isinstance(error, exc.DBAPIError) else error
        explain = _explain_sqlite if isinstance(where, Path) else _explain_postgresql
        raise LibraryError(explain(original or error, where)) from error  # type: ignore[arg-type]
    except exc.TimeoutError as error:
        raise LibraryError(
            f"All connections to {_named(where)} stayed in use for {BUSY_SECONDS} s; try again."
        ) from error


def _explain_sqlite(error: BaseException, path: Path) -> str:
    match getattr(error, "sqlite_errorcode", 0) & 0xFF:  # the lowest byte is the primary code
        case sqlite3.SQLITE_FULL:
            return f"The disk that holds {path.parent} is full. Free some space and run the command again."
        case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN:
            return f"{path.parent} can't be written to: make the folder writable or choose another --home."
        case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
            return f"{_named(path)} is damaged ({error}): {restore_advice(path.parent)}."
        case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
            return f"{_named(path)} stayed busy for {BUSY_SECONDS} s; try again."
    return f"{_named(path)} can't be used: {error}."


_BY_STATE = {
    "53100": "has no disk space left. Free some space there and run the command again.",
    "53300": "has no connection left: close some, or raise its max_connections.",
    "55P03": f"stayed busy for {BUSY_SECONDS} s; try again.",
    "42501": "doesn't let this role do that: grant it the right, or name another role in database_url.",
    "25006": "can only be read: name one that can be written to in database_url.",
}
"""The message about a database, by PostgreSQL's SQLSTATE."""
_UNREACHABLE = ("08", "57P", "28", "3D")
"""Beginnings of the states of lost and refused connections."""


def _explain_postgresql(error: BaseException, url: URL) -> str:
    state = getattr(error, "sqlstate", None) or ""
    reason = " ".join(str(error).split()).rstrip(".")
    if state in _BY_STATE:
        return f"{_named(url)} {_BY_STATE[state]}"
    if "certificate" in reason and not state:
        return (
            f"{_named(url)} can't be used by TLS ({reason}): name the file with its authority's certificate as sslrootcert "
            "in database_url, and the server as its certificate does."
        )
    is_operational = any(kind.__name__ == "OperationalError" for kind in type(error).__mro__)
    if is_operational and (not state or state.startswith(_UNREACHABLE)):
        return f"{_named(url)} can't be reached ({reason}): start it or check database_url, then try again."
    return f"{_named(url)} can't be used: {reason}."


def _named(where: Path | URL) -> str:
    """Return the database's name in a sentence, without its password."""
    if isinstance(where, Path):
        return f"{'The accounts in' if where.name.startswith('accounts') else 'The catalog'} {where}"
    return f"The database {server_database(where)}"


def server_database(url: URL) -> str:
    """Return the name of a PostgreSQL database and its host, without user and password: ``attest at db.example``."""
    host = url.host or url.query.get("host") or "this machine"
    return f"{url.database} at {host if isinstance(host, str) else ', '.join(host)}"
