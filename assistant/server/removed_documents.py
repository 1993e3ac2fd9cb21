"""Keep recently removed documents, to bring them back: in the process's memory, or in a table for all servers."""

from __future__ import annotations

import threading
import time
from typing import Protocol

import sqlalchemy as sa
from pydantic import TypeAdapter
from sqlalchemy.dialects.postgresql import insert

from assistant.server.auth.scoped_access import Collections
from store.catalog.engine import Database
from store.catalog.serving_tables import removed
from store.types import ParsedDocument

KEPT = 20
_R = removed.c
_PARSED = TypeAdapter(ParsedDocument)


class RemovedDocuments(Protocol):
    """The documents removed most recently."""

    def keep(self, parsed: ParsedDocument) -> None:
        """Keep a removed document."""

    def take(self, document_id: str, reach: Collections) -> ParsedDocument | None:
        """Return a document and forget it; None if it isn't kept, or is outside this `reach`."""


class LocalRemoved:
    """The documents that this process has removed."""

    def __init__(self) -> None:
        self._kept: dict[str, ParsedDocument] = {}
        self._lock = threading.Lock()

    def keep(self, parsed: ParsedDocument) -> None:
        """See `RemovedDocuments`."""
        with self._lock:
            self._kept[parsed.document.id] = parsed
            while len(self._kept) > KEPT:
                del self._kept[next(iter(self._kept))]

    def take(self, document_id: str, reach: Collections) -> ParsedDocument | None:
        """See `RemovedDocuments`."""
        with self._lock:
            parsed = self._kept.get(document_id)
            if parsed is None or (reach is not None and parsed.document.collection not in reach):
                return None
            return self._kept.pop(document_id)


class SharedRemoved:
    """The documents that any server has removed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, parsed: ParsedDocument) -> None:
        """See `RemovedDocuments`."""
        document = parsed.document
        values = {"collection": document.collection, "parsed": _PARSED.dump_json(parsed), "at": time.time()}
        statement = insert(removed).values(document=document.id, **values)
        latest = sa.select(_R.document).order_by(_R.at.desc()).limit(KEPT)
        with self._database.writing() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=[_R.document], set_=values))
            connection.execute(sa.delete(removed).where(_R.document.not_in(latest)))

    def take(self, document_id: str, reach: Collections) -> ParsedDocument | None:
        """See `RemovedDocuments`."""
        wanted = sa.delete(removed).where(_R.document == document_id).returning(_R.parsed)
        if reach is not None:
            wanted = wanted.where(_R.collection.in_(reach))
        with self._database.writing() as connection:
            packed = connection.execute(wanted).scalar()
        return None if packed is None else _PARSED.validate_json(packed)
