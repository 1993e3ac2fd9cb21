"""Bringing a library back from a backup: everything is checked beside the home before anything in it is touched.

What was there before is kept in a folder of its own. The catalog is exchanged last, and by renaming: at every moment
there is a whole one. The indexes are made anew from it; restored answers are those of the moment of the backup.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from store import settings
from store.backup.archive import ACCOUNTS, CHUNK, DATABASES, FOLDERS, SETTINGS, Contents, Part, opened
from store.catalog.catalog import FILE as CATALOG
from store.catalog.schema import MIGRATIONS, check_schema
from store.errors import AttestError, LibraryError, RequestError
from store.ownership.lock import LibraryLock

STAGING = ".restoring"
_SPARE_BYTES = 50_000_000
"""Room that is left on the disk for the databases' own logs."""
Progress = Callable[[int, int], None]
"""Called with bytes done and bytes known."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """What was brought back."""

    contents: Contents
    aside: Path | None
    """Where the former library lies now; None where there was none."""


def restore(file: Path, home: Path, *, replace: bool = False, progress: Progress | None = None) -> RestoreReport:
    """Put what the backup `file` holds into `home`, which must have no library yet unless `replace`.

    A library that is replaced is kept in a folder ``before-restore-...`` in the home. The indexes are not made
    here: the next opening of the library does, or `Library.rebuild`.

    Raises RequestError for a file that is no sound backup or a home that isn't empty, before anything is
    changed; LibraryLockedError while another process uses the library; LibraryError for a full disk.
    """
    with opened(file) as (archive, contents):
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"{home} can't be made ({error.strerror}): choose another with --home.") from error
        lock = LibraryLock(home)
        lock.take(writes=True)
        try:
            present = [name for name in (*FOLDERS, SETTINGS, *DATABASES) if os.path.lexists(home / name)]
            if present and not replace:
                raise RequestError(
                    f"{home} is not empty: it holds {', '.join(present)}. Choose another --home, or keep what is there "
                    "aside and replace it with --replace."
                )
            staging = home / STAGING
            shutil.rmtree(staging, ignore_errors=True)
            try:
                _unpack(archive, contents, staging, file, progress or _ignore)
                _check_databases(staging, contents)
                _check_settings(staging)
                _sign_out(staging / ACCOUNTS)
                _point_at_new_indexes(staging / CATALOG, home)
                return RestoreReport(contents, _exchange(home, staging, present))
            except OSError as error:
                raise LibraryError(
                    f"{file} can't be restored to {home}: {(error.strerror or str(error)).lower()}."
                ) from error
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        finally:
            lock.release()


def _unpack(archive: zipfile.ZipFile, contents: Contents, staging: Path, file: Path, progress: Progress) -> None:
    """Write the parts into `staging`, each as long as its list says and with the checksum that it says."""
    staging.mkdir(mode=0o700)
    free = shutil.disk_usage(staging).free
    if contents.size + _SPARE_BYTES > free:
        needed = (contents.size + _SPARE_BYTES) // 1_000_000 + 1
        raise LibraryError(
            f"Restoring needs {needed} MB, and the disk has {free // 1_000_000} MB left: free some space."
        )
    done = 0
    for part in contents.parts:
        target = staging.joinpath(*part.path.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        _unpack_part(archive, part, target, file)
        done += part.size
        progress(done, contents.size)


def _unpack_part(archive: zipfile.ZipFile, part: Part, target: Path, file: Path) -> None:
    digest, size = sha256(), 0
    damaged = RequestError(
        f"{file} is damaged: its part {part.path[:100]!r} is not what was backed up. Nothing was changed; "
        "use an undamaged copy."
    )
    try:
        with archive.open(part.path) as source, target.open("xb") as copy:
            while chunk := source.read(CHUNK):
                size += len(chunk)
                if size > part.size:
                    raise damaged
                digest.update(chunk)
                copy.write(chunk)
            copy.flush()
            os.fsync(copy.fileno())
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, FileExistsError) as error:
        raise damaged from error
    if size != part.size or digest.hexdigest() != part.sha256:
        raise damaged


def _check_databases(staging: Path, contents: Contents) -> None:
    """Sound, of our own making, and with nothing in them that would run: no triggers, views or virtual tables."""
    for name in (part.path for part in contents.parts if part.path in DATABASES):
        path = staging / name
        try:
            with closing(sqlite3.connect(path, isolation_level=None)) as connection:
                connection.execute("PRAGMA trusted_schema = OFF")
                connection.execute("PRAGMA cell_size_check = ON")
                if name == CATALOG:
                    expected = _structure_of_version(check_schema(connection, path))
                    foreign = sorted(_structure(connection) ^ expected)
                else:
                    foreign = sorted(each for each in _structure(connection) if not _is_plain(each))
                if foreign:
                    raise RequestError(
                        f"The {name} in the backup has a structure that no version of Attest makes "
                        f"({foreign[0][0]} {foreign[0][1][:60]!r}). Nothing was changed."
                    )
                problems = [row[0] for row in connection.execute("PRAGMA integrity_check(1)")]
                if problems != ["ok"] or connection.execute("PRAGMA foreign_key_check").fetchone():
                    raise RequestError(f"The {name} in the backup is damaged. Nothing was changed.")
        except sqlite3.DatabaseError as error:
            raise RequestError(f"The {name} in the backup can't be read ({error}). Nothing was changed.") from error


def _structure(connection: sqlite3.Connection) -> set[tuple[str, str, str]]:
    """What a database is made of: kind, name and statement of everything in it, without comments and blanks."""
    rows = connection.execute("SELECT type, name, coalesce(sql, '') FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'")
    return {(kind, name, re.sub(r"--[^\n]*|\s+", "", sql)) for kind, name, sql in rows}


def _structure_of_version(schema: int) -> set[tuple[str, str, str]]:
    with closing(sqlite3.connect(":memory:")) as connection:
        for file in sorted(MIGRATIONS.glob("[0-9][0-9][0-9][0-9]_*.sql"))[:schema]:
            connection.executescript(file.read_text(encoding="utf-8"))
        return _structure(connection)


def _is_plain(each: tuple[str, str, str]) -> bool:
    kind, _, statement = each
    return kind in ("table", "index") and not statement.upper().startswith("CREATEVIRTUAL")


def _check_settings(staging: Path) -> None:
    try:
        settings.read_file(staging / SETTINGS)
    except AttestError as error:
        said = str(error).replace(str(staging / SETTINGS), f"The {SETTINGS} in the backup")
        raise RequestError(f"{said} Nothing was changed.") from error


def _sign_out(accounts: Path) -> None:
    """Whoever signed out since the backup stays out; and only the owner of the file may read it."""
    if accounts.exists():
        accounts.chmod(0o600)
        with closing(sqlite3.connect(accounts)) as connection, connection:
            if ("table", "sessions") in {each[:2] for each in _structure(connection)}:
                connection.execute("DELETE FROM sessions")


def _point_at_new_indexes(catalog: Path, home: Path) -> None:
    """Give the library an identity of its own and indexes that are still to be made: none that lie about are its."""
    taken = [int(path.name[-4:]) for path in (home / "derived").glob("*-[0-9][0-9][0-9][0-9]")]
    with closing(sqlite3.connect(catalog)) as connection, connection:
        known = dict(connection.execute("SELECT name, value FROM library").fetchall())
        taken += [int(known.get(name) or 0) for name in ("vectors_generation", "keywords_generation")]
        following = str(max(taken) + 1)
        facts = {"vectors_generation": following, "keywords_generation": following, "clean": ""}
        if "embedder_fingerprint" in known:
            facts["terms_version"] = "0"  # of no version: so that the next opening makes them anew
        connection.executemany("INSERT OR REPLACE INTO library VALUES (?, ?)", facts.items())
        # A copy of a library on the same Chroma server must not take the original's vectors for its own.
        connection.execute("UPDATE library SET value = lower(hex(randomblob(8))) WHERE name = 'id'")


def _exchange(home: Path, staging: Path, present: list[str]) -> Path | None:
    """Put what is staged into the home, and what was there aside; the catalog last."""
    aside: Path | None = None
    if present:
        for name in DATABASES:
            _settle(home / name)
        aside = _free_folder(home)
    for name in (*FOLDERS, SETTINGS, *DATABASES):
        new, old = staging / name, home / name
        if aside is not None and os.path.lexists(old):
            if new.exists() and old.is_file() and not old.is_symlink():
                _keep(old, aside / name)
            else:
                old.rename(aside / name)
        if new.exists():
            new.replace(old)
    _fsync_folder(home)
    shutil.rmtree(home / "derived", ignore_errors=True)
    return aside


def _settle(database: Path) -> None:
    """Fold a database's log into it, so that its file is all of it. Raises LibraryError while others have it open."""
    if not database.is_file():
        return
    with suppress(sqlite3.DatabaseError), closing(sqlite3.connect(database, timeout=5, isolation_level=None)) as former:
        try:
            mode = former.execute("PRAGMA journal_mode = DELETE").fetchone()[0]
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                return  # a damaged one is kept aside as it is
            mode = "busy"
        if mode != "delete":
            raise LibraryError(
                f"Another process is reading {database}: stop it, then restore again. Nothing was changed."
            )
    for log in ("-wal", "-shm"):
        database.with_name(database.name + log).unlink(missing_ok=True)


def _free_folder(home: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = home / (f"before-restore-{stamp}" if number == 1 else f"before-restore-{stamp}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise LibraryError(f"No folder for the former library can be made in {home}: remove some before-restore-... there.")


def _keep(old: Path, kept: Path) -> None:
    """The same file under another name too, so that the old name is never without one."""
    try:
        os.link(old, kept)
    except OSError:  # a file system without links
        shutil.copy2(old, kept)


def _fsync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _ignore(_done: int, _known: int) -> None:
    pass
