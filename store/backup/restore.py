"""Restore a library from a backup: unpack and check everything before touching anything in the home.

The old library is kept in a folder. The catalog is replaced last, by renaming, so there is a whole one at every moment.
The indexes are rebuilt from it.
"""

from __future__ import annotations

import os
import shutil
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from sqlalchemy import URL

from store import settings
from store.backup.archive import ACCOUNTS, CHUNK, DATABASES, FOLDERS, SETTINGS, Contents, Part, opened
from store.backup.create import back_up
from store.catalog.catalog import FILE as CATALOG
from store.catalog.database_files import check_restored, delete_sessions, merge_log, require_new_indexes
from store.catalog.whole_copies import copy_from_files, holds_rows
from store.errors import AttestError, LibraryError, RequestError
from store.index.index_set import derived_folder, highest_generation
from store.ownership.lock import LibraryLock
from store.settings_file import PLACE, with_values
from store.types import Progress

STAGING = ".restoring"
_SPARE_BYTES = 50_000_000
"""Free space reserved for the databases' own logs."""


@dataclass(frozen=True, slots=True)
class RestoreReport:
    """The result of a restore."""

    contents: Contents
    aside: Path | None
    """Where the former library is now; None if there was none."""


def restore(
    file: Path, home: Path, *, replace: bool = False, progress: Progress | None = None, database: URL | None = None
) -> RestoreReport:
    """Restore the backup `file` into `home`, which must not have a library yet unless `replace`.

    With `database`, catalog and accounts go into PostgreSQL, in one transaction. A replaced library is kept in a folder
    ``before-restore-...`` in the home; one in PostgreSQL as a backup. Settings for where a library is stored stay the
    home's own. The next opening of the library, or `Library.rebuild`, builds the indexes.

    Raises RequestError for a faulty backup or a home that isn't empty, before anything is changed; LibraryLockedError
    while another process uses the library; LibraryError for a full disk.
    """
    report = progress or (lambda *_: None)
    with opened(file) as (archive, contents):
        try:
            home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LibraryError(f"{home} can't be made ({error.strerror}): choose another with --home.") from error
        lock = LibraryLock(home)
        lock.take(writes=True)
        try:
            present = _present(home, database)
            if present and not replace:
                raise RequestError(
                    f"{home} is not empty: it holds {', '.join(present)}. Choose another --home, or keep what is there "
                    "aside and replace it with --replace."
                )
            staging = home / STAGING
            shutil.rmtree(staging, ignore_errors=True)
            try:
                _unpack(archive, contents, staging, file, report)
                _prepare(staging, home, derived_folder(home, in_postgresql=database is not None))
                if database is None:
                    return RestoreReport(contents, _exchange(home, staging, (*FOLDERS, SETTINGS, *DATABASES), present))
                return RestoreReport(contents, _fill(database, home, staging, report))
            except OSError as error:
                raise LibraryError(
                    f"{file} can't be restored to {home}: {(error.strerror or str(error)).lower()}."
                ) from error
            finally:
                shutil.rmtree(staging, ignore_errors=True)
        finally:
            lock.release()


def _present(home: Path, database: URL | None) -> list[str]:
    """Return what exists already, by name. Settings don't count for PostgreSQL, because they only locate the library."""
    names = (*FOLDERS, SETTINGS, *DATABASES) if database is None else FOLDERS
    present = [name for name in names if os.path.lexists(home / name)]
    if database is not None and holds_rows(database):
        present.append(f"what is in the database {database.database}")
    return present


def _fill(database: URL, home: Path, staging: Path, progress: Progress) -> Path | None:
    """Put the staged files into PostgreSQL and the home; return the folder with what was there."""
    aside: Path | None = None
    if holds_rows(database):
        aside = _free_folder(home)
        back_up(home, aside / "library.zip", database=database)
    names = (*FOLDERS, SETTINGS)
    present = [name for name in names if os.path.lexists(home / name)]
    if present:
        aside = aside or _free_folder(home)

    def exchange_files() -> None:
        _exchange(home, staging, names, present, aside)

    copy_from_files(staging, database, progress, then=exchange_files)
    shutil.rmtree(derived_folder(home, in_postgresql=True), ignore_errors=True)
    return aside


def _unpack(archive: zipfile.ZipFile, contents: Contents, staging: Path, file: Path, progress: Progress) -> None:
    """Write the parts into `staging`, and check the size and checksum of each."""
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


def _prepare(staging: Path, home: Path, derived: Path) -> None:
    """Check databases and settings, sign everybody out, and mark the indexes for rebuilding."""
    for name in DATABASES:
        if (staging / name).exists():
            check_restored(staging / name, is_catalog=name == CATALOG)
    try:
        settings.read_file(staging / SETTINGS)
    except AttestError as error:
        message = str(error).replace(str(staging / SETTINGS), f"The {SETTINGS} in the backup")
        raise RequestError(f"{message} Nothing was changed.") from error
    _keep_place(staging / SETTINGS, home / SETTINGS)
    if (staging / ACCOUNTS).exists():
        (staging / ACCOUNTS).chmod(0o600)
        delete_sessions(staging / ACCOUNTS)
    require_new_indexes(staging / CATALOG, highest_generation(derived))


def _keep_place(staged: Path, own: Path) -> None:
    """Make the staged settings locate the library as the home's own settings do."""
    try:
        place = {name: settings.read_file(own).get(name) for name in PLACE}
    except AttestError:  # unreadable: they are kept aside
        place = dict.fromkeys(PLACE)
    text = staged.read_text(encoding="utf-8") if staged.exists() else ""
    placed = with_values(text, place)
    if placed != text:
        staged.write_text(placed, encoding="utf-8")


def _exchange(
    home: Path, staging: Path, names: Sequence[str], present: Sequence[str], aside: Path | None = None
) -> Path | None:
    """Move the old files into a folder, and the staged ones into the home, the last name last. Return the folder."""
    if present:
        for name in DATABASES:
            if name in names:
                merge_log(home / name)
        aside = aside or _free_folder(home)
    for name in names:
        new, old = staging / name, home / name
        if aside is not None and os.path.lexists(old):
            if new.exists() and old.is_file() and not old.is_symlink():
                _keep(old, aside / name)
            else:
                old.rename(aside / name)
        if new.exists():
            new.replace(old)
    _fsync_folder(home)
    if CATALOG in names:
        shutil.rmtree(derived_folder(home, in_postgresql=False), ignore_errors=True)
    return aside


def _free_folder(home: Path) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S")
    for number in range(1, 1000):
        folder = home / (f"before-restore-{stamp}" if number == 1 else f"before-restore-{stamp}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)
            return folder
    raise LibraryError(f"No folder for the former library can be made in {home}: remove some before-restore-... there.")


def _keep(old: Path, kept: Path) -> None:
    """Link the file under a second name, so that a file always exists under the old name."""
    try:
        os.link(old, kept)
    except OSError:  # a file system without links
        shutil.copy2(old, kept)


def _fsync_folder(folder: Path) -> None:
    with suppress(OSError):  # not every system can do this
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
