"""Tokens are stored small, and still show which passage answers the question."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from store.catalog.language_sums import LanguageStatistics
from store.embedding.centering import LanguageMeans
from store.embedding.embedder import RECENT_QUESTIONS, PassageText, TextEmbedder
from store.embedding.token_states import HIGHEST, SIZE, PassageTokens, TokenBasis
from store.library import Library
from store.search.late_interaction import LateInteraction
from store.types import Span
from tests.store.building import SCRIPTS, HashingEmbedder, add, found, parsed


@pytest.fixture
def embedder() -> HashingEmbedder:
    return HashingEmbedder()


codes = st.integers(0, 60).flatmap(
    lambda tokens: st.integers(0, 2**32 - 1).map(
        lambda seed: np.random.default_rng(seed).integers(-HIGHEST, HIGHEST + 1, (tokens, SIZE), np.int8)
    )
)
bounds = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=9)


@given(codes, bounds)
def test_tokens_survive_being_packed_at_half_a_byte_a_number(
    kept: np.ndarray, sentences: list[tuple[int, int]]
) -> None:
    tokens = PassageTokens(kept, np.array(sentences, np.uint16).reshape(-1, 2))
    blob = tokens.pack()
    assert len(blob) == 4 + 4 * len(sentences) + len(kept) * SIZE // 2
    again = PassageTokens.unpack(blob)
    assert (again.codes == kept).all()
    assert (again.sentences == tokens.sentences).all()


@given(st.lists(codes, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_sums_of_means_are_the_same_in_any_order(passages: list[np.ndarray], random: object) -> None:
    means = [PassageTokens(each, np.empty((0, 2), np.uint16)).mean() for each in passages]
    forward = sum(means[1:], means[0])
    assert (sum(means[-2::-1], means[-1]) == forward).all()
    assert (forward - means[0] - sum(means[2:], means[1]) == 0).all()


def test_a_token_on_the_border_of_two_sentences_lies_in_both() -> None:
    offsets = np.array([[0, 3], [3, 6], [6, 9]])
    tokens = PassageTokens.of(np.zeros((3, SIZE), np.int8), offsets, [Span(0, 4), Span(4, 9), Span(9, 9)])
    assert tokens.sentences.tolist() == [[0, 2], [1, 3], [3, 3]]


def test_a_basis_survives_being_saved(tmp_path: Path) -> None:
    random = np.random.default_rng(5)
    means = LanguageMeans(("aa", "bb"), *random.normal(size=(2, 2, 96)).astype(np.float32))
    basis = TokenBasis.fit(means, [random.normal(size=(500, 96)).astype(np.float32) for _ in means.languages], size=8)
    basis.save(tmp_path / "some-model.tokens.npz")
    again = TokenBasis.load("some-model", 96, tmp_path)
    assert again is not None
    assert again.means.languages == ("aa", "bb")
    assert again.directions == pytest.approx(basis.directions, abs=1e-3)
    assert TokenBasis.load("some-model", 97, tmp_path) is None
    assert TokenBasis.load("another", 96, tmp_path) is None
    states = random.normal(size=(50, 96)).astype(np.float32)
    projected = basis.project(states)
    inside = np.abs(projected) < basis.steps * HIGHEST
    assert (np.abs(basis.decode(basis.encode(projected)) - projected)[inside] <= basis.steps.max() / 2 + 1e-6).all()


def test_the_words_of_the_question_decide_not_their_number(embedder: HashingEmbedder) -> None:
    def packed(text: str) -> bytes:
        (vectors,) = embedder.embed_passages([PassageText(text, (Span(0, len(text)),))])
        assert vectors.tokens is not None
        return vectors.tokens.pack()

    question = embedder.embed_question("ใคร chủ trì forum").tokens
    assert question is not None
    interaction = LateInteraction(embedder.basis, question, "en", {})
    all_of_them = interaction.score(packed("forum ใคร chủ trì"), "en")
    some = interaction.score(packed("forum forum forum ใคร"), "en")
    none = interaction.score(packed("👩‍👩‍👧‍👦 مندوب 论坛"), "en")
    assert all_of_them.passage > 0.9 > some.passage > none.passage
    assert all_of_them.sentences == pytest.approx([all_of_them.passage])
    assert interaction.score(packed(""), "en").passage == 0


def test_a_question_without_tokens_of_its_own_is_near_nothing(embedder: HashingEmbedder) -> None:
    empty = np.empty((0, SIZE), np.float32)
    statistics = {"en": LanguageStatistics("en", 3, np.zeros(64), np.ones(SIZE))}
    (vectors,) = embedder.embed_passages([PassageText("Words.", ())])
    assert vectors.tokens is not None
    assert LateInteraction(embedder.basis, empty, "en", statistics).score(vectors.tokens.pack(), "en").passage == 0


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_hit_says_how_near_its_words_come(tmp_path: Path, embedder: HashingEmbedder, script: str) -> None:
    with Library.open(tmp_path, embedder=embedder) as library:
        add(library, *(parsed(tag, *texts, language=tag[:2]) for tag, texts in SCRIPTS.items()))
        best = library.search(SCRIPTS[script][1]).hits[0]
    assert best.late is not None
    assert best.late == pytest.approx(1, abs=0.2)
    assert max(each.late or 0 for each in best.sentences) == pytest.approx(best.late, abs=0.2)


def test_a_model_without_a_basis_is_searched_without_tokens(tmp_path: Path) -> None:
    embedder = HashingEmbedder("bare")
    embedder.keeps_tokens = False
    with Library.open(tmp_path, embedder=embedder) as library:
        add(library, parsed("a", "The forum opened.", "Rain fell."))
        assert found(library, "forum opened")[0] == "The forum opened."
        assert library.search("forum").hits[0].late is None


def test_the_shipped_basis_finds_the_sentence_in_another_language(model: TextEmbedder) -> None:
    """Two sentences on one subject: which of them answers is told by their words."""
    basis = model.token_basis
    assert basis is not None
    assert len(basis.means.languages) >= 30
    text = "Diễn đàn khai mạc tại Bắc Kinh. Hơn ba trăm đại biểu từ gần một trăm nước đã tham dự."
    border = text.index(" Hơn")
    (vectors,) = model.embed_passages([PassageText(text, (Span(0, border), Span(border + 1, len(text))))])
    assert vectors.tokens is not None
    packed = vectors.tokens.pack()
    for language, question, expected in [
        ("en", "In which city was the forum opened?", 0),
        ("en", "How many delegates and countries took part?", 1),
        ("th", "มีผู้แทนเข้าร่วมกี่คนจากกี่ประเทศ", 1),
    ]:
        asked = model.embed_question(question).tokens
        assert asked is not None
        late = LateInteraction(basis, asked, language, {}).score(packed, "vi")
        assert int(np.argmax(late.sentences)) == expected, question


def test_numbers_are_left_to_the_keywords(model: TextEmbedder) -> None:
    """To a model every number is near every other one."""
    for only_a_number in ("2562", "๑๔/๖/๒๕๖๖", "٢٠٢٢", "12.5 %"):
        tokens = model.embed_question(only_a_number).tokens
        assert tokens is not None
        assert len(tokens) == 0
    with_word, alone = (model.embed_question(text).tokens for text in ("Forum 2023", "Forum"))
    assert with_word is not None
    assert alone is not None
    assert len(with_word) == len(alone)


def test_a_question_that_was_asked_lately_is_not_read_again(model: TextEmbedder) -> None:
    """One question is asked of several parts of a library; another one is never taken for it."""
    first = model.embed_question("Who chaired the forum?")
    assert model.embed_question("Who chaired the forum?") is first
    other = model.embed_question("Who chaired the forum in Beijing?")
    assert not np.array_equal(other.vector, first.vector)
    vector = first.vector.copy()
    for number in range(RECENT_QUESTIONS):
        model.embed_question(f"Question {number}")
    again = model.embed_question("Who chaired the forum?")
    assert again is not first, "so many are remembered and no more"
    np.testing.assert_allclose(again.vector, vector, atol=1e-6)
