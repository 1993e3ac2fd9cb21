"""A document belongs to one collection, and searches in some collections find nothing of the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from store.catalog.catalog import FILE
from store.collections import checked_collection
from store.errors import NotFoundError, RequestError
from store.library import Library
from store.library_view import View
from store.types import Filter
from tests.store.building import HashingEmbedder, parsed

WORDS = "The bell of the harbour rings at seven."
NAMES = {"plain": "", "law": "Luật", "thai": "กฎหมาย", "other": "Other one"}


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        for uri, collection in NAMES.items():
            put(library, uri, collection)
        yield library


def put(library: Library, uri: str, collection: str, text: str = WORDS) -> str:
    made = parsed(uri, f"{text} {uri}.", speaker=f"Speaker {uri}")
    return library.add(replace(made, document=replace(made.document, collection=collection))).document.id


def uris(library: Library | View, where: Filter | None = None) -> set[str]:
    return {hit.document.uri for hit in library.search("harbour bell rings", 20, where).hits}


@pytest.mark.parametrize("uri", NAMES)
def test_a_search_in_a_collection_finds_its_documents_and_no_others(library: Library, uri: str) -> None:
    where = Filter(collections=(NAMES[uri],))
    assert uris(library, where) == {uri}
    with library.ownership.indexes() as indexes:
        assert len(indexes.keywords.search("harbour", 20, where)) == 1
        vector = library.embedder.embed_queries(["harbour bell"])[0]
        assert len(indexes.vectors.nearest(vector, 20, where)) == 1
    assert [document.uri for document in library.documents(where=where).documents] == [uri]


def test_several_collections_are_searched_together_and_none_means_all(library: Library) -> None:
    assert uris(library, Filter(collections=("", "Luật"))) == {"plain", "law"}
    assert uris(library) == set(NAMES)
    assert uris(library, Filter(collections=("no such",))) == set()


def test_a_document_moves_to_another_collection_without_being_embedded_again(library: Library) -> None:
    made = library.parsed(library.find_document("law").id)  # type: ignore[union-attr]
    result = library.add(replace(made, document=replace(made.document, collection="Other one")))
    assert (result.outcome, result.embedded) == ("updated", 0)
    assert uris(library, Filter(collections=("Luật",))) == set()
    assert uris(library, Filter(collections=("Other one",))) == {"law", "other"}


def test_a_view_shows_nothing_of_other_collections(library: Library) -> None:
    view = View(library, ("", "กฎหมาย"))
    seen, hidden = {"plain", "thai"}, {"law", "other"}
    assert uris(view) == seen
    assert uris(view, Filter(collections=("Luật",))) == set(), "asking for more gets no more"
    assert uris(view, Filter(collections=("Luật", ""))) == {"plain"}
    assert {document.uri for document in view.documents().documents} == seen
    statistics = view.statistics()
    assert (statistics.documents, set(statistics.speakers)) == (2, {f"Speaker {uri}" for uri in seen})
    assert statistics.passages == sum(statistics.languages.values()) == 2
    for uri in hidden:
        document = library.find_document(uri)
        assert document is not None
        assert view.find_document(uri) is None
        for look in (view.document, view.text, view.passages):
            with pytest.raises(NotFoundError) as refused:
                look(document.id)
            with pytest.raises(NotFoundError) as unknown:
                look("nothing")
            assert str(refused.value) == str(unknown.value).replace("nothing", document.id)
    assert uris(View(library, None)) == set(NAMES)
    nobody = View(library, ())
    assert (uris(nobody), nobody.statistics().documents, nobody.documents().documents) == (set(), 0, ())


def test_the_owner_is_asked_with_the_same_filter(library: Library) -> None:
    with Library.open(library.settings, embedder=HashingEmbedder(), read_only=True) as beside:
        found = beside.search(WORDS, 10, Filter(collections=("", "Luật"))).hits
    assert {hit.document.uri for hit in found} == {"plain", "law"}


def test_counts_in_all_collections_are_those_of_the_library(library: Library) -> None:
    whole = library.statistics()
    assert library.statistics(tuple(NAMES.values())) == whole
    with library.snapshot() as snapshot:
        assert snapshot.collections() == dict.fromkeys(NAMES.values(), 1)


@pytest.mark.sqlite
def test_a_library_from_before_collections_is_brought_along_without_being_asked(tmp_path: Path) -> None:
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        put(library, "old", "")
        with library.ownership.indexes_for_writing() as indexes:
            known = indexes.owned._collection
            known.update(ids=known.get()["ids"], metadatas=[{"collection": None}])
    with closing(sqlite3.connect(tmp_path / FILE)) as catalog:
        catalog.execute("DROP INDEX documents_live_collection")
        catalog.execute("ALTER TABLE documents DROP COLUMN collection")
        catalog.execute("ALTER TABLE documents DROP COLUMN signs")
        catalog.execute("PRAGMA user_version = 3")
        catalog.execute("UPDATE library SET value = '1' WHERE name = 'terms_version'")
        catalog.commit()
    with Library.open(tmp_path, embedder=HashingEmbedder()) as library:
        put(library, "new", "Luật")
        assert uris(library, Filter(collections=("",))) == {"old"}
        assert uris(library) == {"old", "new"}


@pytest.mark.parametrize("name", ["x" * 65, "a\0b", "a\u202eb", "a\u200bb"])
def test_a_name_that_could_deceive_is_refused(name: str) -> None:
    with pytest.raises(RequestError):
        checked_collection(name)


def test_a_name_is_the_same_however_it_is_composed() -> None:
    assert checked_collection("  Luâ\u0323t   mới ") == "Luật mới"
