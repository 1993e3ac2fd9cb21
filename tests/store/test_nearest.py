"""The nearest passages that pass a filter are found, however many pass, and Chroma's own filter is rarely needed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from store.embedding import FloatArray
from store.library import Library
from store.search import nearest
from store.search.nearest import nearest_passing
from store.types import Filter
from tests.store.building import HashingEmbedder, add, parsed

COUNT = 1_200
"""More than the first round fetches for `K`, fewer than all rounds."""
K = 40
WORDS = ("river", "สะพาน", "hội đồng", "会议", "حقوق", "🌊")


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with Library.open(tmp_path_factory.mktemp("home"), embedder=HashingEmbedder()) as library:
        add(
            library,
            *(
                parsed(
                    f"d{number}",
                    f"{WORDS[number % len(WORDS)]} {number} {number % 7}",
                    language=("en", "th", "vi")[number % 3],
                    speaker="rare" if number % 100 == 0 else f"S{number % 2}",
                    published=str(2000 + number % 20),
                )
                for number in range(COUNT)
            ),
        )
        yield library


FILTERS = {
    "all": Filter(),
    "half": Filter(speakers=("S1",)),
    "a third": Filter(languages=("th",)),
    "recent": Filter(published_from="2015"),
    "rare": Filter(speakers=("rare",)),
    "both": Filter(speakers=("rare",), languages=("vi",)),
    "none": Filter(speakers=("nobody",)),
}


@contextmanager
def counted(library: Library) -> Iterator[list[tuple[int, bool]]]:
    """How many passages the index is asked for, and whether with its own filter, until the block ends."""
    asked: list[tuple[int, bool]] = []
    with library.ownership.indexes() as indexes:
        real = indexes.vectors.nearest

        def noted(vector: FloatArray, k: int, where: Filter | None = None) -> list[tuple[str, float]]:
            asked.append((k, where is not None))
            return real(vector, k, where)

        indexes.vectors.nearest = noted  # type: ignore[method-assign]
        try:
            yield asked
        finally:
            indexes.vectors.nearest = real  # type: ignore[method-assign]


def found_and_best(library: Library, where: Filter) -> tuple[list[float], list[float]]:
    """The cosines of what is found, and the best that there are."""
    with library.ownership.indexes() as indexes, library.snapshot() as snapshot:
        embedder = library.embedder
        query = indexes.centering.center_query(embedder.embed_question("river สะพาน hội đồng 7").vector, "en")
        everything = snapshot.few_vectors(where, COUNT)
        assert everything is not None
        cosines = dict(
            zip(
                everything.passage_ids,
                (indexes.centering.center(everything.vectors, everything.languages) @ query).tolist(),
                strict=True,
            )
        )
        found = nearest_passing(
            query, K, where, vectors=indexes.vectors, centering=indexes.centering, snapshot=snapshot
        )
    assert len(set(found)) == len(found)
    return [cosines[each] for each in found], sorted(cosines.values(), reverse=True)[:K]


@pytest.mark.parametrize("where", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("few", [0, 20, COUNT])
def test_what_is_found_is_the_best_that_passes(
    library: Library, where: Filter, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(nearest, "FEW", few)
    found, best = found_and_best(library, where)
    np.testing.assert_allclose(found, best, atol=1e-3)


@pytest.mark.parametrize("name", ["half", "a third", "recent", "rare", "both", "none"])
def test_the_index_s_own_filter_which_lists_the_whole_library_is_not_needed(library: Library, name: str) -> None:
    with counted(library) as asked:
        found_and_best(library, FILTERS[name])
    assert asked
    assert not any(filters for _, filters in asked), asked


def test_a_question_about_chosen_documents_asks_no_index(library: Library) -> None:
    chosen = [library.find_document(f"d{number}") for number in (3, 400, 800)]
    where = Filter(documents=tuple(each.id for each in chosen if each))
    with counted(library) as asked:
        found, best = found_and_best(library, where)
    assert len(found) == 3
    assert found == best
    assert asked == []
