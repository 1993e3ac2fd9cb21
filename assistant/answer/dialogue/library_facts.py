"""Describe what a library holds within a question's filter: counts, speakers, languages, documents."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from store.library import Library
from store.text.storable import NOTHING
from store.types import Document, Filter


@dataclass(frozen=True, slots=True)
class Holdings:
    """How much a filter matches."""

    documents: int
    languages: tuple[str, ...]
    """Languages of the documents, most frequent first."""


def holdings(library: Library, where: Filter) -> Holdings:
    """Return how much `where` matches, counted by the database."""
    with library.snapshot() as snapshot:
        languages = snapshot.document_languages(where)
    return Holdings(sum(languages.values()), tuple(languages))


def count(library: Library, where: Filter) -> int:
    """Return how many documents `where` matches."""
    return holdings(library, where).documents


def newest(library: Library, where: Filter, limit: int) -> tuple[Document, ...]:
    """Return the documents added last, latest first."""
    with library.snapshot() as snapshot:
        return snapshot.newest(limit, where)


def first(library: Library, where: Filter, limit: int) -> tuple[Document, ...]:
    """Return the first documents by address."""
    return library.documents(limit=limit, where=where).documents


def narrowed(
    where: Filter,
    *,
    documents: Sequence[str] = (),
    speakers: Sequence[str] = (),
    language: str | None = None,
    since: str | None = None,
    until: str | None = None,
) -> Filter:
    """Return `where` with further conditions; the result never matches more."""
    return replace(
        where,
        documents=_both(where.documents, tuple(documents)),
        speakers=_both(where.speakers, tuple(speakers)),
        languages=_both(where.languages, (language,) if language else ()),
        published_from=max(filter(None, (where.published_from, since)), default=None),
        published_to=min(filter(None, (where.published_to, until)), default=None),
    )


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    if not one or not other:
        return one or other
    return tuple(value for value in one if value in other) or (NOTHING,)
