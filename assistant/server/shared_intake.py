"""Queue files for all servers of one library: a table lists the waiting ones, and any server that has the file reads
it.

A lock that belongs to a connection shows which server reads which file. If a server dies, the next one that checks
reads its files. To read each other's files, servers share one folder of uploads.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex
from typing import Any

import sqlalchemy as sa
from sqlalchemy import Connection, Integer, bindparam

from assistant.server.auth.scoped_access import Collections
from assistant.server.intake import KEPT_ITEMS, Discard, Item, Taken, Work, outcome_of
from assistant.server.unread_files import identity
from store.catalog.database_errors import translate_errors
from store.catalog.engine import LOCK_CLASS, Database
from store.catalog.serving_tables import uploads
from store.errors import AttestError, LibraryError, restored

log = logging.getLogger(__name__)

_LOOK = 5.0
"""Seconds between two checks for files from others."""
_BETWEEN_REPORTS = 0.5
"""Seconds between two progress reports for a file."""
_U = uploads.c
_ITEM = sa.select(_U.id, _U.name, _U.state, _U.done, _U.known, _U.error, _U.collection)
_OPEN = _U.state.in_(["waiting", "reading"])
_CLAIMABLE = (
    sa.select(_U.id, _U.path).where(_OPEN, sa.or_(_U.path.is_(None), _U.folder == bindparam("folder"))).order_by(_U.id)
)
_LOCK = sa.select(
    sa.func.pg_try_advisory_lock(
        sa.cast(LOCK_CLASS["serving"], Integer), sa.cast(bindparam("id") % sa.literal(2**31 - 1), Integer)
    )
)
_TOLD = (
    sa.update(uploads).where(_U.id == bindparam("id_")).values(state=bindparam("outcome"), error=bindparam("reason"))
)
_SAME = uploads.alias()
_AWAITED = sa.select(_U.id).where(
    _OPEN, _U.folder == _SAME.c.folder, _U.path == _SAME.c.path, _SAME.c.id == bindparam("id")
)
"""Others that wait for the same file."""
_UNLOCK = sa.select(sa.func.pg_advisory_unlock_all())


class SharedIntake:
    """Puts files into the common table, and reads those that wait there and are in the same folder."""

    def __init__(self, work: Work, discard: Discard, database: Database, folder: Path | None) -> None:
        self._work = work
        self._discard = discard
        self._database = database
        self._folder = folder
        self._identity = None if folder is None else _identity(folder)
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="intake", daemon=True).start()

    def put(self, name: str, path: Path | None, collection: str | None) -> Item:
        """See `Intake`."""
        place = None if path is None or self._folder is None else path.relative_to(self._folder).as_posix()
        where = {"folder": self._identity, "path": place}
        values = {"name": name, **where, "collection": collection, "state": "waiting", "done": 0, "known": 0}
        with self._database.writing(alone=False) as connection:
            number = connection.execute(sa.insert(uploads).values(values).returning(_U.id)).scalar_one()
            connection.execute(sa.delete(uploads).where(_U.id <= number - KEPT_ITEMS, ~_OPEN))
        self._wake.set()
        return Item(number, name, "waiting", collection=collection)

    def items(self, reach: Collections) -> tuple[Item, ...]:
        """See `Intake`."""
        wanted = _ITEM if reach is None else _ITEM.where(_U.collection.in_(reach))
        with self._database.reading() as connection:
            return tuple(map(_item, connection.execute(wanted.order_by(_U.id.desc()))))

    def waiting(self) -> int:
        """See `Intake`."""
        with self._database.reading() as connection:
            count = connection.execute(sa.select(sa.func.count()).where(_U.state == "waiting")).scalar_one()
        return int(count)

    def _run(self) -> None:
        while True:
            self._wake.wait(_LOOK)
            self._wake.clear()
            try:
                while self._read_one():
                    pass
            except LibraryError as error:  # the next check tries again
                if self._database.is_closed:
                    return
                log.warning("%s", error)

    def _read_one(self) -> bool:
        """Read the first file that nobody is reading; return whether there was one."""
        with self._claimed() as claimed:
            if claimed is None:
                return False
            item, path, lock = claimed
            self._change(item.id, state="reading")
            before = identity(path)
            taken = outcome_of(self._work, item, path, self._reporter(item.id))
            # By the connection with the lock: if it is lost, another server may be reading the file.
            with translate_errors(self._database.where):
                lock.execute(_TOLD, {"id_": item.id, "outcome": taken.outcome, "reason": _packed(taken)})
                is_awaited = path is not None and lock.execute(_AWAITED, {"id": item.id}).first() is not None
            if path is not None and taken.is_unreadable and not is_awaited:
                self._discard(path, before)
        return True

    @contextmanager
    def _claimed(self) -> Iterator[tuple[Item, Path | None, Connection] | None]:
        with self._database.reading() as connection:
            found = [tuple(row) for row in connection.execute(_CLAIMABLE, {"folder": self._identity})]
        if not found:
            yield None
            return
        with translate_errors(self._database.where):
            lock = self._database.detached()
        try:
            with translate_errors(self._database.where):
                claimed = next((each for each in found if _is_free(lock, each[0])), None)
                row = None if claimed is None else lock.execute(_ITEM.where(_U.id == claimed[0])).first()
            yield None if claimed is None or row is None else (_item(row), self._path(claimed[1]), lock)
        finally:
            with suppress(sa.exc.SQLAlchemyError):
                lock.execute(_UNLOCK)
            with suppress(sa.exc.SQLAlchemyError):
                lock.close()

    def _path(self, path: str | None) -> Path | None:
        return None if path is None or self._folder is None else self._folder / path

    def _reporter(self, number: int) -> Any:  # noqa: ANN401 - a `Progress` that remembers
        last = 0.0

        def report(done: int, known: int) -> None:
            nonlocal last
            if time.monotonic() - last >= _BETWEEN_REPORTS:
                last = time.monotonic()
                self._change(number, done=done, known=known)

        return report

    def _change(self, number: int, **changes: object) -> None:
        with self._database.writing(alone=False) as connection:
            connection.execute(sa.update(uploads).where(_U.id == number).values(**changes))


def _identity(folder: Path) -> str:
    """Return the name given once to a folder of uploads."""
    folder.mkdir(parents=True, exist_ok=True)
    place, draft = folder / ".identity", folder / f".identity.{token_hex(8)}.part"
    draft.write_text(token_hex(16), encoding="ascii")
    try:
        place.hardlink_to(draft)  # if several begin at the same time, one names it
    except FileExistsError:
        pass
    except OSError:  # a disk without such links
        if not place.exists():
            draft.replace(place)
    draft.unlink(missing_ok=True)
    return place.read_text(encoding="ascii")


def _is_free(lock: Connection, number: int) -> bool:
    """Lock an upload, unless another server is reading or has read it."""
    if not lock.execute(_LOCK, {"id": number}).scalar():
        return False
    return lock.execute(sa.select(_U.id).where(_U.id == number, _OPEN)).first() is not None


def _item(row: Any) -> Item:  # noqa: ANN401 - a row
    return Item(row.id, row.name, row.state, row.done, row.known, _unpacked(row.error), row.collection)


def _packed(taken: Taken) -> str | None:
    error = taken.error
    if error is None:
        return None
    values = {name: str(value) for name, value in error.values.items()}
    return json.dumps({"kind": type(error).__name__, "said": str(error), "code": error.code, "values": values})


def _unpacked(packed: str | None) -> AttestError | None:
    if packed is None:
        return None
    noted = json.loads(packed)
    error = restored(noted["kind"], noted["said"], noted["code"])
    error.values = noted["values"]
    return error
