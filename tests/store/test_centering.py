"""Centering removes the language from vectors, so that the same statement in two languages gives similar ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from store.embedding import FloatArray
from store.embedding.centering import PRIOR, SHIPPED, Centering, LanguageMeans, load_means
from store.embedding.embedder import PassageText, TextEmbedder

RANDOM = np.random.default_rng(11)
DIMENSIONS = 48


@dataclass(frozen=True)
class Counted:
    count: int
    sum: NDArray[np.float64]


def unit(vectors: NDArray[Any]) -> FloatArray:
    return np.asarray(vectors / np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32)


SUBJECTS = unit(RANDOM.normal(size=(40, DIMENSIONS)))
LANGUAGES = dict(zip(("aa", "bb", "cc"), 3 * unit(RANDOM.normal(size=(3, DIMENSIONS))), strict=True))
"""Each three times as long as a subject: that much a language outweighs it in real vectors."""


def said(language: str) -> FloatArray:
    """All subjects in one language."""
    return unit(SUBJECTS + LANGUAGES[language]).astype(np.float32)


def statistics(*languages: str) -> dict[str, Counted]:
    return {tag: Counted(len(SUBJECTS), said(tag).astype(np.float64).sum(axis=0)) for tag in languages}


def shipped(*languages: str) -> LanguageMeans:
    means = np.stack([said(tag).mean(axis=0) for tag in languages]).astype(np.float32)
    return LanguageMeans(languages, means, means)


def nearest(centering: Centering, asked_in: str, answered_in: str) -> float:
    """Share of subjects that are found in another language, among passages of both."""
    passages = np.concatenate([said(asked_in)[::2], said(answered_in)[1::2]])
    tags = [asked_in] * 20 + [answered_in] * 20
    order = [*range(0, 40, 2), *range(1, 40, 2)]
    centered = centering.center(passages, tags)
    right = 0
    for subject in range(1, 40, 2):
        scores = centered @ centering.center_query(said(asked_in)[subject], asked_in)
        right += order[int(scores.argmax())] == subject
    return right / 20


def test_without_centering_the_language_outweighs_the_subject() -> None:
    assert nearest(Centering(LanguageMeans.none(DIMENSIONS)), "aa", "bb") < 0.5


def test_shipped_means_find_the_subject_in_another_language() -> None:
    assert nearest(Centering(shipped("aa", "bb", "cc")), "aa", "bb") == 1.0


def test_the_library_s_own_passages_do_where_no_means_ship() -> None:
    centering = Centering(LanguageMeans.none(DIMENSIONS), statistics("aa", "bb"))
    assert nearest(centering, "aa", "bb") >= 0.9


def test_a_language_without_a_shipped_mean_is_no_worse_than_without_centering() -> None:
    centering = Centering(shipped("bb", "cc"), statistics("aa", "bb"))
    assert nearest(centering, "aa", "bb") >= nearest(Centering(LanguageMeans.none(DIMENSIONS)), "aa", "bb")
    assert nearest(centering, "aa", "bb") >= 0.9


def test_centered_vectors_are_of_unit_length_and_what_equals_its_mean_is_like_nothing() -> None:
    centering = Centering(shipped("aa", "bb"))
    assert np.linalg.norm(centering.center(said("aa"), ["aa"] * 40), axis=1) == pytest.approx(1.0, abs=1e-5)
    mean = shipped("aa").passages
    assert centering.center(mean, ["aa"]) == pytest.approx(0.0)
    assert centering.center_query(mean[0], "aa") == pytest.approx(0.0)


def test_the_library_outweighs_the_shipped_mean_as_it_grows() -> None:
    other = LanguageMeans(("aa",), shipped("bb").passages, shipped("bb").queries)
    own = said("aa").mean(axis=0)
    for count, weight in ((0, 0.0), (PRIOR, 0.5), (99 * PRIOR, 0.99)):
        library = {"aa": Counted(count, own.astype(np.float64) * count)} if count else {}
        expected = weight * own + (1 - weight) * other.passages[0]
        assert Centering(other, library).passage_means(["aa"])[0] == pytest.approx(expected, abs=1e-5)


def test_questions_move_as_the_library_s_passages_do() -> None:
    move = 0.2 * unit(RANDOM.normal(size=DIMENSIONS))
    means = shipped("aa", "bb")
    library = {"aa": Counted(10_000, (means.passages[0] + move) * 10_000.0)}
    vector = said("bb")[0]
    moved = Centering(means, library).center_query(vector, "bb")
    assert moved == pytest.approx(unit(vector - means.queries[1] - move), abs=1e-3)


def test_each_row_gets_its_own_language_s_mean() -> None:
    centering = Centering(shipped("aa", "bb"))
    together = centering.center(np.concatenate([said("aa")[:2], said("bb")[:2]]), ["aa", "aa", "bb", "bb"])
    assert together == pytest.approx(
        np.concatenate([centering.center(said("aa")[:2], ["aa"] * 2), centering.center(said("bb")[:2], ["bb"] * 2)])
    )
    assert centering.center(said("aa")[:0], []).shape == (0, DIMENSIONS)


def test_means_survive_being_saved(tmp_path: Path) -> None:
    shipped("aa", "bb").save(tmp_path / "m.npz")
    loaded = LanguageMeans.load(tmp_path / "m.npz")
    assert loaded.languages == ("aa", "bb")
    assert loaded.passages == pytest.approx(shipped("aa", "bb").passages, abs=1e-3)
    assert loaded.version == LanguageMeans.load(tmp_path / "m.npz").version != shipped("aa").version


def test_means_of_other_dimensions_or_another_model_are_not_used() -> None:
    name = next(SHIPPED.glob("*.npz")).stem
    assert load_means(name, 7).languages == ()
    assert load_means("no-such-model", 384).languages == ()


def test_means_ship_for_thirty_languages_and_none_is_a_copy_of_another(model: TextEmbedder) -> None:
    means = load_means(model.name, model.dimensions)
    assert len(means.languages) >= 30
    assert {"en", "th", "vi", "ar", "zh", "hi", "ru", "ja", "ko", "fr"} <= set(means.languages)
    apart = np.linalg.norm(means.passages[:, None] - means.passages[None], axis=-1)
    assert (apart + np.eye(len(means.languages)) > 0.01).all()


def test_a_real_question_is_nearer_to_its_answer_in_another_language_than_to_small_talk_in_its_own(
    model: TextEmbedder,
) -> None:
    question = model.embed_queries(["ใครเป็นผู้ค้นพบเพนิซิลลิน"])[0]
    texts = {"en": "Alexander Fleming discovered penicillin in 1928.", "th": "ใครเป็นผู้ชนะการแข่งขันฟุตบอลเมื่อวานนี้"}
    vectors = np.stack([each.passage for each in model.embed_passages([PassageText(text) for text in texts.values()])])
    plain = vectors @ question
    centering = Centering(load_means(model.name, model.dimensions))
    centered = centering.center(vectors, list(texts)) @ centering.center_query(question, "th")
    assert centered[0] > centered[1]
    assert centered[0] - centered[1] > plain[0] - plain[1]
