"""The ranking uses a model's own weights, or those of a file, never silently another model's."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.errors import SettingsError
from store.library import Library
from store.search.ranking import load_ranking
from store.settings import load_settings
from tests.store.building import HashingEmbedder, add, parsed


def test_a_model_that_nobody_measured_has_no_correction_for_another_models_language_bias() -> None:
    measured, unknown = load_ranking("multilingual-e5-small"), load_ranking("another-model")
    assert measured.same_language > 0 < measured.late_same_language
    assert unknown.same_language == unknown.late_same_language == 0


def test_weights_can_be_set_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "ranking.json").write_text('{"keyword": 0, "title": 0, "late": 0, "sentence_late": 0, "sentence": 0}')
    scores = []
    for ranking in (None, tmp_path / "ranking.json"):
        settings = load_settings(tmp_path / "home", ranking=ranking)
        with Library.open(settings, embedder=HashingEmbedder()) as library:
            add(library, parsed("a", "The forum opened in Beijing."), parsed("b", "Rice is grown in the north."))
            (first, _) = library.search("Where did the forum open?").hits
            scores.append(first.score)
            assert (first.score == pytest.approx(first.dense)) == (ranking is not None)
    assert scores[0] != scores[1]


@pytest.mark.parametrize("content", ["no json", "[1]", '{"keywords": 1}', '{"keyword": "much"}', '{"keyword": null}'])
def test_a_file_that_holds_no_weights_is_refused_in_a_sentence(tmp_path: Path, content: str) -> None:
    (tmp_path / "ranking.json").write_text(content)
    with pytest.raises(SettingsError, match=r"ranking\.json"):
        load_ranking("multilingual-e5-small", tmp_path / "ranking.json")
