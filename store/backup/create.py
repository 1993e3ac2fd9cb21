"""Back up everything that can't be rebuilt, while the library is in use.

It takes no lock. Indexes are left out: they are rebuilt from the catalog. See `store.backup.archive` for the file.
"""

from __future__ import annotations

import os
import stat
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import IO

from sqlalchemy import URL

from store.backup.archive import CHUNK, DATABASES, FOLDERS, LIST, SETTINGS, Contents, Part, is_allowed
from store.backup.last_backup import note_backup
from store.catalog.catalog import FILE as CATALOG
from store.catalog.database_files import copy_databases
from store.catalog.whole_copies import copy_to_files
from store.errors import LibraryError, RequestError
from store.types import Progress
from store.version import program_version


@dataclass(frozen=True, slots=True)
class BackupReport:
    """The result of a backup."""

    file: Path
    contents: Contents
    left_out: tuple[str, ...]
    """Paths below the home that a backup can't name, or that couldn't be read."""


def back_up(home: Path, file: Path, progress: Progress | None = None, *, database: URL | None = None) -> BackupReport:
    """Write a backup of the library at `home` to `file`, which must not exist: completely, or not at all.

    With `database`, catalog and accounts are read from PostgreSQL at one moment; `progress` counts bytes of files, or
    rows.

    Other processes may write to the library meanwhile. Only its owner can read the file, because it has all documents.
    Raises RequestError if there is no library or `file` exists, LibraryError for a damaged catalog or a full disk.
    """
    exists = RequestError(f"{file} is there already: name another file, or remove it first.")
    if database is None and not (home / CATALOG).is_file():
        raise RequestError(f"There is no library at {home}: name another with --home.")
    if file.exists():
        raise exists
    try:
        with tempfile.TemporaryDirectory(prefix=".attest-backup-", dir=file.absolute().parent) as folder:
            report = _write(home, file, Path(folder), progress or (lambda *_: None), database)
            with (Path(folder) / "backup").open("rb") as made:
                os.fsync(made.fileno())
            _place(Path(folder) / "backup", file)
        note_backup(home, file, report.contents.made)
    except FileExistsError as error:
        raise exists from error
    except OSError as error:
        raise LibraryError(
            f"The backup can't be written to {file}: {(error.strerror or str(error)).lower()}."
        ) from error
    return report


def _write(home: Path, file: Path, folder: Path, progress: Progress, database: URL | None) -> BackupReport:
    if database is None:
        copies = {home / name: folder / name for name in DATABASES if (home / name).is_file()}
        schema = copy_databases(copies, home / CATALOG, progress)
    else:
        copies = {home / name: folder / name for name in DATABASES}
        schema = copy_to_files(database, folder, progress)
    parts: list[Part] = []
    left_out: list[str] = []
    with zipfile.ZipFile(folder / "backup", "x", zipfile.ZIP_STORED, allowZip64=True) as archive:
        (folder / "backup").chmod(stat.S_IRUSR | stat.S_IWUSR)
        for name, path in chain(
            ((copy.name, copy) for copy in copies.values()), part_files(home, (SETTINGS, *FOLDERS))
        ):
            if not is_allowed(name):
                left_out.append(name.encode("utf-8", "backslashreplace").decode())
                continue
            try:
                source = path.open("rb")
            except OSError:  # removed since it was listed, or unreadable
                if path.exists():
                    left_out.append(name)
                continue
            with source:
                parts.append(_add(archive, name, source))
            if path.parent == folder:
                path.unlink()
        contents = Contents(datetime.now(UTC).isoformat(timespec="seconds"), program_version(), schema, tuple(parts))
        archive.writestr(LIST, contents.to_json())
    return BackupReport(file, contents, tuple(left_out))


def part_files(home: Path, names: Iterable[str]) -> Iterator[tuple[str, Path]]:
    """Yield the files among these files and folders of a home, by name, without links and hidden files."""
    for name in names:
        if _is_file(home / name):
            yield name, home / name
        for path, folders, files in os.walk(home / name):
            folders[:] = sorted(each for each in folders if not each.startswith("."))
            for each in sorted(files):
                found = Path(path) / each
                if not each.startswith(".") and _is_file(found):
                    yield found.relative_to(home).as_posix(), found


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _add(archive: zipfile.ZipFile, name: str, source: IO[bytes]) -> Part:
    digest, size = sha256(), 0
    with archive.open(zipfile.ZipInfo(name), "w", force_zip64=True) as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size += len(chunk)
            target.write(chunk)
    return Part(name, size, digest.hexdigest())


def _place(made: Path, file: Path) -> None:
    """Give the finished archive its name. Raises FileExistsError if a file with that name appeared meanwhile."""
    try:
        os.link(made, file)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without links
        if file.exists():
            raise FileExistsError(file) from error
        made.rename(file)
