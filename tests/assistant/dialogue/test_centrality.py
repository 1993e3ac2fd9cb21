"""The sentences of an overview are central, and differ."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from assistant.answer.dialogue.centrality import centrality, diverse
from store.embedding import FloatArray


def unit(rows: list[list[float]]) -> FloatArray:
    array = np.array(rows, np.float32)
    rows_of_one: FloatArray = array / np.linalg.norm(array, axis=1, keepdims=True)
    return rows_of_one


def test_what_many_sentences_say_is_more_central_than_what_one_says() -> None:
    scores = centrality(unit([[1, 0.1, 0], [1, 0, 0.1], [1, 0.1, 0.1], [0, 0, -1]]))
    assert scores.argmin() == 3
    assert scores.max() == 1


def test_a_sentence_that_says_the_same_again_is_left_out() -> None:
    vectors = unit([[1, 0.2, 0], [1, 0.2, 0], [0.6, 1, 0]])
    assert set(diverse(vectors, np.array([1, 0.99, 0.8], np.float32), 2)) == {0, 2}


@given(st.integers(0, 30), st.integers(1, 8), st.randoms(use_true_random=False))
def test_as_many_are_chosen_as_there_are_and_each_once(count: int, wanted: int, random: object) -> None:
    rows = np.random.default_rng(count).normal(size=(count, 4)).astype(np.float32)
    vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
    chosen = diverse(vectors, centrality(vectors), wanted)
    assert len(chosen) == len(set(chosen)) == min(wanted, count)
