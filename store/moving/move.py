"""Move a library: copy its rows and files to another place, compare them there, and build the indexes.

The source is only read. The target records which library is being copied, and how far, so a killed move continues where
it stopped, and a partial copy is never opened.
"""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import IntegrityError

from store.backup.archive import FOLDERS, SETTINGS
from store.backup.create import part_files
from store.catalog.catalog import MOVING
from store.catalog.database_files import facts_of_a_copy
from store.catalog.engine import location
from store.catalog.row_copy import TABLES, LibraryDatabases, Moment, difference, in_batches
from store.doctor.checks import check_indexes
from store.errors import LibraryError, LibraryLockedError, RequestError
from store.index.index_set import derived_folder, highest_generation
from store.library import Library
from store.ownership.lock import LibraryLock
from store.settings_file import place_settings, with_values

if TYPE_CHECKING:
    from sqlalchemy import URL

    from store.embedding.embedder import Embedder
    from store.settings import Settings
    from store.types import Progress

_ROWS, _INDEXES = "rows", "indexes"
"""What is still missing in a target; stored there after the identity of the source."""


@dataclass(frozen=True, slots=True)
class MoveReport:
    """The result of a move."""

    documents: int
    passages: int
    rows: int
    """Rows of all tables, each compared."""
    resumed: bool
    """Whether an earlier move was interrupted."""


def move(
    source: Settings, target: Settings, *, embedder: Embedder | None = None, progress: Progress | None = None
) -> MoveReport:
    """Copy the library of `source` to the place in `target`, which must be empty or partly filled by the same move.

    Every row is compared, and every vector read, before this returns. `progress` counts rows, then passages.

    Raises RequestError for a target that isn't empty, LibraryLockedError while a process has either library open,
    LibraryError for unusable databases and servers.
    """
    here, there = place_of(source), place_of(target)
    if here == there:
        raise RequestError("The library is there already: name another place to move it to.")
    if isinstance(here, Path) and not (here / "catalog.sqlite").is_file():
        raise RequestError(f"There is no library at {here}: name another with --home.")
    with _locked(source.home, target.home), LibraryDatabases.opened(here) as old:
        _own(old)
        with LibraryDatabases.opened(there) as new, old.moment() as moment:
            _own(new)
            missing, resumed = _begin(moment, new, there)
            rows = moment.count()
            if missing == _ROWS:
                _carry(moment, new, rows, progress)
                derived = derived_folder(target.home, in_postgresql=target.database_url is not None)
                _finish_rows(moment, new, highest_generation(derived))
        if source.home != target.home:
            _copy_files(source.home, target.home, place_settings(target))
    with Library.open(target, embedder=embedder) as library:
        counts = library.statistics()
        library.rebuild(recenter=False, progress=progress)
        for finding in check_indexes(library):
            raise LibraryError(f"{finding.message} The library that was moved is as it was.")
        with library.ownership.catalog.transaction() as transaction:
            transaction.delete_value(MOVING)
    return MoveReport(counts.documents, counts.passages, rows, resumed)


def place_of(settings: Settings) -> Path | URL:
    """Return the place of a library's databases: a folder, or PostgreSQL."""
    return settings.home if settings.database_url is None else location(settings, "")


@contextmanager
def _locked(*homes: Path) -> Iterator[None]:
    """Own the libraries in these folders. Raises LibraryLockedError."""
    locks = []
    try:
        for home in dict.fromkeys(homes):
            with suppress(FileExistsError):
                home.mkdir(parents=True, exist_ok=True)
            locks.append(LibraryLock(home))
            locks[-1].take(writes=True)
        yield
    finally:
        for lock in locks:
            lock.release()


def _own(databases: LibraryDatabases) -> None:
    if not databases.catalog.own():
        raise LibraryLockedError("Another process has the library in PostgreSQL open: stop it, and try again.")


def _begin(source: Moment, target: LibraryDatabases, where: Path | URL) -> tuple[str, bool]:
    """Return what is still missing in the target, and whether an earlier move began there. Raises RequestError."""
    identity = source.facts()["id"]
    named = where if isinstance(where, Path) else f"The database {where.database} at {where.host}"
    if MOVING in source.facts():
        raise RequestError("The library is only partly here: finish the move that brings it, then move it on.")
    with target.moment() as there:
        noted = there.facts().get(MOVING)
        is_empty = not there.count()
    if noted is not None:
        of, _, missing = noted.partition(" ")
        if of != identity:
            raise RequestError(f"{named} is half filled by the move of another library: name an empty place.")
        return missing, True
    if not is_empty:
        raise RequestError(f"{named} isn't empty: name an empty database, or a new folder.")
    with target.changing() as change:
        change.set_facts(change.facts() | {MOVING: f"{identity} {_ROWS}"})
    return _ROWS, False


def _carry(source: Moment, target: LibraryDatabases, rows: int, progress: Progress | None) -> None:
    """Copy the missing rows, and compare all; if they differ, copy all once more. Raises LibraryError."""
    for attempt in range(2):
        differs = _copy_and_compare(source, target, rows, progress)
        if differs is None:
            return
        if attempt:
            raise LibraryError(f"The rows of {differs} differ from those that were copied: check the target's disk.")
        with target.changing() as change:  # the library was changed since an earlier attempt
            change.clear()


def _copy_and_compare(source: Moment, target: LibraryDatabases, rows: int, progress: Progress | None) -> str | None:
    """Return the name of a table whose rows differ, if any."""
    try:
        _copy_rows(source, target, rows, progress)
    except IntegrityError as error:  # a row of an earlier attempt conflicts with one that replaced it
        return str(error.statement)
    with target.moment() as there:
        return next((table for table in difference(source, there) if table is not None), None)


def _copy_rows(source: Moment, target: LibraryDatabases, rows: int, progress: Progress | None) -> None:
    with target.moment() as there:
        done = there.count()
        last = {table: there.last_key(table) for table in TABLES}
    for table in TABLES:
        for batch in in_batches(source.rows(table, last[table])):
            target.append(table, batch)
            done += len(batch)
            if progress is not None:
                progress(done, rows)


def _finish_rows(source: Moment, target: LibraryDatabases, taken: int) -> None:
    facts = source.facts()
    with target.changing() as change:
        change.set_facts(facts_of_a_copy(facts, taken) | {MOVING: f"{facts['id']} {_INDEXES}"})
        change.count_on()


def _copy_files(source: Path, target: Path, place: dict[str, str | None]) -> None:
    """Copy uploads, evaluations and settings, except those that locate the library; compare existing files."""
    for name, path in part_files(source, (*FOLDERS, SETTINGS)):
        copy = target / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        if name == SETTINGS:
            copy.write_text(with_values(path.read_text(encoding="utf-8"), place), encoding="utf-8")
        elif not copy.is_file() or not filecmp.cmp(path, copy, shallow=False):
            shutil.copy2(path, copy)
