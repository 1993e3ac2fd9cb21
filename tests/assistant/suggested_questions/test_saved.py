"""A library suggests questions that it answers, and makes new ones when its documents change."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.extractive_qa.network import load_reader
from assistant.suggested_questions.generator import generate_questions
from assistant.suggested_questions.saved import NAME, keep_questions, kept_questions, read, visible
from ingest.pipeline import ingest_paths
from store.derived_texts import noted
from store.library import Library
from store.library_view import View

TEXT = """The old harbour bridge

The old harbour bridge was opened to traffic in March 1998. Mara Lindqvist chaired the harbour committee.
The harbour library has 12 reading rooms. It rains a lot there.
"""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """Of one document in English."""
    folder = tmp_path_factory.mktemp("harbour")
    (folder / "bridge.txt").write_text(TEXT, encoding="utf-8")
    with Library.open(folder / "home") as library:
        assert not ingest_paths(library, [folder / "bridge.txt"]).failed
        yield library


def test_each_question_is_answered_by_the_words_that_it_was_made_from(library: Library) -> None:
    reader = load_reader(library.embedder)
    assert reader is not None
    (document,) = library.documents().documents
    made = generate_questions(document, library, reader)
    assert made
    for each in made:
        assert library.text(document.id, each.answer.start, each.answer.end) == each.answer_text
        assert each.sentence.start <= each.answer.start < each.answer.end <= each.sentence.end
        assert 0 < each.certainty <= 1
        assert each.language == "en"
    assert len({each.sentence for each in made}) == len(made)


def test_they_are_kept_until_a_document_changes_and_only_for_who_may_read_it(library: Library) -> None:
    keep_questions(library)
    kept = noted(library, NAME)
    assert kept is not None
    assert kept.is_current
    offered = kept_questions(library, "en", 3)
    assert offered
    assert visible(read(kept.text), View(library, ("others",)), "en", 3) == ()
    assert kept_questions(library, "th", 3) == ()
    (document,) = library.documents().documents
    library.remove(document.id)
    after = noted(library, NAME)
    assert after is not None
    assert not after.is_current
    assert kept_questions(library, "en", 3) == (), "its document is gone"


def test_a_library_that_was_never_asked_has_none(tmp_path: Path) -> None:
    with Library.open(tmp_path) as library:
        assert noted(library, NAME) is None
        assert kept_questions(library, "en", 3) == ()
