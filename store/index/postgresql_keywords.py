"""Keep the keyword index in PostgreSQL, with the catalog: any number of processes search it, without locks."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from store.catalog.engine import Database
from store.catalog.keyword_rows import KeywordFacts, KeywordRows, KeywordWriter
from store.errors import IndexDamagedError
from store.index.keyword_changes import NewPassage, insert_passages, remove_passages
from store.index.keyword_index import KeywordEntry, KeywordIndex, KeywordQuery, rarest_terms
from store.index.server_matches import ServerQuery, best, best_among, count_passages, match
from store.index.vector_index import IndexGoneError
from store.text.spellings import SPELLED, spelling_terms
from store.types import Filter

_CHANGES = 1_000
"""Passages added or removed per round of statements."""
_TERM, _SPELLING = b"t", b"s"
"""The prefix of a stored term."""


class ServerKeywordIndex(KeywordIndex):
    """The keywords of one generation in a PostgreSQL catalog."""

    def __init__(self, database: Database, generation: int, tokenize: Callable[[str], list[str]]) -> None:
        super().__init__(tokenize)
        self._database = database
        self._generation = generation
        self._rows: KeywordRows | None = None
        self._lock = threading.Lock()
        self._added: list[NewPassage] = []
        self._removed: list[str] = []

    @classmethod
    def open(cls, database: Database, generation: int, tokenize: Callable[[str], list[str]]) -> ServerKeywordIndex:
        """Open the generation. Raises IndexDamagedError if it doesn't exist."""
        with database.reading() as connection:
            if KeywordRows(connection, generation).facts() is None:
                raise IndexDamagedError("The library has no keyword index: run `attest rebuild`.")
        return cls(database, generation, tokenize)

    def add(self, entries: Iterable[KeywordEntry]) -> None:
        """Add passages; searches find them after `commit`."""
        added = [self._passage(entry) for entry in entries]
        with self._lock:
            self._added += added

    def remove_passages(self, passage_ids: Iterable[str]) -> None:
        """Remove passages; searches stop finding them after `commit`."""
        with self._lock:
            self._removed += passage_ids

    def commit(self) -> None:
        """Make additions and removals durable and visible to searches, all at once."""
        with self._lock:
            if self._added or self._removed:
                with self._database.writing() as connection:
                    writer = KeywordWriter(connection, self._generation)
                    facts = _require(writer)
                    for start in range(0, len(self._removed), _CHANGES):
                        facts = remove_passages(writer, facts, self._removed[start : start + _CHANGES])
                    for start in range(0, len(self._added), _CHANGES):
                        facts = insert_passages(writer, facts, self._added[start : start + _CHANGES])
                    writer.set_facts(facts)
            self._added, self._removed = [], []

    def close(self) -> None:
        """Forget uncommitted changes."""
        with self._lock:
            self._added, self._removed = [], []

    @contextmanager
    def at_one_moment(self) -> Iterator[ServerKeywordIndex]:
        """Search the current committed state until the block ends, inside one transaction."""
        with self._reading() as rows:
            index = ServerKeywordIndex(self._database, self._generation, self._tokenize)
            index._rows = rows
            yield index

    def parse(self, query: str) -> KeywordQuery:
        """Return the terms of `query` with their weights; only the rarest `MAX_QUERY_TERMS` of a very long one."""
        wanted = list(dict.fromkeys(self.terms(query)))
        with self._reading() as rows:
            facts = _require(rows)
            found = rows.frequencies([_TERM + term.encode() for term in wanted])
            known = {term: found.get(_TERM + term.encode(), (0, 0)) for term in wanted}
            weights = rarest_terms(facts.passages, {term: count for term, (_, count) in known.items()})
            return match(rows, facts, weights, known)

    def search(
        self,
        query: str | KeywordQuery,
        k: int,
        where: Filter | None = None,
        among: Sequence[str] | None = None,
    ) -> list[tuple[str, float]]:
        """Return the `k` best passages as (passage id, BM25 score), best first; only those that share a term.

        `among` limits the search to passages with these ids.
        """
        parsed = _own(self.parse(query) if isinstance(query, str) else query)
        if not len(parsed.weighted.ids) or k < 1:
            return []
        where = where or Filter()
        with self._reading() as rows:
            if among is not None:
                return best_among(rows, parsed, k, where, among)
            (found,) = best(rows, parsed, k, where, [where.languages])
            return found

    def search_languages(
        self, query: KeywordQuery, k: int, where: Filter, languages: Sequence[str]
    ) -> list[list[tuple[str, float]]]:
        """Return the result of `search` for each of the languages alone, with the rest of the filter, in one read."""
        parsed = _own(query)
        if not len(parsed.weighted.ids) or k < 1 or not languages:
            return [[] for _ in languages]
        with self._reading() as rows:
            return best(rows, parsed, k, replace(where, languages=tuple(languages)), [(each,) for each in languages])

    def spellings(self, words: Iterable[str], where: Filter | None = None) -> dict[str, dict[str, int]]:
        """Return the spellings of each bare word, with the number of passages for each.

        Words are in the form of `store.text.spellings.bare`. With a filter, only matching passages count, and a
        spelling of more than `FEW` passages is counted by its newest ones.
        """
        where = where or Filter()
        found: dict[str, dict[str, int]] = {}
        with self._reading() as rows:
            for word in dict.fromkeys(words):
                terms = rows.with_prefix(_SPELLING + f"{word}{SPELLED}".encode())
                counts = {
                    term.decode().partition(SPELLED)[2]: count
                    if where.is_empty
                    else count_passages(rows, key, count, where)
                    for term, key, count in terms
                }
                found[word] = {spelling: count for spelling, count in counts.items() if count}
        return found

    def count(self) -> int:
        """Return the number of passages."""
        with self._reading() as rows:
            return _require(rows).passages

    def passage_ids(self, batch: int = 10_000) -> Iterator[str]:
        """Yield every passage's id, read in batches."""
        last = -1
        while True:
            with self._reading() as rows:
                page = rows.ids(last, batch)
            if not page:
                return
            last = page[-1][0]
            yield from (passage_id for _, passage_id in page)

    @contextmanager
    def _reading(self) -> Iterator[KeywordRows]:
        if self._rows is not None:
            yield self._rows
        else:
            with self._database.reading() as connection:
                yield KeywordRows(connection, self._generation)

    def _passage(self, entry: KeywordEntry) -> NewPassage:
        terms = self.terms(entry.text)
        counts = {_TERM + term.encode(): count for term, count in Counter(terms).items()}
        counts |= {_SPELLING + term.encode(): 1 for term in spelling_terms(entry.text, entry.language)}
        return NewPassage(replace(entry, text=""), counts, len(terms))


def begin_generation(database: Database, generation: int) -> None:
    """Begin an empty generation; delete its former contents."""
    with database.writing() as connection:
        writer = KeywordWriter(connection, generation)
        writer.drop()
        writer.make()


def drop_other_generations(database: Database, generation: int) -> None:
    """Delete all generations but this one."""
    with database.reading() as connection:
        if not KeywordRows(connection, generation).has_others():
            return
    with database.writing() as connection:
        KeywordWriter(connection, generation).drop_others()


def _require(rows: KeywordRows) -> KeywordFacts:
    facts = rows.facts()
    if facts is None:
        raise IndexGoneError("The keywords were rebuilt meanwhile; ask again.")
    return facts


def _own(query: KeywordQuery) -> ServerQuery:
    if not isinstance(query, ServerQuery):
        raise TypeError("The query was parsed by another index.")
    return query
