"""A search that the owner of the library does, for a process beside it: found by the owner, read from the catalog."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict
from typing import Any

from store.catalog.snapshot import Snapshot
from store.ownership.owner_client import OwnerClient
from store.settings import Settings, facts_for_search
from store.types import Filter, Hit, SearchResult, SentenceHit, Span

MOST_HITS = 1_000
"""Passages that the owner finds for another process."""
_SECONDS_FOR_CHANGES = 2.0


def search_by_owner(
    owner: OwnerClient,
    settings: Settings,
    snapshot: Callable[[], AbstractContextManager[Snapshot]],
    query: str,
    k: int,
    where: Filter,
) -> SearchResult:
    """Return what the owner finds; documents and words are those of one snapshot of the catalog.

    Raises LibraryLockedError where the owner searches by other settings, OwnerGoneError, and what its search raises.
    """
    owner.require(facts_for_search(settings))
    body = {"query": query, "k": min(k, MOST_HITS), "filter": asdict(where)}
    deadline = time.monotonic() + _SECONDS_FOR_CHANGES
    while True:
        reply = owner.send("POST", "/api/search", body)
        with snapshot() as moment:
            hits = [hit for each in reply["hits"] if (hit := _hit(each, moment)) is not None]
        # A document may have changed since it was found: the passages of its new version have other ids.
        if len(hits) == len(reply["hits"]) or time.monotonic() > deadline:
            return SearchResult(reply["query"], reply["language"], tuple(hits), reply["timings_ms"])


def _hit(found: dict[str, Any], snapshot: Snapshot) -> Hit | None:
    stored = snapshot.stored_passages([found["passage"]]).get(found["passage"])
    sentences = tuple(
        SentenceHit(Span(each["start"], each["end"]), each["dense"], each["keyword"], each["score"], each["late"])
        for each in found["sentences"]
    )
    if stored is None:
        return None
    return Hit(
        rank=found["rank"],
        passage=stored.passage,
        document=stored.document,
        text=stored.text,
        score=found["score"],
        dense=found["dense"],
        keyword=found["keyword"],
        sentences=sentences,
        late=found["late"],
    )
