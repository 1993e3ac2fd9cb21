"""Search through the owner of the library, from another process."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from store.ownership.owner_client import OwnerClient
from store.settings import Settings, facts_for_search
from store.types import Document, Filter, Hit, Passage, SearchResult, SentenceHit, Span

MOST_HITS = 1_000
"""Passages that the owner finds for another process."""


def search_by_owner(owner: OwnerClient, settings: Settings, query: str, k: int, where: Filter) -> SearchResult:
    """Return the owner's result, in the form of `Library.search`.

    Raises LibraryLockedError if the owner searches with other settings, OwnerGoneError, and the errors of its search.
    """
    owner.require(facts_for_search(settings))
    reply = owner.send("POST", "/api/search", {"query": query, "k": min(k, MOST_HITS), "filter": asdict(where)})
    return SearchResult(reply["query"], reply["language"], tuple(map(_hit, reply["hits"])), reply["timings_ms"])


def _hit(found: dict[str, Any]) -> Hit:
    sentences = tuple(
        SentenceHit(Span(each["start"], each["end"]), each["dense"], each["keyword"], each["score"], each["late"])
        for each in found["sentences"]
    )
    document = _document(found["document"])
    passage = Passage(
        id=found["passage"],
        document_id=document.id,
        ordinal=found["ordinal"],
        start=found["start"],
        end=found["end"],
        language=found["language"],
        sentences=tuple(each.span for each in sentences),
        heading=Span(**found["heading"]) if found["heading"] else None,
    )
    return Hit(
        rank=found["rank"],
        passage=passage,
        document=document,
        text=found["text"],
        score=found["score"],
        dense=found["dense"],
        keyword=found["keyword"],
        sentences=sentences,
        late=found["late"],
    )


def _document(values: dict[str, Any]) -> Document:
    given = {each.name: values[each.name] for each in fields(Document)}
    return Document(**given | {"pages": tuple(values["pages"]), "signs": tuple(values["signs"])})
