"""Making the derived indexes anew from the catalog alone, beside the old ones, and swapping them at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING

from store.catalog import catalog_writer as writing
from store.catalog.document_changes import identity
from store.catalog.maintenance import count_languages, live_keys
from store.index.index_set import Generation, Indexes, Place, Tokenize, load_centring, make_centring
from store.index.keyword_index import TERMS_VERSION, LexicalIndex
from store.index.vectorize import Report, embed_documents

if TYPE_CHECKING:
    from store.catalog.database import Catalog
    from store.embedding.embedder import Embedder

_DOCUMENTS = 100
"""Documents read in one moment of the catalog: a moment that lasts long keeps its log from shrinking."""


def rebuild(
    catalog: Catalog,
    place: Place,
    tokenize: Tokenize,
    *,
    embedder: Embedder | None = None,
    keywords: LexicalIndex | None = None,
    recentre: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> Indexes:
    """The next generation, already the catalog's choice when this returns.

    With `embedder`, all passages get new vectors first. With `keywords`, these are kept as they are and
    only the vectors are made anew. They are centred by the library's statistics of now, or without `recentre` by
    those of before, if they are still to be had, so that every score stays what it was. The caller keeps all
    writers away. A kill leaves the former generation in place; vectors that were embedded anew by then
    are found again by the next attempt with the same model.
    """
    with catalog.snapshot() as snapshot:
        former = Generation.of(snapshot)
        run = snapshot.number("embedding")
        known = {name: snapshot.value(name) or "" for name in ("embedder_name", "dimensions")}
        total = sum(each.count for each in snapshot.language_statistics().values())
    phases = 1 if embedder is None else 2

    def report(done: int, phase: int) -> None:
        if progress is not None:
            progress(total * phase + done, total * phases)

    if embedder is not None:
        tokenize = embedder.tokenize
        run = _embed_all(catalog, embedder, lambda done: report(done, 0))
        known = identity(embedder)
    dimensions = int(known["dimensions"] or 0)
    with catalog.snapshot() as snapshot:
        statistics = count_languages(snapshot, run, dimensions)
        former_centring = load_centring(snapshot)
        noted = snapshot.value("centring_version")
        recentre = recentre or embedder is not None or noted not in {None, former_centring.version}
    centring = make_centring(known["embedder_name"], dimensions, statistics) if recentre else former_centring
    vectors_number, keywords_number = former.vectors + 1, former.keywords + (keywords is None)
    place.clear(vectors_number, keywords_number if keywords is None else None)
    vectors = place.open_vectors(vectors_number)
    words = keywords or place.open_keywords(keywords_number, tokenize)
    made = Indexes(former, vectors, words, centring)
    try:
        done = 0
        for keys in live_pages(catalog):
            with catalog.snapshot() as snapshot:
                done += made.write(snapshot, keys, run, keywords=keywords is None)
            report(done, phases - 1)
        with catalog.transaction() as connection:
            if keywords is None:  # what wasn't live is in neither new index
                connection.execute("DELETE FROM documents WHERE state <> 'live'")
                connection.execute("UPDATE documents SET stale = 0 WHERE stale = 1")
            writing.set_languages(connection, statistics, recentred=recentre)
            facts = known | {
                "vectors_generation": str(vectors_number),
                "keywords_generation": str(keywords_number),
                "centring_version": centring.version,
                "embedding": str(run),
                "clean": "",
            }
            if keywords is None:
                facts["terms_version"] = str(TERMS_VERSION)
            for name, value in facts.items():
                writing.set_value(connection, name, value)
            writing.bump_revision(connection)
        if embedder is not None:
            with catalog.transaction() as connection:
                writing.delete_other_runs(connection, run)
        with catalog.snapshot() as snapshot:
            return Indexes(Generation.of(snapshot), vectors, words, centring)
    except BaseException:
        vectors.close()
        if keywords is None:
            words.close()
        raise


def live_pages(catalog: Catalog) -> Iterator[list[int]]:
    """The keys of all live documents, some at a time, each page read in a moment of its own."""
    last = 0
    while True:
        with catalog.snapshot() as snapshot:
            keys = list(islice(live_keys(snapshot, last), _DOCUMENTS))
        if not keys:
            return
        yield keys
        last = keys[-1]


def _embed_all(catalog: Catalog, embedder: Embedder, report: Report) -> int:
    """Embed every live passage in a run of its own, or go on with one that was broken off; returns the run."""
    with catalog.transaction() as connection:
        run = writing.begin_run(connection, embedder.fingerprint)
    embed_documents(catalog, embedder, (key for keys in live_pages(catalog) for key in keys), run, report)
    return run
