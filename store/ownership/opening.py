"""Open a library's catalog: as its owner, as a reader next to it, or as one of any number of processes that share it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from store.catalog.catalog import FILE, Catalog
from store.catalog.engine import location
from store.errors import LibraryError, LibraryLockedError
from store.ownership.lock import LibraryLock, read_owner

if TYPE_CHECKING:
    from store.settings import Settings

_SECONDS_TO_START = 5.0
"""How long an owner may take from its lock to a readable catalog."""
_SECONDS_FOR_READERS = 10.0
"""How long a writer waits for a read-only owner, such as a single question."""


def open_catalog(settings: Settings, lock: LibraryLock, *, writes: bool) -> tuple[Catalog, bool]:
    """Open the catalog; return it, and whether this process can search and change the library alone."""
    where = location(settings, FILE)
    if settings.is_shared:
        return _own(Catalog.open(where), shared=True), True
    deadline = time.monotonic() + _SECONDS_TO_START
    while True:
        try:
            _take_lock(lock, writes=writes)
        except LibraryLockedError:
            if writes:
                raise
            try:
                return Catalog.open(where, read_only=True), False
            except LibraryError:
                # The owner may be about to create or migrate the catalog, or to leave.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        else:
            try:
                return _own(Catalog.open(where)), True
            except BaseException:
                lock.release()
                raise


def _own(catalog: Catalog, *, shared: bool = False) -> Catalog:
    """Return the catalog, owned by this process even if another one has another folder and the same database.

    A `shared` one is owned by this process and others.
    """
    try:
        if catalog.database.own(shared=shared):
            return catalog
    except BaseException:
        catalog.close()
        raise
    catalog.close()
    raise LibraryLockedError("Another process has the library in PostgreSQL open: stop it, or ask it, and try again.")


def _take_lock(lock: LibraryLock, *, writes: bool) -> None:
    """Take the lock; a writer waits for a read-only owner."""
    try:
        lock.take(writes=writes)
    except LibraryLockedError:
        owner = read_owner(lock.folder)
        if not writes or owner is None or owner.writes or owner.pid == os.getpid():
            raise
        lock.take(writes=True, patience=_SECONDS_FOR_READERS)


def make_folder(home: Path) -> None:
    """Make the folder of a library. Raises LibraryError."""
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(
            f"The library's folder {home} can't be made ({error.strerror}): choose another with --home."
        ) from error
