"""Making a backup: all that can't be had again, each database as it was at one moment, while its owner goes on writing.

Needs no lock and stops nobody: SQLite's online backup reads one moment of a database beside its writer. The
indexes are left out: they are made anew from the catalog. See `store.backup.archive` for the file,
`store.backup.restore` for the way back.
"""

from __future__ import annotations

import os
import sqlite3
import stat
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import IO

from store.backup.archive import CHUNK, DATABASES, FOLDERS, LIST, SETTINGS, Contents, Part, is_allowed
from store.backup.last_backup import note_backup
from store.catalog.catalog import FILE as CATALOG
from store.catalog.schema import check_schema, program_version
from store.catalog.sqlite import translate_errors
from store.errors import LibraryError, RequestError

_PAGES = 2_000
"""Of a database, copied before progress is told: some megabytes."""
Progress = Callable[[int, int], None]
"""Called with bytes done and bytes known."""


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What was backed up."""

    file: Path
    contents: Contents
    left_out: tuple[str, ...]
    """Paths below the home whose names no backup can hold, or that couldn't be read."""


def back_up(home: Path, file: Path, progress: Progress | None = None) -> BackupReport:
    """Write a backup of the library at `home` to `file`, which must not exist: whole, or not at all.

    Others may write to the library meanwhile. The file can be read by its owner only: it holds all documents.
    Raises RequestError where there is no library or `file` is taken, LibraryError for a damaged catalog or a full disk.
    """
    if not (home / CATALOG).is_file():
        raise RequestError(f"There is no library at {home}: name another with --home.")
    if file.exists():
        raise RequestError(f"{file} is there already: name another file, or remove it first.")
    try:
        with tempfile.TemporaryDirectory(prefix=".attest-backup-", dir=file.absolute().parent) as folder:
            report = _write(home, file, Path(folder), progress or _ignore)
            _fsync(Path(folder) / "backup")
            _place(Path(folder) / "backup", file)
        note_backup(home, file, report.contents.made)
    except FileExistsError as error:
        raise RequestError(f"{file} is there already: name another file, or remove it first.") from error
    except OSError as error:
        raise LibraryError(
            f"The backup can't be written to {file}: {(error.strerror or str(error)).lower()}."
        ) from error
    return report


def _write(home: Path, file: Path, folder: Path, progress: Progress) -> BackupReport:
    copies = _copies(home, folder, progress)
    parts: list[Part] = []
    left_out: list[str] = []
    schema = _schema_of(copies[CATALOG])
    with zipfile.ZipFile(folder / "backup", "x", zipfile.ZIP_STORED, allowZip64=True) as archive:
        os.chmod(folder / "backup", stat.S_IRUSR | stat.S_IWUSR)  # noqa: PTH101 - of what was just made
        for name, path in _files(home, copies):
            if not is_allowed(name):
                left_out.append(name.encode("utf-8", "backslashreplace").decode())
                continue
            try:
                source = path.open("rb")
            except OSError:  # removed since it was listed, or not for us to read
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


def _copies(home: Path, folder: Path, progress: Progress) -> dict[str, Path]:
    """Each database, copied at the same moment as the others, whoever writes to them meanwhile."""
    copies: dict[str, Path] = {}
    with ExitStack() as stack:
        sources = {}
        for name in DATABASES:
            if not (home / name).is_file():
                continue
            stack.enter_context(translate_errors(home / name))
            source = stack.enter_context(
                closing(sqlite3.connect(f"{(home / name).absolute().as_uri()}?mode=rw", uri=True, isolation_level=None))
            )
            source.execute("PRAGMA busy_timeout = 10000")
            source.execute("PRAGMA query_only = ON")
            source.execute("BEGIN")
            source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # the moment is taken by the first read
            sources[name] = source
        for name, source in sources.items():
            if name == CATALOG:
                check_schema(source, home / name)
            copies[name] = folder / name
            with closing(sqlite3.connect(folder / name, isolation_level=None)) as copy:
                size = source.execute("PRAGMA page_size").fetchone()[0]
                source.backup(
                    copy,
                    pages=_PAGES,
                    progress=lambda _, left, total, size=size: progress((total - left) * size, total * size),  # type: ignore[misc]
                )
                copy.execute("PRAGMA journal_mode = DELETE")  # a single file
                problems = [row[0] for row in copy.execute("PRAGMA quick_check(1)")]
            if problems != ["ok"]:
                raise LibraryError(f"{home / name} is damaged ({problems[0]}), so it wasn't backed up.")
    return copies


def _schema_of(catalog: Path) -> int:
    with closing(sqlite3.connect(catalog)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _files(home: Path, copies: dict[str, Path]) -> Iterator[tuple[str, Path]]:
    """Every part's name with the file that it is read from. Links and hidden files are passed over."""
    yield from copies.items()
    if _is_file(home / SETTINGS):
        yield SETTINGS, home / SETTINGS
    for name in FOLDERS:
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
    """Give what was made its name, unless something came there meanwhile."""
    try:
        os.link(made, file)
    except FileExistsError:
        raise
    except OSError as error:  # a file system without links
        if file.exists():
            raise FileExistsError(file) from error
        made.rename(file)


def _fsync(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())


def _ignore(_done: int, _known: int) -> None:
    pass
