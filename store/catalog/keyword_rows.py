"""Read and change the rows of one generation of keywords, inside an open transaction of the caller.

Only `store.index.bm25` knows the format of postings; here they are bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import BigInteger, ColumnElement, Connection, LargeBinary, bindparam
from sqlalchemy.dialects.postgresql import insert

from store.catalog.arrays import any_of, given_columns, given_table
from store.catalog.keyword_tables import BLOCK, empty, generations, passages, postings, terms
from store.text.date_ranges import day_range
from store.types import Filter

_G, _T, _O, _P = generations.c, terms.c, postings.c, passages.c
_GENERATION = bindparam("generation", type_=BigInteger)


_FACTS = sa.select(_G.passages, _G.tokens, _G.next, _G.languages).where(_G.generation == _GENERATION)
_FREQUENCIES = sa.select(_T.term, _T.id, _T.passages).where(
    _T.generation == _GENERATION, _T.term == any_of("terms", LargeBinary())
)
_WITH_PREFIX = sa.select(_T.term, _T.id, _T.passages).where(
    _T.generation == _GENERATION, _T.term >= bindparam("first"), _T.term < bindparam("end")
)
_POSTINGS = sa.select(_O.term, _O.block, _O.postings).where(_O.term == any_of("terms", BigInteger()))
_LAST_POSTINGS = _POSTINGS.order_by(_O.block.desc()).limit(bindparam("limit"))
_OF_PASSAGES = sa.select(_P.number, _P.passage_id, _P.norm, _P.terms, _P.tokens).where(_P.generation == _GENERATION)
_BY_ID = _OF_PASSAGES.where(_P.passage_id == any_of("ids", TEXT := _P.passage_id.type))
_BY_NUMBER = _OF_PASSAGES.where(_P.number == any_of("numbers", BigInteger()))
_ADMITTED = sa.select(_P.number, _P.passage_id, _P.language).where(_P.generation == _GENERATION)
_IDS = (
    sa.select(_P.number, _P.passage_id)
    .where(_P.generation == _GENERATION, _P.number > bindparam("after"))
    .order_by(_P.number)
    .limit(bindparam("limit"))
)
_SET_FACTS = sa.update(generations).where(_G.generation == bindparam("of"))
_new_terms = given_table(_T.term, _T.passages)
_insert_terms = insert(terms).from_select(
    ["generation", "term", "passages"], sa.select(_GENERATION, _new_terms.c.term, _new_terms.c.passages)
)
_COUNT_TERMS = _insert_terms.on_conflict_do_update(
    index_elements=[_T.generation, _T.term], set_={"passages": _T.passages + _insert_terms.excluded.passages}
).returning(_T.term, _T.id)
_new_postings = given_table(_O.term, _O.block, _O.postings)
_insert_postings = insert(postings).from_select(["term", "block", "postings"], sa.select(_new_postings))
_APPEND = _insert_postings.on_conflict_do_update(
    index_elements=[_O.term, _O.block], set_={"postings": _O.postings.op("||")(_insert_postings.excluded.postings)}
)
_wanted = given_table(_O.term, _O.block)
_IN_BLOCKS = sa.select(_O.term, _O.block, _O.postings).where(_O.term == _wanted.c.term, _O.block == _wanted.c.block)
_SET_POSTINGS = (
    sa.update(postings)
    .where(_O.term == _new_postings.c.term, _O.block == _new_postings.c.block)
    .values(postings=_new_postings.c.postings)
)
_DELETE_POSTINGS = sa.delete(postings).where(_O.term == _wanted.c.term, _O.block == _wanted.c.block)
_fewer = given_table(_T.id, _T.passages)
_COUNT_FEWER = sa.update(terms).where(_T.id == _fewer.c.id).values(passages=_T.passages - _fewer.c.passages)
_DELETE_TERMS = sa.delete(terms).where(_T.id == any_of("ids", BigInteger()), _T.passages <= 0)
_DELETE_PASSAGES = sa.delete(passages).where(_P.generation == _GENERATION, _P.number == any_of("numbers", BigInteger()))
_OTHERS = sa.select(_G.generation).where(_G.generation != _GENERATION)


@dataclass(frozen=True, slots=True)
class KeywordFacts:
    """Facts about a whole generation."""

    passages: int
    tokens: int
    """Of all passages together."""
    next: int
    """Number of the next passage."""
    languages: tuple[str, ...]
    """The languages by their index in postings, counted from 1."""


@dataclass(frozen=True, slots=True)
class HeldTerms:
    """The terms of one passage."""

    number: int
    passage_id: str
    norm: int
    """The code of the passage's length."""
    terms: bytes
    tokens: int


class Admitted(NamedTuple):
    """A passage that passes a filter."""

    passage_id: str
    language: str


class KeywordRows:
    """One generation of keywords. Not shared by threads."""

    def __init__(self, connection: Connection, generation: int) -> None:
        self._connection = connection
        self._generation = generation
        self._few: dict[tuple[Filter, int], dict[int, Admitted] | None] = {}

    def facts(self) -> KeywordFacts | None:
        """Return the facts about the generation; None if it doesn't exist."""
        row = self._connection.execute(_FACTS, {"generation": self._generation}).first()
        return None if row is None else KeywordFacts(row[0], row[1], row[2], tuple(json.loads(row[3])))

    def frequencies(self, wanted: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return id and number of passages of each term that exists."""
        rows = self._connection.execute(_FREQUENCIES, {"generation": self._generation, "terms": list(wanted)})
        return {bytes(term): (key, count) for term, key, count in rows}

    def with_prefix(self, prefix: bytes) -> list[tuple[bytes, int, int]]:
        """Return the terms with this prefix, with their ids and numbers of passages."""
        end = prefix[:-1] + bytes([prefix[-1] + 1])
        values = {"generation": self._generation, "first": prefix, "end": end}
        return [(bytes(term), key, count) for term, key, count in self._connection.execute(_WITH_PREFIX, values)]

    def postings(self, term_ids: Sequence[int], limit: int | None = None) -> list[tuple[int, int, bytes]]:
        """Return rows of (term, block, postings); with `limit`, only those of the newest blocks."""
        statement = _POSTINGS if limit is None else _LAST_POSTINGS
        rows = self._connection.execute(statement, {"terms": list(term_ids), "limit": limit}).all()
        return [(term, block, packed) for term, block, packed in rows]

    def by_id(self, passage_ids: Sequence[str]) -> list[HeldTerms]:
        """Return the terms of those of the passages that the generation has."""
        rows = self._connection.execute(_BY_ID, {"generation": self._generation, "ids": list(passage_ids)})
        return [HeldTerms(*row) for row in rows]

    def by_number(self, numbers: Sequence[int]) -> dict[int, HeldTerms]:
        """Return the terms of passages by their numbers."""
        rows = self._connection.execute(_BY_NUMBER, {"generation": self._generation, "numbers": list(numbers)})
        return {row[0]: HeldTerms(*row) for row in rows}

    def admitted(self, numbers: Sequence[int], where: Filter) -> dict[int, Admitted]:
        """Return those of the passages that pass the filter, by number."""
        statement = _ADMITTED.where(_P.number == any_of("numbers", BigInteger()), *_conditions(where))
        rows = self._connection.execute(statement, {"generation": self._generation, "numbers": list(numbers)})
        return {row[0]: Admitted(row[1], row[2]) for row in rows}

    def few_admitted(self, where: Filter, most: int) -> dict[int, Admitted] | None:
        """Return all passages that pass the filter, by number; None if there are more than `most`."""
        if (where, most) not in self._few:
            self._few[where, most] = self._read_few(where, most)
        return self._few[where, most]

    def _read_few(self, where: Filter, most: int) -> dict[int, Admitted] | None:
        admitted = _ADMITTED.where(*_conditions(where))
        counted = sa.select(sa.func.count()).select_from(admitted.limit(most + 1).subquery())
        if self._connection.execute(counted, {"generation": self._generation}).scalar_one() > most:
            return None
        rows = self._connection.execute(admitted, {"generation": self._generation}).all()
        return {row[0]: Admitted(row[1], row[2]) for row in rows}

    def has_others(self) -> bool:
        """Return whether there are other generations."""
        return self._connection.execute(_OTHERS, {"generation": self._generation}).first() is not None

    def ids(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return number and id of up to `limit` passages with numbers after `after`."""
        values = {"generation": self._generation, "after": after, "limit": limit}
        return [(row[0], row[1]) for row in self._connection.execute(_IDS, values)]


class KeywordWriter(KeywordRows):
    """Changes one generation."""

    def make(self) -> None:
        """Begin the generation."""
        self._connection.execute(sa.insert(generations), empty(self._generation))

    def set_facts(self, facts: KeywordFacts) -> None:
        """Store the facts about the whole generation."""
        values = {
            "passages": facts.passages,
            "tokens": facts.tokens,
            "next": facts.next,
            "languages": json.dumps(facts.languages),
        }
        self._connection.execute(_SET_FACTS.values(**values), {"of": self._generation})

    def count_terms(self, counts: Mapping[bytes, int]) -> dict[bytes, int]:
        """Add these numbers to the terms' counts of passages; return the terms' ids."""
        values = {"generation": self._generation, **given_columns(term=counts, passages=counts.values())}
        return {bytes(term): key for term, key in self._connection.execute(_COUNT_TERMS, values)}

    def append(self, new: Mapping[tuple[int, int], bytes]) -> None:
        """Add postings to the existing ones of each (term, block)."""
        self._connection.execute(_APPEND, _columns(new))

    def insert(self, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert passages, each with values for all columns but the generation."""
        self._connection.execute(sa.insert(passages), [{"generation": self._generation, **row} for row in rows])

    def in_blocks(self, wanted: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int, bytes]]:
        """Yield rows of (term, block, postings) for each (term, block)."""
        pairs = list(wanted)
        values = given_columns(term=(term for term, _ in pairs), block=(block for _, block in pairs))
        yield from self._connection.execute(_IN_BLOCKS, values)

    def replace(self, changed: Mapping[tuple[int, int], bytes]) -> None:
        """Replace the postings of each (term, block); a row without any is deleted."""
        self._connection.execute(_SET_POSTINGS, _columns({pair: packed for pair, packed in changed.items() if packed}))
        empty = [pair for pair, packed in changed.items() if not packed]
        values = given_columns(term=(term for term, _ in empty), block=(block for _, block in empty))
        self._connection.execute(_DELETE_POSTINGS, values)

    def count_fewer(self, counts: Mapping[int, int]) -> None:
        """Subtract these numbers from the terms' counts of passages, by id; delete terms without passages."""
        self._connection.execute(_COUNT_FEWER, given_columns(id=counts, passages=counts.values()))
        self._connection.execute(_DELETE_TERMS, {"ids": list(counts)})

    def delete(self, numbers: Sequence[int]) -> None:
        """Delete passages by their numbers."""
        self._connection.execute(_DELETE_PASSAGES, {"generation": self._generation, "numbers": list(numbers)})

    def drop(self) -> None:
        """Delete the whole generation."""
        _drop(self._connection, [self._generation])

    def drop_others(self) -> None:
        """Delete all other generations."""
        _drop(self._connection, list(self._connection.scalars(_OTHERS, {"generation": self._generation})))


def block_of(number: int) -> int:
    """Return the block of the passage with this number."""
    return number // BLOCK


def _columns(rows: Mapping[tuple[int, int], bytes]) -> dict[str, list[Any]]:
    return given_columns(
        term=(term for term, _ in rows),
        block=(block for _, block in rows),
        postings=rows.values(),
    )


def _drop(connection: Connection, unwanted: Sequence[int]) -> None:
    if unwanted:
        connection.execute(sa.delete(postings).where(_O.term == _T.id, _T.generation.in_(unwanted)))
        for table in (terms, passages, generations):
            connection.execute(sa.delete(table).where(table.c.generation.in_(unwanted)))


def _conditions(where: Filter) -> list[ColumnElement[bool]]:
    among = (
        (_P.document_id, where.documents),
        (_P.language, where.languages),
        (_P.speaker, where.speakers),
        (_P.collection, where.collections),
    )
    parts: list[ColumnElement[bool]] = [column.in_(wanted) for column, wanted in among if wanted]
    if where.published_from is not None:
        parts.append(_P.last_day >= day_range(where.published_from)[0])
    if where.published_to is not None:
        parts.append(_P.first_day <= day_range(where.published_to)[1])
    return parts
