"""Copy a library in PostgreSQL to files, and back: completely, in one transaction each."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL

from store.catalog.catalog import MOVING
from store.catalog.database_files import merge_log
from store.catalog.row_copy import LibraryDatabases, copy_all
from store.catalog.schema import latest_schema
from store.errors import LibraryError, LibraryLockedError
from store.types import Progress


def copy_to_files(database: URL, folder: Path, progress: Progress) -> int:
    """Write catalog and accounts, at one moment, into files in a folder; return their schema version.

    Raises LibraryError for an incomplete library.
    """
    with LibraryDatabases.opened(database) as there, LibraryDatabases.opened(folder) as files:
        with there.moment() as moment, files.changing() as copy:
            facts = moment.facts()
            if facts.get(MOVING, "").endswith("rows"):
                raise LibraryError("The library is only partly there: run `attest move` again to finish it.")
            copy_all(moment, copy, progress)
            copy.set_facts(facts)
        paths = [each.file for each in (files.catalog, files.accounts) if each.file is not None]
    for path in paths:
        merge_log(path)
    return latest_schema()


def holds_rows(database: URL) -> bool:
    """Return whether a library's tables have any rows. Raises LibraryError for another program's tables."""
    with LibraryDatabases.opened(database) as there, there.moment() as moment:
        return moment.count() > 0


def copy_from_files(folder: Path, database: URL, progress: Progress, *, then: Callable[[], None]) -> None:
    """Replace the contents of a library's tables by those of files in a folder, at once; run `then` before.

    Raises LibraryLockedError while a process has the library open. After any error, nothing is changed.
    """
    with LibraryDatabases.opened(folder) as files, LibraryDatabases.opened(database) as there:
        if not there.catalog.own():
            raise LibraryLockedError("Another process has the library in PostgreSQL open: stop it, and try again.")
        with files.moment() as moment, there.changing() as change:
            change.clear()
            copy_all(moment, change, progress)
            change.set_facts(moment.facts())
            then()
