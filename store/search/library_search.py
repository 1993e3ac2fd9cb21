"""Search a library: here if this process owns it, otherwise through its owner; repeat while documents change."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from store.embedder_identity import require_embedder
from store.index.index_set import Generation
from store.index.vector_index import IndexGoneError
from store.ownership.lock import locked_error
from store.ownership.owner_client import OwnerClient, OwnerGoneError
from store.processors import processors
from store.search.by_owner import search_by_owner
from store.search.turns import Turns
from store.types import Filter, SearchResult

if TYPE_CHECKING:
    from store.ownership.ownership import Ownership
    from store.search.rerank import Reranker

_SECONDS_FOR_CHANGES = 2.0
"""How long a search is repeated while documents change: it may have found entries of a version that has just gone. It
never mixes versions, even without a repetition."""
_SECONDS_FOR_OWNER = 10.0
"""How long a reader looks for another owner when the old one is gone."""


class LibrarySearch:
    """Searches one library. Safe to use from several threads."""

    def __init__(self, ownership: Ownership, became_owner: Callable[[], None]) -> None:
        """`became_owner` is called when the owner is gone and this process may have replaced it."""
        self._ownership = ownership
        self._became_owner = became_owner
        self._owner: OwnerClient | None = None
        self._was_filled = False
        self._reranker: Reranker | None = None
        self._loading = threading.Lock()
        at_once = processors()
        self._turns = Turns(2 * at_once if ownership.settings.chroma_url else at_once)  # servers are waited for

    def search(self, query: str, k: int, where: Filter) -> SearchResult:
        """Return the `k` best passages for `query`, best first.

        Raises LibraryLockedError if another owner doesn't answer, IndexGoneError if the index stays away.
        """
        deadline = time.monotonic() + _SECONDS_FOR_OWNER
        while True:
            try:
                return self._here_or_by_owner(query, k, where)
            except (OwnerGoneError, IndexGoneError) as error:
                if time.monotonic() > deadline:
                    in_use = isinstance(error, OwnerGoneError)
                    raise (locked_error(self._ownership.settings.home) if in_use else error) from None
                time.sleep(0.05)
                self._owner = None
                self._ownership.open_again()
                self._became_owner()

    def _here_or_by_owner(self, query: str, k: int, where: Filter) -> SearchResult:
        settings = self._ownership.settings
        if self._ownership.owned or settings.chroma_url is not None:
            return self._reranked(query, k, where)
        if self._owner is None:
            self._owner = OwnerClient(settings.home)
        return search_by_owner(self._owner, settings, query, k, where)

    def _reranked(self, query: str, k: int, where: Filter) -> SearchResult:
        model = self._ownership.settings.reranker
        if model is None:
            return self._ranked(query, k, where)
        from store.search.rerank import CANDIDATES, load_reranker, rerank

        with self._loading:
            if self._reranker is None:
                self._reranker = load_reranker(model)
        return rerank(self._ranked(query, max(k, CANDIDATES), where), self._reranker, k)

    def _ranked(self, query: str, k: int, where: Filter) -> SearchResult:
        from store.search.engine import search
        from store.search.ranking import load_ranking
        from store.text.language import detect_language

        ownership = self._ownership
        if self._is_empty():
            return SearchResult(query, detect_language(query), ())
        embedder = ownership.embedder
        ranking = load_ranking(embedder.name, ownership.settings.ranking)
        deadline: float | None = None
        while True:
            with self._turns.turn(), ownership.indexes() as indexes, ownership.catalog.snapshot() as snapshot:
                deadline = deadline or time.monotonic() + _SECONDS_FOR_CHANGES  # waiting for a turn doesn't count
                if Generation.of(snapshot) != indexes.generation and time.monotonic() < deadline:
                    continue  # rebuilt since they were opened
                if indexes.generation.fingerprint != embedder.fingerprint:
                    require_embedder(snapshot, embedder)
                result = search(query, k, where, embedder=embedder, indexes=indexes, snapshot=snapshot, ranking=ranking)
                before = snapshot.value("revision")
            if ownership.catalog.facts("revision") == (before,) or time.monotonic() > deadline:
                return result

    def _is_empty(self) -> bool:
        """Return whether the library has nothing to find, so that no model needs to be loaded."""
        if not self._was_filled:
            with self._ownership.catalog.snapshot() as snapshot:
                self._was_filled = bool(snapshot.language_statistics())
        return not self._was_filled
