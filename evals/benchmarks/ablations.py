"""Remove one part of the ranking at a time, to drop the parts that don't help."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from store.catalog.rows import StoredVectors
from store.embedding.centering import Centering, LanguageMeans
from store.index.index_set import IndexSet
from store.library import Library
from store.search.engine import search
from store.search.ranking import Ranking, load_ranking
from store.types import Filter, SearchResult

Means = Callable[[LanguageMeans], LanguageMeans]
Ask = Callable[[str], SearchResult]
BASE = load_ranking("multilingual-e5-small")


@dataclass(frozen=True, slots=True)
class Variant:
    """A ranking with other weights, or with other language means than the shipped ones."""

    name: str
    ranking: Ranking = BASE
    means: Means | None = None
    languages: tuple[str, ...] = ()
    """The languages it concerns; empty means all."""


class ExactVectors:
    """Finds the nearest passages by examining all of them: the index of a small library with any means."""

    def __init__(self, stored: Sequence[StoredVectors], centering: Centering) -> None:
        self._ids = [each.passage_id for each in stored]
        rows = np.stack([each.vectors[0] for each in stored])
        self._vectors = centering.center(rows, [each.language for each in stored])

    def nearest(self, vector: NDArray[np.float32], k: int, where: Filter | None = None) -> list[tuple[str, float]]:
        """See `store.index.vector_index.Nearest`; filters are not supported."""
        if where is not None and not where.is_empty:
            raise ValueError("The exact index knows no filters.")
        distances = 1 - self._vectors @ vector
        return [(self._ids[row], float(distances[row])) for row in np.argsort(distances, kind="stable")[:k]]

    def close(self) -> None:
        """Do nothing: there is nothing to release."""


def variants(languages: Sequence[str]) -> list[Variant]:
    """Return all of them, the whole ranking first. `languages` are those of the questions."""
    return [
        Variant("Attest, all parts"),
        Variant("without centering", replace(BASE, refined=False), _none),
        Variant("shipped means only", replace(BASE, refined=False)),
        Variant("the library's own means only", means=_none),
        *(
            Variant(f"no shipped mean for {language}", means=_without(language), languages=(language,))
            for language in languages
        ),
        Variant("without sentences (S = 0)", replace(BASE, sentence=0.0)),
        Variant("without keywords (K = W = 0)", replace(BASE, keyword=0.0, sentence_keyword=0.0, phrase=0.0)),
        Variant("without titles", replace(BASE, title=0.0)),
        Variant("keywords added as usual, not relative", replace(BASE, relative=False)),
        Variant("without late interaction (T = E = 0)", replace(BASE, late=0.0, sentence_late=0.0)),
        Variant("late interaction for sentences only (T = 0)", replace(BASE, late=0.0)),
        Variant("without L", replace(BASE, same_language=0.0)),
        Variant("without M", replace(BASE, late_same_language=0.0)),
        Variant("sentences without keywords (W = 0)", replace(BASE, sentence_keyword=0.0)),
    ]


@contextmanager
def asking(library: Library, variant: Variant, k: int) -> Iterator[Ask]:
    """Ask this library with the variant's ranking until the block ends."""
    with library.ownership.indexes() as indexes, library.snapshot() as snapshot:
        shipped = indexes.centering.shipped
        means = variant.means(shipped) if variant.means else shipped
        centering = Centering(means, snapshot.language_statistics() if variant.ranking.refined else None)
        stored = list(snapshot.stored_vectors(sorted(indexes.keywords.passage_ids())).values())
        changed: IndexSet = replace(indexes, vectors=ExactVectors(stored, centering), centering=centering)
        embedder = copy(library.embedder)
        if variant.means and embedder.token_basis is not None:
            rebased = replace(embedder.token_basis, means=variant.means(embedder.token_basis.means))
            embedder.token_basis = rebased  # type: ignore[misc]  # ours alone: it is a copy

        def ask(question: str) -> SearchResult:
            return search(
                question,
                k,
                Filter(),
                embedder=embedder,
                indexes=changed,
                snapshot=snapshot,
                ranking=variant.ranking,
            )

        yield ask


def _none(shipped: LanguageMeans) -> LanguageMeans:
    return LanguageMeans.none(shipped.passages.shape[1])


def _without(language: str) -> Means:
    def drop(shipped: LanguageMeans) -> LanguageMeans:
        kept = [row for row, tag in enumerate(shipped.languages) if tag != language]
        return LanguageMeans(
            tuple(shipped.languages[row] for row in kept), shipped.passages[kept], shipped.queries[kept]
        )

    return drop
