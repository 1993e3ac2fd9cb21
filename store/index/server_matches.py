"""Find a question's matches among the keywords in PostgreSQL, inside an open transaction of the caller.

A question reads the postings of its terms, rarest first, up to `MOST_POSTINGS`; the remaining terms only count for
passages that contain a rarer one. So a question's cost has a limit in a library of any size.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from store.catalog.keyword_rows import Admitted, HeldTerms, KeywordFacts, KeywordRows
from store.index.bm25 import NO_MATCHES, Matches, Weighted, numbers_of, score_passages, score_postings
from store.index.keyword_index import K1, KeywordQuery
from store.types import Filter

MOST_POSTINGS = 1_000_000
"""Postings that a question reads: six bytes each."""
FEW = 5_000
"""A filter that matches no more passages than this is applied before the ranking, any other after it."""
_PORTION = 512
"""Passages filtered at a time, at first."""

Hits = list[tuple[str, float]]
"""Passages' ids with their scores, best first."""


@dataclass(frozen=True, slots=True)
class ServerQuery(KeywordQuery):
    """A query with its matches from parsing, so that a search by language doesn't read them again."""

    weighted: Weighted
    matches: Matches
    languages: tuple[str, ...]
    is_complete: bool
    """Whether the matches' scores count all terms."""


def match(
    rows: KeywordRows, facts: KeywordFacts, weights: Mapping[str, float], known: Mapping[str, tuple[int, int]]
) -> ServerQuery:
    """Return the matches of terms with these weights, rarest first; `known` has each one's id and number of passages."""
    held = {known[term][0]: weight for term, weight in weights.items() if known[term][1]}
    weighted = _weighted(held, facts)
    some, is_complete = _affordable([known[term] for term in weights if known[term][1]])
    matches = score_postings(weighted, rows.postings(some)) if some else NO_MATCHES
    return ServerQuery(dict(weights), weighted, matches, facts.languages, is_complete)


def best_among(rows: KeywordRows, parsed: ServerQuery, k: int, where: Filter, among: Sequence[str]) -> Hits:
    """Return the best of these passages, scored from their own rows."""
    held = rows.by_id(among)
    if not where.is_empty:
        admitted = rows.admitted([each.number for each in held], where)
        held = [each for each in held if each.number in admitted]
    scores = _scores(parsed, held)
    ordered = sorted(zip(scores, held, strict=True), key=lambda pair: (-pair[0], pair[1].number))
    return [(each.passage_id, score) for score, each in ordered[:k] if score > 0]


def best(
    rows: KeywordRows, parsed: ServerQuery, k: int, where: Filter, groups: Sequence[Collection[str]]
) -> list[Hits]:
    """Return for each group of languages (an empty one means all) the `k` best passages that pass the filter.

    A round of reading covers all groups, whatever their number.
    """
    anywhere = replace(where, languages=())
    is_narrow = not anywhere.is_empty
    few = rows.few_admitted(anywhere, FEW) if is_narrow else None
    matches = parsed.matches if few is None else parsed.matches.only(np.isin(parsed.matches.numbers, list(few)))
    wanted = [_Wanted(parsed, matches, k, languages) for languages in groups]
    if not parsed.is_complete:
        most = max(10 * k, 2 * _PORTION)
        held = rows.by_number(_numbers([each.next(most) for each in wanted])) if wanted else {}
        for each in wanted:
            each.matches = _completed(parsed, each.matches, most, held)
    size = _PORTION if is_narrow else k
    while some := [each for each in wanted if not each.is_done]:
        portions = [each.next(size) for each in some]
        admitted = rows.admitted(_numbers(portions), anywhere) if few is None else few
        for each, portion in zip(some, portions, strict=True):
            each.take(portion, admitted)
        size *= 4
    return [each.found for each in wanted]


def count_passages(rows: KeywordRows, term: int, count: int, where: Filter) -> int:
    """Return how many passages have a term and pass the filter; for very many, an estimate."""
    numbers: list[int] = []
    for _, block, packed in rows.postings([term], None if count <= FEW else FEW):
        numbers += numbers_of(block, packed).tolist()
        if len(numbers) >= FEW < count:
            break
    admitted = len(rows.admitted(numbers, where))
    return admitted if len(numbers) >= count else -(-admitted * count // len(numbers))


class _Wanted:
    """The best passages of some languages, as far as they are known."""

    def __init__(self, parsed: ServerQuery, matches: Matches, k: int, languages: Collection[str]) -> None:
        self.found: Hits = []
        self.matches = matches
        self._k = k
        self._languages = languages
        if languages:
            codes = [0, *(parsed.languages.index(each) + 1 for each in languages if each in parsed.languages)]
            self.matches = matches.only(np.isin(matches.languages, codes))
        self._start = 0

    @property
    def is_done(self) -> bool:
        return len(self.found) >= self._k or self._start >= len(self.matches.numbers)

    def next(self, size: int) -> list[int]:
        """Return the numbers of the next best passages, before filtering."""
        numbers: list[int] = self.matches.numbers[self._start : self._start + size].tolist()
        return numbers

    def take(self, numbers: Sequence[int], admitted: Mapping[int, Admitted]) -> None:
        """Continue after these; the ones that pass the filter are found."""
        scores = self.matches.scores[self._start : self._start + len(numbers)].tolist()
        for number, score in zip(numbers, scores, strict=True):
            passage = admitted.get(number)
            if passage is not None and (not self._languages or passage.language in self._languages):
                self.found.append((passage.passage_id, score))
        del self.found[self._k :]
        self._start += len(numbers)


def _numbers(portions: Sequence[Sequence[int]]) -> list[int]:
    return list(dict.fromkeys(number for portion in portions for number in portion))


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


def _completed(parsed: ServerQuery, matches: Matches, most: int, held: Mapping[int, HeldTerms]) -> Matches:
    """Return the best `most` matches with complete scores, in their order."""
    numbers, languages = matches.numbers[:most], matches.languages[:most]
    known = np.array([number in held for number in numbers.tolist()], bool)
    numbers, languages = numbers[known], languages[known]
    scores = np.array(_scores(parsed, [held[number] for number in numbers.tolist()]), np.float32)
    order = np.lexsort((numbers, -scores))
    return Matches(numbers[order], scores[order], languages[order])


def _scores(parsed: ServerQuery, held: Sequence[HeldTerms]) -> list[float]:
    scores: list[float] = score_passages(
        parsed.weighted, [each.norm for each in held], [each.terms for each in held]
    ).tolist()
    return scores
