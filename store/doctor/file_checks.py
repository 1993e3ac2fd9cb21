"""Check for `attest doctor` the files around the catalog: leftovers of killed processes, modes, the accounts."""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from store.backup.archive import ACCOUNTS
from store.backup.last_backup import restore_advice
from store.backup.restore import STAGING
from store.catalog.checks import file_problem
from store.doctor.findings import Finding
from store.ownership.lock import unfinished_notes

if TYPE_CHECKING:
    from store.library import Library

AGE = 3600.0
"""Seconds after which an unfinished file counts as abandoned, because uploads and backups take no lock."""


def check_leftovers(library: Library) -> Iterator[Finding]:
    """Find files that a killed process left unfinished."""
    found = leftovers(library)
    if found:
        size = sum(_size(path) for path in found) // 1_000_000
        yield Finding(
            "leftovers",
            f"Killed processes left {len(found)} unfinished files or folders of {size} MB in the library's folder, such "
            f"as {found[0].name}: run `attest doctor --fix`.",
            "leftovers",
        )


def leftovers(library: Library) -> list[Path]:
    """Return abandoned unfinished files and folders; none while another process owns the library."""
    home = library.settings.home
    if not library.ownership.owned:
        return []
    # A restore, and an owner that writes its note, would hold the lock that this process holds.
    certain = [home / STAGING, *unfinished_notes(home)]
    perhaps = [*home.glob(".attest-backup-*"), *(home / "uploads").glob("**/.*.part")]
    if library.settings.is_shared:
        certain = []  # nobody holds that lock
    return [
        *(path for path in certain if os.path.lexists(path)),
        *(path for path in perhaps if not path.is_symlink() and time.time() - _last_written(path) > AGE),
    ]


def remove_leftovers(library: Library) -> str:
    """Delete leftovers; return what was done, in words."""
    found = leftovers(library)
    for path in found:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with suppress(OSError):  # the next check reports it again
                path.unlink(missing_ok=True)
    removed = sum(not os.path.lexists(path) for path in found)
    return f"Removed {removed} files or folders that killed processes had left."


def check_modes(library: Library) -> Iterator[Finding]:
    """Find password hashes and keys that other users can read."""
    for path in _open_to_others(library.settings.home):
        yield Finding(
            "modes", f"{path} can be read by other users of this machine: run `attest doctor --fix`.", "modes"
        )


def close_to_others(library: Library) -> str:
    """Make private files readable by their owner only; return what was done, in words."""
    found = _open_to_others(library.settings.home)
    for path in found:
        with suppress(OSError):  # another user's file: the next check reports it again
            path.chmod(0o600)
    closed = len(found) - len(_open_to_others(library.settings.home))
    return f"Closed {closed} files to other users."


def _open_to_others(home: Path) -> list[Path]:
    if os.name != "posix":
        return []
    private = (f"{ACCOUNTS}*", f"before-restore-*/{ACCOUNTS}*")
    files = [path for name in private for path in sorted(home.glob(name)) if path.is_file() and not path.is_symlink()]
    return [path for path in files if stat.S_IMODE(path.stat().st_mode) & 0o077]


def check_accounts(library: Library) -> Iterator[Finding]:
    """Check the database of accounts."""
    path = library.settings.home / ACCOUNTS
    if not path.exists():
        return
    problem = file_problem(path)
    if problem is not None:
        yield Finding(
            "accounts",
            f"The accounts in {path} are damaged ({problem}): {restore_advice(library.settings.home)}, or move the file "
            "away and add all users again with `attest users add NAME`.",
        )


def _size(path: Path) -> int:
    return sum(status.st_size for status in _statuses(path))


def _last_written(path: Path) -> float:
    """Return the time of the last change to a file or to anything in a folder, in seconds since 1970."""
    return max((status.st_mtime for status in _statuses(path)), default=time.time())


def _statuses(path: Path) -> Iterator[os.stat_result]:
    """Yield the status of a file, or of a folder and its contents, except those that disappear meanwhile."""
    folders = () if path.is_symlink() else os.walk(path)
    within = (Path(folder, name) for folder, _, names in folders for name in names)
    for each in chain((path,), within):
        with suppress(OSError):
            yield each.lstat()
