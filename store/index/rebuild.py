"""Rebuild the derived indexes from the catalog alone, next to the old ones, then switch at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from store.embedder_identity import identity
from store.index.index_set import (
    Generation,
    IndexSet,
    IndexStorage,
    Tokenize,
    load_centering,
    make_centering,
    outdated,
)
from store.index.keyword_index import TERMS_VERSION, KeywordIndex
from store.index.vectorize import embed_documents
from store.types import Progress

if TYPE_CHECKING:
    from store.catalog.catalog import Catalog
    from store.embedding.embedder import Embedder


def rebuild(
    catalog: Catalog,
    storage: IndexStorage,
    tokenize: Tokenize,
    *,
    embedder: Embedder | None = None,
    keywords: KeywordIndex | None = None,
    recenter: bool = True,
    progress: Progress | None = None,
) -> IndexSet:
    """Make the next generation of indexes; the catalog uses it when this returns.

    With `embedder`, all passages get new vectors first. With `keywords`, these are kept and only the vectors are
    rebuilt. Vectors are centered by the library's current statistics; without `recenter`, by the former ones if they
    are still available, so that every score stays the same. The caller must exclude all writers. After a kill, the
    former generation stays in use, and the next attempt with the same model reuses the vectors embedded by then.
    """
    with catalog.snapshot() as snapshot:
        former = Generation.of(snapshot)
        run = snapshot.number("embedding")
        model = {name: snapshot.value(name) or "" for name in ("embedder_name", "dimensions")}
        total = sum(each.count for each in snapshot.language_statistics().values())
    phases = 1 if embedder is None else 2

    def report(done: int, phase: int) -> None:
        if progress is not None:
            progress(total * phase + done, total * phases)

    if embedder is not None:
        tokenize = embedder.tokenize
        run = _embed_all(catalog, embedder, lambda done: report(done, 0))
        model = identity(embedder)
    with catalog.snapshot() as snapshot:
        statistics = snapshot.count_languages(run, int(model["dimensions"] or 0))
        centering = load_centering(snapshot)
        noted = snapshot.value("centring_version")
    recenter = recenter or embedder is not None or noted not in {None, centering.version}
    if recenter:
        centering = make_centering(model["embedder_name"], int(model["dimensions"] or 0), statistics)
    vectors_number, keywords_number = former.vectors + 1, former.keywords + (keywords is None)
    storage.clear(vectors_number, keywords_number if keywords is None else None)
    vectors = storage.open_vectors(vectors_number)
    keyword_index = keywords or storage.open_keywords(keywords_number, tokenize)
    made = IndexSet(former, vectors, keyword_index, centering)
    try:
        done = 0
        for keys in catalog.live_pages():
            with catalog.snapshot() as snapshot:
                done += made.write(snapshot, keys, run, keywords=keywords is None)
            report(done, phases - 1)
        facts = model | {
            "vectors_generation": str(vectors_number),
            "keywords_generation": str(keywords_number),
            "embedding": str(run),
            "clean": "",
        }
        if model["embedder_name"]:  # an empty library has no model yet for these means
            facts["centring_version"] = centering.version
        with catalog.transaction() as transaction:
            if keywords is None:  # documents that weren't live are in neither new index
                transaction.delete_unfinished()
                facts["terms_version"] = str(TERMS_VERSION)
            transaction.set_languages(statistics, recentered=recenter)
            for name, value in facts.items():
                transaction.set_value(name, value)
            transaction.bump_revision()
        if embedder is not None:
            with catalog.transaction() as transaction:
                transaction.delete_other_runs(run)
        with catalog.snapshot() as snapshot:
            return IndexSet(Generation.of(snapshot), vectors, keyword_index, centering)
    except BaseException:
        vectors.close()
        if keywords is None:
            keyword_index.close()
        raise


def is_outdated(catalog: Catalog) -> bool:
    """Return whether the indexes in use were made by a version of Attest that made them differently."""
    with catalog.snapshot() as snapshot:
        return outdated(snapshot, load_centering(snapshot)) is not None


def _embed_all(catalog: Catalog, embedder: Embedder, on_embedded: Callable[[int], None]) -> int:
    """Embed every live passage in a new run, or continue an interrupted one; return the run."""
    with catalog.transaction() as transaction:
        run = transaction.begin_run(embedder.fingerprint)
    embed_documents(catalog, embedder, (key for keys in catalog.live_pages() for key in keys), run, on_embedded)
    return run
