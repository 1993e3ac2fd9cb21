"""Describe a library before anybody asks: its subjects with counts, and each document's most important sentences."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from assistant.answer.dialogue.overview import carrying
from assistant.answer.dialogue.topics import Topic, topics
from assistant.answer.evidence import verified
from store.library_view import View
from store.types import Filter

if TYPE_CHECKING:
    from assistant.server.auth.scoped_access import Collections
    from assistant.types import Evidence
    from store.library import Library
    from store.types import Document

SENTENCES = 4
"""In a document's overview."""
SCOPES = 64
"""Sets of collections whose subjects are cached."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A subject on the welcome page."""

    name: str
    documents: int
    """The number of documents about it."""
    is_estimate: bool
    """Whether that number is an estimate from a part of the library."""
    examples: tuple[Document, ...]
    """Some of the documents, those with most passages about it first."""


class LibraryOverview:
    """Overviews for the page. Safe to use from several threads.

    Nothing is computed twice: the catalog keeps the subjects of a whole library, and memory those of some of its
    collections, until a document changes.
    """

    def __init__(self, library: Library) -> None:
        self._library = library
        self._lock = threading.Lock()
        self._scoped: OrderedDict[tuple[str, ...], tuple[int, tuple[Topic, ...]]] = OrderedDict()

    def of_document(self, document: Document) -> tuple[Evidence, ...]:
        """Return the most central sentences of a document, in its order; none if it has no sentences."""
        return verified(carrying(document, self._library, SENTENCES), self._library)

    def subjects(self, collections: Collections) -> tuple[Subject, ...]:
        """Return the subjects of what somebody may see, largest first; the documents themselves if they are few.

        Counts are exact if every document was examined, which is so for a small library's sample of passages.
        """
        view = View(self._library, collections)
        held = view.statistics().documents
        found = self._topics(view.narrowed(None), collections)
        if len(found) < 2:
            return tuple(
                Subject(each.title, 1, is_estimate=False, examples=(each,))
                for each in view.documents(limit=SENTENCES).documents
            )
        seen = sum(each.documents for each in found)
        with self._library.snapshot() as snapshot:
            known = snapshot.documents_by_id([key for each in found for key in each.document_ids])
        return tuple(
            Subject(
                each.name,
                round(each.documents * held / seen),
                is_estimate=held > seen,
                examples=tuple(known[key] for key in each.document_ids if key in known),
            )
            for each in found
        )

    def _topics(self, where: Filter, collections: Collections) -> tuple[Topic, ...]:
        if collections is None:
            return topics(self._library, where)
        with self._library.snapshot() as snapshot:
            revision = snapshot.number("revision")
        with self._lock:
            kept = self._scoped.get(collections)
        if kept is not None and kept[0] == revision:
            return kept[1]
        found = topics(self._library, where)
        with self._lock:
            self._scoped[collections] = (revision, found)
            if len(self._scoped) > SCOPES:
                self._scoped.popitem(last=False)
        return found
