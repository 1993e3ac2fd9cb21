"""Compute BM25 over packed postings, like tantivy: with the same rounding of lengths, and 32-bit numbers.

A posting is a passage that contains a term: its position in its block, the term's count, the code of its length, and
the index of its language among the generation's. A passage's own row lists its terms, to remove it and to score it
alone.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from struct import Struct

import numpy as np
from numpy.typing import NDArray

from store.catalog.keyword_tables import BLOCK
from store.index.keyword_index import K1, B

POSTING = np.dtype([("place", "<u2"), ("count", "<u2"), ("norm", "u1"), ("language", "u1")])
HELD = np.dtype([("term", "<u4"), ("count", "<u2")])
"""A term of one passage."""
_POSTING, _HELD = Struct("<HHBB"), Struct("<IH")
MOST = 65_535
"""The highest count that is stored; higher ones are cut to it."""


def _length(code: int) -> int:
    """Return the shortest passage, in tokens, for a code: up to 40 exactly, then in steps of an eighth."""
    if code < 24:
        return code
    above = code - 24
    return 24 + (above if above < 8 else ((above & 7) | 8) << ((above >> 3) - 1))


LENGTHS = [_length(code) for code in range(256)]


def length_code(tokens: int) -> int:
    """Return the code of a passage's length: https://github.com/quickwit-oss/tantivy, `fieldnorm/code.rs`."""
    return bisect_right(LENGTHS, tokens) - 1


@dataclass(frozen=True, slots=True)
class Weighted:
    """What the scores of one question need: its terms, and the passages' mean length."""

    ids: NDArray[np.int64]
    """Ids of the terms that the index has, ascending."""
    weights: NDArray[np.float32]
    """An upper bound on each term's contribution to a score."""
    mean_length: float
    """In tokens."""

    @property
    def discounts(self) -> NDArray[np.float32]:
        """Return for each code of a length what BM25 adds to a term's count ``(256,)``."""
        lengths = np.array(LENGTHS, np.float32) / np.float32(self.mean_length or 1.0)
        return (K1 * (1 - B + B * lengths)).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Matches:
    """Passages that contain a term, best first."""

    numbers: NDArray[np.int64]
    scores: NDArray[np.float32]
    languages: NDArray[np.uint8]
    """Indexes in the generation's list, counted from 1; 0 for languages that don't fit into it."""

    def only(self, keep: NDArray[np.bool_]) -> Matches:
        """Return the matches for which `keep` is true."""
        return Matches(self.numbers[keep], self.scores[keep], self.languages[keep])


NO_MATCHES = Matches(np.zeros(0, np.int64), np.zeros(0, np.float32), np.zeros(0, np.uint8))


def score_postings(query: Weighted, rows: Iterable[tuple[int, int, bytes]]) -> Matches:
    """Return all passages in rows of (term, block, postings) with their scores, best first, then by number."""
    by_term: dict[int, list[tuple[int, bytes]]] = {}
    for term, block, packed in rows:
        by_term.setdefault(term, []).append((block, packed))
    if not by_term:
        return NO_MATCHES
    blocks = np.unique([block for found in by_term.values() for block, _ in found])
    scores = np.zeros(len(blocks) * BLOCK, np.float32)
    languages = np.zeros(len(scores), np.uint8)
    discounts = query.discounts
    for term in sorted(by_term):
        found = by_term[term]
        postings = np.frombuffer(b"".join(packed for _, packed in found), POSTING)
        starts = np.searchsorted(blocks, [block for block, _ in found]) * BLOCK
        sizes = [len(packed) // POSTING.itemsize for _, packed in found]
        places = np.repeat(starts, sizes) + postings["place"]
        counts = postings["count"].astype(np.float32)
        weight = query.weights[np.searchsorted(query.ids, term)]
        scores[places] += weight * (counts / (counts + discounts[postings["norm"]]))
        languages[places] = postings["language"]
    held = np.flatnonzero(scores)
    numbers = blocks[held // BLOCK] * BLOCK + held % BLOCK
    order = np.lexsort((numbers, -scores[held]))
    return Matches(numbers[order], scores[held][order], languages[held][order])


def score_passages(query: Weighted, norms: Sequence[int], held: Sequence[bytes]) -> NDArray[np.float32]:
    """Return the scores of passages ``(n,)`` from their own rows: length codes and packed terms."""
    scores = np.zeros(len(held), np.float32)
    if not len(query.ids) or not held:
        return scores
    packed = np.frombuffer(b"".join(held), HELD)
    of = np.repeat(np.arange(len(held)), [len(each) // HELD.itemsize for each in held])
    places = np.minimum(np.searchsorted(query.ids, packed["term"]), len(query.ids) - 1)
    wanted = query.ids[places] == packed["term"]
    counts, of = packed["count"][wanted].astype(np.float32), of[wanted]
    discounts = query.discounts[np.asarray(norms, np.int64)[of]]
    np.add.at(scores, of, query.weights[places[wanted]] * (counts / (counts + discounts)))
    return scores


def pack_terms(counts: Mapping[int, int]) -> bytes:
    """Pack the terms of one passage, by id, with their counts."""
    return b"".join(_HELD.pack(term, min(count, MOST)) for term, count in counts.items())


def unpack_terms(packed: bytes) -> NDArray[np.int64]:
    """Return the ids of the terms in the output of `pack_terms`."""
    return np.frombuffer(packed, HELD)["term"].astype(np.int64)


def pack_posting(number: int, count: int, norm: int, language: int) -> bytes:
    """Pack one posting of the passage with this number."""
    return _POSTING.pack(number % BLOCK, min(count, MOST), norm, language)


def without(packed: bytes, numbers: Iterable[int]) -> bytes:
    """Return packed postings of a block without those of these passages."""
    postings = np.frombuffer(packed, POSTING)
    places = [number % BLOCK for number in numbers]
    return postings[~np.isin(postings["place"], places)].tobytes()


def numbers_of(block: int, packed: bytes) -> NDArray[np.int64]:
    """Return the passages' numbers in packed postings."""
    return np.frombuffer(packed, POSTING)["place"].astype(np.int64) + block * BLOCK
