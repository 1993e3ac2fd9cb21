"""Lock a library's folder for one process: the owner.

The operating system keeps the lock, through `filelock`, so it ends with the process, however that ends. A note next to
it describes the owner; it means nothing while the lock is free.
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from store.errors import LibraryError, LibraryLockedError

_LOCK = "owner.lock"
_NOTE = "owner.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that owns a library, according to its note."""

    pid: int
    command: str
    started: str
    """ISO 8601, UTC."""
    writes: bool
    """Whether it opened the library to change it."""


class LibraryLock:
    """Exclusive ownership of a folder, from `take` until `release` or the end of the process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        # Without kernel locks (some network file systems) filelock would use a file that a killed process leaves
        # behind, so refuse instead of guessing.
        self._lock = FileLock(folder / _LOCK, thread_local=False, fallback_to_soft=False)

    def take(self, *, writes: bool, patience: float = 0.0) -> None:
        """Become the owner, waiting up to `patience` seconds. Raises LibraryLockedError."""
        try:
            self._lock.acquire(timeout=patience, poll_interval=0.02)
        except Timeout:
            raise locked_error(self.folder) from None
        except OSError as error:
            raise LibraryError(
                f"{self.folder} can't be locked ({error.strerror or error}): "
                "keep the library in a folder on a local disk that you may write to."
            ) from error
        self.describe(
            Owner(
                pid=os.getpid(),
                command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:]])[:200],
                started=datetime.now(UTC).isoformat(timespec="seconds"),
                writes=writes,
            )
        )

    def describe(self, owner: Owner) -> None:
        """Write the note that describes the owner. Only the owner may."""
        draft = self.folder / f"{_NOTE}.{os.getpid()}"
        draft.write_text(json.dumps(asdict(owner)), encoding="utf-8")
        draft.replace(self.folder / _NOTE)

    def release(self) -> None:
        """Release the lock; do nothing without it, and in a forked child."""
        if self._lock.is_locked:
            with suppress(OSError):  # the note means nothing without the lock
                (self.folder / _NOTE).unlink(missing_ok=True)
        self._lock.release()


def unfinished_notes(folder: Path) -> list[Path]:
    """Return the unfinished notes that killed owners left; only meaningful for the owner."""
    return sorted(folder.glob(f"{_NOTE}.[0-9]*"))


def read_owner(folder: Path) -> Owner | None:
    """Return the owner in the note; None without a readable note."""
    with suppress(OSError, ValueError, TypeError):
        return Owner(**json.loads((folder / _NOTE).read_text(encoding="utf-8")))
    return None


def locked_error(folder: Path) -> LibraryLockedError:
    """Return the error for a process that can't own the library now."""
    owner = read_owner(folder)
    if owner is None:  # it has just taken the lock, or is just releasing it
        time.sleep(0.1)
        owner = read_owner(folder)
    if owner is None:
        return LibraryLockedError(f"The library at {folder} is in use by another process; try again.")
    return LibraryLockedError(
        f"The library at {folder} is in use by process {owner.pid} ({owner.command}, since {owner.started}). "
        "Stop that process, or wait for it, then run the command again.",
        owner.pid,
    )
