"""The keyword index in PostgreSQL, beside the catalog: any number of processes search it, and none holds it.

A question reads the postings of its terms, rarest first, until `MOST_POSTINGS`; terms that are left then only count for
the passages that hold a rarer one. So a question costs no more in a library of any size.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from store.catalog.engine import Database
from store.catalog.keyword_rows import HeldTerms, KeywordFacts, KeywordRows, KeywordWriter
from store.errors import IndexDamagedError
from store.index.keyword_changes import NewPassage, insert_passages, remove_passages
from store.index.keyword_index import K1, KeywordEntry, KeywordIndex, KeywordQuery, rarest_terms
from store.index.postings import NO_MATCHES, Matches, Weighted, numbers_of, score_passages, score_postings
from store.index.vector_index import IndexGoneError
from store.text.spellings import SPELLED, spelling_terms
from store.types import Filter

MOST_POSTINGS = 1_000_000
"""Postings that a question reads: six bytes each."""
FEW = 5_000
"""A filter that admits no more passages than this is applied before the ranking, any other after it."""
_PORTION = 512
"""Passages that are filtered at a time, at first."""
_CHANGES = 1_000
"""Passages that are added or removed by one round of statements."""
_TERM, _SPELLING = b"t", b"s"
"""What a stored term begins with."""


@dataclass(frozen=True, slots=True)
class _ServerQuery(KeywordQuery):
    """A query with what it matched when it was parsed: a search by language doesn't read it all again."""

    weighted: Weighted
    matches: Matches
    languages: tuple[str, ...]
    is_complete: bool
    """Whether the matches' scores count all terms."""


class ServerKeywordIndex(KeywordIndex):
    """The keywords of one generation in a PostgreSQL catalog."""

    def __init__(self, database: Database, generation: int, tokenize: Callable[[str], list[str]]) -> None:
        super().__init__(tokenize)
        self._database = database
        self._generation = generation
        self._lock = threading.Lock()
        self._added: list[NewPassage] = []
        self._removed: list[str] = []

    @classmethod
    def open(cls, database: Database, generation: int, tokenize: Callable[[str], list[str]]) -> ServerKeywordIndex:
        """Open the generation. Raises IndexDamagedError for one that isn't there."""
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
        """Forget what was not committed."""
        with self._lock:
            self._added, self._removed = [], []

    def parse(self, query: str) -> KeywordQuery:
        """Return the terms of `query` with their weights; only the rarest `MAX_QUERY_TERMS` of a very long one."""
        wanted = list(dict.fromkeys(self.terms(query)))
        with self._database.reading() as connection:
            rows = KeywordRows(connection, self._generation)
            facts = _require(rows)
            found = rows.frequencies([_TERM + term.encode() for term in wanted])
            known = {term: found.get(_TERM + term.encode(), (0, 0)) for term in wanted}
            weights = rarest_terms(facts.passages, {term: count for term, (_, count) in known.items()})
            held = {known[term][0]: weight for term, weight in weights.items() if known[term][1]}
            weighted = _weighted(held, facts)
            some, is_complete = _affordable([known[term] for term in weights if known[term][1]])
            matches = score_postings(weighted, rows.postings(some)) if some else NO_MATCHES
        return _ServerQuery(weights, weighted, matches, facts.languages, is_complete)

    def search(
        self,
        query: str | KeywordQuery,
        k: int,
        where: Filter | None = None,
        among: Sequence[str] | None = None,
    ) -> list[tuple[str, float]]:
        """Return the `k` best passages as (passage id, BM25 score), best first; only those that share a term.

        `among` restricts the search to passages of these ids.
        """
        parsed = self.parse(query) if isinstance(query, str) else query
        if not isinstance(parsed, _ServerQuery):
            raise TypeError("The query was parsed by another index.")
        if not len(parsed.weighted.ids) or k < 1:
            return []
        where = where or Filter()
        with self._database.reading() as connection:
            rows = KeywordRows(connection, self._generation)
            if among is not None:
                return _among(rows, parsed, k, where, among)
            return _best(rows, parsed, k, where)

    def spellings(self, words: Iterable[str], where: Filter | None = None) -> dict[str, dict[str, int]]:
        """Return for each bare word how it is spelled, with the number of passages that spell it so.

        Words are as `store.text.spellings.bare` returns them. With a filter, only passages that it admits count, and a
        spelling of more than `FEW` passages is counted by its newest ones.
        """
        where = where or Filter()
        found: dict[str, dict[str, int]] = {}
        with self._database.reading() as connection:
            rows = KeywordRows(connection, self._generation)
            for word in dict.fromkeys(words):
                terms = rows.with_prefix(_SPELLING + f"{word}{SPELLED}".encode())
                counts = {
                    term.decode().partition(SPELLED)[2]: count if where.is_empty else _count(rows, key, count, where)
                    for term, key, count in terms
                }
                found[word] = {spelling: count for spelling, count in counts.items() if count}
        return found

    def count(self) -> int:
        """Return the number of passages."""
        with self._database.reading() as connection:
            return _require(KeywordRows(connection, self._generation)).passages

    def passage_ids(self, batch: int = 10_000) -> Iterator[str]:
        """Yield every passage's id, read in batches."""
        last = -1
        while True:
            with self._database.reading() as connection:
                page = KeywordRows(connection, self._generation).ids(last, batch)
            if not page:
                return
            last = page[-1][0]
            yield from (passage_id for _, passage_id in page)

    def _passage(self, entry: KeywordEntry) -> NewPassage:
        terms = self.terms(entry.text)
        counts = {_TERM + term.encode(): count for term, count in Counter(terms).items()}
        counts |= {_SPELLING + term.encode(): 1 for term in spelling_terms(entry.text, entry.language)}
        return NewPassage(replace(entry, text=""), counts, len(terms))


def begin_generation(database: Database, generation: int) -> None:
    """Begin an empty generation; what it held is deleted."""
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


def _weighted(held: Mapping[int, float], facts: KeywordFacts) -> Weighted:
    ids = np.array(sorted(held), np.int64)
    weights = np.array([held[key] * (K1 + 1) for key in ids.tolist()], np.float32)
    return Weighted(ids, weights, facts.tokens / max(facts.passages, 1))


def _affordable(terms: Sequence[tuple[int, int]]) -> tuple[list[int], bool]:
    """Return the ids of the rarest terms that may be read, at least one, and whether these are all."""
    chosen: list[int] = []
    total = 0
    for key, count in terms:
        total += count
        if chosen and total > MOST_POSTINGS:
            return chosen, False
        chosen.append(key)
    return chosen, True


def _among(
    rows: KeywordRows, parsed: _ServerQuery, k: int, where: Filter, among: Sequence[str]
) -> list[tuple[str, float]]:
    """Return the best of these passages, scored from their own rows."""
    held = rows.by_id(among)
    if not where.is_empty:
        admitted = rows.admitted([each.number for each in held], where)
        held = [each for each in held if each.number in admitted]
    scores = _scores(parsed, held)
    ordered = sorted(zip(scores, held, strict=True), key=lambda pair: (-pair[0], pair[1].number))
    return [(each.passage_id, score) for score, each in ordered[:k] if score > 0]


def _best(rows: KeywordRows, parsed: _ServerQuery, k: int, where: Filter) -> list[tuple[str, float]]:
    """Return the best of the matches that pass the filter."""
    matches = parsed.matches
    if where.languages:
        codes = [0, *(parsed.languages.index(each) + 1 for each in where.languages if each in parsed.languages)]
        matches = matches.only(np.isin(matches.languages, codes))
    is_narrow = not replace(where, languages=()).is_empty
    few = rows.few_admitted(where, FEW) if is_narrow else None
    if few is not None:
        matches = matches.only(np.isin(matches.numbers, list(few)))
    if not parsed.is_complete:
        matches = _completed(rows, parsed, matches, max(10 * k, 2 * _PORTION))
    found: list[tuple[str, float]] = []
    start, size = 0, _PORTION if is_narrow else k
    while len(found) < k and start < len(matches.numbers):
        numbers = matches.numbers[start : start + size].tolist()
        admitted = rows.admitted(numbers, where)
        scores = matches.scores[start : start + size].tolist()
        found += [(admitted[each], score) for each, score in zip(numbers, scores, strict=True) if each in admitted]
        start, size = start + size, size * 4
    return found[:k]


def _completed(rows: KeywordRows, parsed: _ServerQuery, matches: Matches, most: int) -> Matches:
    """Return the best `most` matches with their whole scores, and in their order."""
    numbers, languages = matches.numbers[:most], matches.languages[:most]
    held = rows.by_number(numbers.tolist())
    known = np.array([number in held for number in numbers.tolist()], bool)
    numbers, languages = numbers[known], languages[known]
    scores = np.array(_scores(parsed, [held[number] for number in numbers.tolist()]), np.float32)
    order = np.lexsort((numbers, -scores))
    return Matches(numbers[order], scores[order], languages[order])


def _scores(parsed: _ServerQuery, held: Sequence[HeldTerms]) -> list[float]:
    scores: list[float] = score_passages(
        parsed.weighted, [each.norm for each in held], [each.terms for each in held]
    ).tolist()
    return scores


def _count(rows: KeywordRows, term: int, count: int, where: Filter) -> int:
    """Return how many passages hold a term and pass the filter; of very many, about how many."""
    numbers: list[int] = []
    for _, block, packed in rows.postings([term], None if count <= FEW else FEW):
        numbers += numbers_of(block, packed).tolist()
        if len(numbers) >= FEW < count:
            break
    admitted = len(rows.admitted(numbers, where))
    return admitted if len(numbers) >= count else -(-admitted * count // len(numbers))
