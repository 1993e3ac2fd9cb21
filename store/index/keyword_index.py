"""Search keywords in mixed scripts: BM25 over the embedding model's own subword tokens.

No language needs a word segmenter: the model's tokenizer cuts all scripts, and folding unifies spellings that readers
take to be the same. Dates are added as terms, the same ones for every calendar. The index is derived from the catalog.
Tantivy stores it in a library's home (`store.index.embedded_keywords`), tables store it in PostgreSQL
(`store.index.postgresql_keywords`); both give the same scores.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from store.text.dates import DATE_TERM, date_terms
from store.text.fold import fold
from store.types import Filter

TERMS_VERSION = 4
"""Version of a text's terms: increase it whenever these, `store.text.fold`, `store.text.spellings` or
`store.text.dates` change. The catalog stores it, and an index of another version is rebuilt when it is opened."""
MAX_QUERY_TERMS = 256
"""A question of ten thousand words is searched by its rarest terms."""
K1 = 1.2
"""BM25's saturation: a term's weight never exceeds its idf times K1 + 1."""
B = 0.75
"""How strongly BM25 discounts long passages, in [0, 1]."""
NO_DATE = 0
"""Stands for the day of a passage without a date."""


@dataclass(frozen=True, slots=True)
class KeywordEntry:
    """The keyword index's entry for one passage."""

    passage_id: str
    document_id: str
    language: str
    speaker: str | None
    published: str | None
    text: str
    collection: str = ""


@dataclass(frozen=True, slots=True)
class KeywordQuery:
    """A query's terms, each once, with their weights in this index."""

    weights: dict[str, float]
    """Inverse document frequency of each term, rarest first."""

    @property
    def has_dates(self) -> bool:
        """Return whether any term stands for a date."""
        return any(DATE_TERM.match(term) for term in self.weights)

    @property
    def ceiling(self) -> float:
        """Return an upper bound on the BM25 of any passage: the sum of each term's weight times (K1 + 1)."""
        return sum(self.weights.values()) * (K1 + 1)


class KeywordIndex(ABC):
    """The keyword index of one generation. Safe to use from several threads."""

    def __init__(self, tokenize: Callable[[str], list[str]]) -> None:
        self._tokenize = tokenize

    @abstractmethod
    def add(self, entries: Iterable[KeywordEntry]) -> None:
        """Add passages; searches find them after `commit`."""

    @abstractmethod
    def remove_passages(self, passage_ids: Iterable[str]) -> None:
        """Remove passages; searches stop finding them after `commit`."""

    @abstractmethod
    def commit(self) -> None:
        """Make additions and removals durable and visible to searches."""

    @abstractmethod
    def close(self) -> None:
        """Close the index; uncommitted changes are lost."""

    @abstractmethod
    def parse(self, query: str) -> KeywordQuery:
        """Return the terms of `query` with their weights; only the rarest `MAX_QUERY_TERMS` of a very long one."""

    @abstractmethod
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

    def search_languages(
        self, query: KeywordQuery, k: int, where: Filter, languages: Sequence[str]
    ) -> list[list[tuple[str, float]]]:
        """Return the result of `search` for each of the languages alone, with the rest of the filter."""
        return [self.search(query, k, replace(where, languages=(language,))) for language in languages]

    @contextmanager
    def at_one_moment(self) -> Iterator[Self]:
        """Search the current committed state until the block ends; a server is asked inside one transaction."""
        yield self

    @abstractmethod
    def spellings(self, words: Iterable[str], where: Filter | None = None) -> dict[str, dict[str, int]]:
        """Return the spellings of each bare word, with the number of passages for each.

        Words are in the form of `store.text.spellings.bare`. With a filter, only matching passages count.
        """

    @abstractmethod
    def count(self) -> int:
        """Return the number of passages."""

    @abstractmethod
    def passage_ids(self, batch: int = 10_000) -> Iterator[str]:
        """Yield every passage's id, read in batches."""

    def terms(self, text: str) -> list[str]:
        """Return the terms of a text in order, then those of its dates."""
        return [*self._tokenize(fold(text)), *sorted(date_terms(text))]

    def share(self, query: KeywordQuery, text: str) -> float:
        """Return the share of the query's weight in the terms of `text`, in [0, 1]."""
        held = set(self._tokenize(fold(text)))
        if query.has_dates:
            held |= date_terms(text)
        total = sum(query.weights.values())
        return sum(weight for term, weight in query.weights.items() if term in held) / total if total else 0.0


def rarest_terms(passages: int, frequencies: Mapping[str, int]) -> dict[str, float]:
    """Return the rarest `MAX_QUERY_TERMS` of these terms with their inverse document frequencies, rarest first.

    `frequencies` has the number of passages with each term.
    """
    weights = {term: math.log(1 + (passages - found + 0.5) / (found + 0.5)) for term, found in frequencies.items()}
    rarest = sorted(weights, key=weights.__getitem__, reverse=True)[:MAX_QUERY_TERMS]
    return {term: weights[term] for term in rarest}
