"""Values are the same after packing into the catalog's blobs and unpacking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from store.catalog.packing import (
    BLOCK,
    blocks,
    content_digest,
    pack_spans,
    pack_sum,
    pack_vectors,
    text_sha256,
    unpack_passage_vector,
    unpack_spans,
    unpack_sum,
    unpack_vectors,
)
from store.types import Span

spans = st.lists(st.tuples(st.integers(0, 2**31), st.integers(0, 1000)).map(lambda pair: Span(pair[0], sum(pair))))


@given(spans=spans, origin=st.integers(0, 2**31))
def test_spans_come_back(spans: list[Span], origin: int) -> None:
    moved = [Span(span.start + origin, span.end + origin) for span in spans]
    assert unpack_spans(pack_spans(moved, origin), origin) == tuple(moved)


def test_a_span_before_its_origin_is_refused() -> None:
    with pytest.raises(ValueError, match="origin"):
        pack_spans([Span(3, 5)], origin=4)


@given(text=st.text(max_size=200).map(lambda piece: piece * 50))
def test_blocks_join_to_the_text(text: str) -> None:
    pieces = blocks(text)
    assert "".join(pieces) == text
    assert all(len(piece) == BLOCK for piece in pieces[:-1])


@given(arrays.arrays(np.float32, (3, 8), elements=st.floats(-1, 1, width=16)))
def test_vectors_come_back_in_half_precision(rows: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    blob = pack_vectors(rows[0], rows[1:])
    np.testing.assert_array_equal(unpack_vectors(blob, 8), rows)
    np.testing.assert_array_equal(unpack_passage_vector(blob, 8), rows[0])


@given(st.lists(arrays.arrays(np.float16, 4, elements=st.floats(-1, 1, width=16)), max_size=40), st.randoms())
def test_sums_don_t_depend_on_the_order_of_adding_and_removing(vectors: list[np.ndarray], random: object) -> None:
    total = np.zeros(4)
    for vector in vectors:
        total = unpack_sum(pack_sum(total)) + vector
    random.shuffle(vectors)  # type: ignore[attr-defined]
    for vector in vectors:
        total = unpack_sum(pack_sum(total)) - vector
    assert not total.any()


def test_the_digest_of_content_sees_words_heading_and_sentences() -> None:
    digests = {
        content_digest("a b", None, [Span(0, 1)]),
        content_digest("a c", None, [Span(0, 1)]),
        content_digest("a b", "", [Span(0, 1)]),
        content_digest("a b", "h", [Span(0, 1)]),
        content_digest("a b", None, [Span(0, 3)]),
        content_digest("a", " b", [Span(0, 1)]),
    }
    assert len(digests) == 6


def test_a_text_with_half_a_surrogate_has_no_hash() -> None:
    with pytest.raises(UnicodeEncodeError):
        text_sha256("\ud800")
