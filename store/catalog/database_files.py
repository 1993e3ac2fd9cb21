"""Handle whole database files for backup and restore: make consistent copies, check foreign files, prepare them for use.

VACUUM INTO can't run inside a transaction, so databases that must be copied at the same moment are copied by SQLite's
online backup.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping
from contextlib import ExitStack, closing, suppress
from functools import partial
from pathlib import Path
from secrets import token_hex

from store.catalog.database_errors import translate_errors
from store.catalog.engine import connect_file
from store.catalog.schema import VERSIONS, check_file, make_structure
from store.errors import LibraryError, RequestError
from store.types import Progress

_PAGES = 2_000
"""Pages copied between two calls of `progress`: a few megabytes."""
PLACE = "place"
"""The fact that names the PostgreSQL database which the library is in; see `store.ownership.copied_database`."""
Structure = set[tuple[str, str, str]]
"""Kind, name and statement of each part of a database, without comments and blanks."""


def copy_databases(copies: Mapping[Path, Path], catalog: Path, progress: Progress) -> int:
    """Copy each existing database to its target, all at one moment, while others write to them.

    Returns the schema version of `catalog`, which is one of them. Raises LibraryError for a damaged database.
    """
    schema = 0
    with ExitStack() as stack:
        sources = {}
        for path in copies:
            stack.enter_context(translate_errors(path))
            sources[path] = source = stack.enter_context(closing(connect_file(path)))
            source.execute("PRAGMA query_only = ON")
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the first read fixes the moment
        for path, source in sources.items():
            if path == catalog:
                schema = check_file(source, path)
            with closing(sqlite3.connect(copies[path], isolation_level=None)) as copy:
                size = source.execute("PRAGMA page_size").fetchone()[0]
                source.backup(
                    copy,
                    pages=_PAGES,
                    progress=partial(_report, progress, size),
                )
                copy.execute("PRAGMA journal_mode = DELETE")  # a single file
                (problem,) = copy.execute("PRAGMA quick_check(1)").fetchone()
            if problem != "ok":
                raise LibraryError(f"{path} is damaged ({problem}), so it wasn't backed up.")
    return schema


def _report(progress: Progress, page_size: int, _: int, left: int, total: int) -> None:
    progress((total - left) * page_size, total * page_size)


def check_restored(path: Path, *, is_catalog: bool) -> None:
    """Raise RequestError unless a database from a backup is sound, without triggers, views or virtual tables."""
    try:
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("PRAGMA trusted_schema = OFF")
            connection.execute("PRAGMA cell_size_check = ON")
            structure = _structure(connection)
            if is_catalog:
                expected = _structure_of_version(check_file(connection, path))
                made_before_alembic = {part for part in expected if part[1] == VERSIONS} - structure
                foreign = sorted(structure ^ (expected - made_before_alembic))
            else:
                foreign = sorted(part for part in structure if not _is_plain(part))
            if foreign:
                raise RequestError(
                    f"The {path.name} in the backup has a structure that no version of Attest makes "
                    f"({foreign[0][0]} {foreign[0][1][:60]!r}). Nothing was changed."
                )
            (problem,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
            if problem != "ok" or connection.execute("PRAGMA foreign_key_check").fetchone():
                raise RequestError(f"The {path.name} in the backup is damaged. Nothing was changed.")
    except sqlite3.DatabaseError as error:
        raise RequestError(f"The {path.name} in the backup can't be read ({error}). Nothing was changed.") from error


def delete_sessions(accounts: Path) -> None:
    """Sign everybody out: sessions that ended after the backup must not come back."""
    with closing(sqlite3.connect(accounts)) as connection, connection:
        if any(part[:2] == ("table", "sessions") for part in _structure(connection)):
            connection.execute("DELETE FROM sessions")


def require_new_indexes(catalog: Path, taken: int) -> None:
    """Give a restored catalog the facts of a copy; see `facts_of_a_copy`."""
    with closing(sqlite3.connect(catalog)) as connection, connection:
        known = dict(connection.execute("SELECT name, value FROM library").fetchall())
        facts = facts_of_a_copy(known, taken)
        connection.executemany("INSERT OR REPLACE INTO library VALUES (?, ?)", facts.items())


def facts_of_a_copy(known: Mapping[str, str], taken: int) -> dict[str, str]:
    """Return a library's facts with a new identity and with indexes, numbered above `taken`, that must be built."""
    noted = (int(known.get(name) or 0) for name in ("vectors_generation", "keywords_generation"))
    following = str(max(taken, *noted) + 1)
    # A copy of a library on the same Chroma server must not use the original's vectors.
    facts = {"id": token_hex(8), "vectors_generation": following, "keywords_generation": following, "clean": ""}
    if "embedder_fingerprint" in known:
        facts["terms_version"] = "0"  # no version, so that the next opening builds them
    return {name: value for name, value in known.items() if name != PLACE} | facts


def merge_log(database: Path) -> None:
    """Merge a database's log into its file, which then is complete. Raises LibraryError while others have it open."""
    if not database.is_file():
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as former:
        try:
            mode = former.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                return  # a damaged one stays as it is
            mode = "busy"
        if mode != "delete":
            raise LibraryError(
                f"Another process is reading {database}: stop it, then restore again. Nothing was changed."
            )
    for log in ("-wal", "-shm"):
        database.with_name(database.name + log).unlink(missing_ok=True)


def _structure(connection: sqlite3.Connection) -> Structure:
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {(kind, name, re.sub(r"--[^\n]*|\s+", "", sql)) for kind, name, sql in rows}


def _structure_of_version(schema: int) -> Structure:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        make_structure(connection, schema)
        return _structure(connection)


def _is_plain(part: tuple[str, str, str]) -> bool:
    kind, _, statement = part
    return kind in ("table", "index") and not statement.upper().startswith("CREATEVIRTUAL")
